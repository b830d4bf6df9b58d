"""The real cores of risk and execution, moved by the steps of the model.

Time is cut into ticks of half a second, of which a lease of 400 ms asked for early in one does not
see the next: that is the model's lease of one tick. What happens within a tick happens in its first
forty milliseconds, one thing a millisecond.
"""

from typing import Any

import msgspec

from ops.model.execution import may_place
from ops.model.layout import (
    ACK,
    ALIVE,
    EPOCH,
    FENCED,
    FENCES,
    GRANTS,
    LATCH,
    NOW,
    OF,
    SELF_FENCED,
    TO,
    TRADING,
    ZERO,
    ZEROING,
)
from ops.model.machine import Machine, State
from services.execution.core import ExecutionCore
from services.execution.may_send import Permit
from services.execution.startup import OpenedLedger
from services.risk.core import RiskCore
from services.risk.messages import StoredState
from shared.control import ExecutionPong, Ping, Pong
from shared.effects import Control, ControlReceived, Effect
from shared.identifiers import Incarnation, OrderHash
from shared.operator import OperatorGone
from shared.topics import EXECUTION
from shared.units import BootNs, Instant
from tests.builders.execution import EXECUTION_RUN, Rig
from tests.builders.risk import World
from tests.builders.risk_parts import FakeExecution, config

TICK_MS = 500
STEP_MS = 50

Seen = tuple[bool | int, ...]


