"""The fence protocol's rules that risk carries, each through the whole core."""

import msgspec
import pytest

from services.risk.messages import (
    StoredState,
)
from shared.control import SelfFenced
from shared.effects import HttpRequest, Paused
from shared.topics import EXECUTION
from shared.units import BootNs
from tests.builders.risk import World, instant


def trading() -> World:
    world = World()
    world.trade()
    return world


# --- lease ----------------------------------------------------------------------------


def test_ask_is_granted_at_once_and_its_echo_is_not_echoed() -> None:
    world = trading()
    world.run(100)
    before = len(world.leases())
    world.run(100)
    assert len(world.leases()) - before == 2
    now = world.leases()[-1]
    assert now.lease is not None
    assert now.sent_ns - now.lease.asked_ns == 0


def test_pongs_alone_are_granted_nothing_since_only_the_loop_grants() -> None:
    """A loop that hears but no longer looks at its deadlines must not keep a lease alive."""
    world = trading()
    world.ms += world.config.timing.ping_ms + 10
    before = len(world.leases())
    for later in range(20):
        pong = world.pong(EXECUTION, world.execution.newest)
        world.tell_as(msgspec.structs.replace(pong, ping_id=pong.ping_id + later))
    assert len(world.leases()) == before


def test_lease_is_of_the_newest_epoch_and_of_the_asker() -> None:
    world = trading()
    ping = world.leases()[-1]
    assert ping.lease is not None
    assert ping.lease.epoch == ping.epoch == world.status.epoch
    assert ping.lease.incarnation == world.execution.incarnation


def test_no_lease_while_latched_paused_or_without_the_dead_man() -> None:
    for spoil in ("halt", "exit", "beats"):
        world = trading()
        since = world.ms + 10
        if spoil == "halt":
            world.halt()
        elif spoil == "exit":
            world.exit_of(EXECUTION)
        else:
            world.venue.silent.add("/v1/heartbeats")
            world.run(7_500)
            since = world.ms
        world.run(1_000)
        assert not world.leases(since), spoil


@pytest.mark.req("EX-18")
def test_beats_that_are_not_acknowledged_end_trading_by_their_send_time() -> None:
    world = trading()
    world.venue.silent.add("/v1/heartbeats")
    sent = [at for at, _ in world.venue.paths("/v1/heartbeats")][-1]
    passed_ms = (world.now.boot_ns - sent.boot_ns) / 1_000_000
    world.run(6_900 - passed_ms)
    assert world.status.trading_state == "ACTIVE"
    world.run(200)
    assert world.status.trading_state == "PAUSED"
    last = world.leases()[-1]
    assert last.sent_ns < sent.boot_ns + world.config.timing.beat_admission_ms * 1_000_000


def test_second_execution_is_granted_nothing_while_the_first_lives() -> None:
    world = trading()
    first = world.execution.incarnation
    world.restart_execution(501)
    since = world.ms
    world.run(200)
    assert {ping.lease.incarnation for ping in world.leases(since) if ping.lease} <= {first}


# --- after our own pause ----------------------------------------------------------------


@pytest.mark.parametrize(("away_ms", "fenced"), [(390, False), (400, False), (410, True)])
def test_own_pause_longer_than_the_lease_takes_a_new_epoch(away_ms: int, fenced: bool) -> None:
    world = trading()
    epoch = world.status.epoch
    since = world.ms
    world.ms += away_ms
    world.take(world.core.on_tick(world.now))
    world.run(100)
    assert (world.status.epoch > epoch) is fenced
    assert bool(world.leases(since + 1)) is not fenced


def test_pause_that_the_loop_tells_of_counts_too() -> None:
    world = trading()
    epoch = world.status.epoch
    world.tell(Paused(450_000_000))
    world.run(100)
    assert world.status.epoch == epoch + 1


# --- fence ------------------------------------------------------------------------------


def test_new_risk_waits_out_a_lease_that_may_have_been_granted_at_its_start() -> None:
    world = World()
    world.execution.answers = False
    world.run(440)
    assert world.status.fence == "fencing"
    world.run(160)
    assert world.status.fence != "fencing"


def test_new_risk_without_any_execution_proves_zero_only_past_the_orders_deadline() -> None:
    world = World()
    world.execution.answers = False
    zero = instant(0).boot_ns
    world.run(5_200)
    assert world.status.fence != "zero"
    world.run(800)
    assert world.status.fence == "zero"
    reads = [at.boot_ns - zero for at, _ in world.venue.paths("/data/orders")]
    assert reads


def test_own_cancel_all_leaves_at_once_and_waits_for_no_answer() -> None:
    world = trading()
    world.execution.blocks = False
    since = world.ms
    world.halt()
    (cancel,) = [one for one in world.of(HttpRequest, since) if one.path == "/cancel-all"]
    assert cancel.lane == "cancel"


def test_zero_waits_for_the_intents_that_execution_tells_of() -> None:
    world = trading()
    world.execution.unresolved = 1
    world.execution.unresolved_until = BootNs(world.now.boot_ns + 3_000_000_000)
    world.halt()
    world.run(4_900)
    assert world.status.fence == "quiet"
    world.run(500)
    assert world.status.fence == "zero"


