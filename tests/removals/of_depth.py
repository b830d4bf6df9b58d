"""Removals of rules behind rules: each is tested directly, since only its own failure shows it."""

from typing import Final

from tests.removals.removal import AUTHORITY, FENCE, FENCING, GUARD, LEASE, E, R, Removal

DEPTH: Final = {
    "reset": "a fence resets the connections of posts before it cancels",
    "user_timeout": "bytes that nobody acknowledges are given up (TCP_USER_TIMEOUT)",
    "own_cancels": "risk cancels everything itself, with a fence",
    "dead_man": "no order before the first acknowledged beat, and none long after the last",
    "refused_cancels": "cancels answered by 401 or 403 stop the beats",
    "start_cancel_all": "a start cancels everything before it reads",
    "panic_kill": "panic kills execution",
    "echo_incarnation": "an echo for another incarnation grants nothing",
    "ack_incarnation": "an acknowledgement to another risk is ignored",
    "reserved_epochs": "nothing is granted in an epoch that is not reserved on disk",
}
"""Rules behind rules: no single one of them breaks a property in the model."""

OF_DEPTH: Final = (
    Removal(
        "reset",
        FENCING,
        "Fencing.begin_zero",
        'return [HttpReset("post"), *cancels, begun]',
        "return [*cancels, begun]",
        E + "test_core_switches.py::test_fence_resets_the_connections_of_posts_before_it_cancels",
    ),
    Removal(
        "reset",
        "bus/connection.py",
        "Connection.abort",
        "self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)",
        "pass",
        "tests/wire/test_bus_connection.py::test_abort_resets_the_peer_instead_of_delivering_late",
    ),
    Removal(
        "user_timeout",
        "bus/connection.py",
        "_set_options",
        "(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout_ms),",
        "",
        "tests/wire/test_bus_connection.py::test_bytes_that_nobody_acknowledges_are_given_up",
    ),
    Removal(
        "own_cancels",
        GUARD,
        "Guard.new_fence",
        "self.out += self.sweep.begin(now.boot_ns)",
        "pass",
        R + "test_protocol.py::test_own_cancel_all_leaves_at_once_and_waits_for_no_answer",
    ),
    Removal(
        "dead_man",
        AUTHORITY,
        "Authority._may_grant",
        "self.trading and admitted and",
        "self.trading and",
        R + "test_authority.py::"
        "test_ping_carries_no_lease_before_the_first_beat_or_without_admission",
    ),
    Removal(
        "dead_man",
        "services/risk/dead_man.py",
        "DeadMan._acknowledged",
        "self.acknowledged_sent_ns = reply.sent_ns if sent is None else max(sent, reply.sent_ns)",
        "self.acknowledged_sent_ns = BootNs(reply.sent_ns + 10**9)",
        R + "test_dead_man.py::test_admission_ends_by_the_send_time_of_the_last_acknowledged_beat",
    ),
    Removal(
        "refused_cancels",
        "services/risk/sweep.py",
        "Sweep.keep_alive",
        "return [] if self.cancels.refused else self.dead_man.beat(now_ns)",
        "return self.dead_man.beat(now_ns)",
        R + "test_halts.py::test_cancels_refused_stop_the_beats_and_trading_until_one_works",
    ),
    Removal(
        "start_cancel_all",
        FENCING,
        "Fencing.begin_zero",
        "cancels = self._parts.canceller.cancel_all(cause, now)",
        "cancels = [] if cause == START else self._parts.canceller.cancel_all(cause, now)",
        E + "test_recovery.py::test_start_asks_for_cancel_all_then_reads_twice_then_trades",
    ),
    Removal(
        "panic_kill",
        "ops/panic.py",
        "kill_execution",
        "return fault.pid, fault.pid > 0 and kill_and_wait(fault.pid, KILL_WITHIN_S)",
        "return fault.pid, True",
        "tests/unit/ops/test_panic.py::test_execution_that_holds_its_lock_is_killed",
    ),
    Removal(
        "echo_incarnation",
        LEASE,
        "Standing._take",
        "lease.incarnation != self._incarnation or ",
        "",
        E + "test_lease.py::test_echo_of_another_run_epoch_or_state_grants_nothing",
    ),
    Removal(
        "ack_incarnation",
        FENCE,
        "Fence.answered",
        " or answer.risk_incarnation != self._risk_incarnation:",
        ":",
        R + "test_fence.py::test_answer_to_another_fence_or_of_another_risk_is_ignored",
    ),
    Removal(
        "reserved_epochs",
        AUTHORITY,
        "Authority._may_grant",
        " and self.epochs.is_durable()",
        "",
        R + "test_authority.py::"
        "test_ping_carries_no_lease_in_an_epoch_that_a_later_run_could_take_again",
    ),
)