class RealExecution(FakeExecution):
    """Execution's real core where the world of risk's tests has a stand-in."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(EXECUTION_RUN)
        self.rig = rig

    def part(self, now: Instant) -> ExecutionPong:
        """Return what only execution says."""
        return self.rig.core.execution_pong(now)


class Both(World):
    """Risk's world with the real execution, whose messages wait for a step.

    Attributes:
        under_way: The newest ping to execution, None for none.
        said: The newest pong of execution, None for none.
    """

    def __init__(self) -> None:
        self.under_way: Ping | None = None
        self.said: Pong | None = None
        self.heard: Ping | None = None
        settings = config(
            ping_ms=1,
            blocked_ms=1_000_000,
            hang_ms=1_000_000,
            socket_timeout_ms=100,
            late_order_margin_ms=0,
            read_gap_ms=TICK_MS - 40,
            clean_data_ms=100,
        )
        super().__init__(settings=settings)
        rig = Rig()
        quick = msgspec.structs.replace(rig.config.timing, read_gap_ms=settings.timing.read_gap_ms)
        rig.config = msgspec.structs.replace(rig.config, timing=quick)
        rig.core = ExecutionCore(rig.config, EXECUTION_RUN, OpenedLedger(), rig.now)
        rig.pings = False
        rig.start()
        self.rig = rig
        self.execution = RealExecution(rig)
        self.stored = StoredState(used_max=1_000, reserved=2_000)
        self.incarnation = 77
        self.ms = float(-(-rig.ms // TICK_MS) * TICK_MS)
        self._begin()

    # --- steps ------------------------------------------------------------------------------

    def pass_time(self, *, risk_awake: bool, execution_awake: bool) -> None:
        """Let a tick end; whoever is awake turns meanwhile, and says nothing."""
        end = (self.ms // TICK_MS + 1) * TICK_MS
        at = self.ms - self.ms % STEP_MS + STEP_MS
        while at < end:
            self.ms = max(self.ms, at)
            if risk_awake:
                self._facts()
                self._deliver()
                self.tell(OperatorGone(99))
            if execution_awake:
                self.turn_execution()
            at += STEP_MS
        self.ms = end

    def turn_risk(self) -> None:
        """Let risk look at every deadline."""
        self._step()
        self._facts()
        self._deliver()
        self.take(self.core.on_tick(self.now))
        self._deliver()

    def turn_execution(self) -> None:
        """Let execution look at every deadline."""
        self.rig.ms = int(self.ms)
        self.rig._apply(self.rig.core.on_tick(self.rig.now))

    def hear_ping(self) -> None:
        """Let execution take the ping in and answer it."""
        self._step()
        ping, self.under_way = self.under_way, None
        assert ping is not None
        self.rig.ms = int(self.ms)
        before = self.rig.core._parts.standing.epoch
        self.rig.tell(ControlReceived(ping))
        if ping.epoch >= before:
            self.heard = ping
            self.said = self.pong(EXECUTION, ping)

    def say_hello(self) -> None:
        """Let execution speak unasked."""
        self._step()
        self.said = self.pong(EXECUTION, None)

    def hear_pong(self) -> None:
        """Let risk take the pong in."""
        self._step()
        pong, self.said = self.said, None
        assert pong is not None
        self.tell_as(pong)

    def fence(self) -> None:
        """Let a switch of risk trip."""
        self._step()
        guard = self.core._guard
        self.core._begin_turn(self.now)
        guard.halt_trading("a switch", self.now)
        self.take(guard.take_out(self.now))
        self._deliver()

    def restart_risk(self) -> None:
        """Let risk die and start again on what its disk holds."""
        rows = {row.name: row for row in self.core._guard.authority.latches.rows()}
        used = self.stored.reserved + 1_000
        version = self.core._guard.authority.latches.version
        self.stored = StoredState(
            used_max=used,
            reserved=used + 1_000,
            latches=tuple(rows.values()),
            latch_version=version,
        )
        self.incarnation += 1
        self._begin()

    def ask_halt(self) -> None:
        """Let the operator halt."""
        self._step()
        self.halt()

    def ask_resume(self) -> None:
        """Let the operator resume whatever is latched."""
        self._step()
        self.publish_now()
        self.resume()

    def publish_now(self) -> None:
        """Let the status be as it is now."""
        self.core._guard.publish_status(self.now)
        self.take(self.core._guard.take_out(self.now))

    @property
    def is_greeted(self) -> bool:
        """Whether execution has heard this very risk."""
        return self.heard is not None and self.heard.risk_incarnation == self.incarnation

    def seen(self) -> Seen:
        """Return what of both cores the model has too."""
        authority = self.core._guard.authority
        parts = self.rig.core._parts
        standing = parts.standing
        epoch = authority.epochs.current
        answer = parts.answers.answer
        is_blocked = (
            answer is not None
            and answer.fence_id == standing.epoch
            and answer.risk_incarnation == self.incarnation
        )
        permit = Permit(OrderHash("0x"), standing.epoch, BootNs(2**62), reduce_only=False)
        self.rig.ms = int(self.ms)
        ping = self.under_way
        if ping is not None and ping.epoch < standing.epoch:
            ping = None
        grants = ping is not None and ping.lease is not None and self._lives(ping)
        return (
            authority.trading,
            not authority.trading and authority.present_fence.is_zero,
            bool(authority.account_latches()),
            (epoch > standing.epoch) - (epoch < standing.epoch),
            standing.is_fenced,
            parts.self_fence.fenced is not None,
            parts.zeroing is not None,
            is_blocked,
            self.rig.core.may_send(permit, self.rig.now) is None,
            ping is not None,
            ping is not None and ping.fence_id == ping.epoch,
            grants,
            self.said is not None,
        )

    # --- inside -----------------------------------------------------------------------------

    def _lives(self, ping: Ping) -> bool:
        assert ping.lease is not None
        return self.now.boot_ns < ping.lease.asked_ns + ping.lease.lease_ms * 1_000_000

    def _begin(self) -> None:
        mine = Incarnation(self.incarnation)
        self.core = RiskCore(self.config, mine, self.stored, self.now)
        self._to_risk = []
        self.tell(OperatorGone(99))

    def _step(self) -> None:
        self.ms += 1
        assert self.ms % TICK_MS <= 40, "too much in one tick"

    def _ping(self, control: Control) -> None:
        if control.to is not None and control.to.component == EXECUTION:
            assert isinstance(control.body, Ping)
            self.under_way = control.body
            return
        super()._ping(control)

    def hello(self, component: Any) -> None:
        """Let the others say hello as ever; execution's is a step of its own."""
        if component != EXECUTION:
            super().hello(component)

    def take(self, effects: list[Effect]) -> None:
        """Carry effects out; the history is not needed."""
        self.effects = self.effects[-200:]
        super().take(effects)


def seen_of(machine: Machine, state: State) -> Seen:
    """Return the same of a state of the model."""
    (risk,), (execution,) = machine.layout.risks, machine.layout.executions
    ((place,),), (pong,) = machine.layout.pings, machine.layout.pongs
    trading = bool(state[risk + TRADING])
    epoch, heard = state[risk + NOW], state[execution + EPOCH]
    return (
        trading,
        not trading and bool(state[risk + ZERO]),
        bool(state[risk + LATCH]),
        (epoch > heard) - (epoch < heard),
        bool(state[execution + FENCED]),
        bool(state[execution + SELF_FENCED]),
        bool(state[execution + ZEROING]),
        state[execution + ACK] == 2,
        bool(state[execution + ALIVE]) and may_place(machine, state, execution),
        bool(state[place + OF]),
        bool(state[place + FENCES]),
        bool(state[place + GRANTS]),
        bool(state[pong + TO]),
    )