def test_zero_is_not_proven_while_an_execution_has_not_blocked() -> None:
    world = trading()
    world.execution.blocks = False
    world.execution.answer = None
    world.halt()
    world.run(300)
    assert world.status.fence == "fencing"


@pytest.mark.parametrize("appears", ["0xlate"])
def test_order_that_appears_while_halted_is_cancelled_and_the_proof_made_anew(
    appears: str,
) -> None:
    world = trading()
    world.halt()
    world.run(4_000)
    assert world.status.fence == "zero"
    world.venue.open.append(appears)
    world.run(world.config.timing.halted_poll_ms + 100)
    assert world.venue.open == []
    assert world.venue.paths("/orders")
    assert world.status.fence == "quiet"
    world.run(5_000)
    assert world.status.fence == "zero"


def test_while_halted_open_orders_are_polled_for_good() -> None:
    world = trading()
    world.halt()
    world.run(4_000)
    since = len(world.venue.paths("/data/orders"))
    world.run(20_000)
    polls = world.venue.paths("/data/orders")[since:]
    assert len(polls) == 4


def test_fence_while_one_is_open_takes_no_second_epoch() -> None:
    world = trading()
    world.halt()
    epoch = world.status.epoch
    world.halt()
    world.exit_of(EXECUTION)
    world.run(100)
    assert world.status.epoch == epoch + 1


# --- epoch ------------------------------------------------------------------------------


def test_epoch_stands_above_the_ledgers_and_an_older_database_is_latched() -> None:
    world = World(StoredState(used_max=100, reserved=1_100))
    world.execution.ledger_epoch = 5_000
    world.run(500)
    assert world.status.epoch > 5_000
    assert [one.name for one in world.status.switches if one.kind == "latch"] == ["risk_database"]
    world.run(10_000)
    assert not world.leases()


@pytest.mark.parametrize(("ledger", "latched"), [(99, False), (100, False), (101, True)])
def test_ledger_newer_than_what_was_reserved_means_a_lost_database(
    ledger: int, latched: bool
) -> None:
    world = World(StoredState(used_max=100, reserved=1_100))
    world.execution.ledger_epoch = ledger
    world.run(500)
    assert bool([one for one in world.status.switches if one.kind == "latch"]) is latched


def test_restarted_execution_with_our_own_epochs_is_no_loss() -> None:
    world = trading()
    world.exit_of(EXECUTION)
    world.restart_execution(501)
    world.trade()
    assert not [one for one in world.status.switches if one.kind == "latch"]


def test_first_start_with_a_ledger_that_has_epochs_is_a_loss() -> None:
    world = World(StoredState(used_max=0, reserved=1_000, fresh=True))
    world.execution.ledger_epoch = 1
    world.run(500)
    assert world.status.trading_state == "HALTED"


def test_nothing_is_granted_in_an_epoch_that_is_not_reserved_on_disk() -> None:
    world = World(StoredState(used_max=10, reserved=10))
    world.disk_answers = False
    world.run(10_000)
    assert not world.leases()
    assert "epoch reserved on disk" in world.check_list()
    world.finish_writes()
    world.trade()


# --- self-fence -------------------------------------------------------------------------


@pytest.mark.req("KS-7")
def test_self_fenced_of_our_epoch_is_answered_by_a_newer_one_after_recovery() -> None:
    world = trading()
    epoch = world.status.epoch
    world.execution.self_fenced = SelfFenced(epoch, "lease ran out", BootNs(1))
    world.run(300)
    assert world.status.trading_state == "PAUSED"
    world.trade()
    assert world.status.epoch >= epoch + 2
    assert world.execution.self_fenced is None


def test_self_fenced_within_a_fence_is_answered_by_the_resume() -> None:
    world = World()
    world.run(100)
    epoch = world.status.epoch
    world.execution.self_fenced = SelfFenced(epoch, "cancels fail", BootNs(1))
    world.trade()
    assert world.status.epoch > epoch
    assert world.execution.self_fenced is None


def test_self_fenced_of_an_older_epoch_is_ignored() -> None:
    world = trading()
    epoch = world.status.epoch
    pong = world.pong(EXECUTION, world.execution.newest)
    assert pong.execution is not None
    old = SelfFenced(epoch - 1, "old", BootNs(1))
    execution = msgspec.structs.replace(pong.execution, self_fenced=old)
    world.tell_as(msgspec.structs.replace(pong, execution=execution))
    world.run(300)
    assert world.status.trading_state == "ACTIVE"
    assert world.status.epoch == epoch


def test_self_fenced_never_clears_a_latch() -> None:
    world = trading()
    world.halt()
    world.run(4_000)
    world.execution.self_fenced = SelfFenced(world.status.epoch, "again", BootNs(1))
    world.run(20_000)
    assert world.status.trading_state == "HALTED"
    assert not world.leases(world.ms - 15_000)
