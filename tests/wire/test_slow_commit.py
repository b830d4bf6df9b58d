"""Execution's real core, loop and ledger, over a disk whose every sync takes half a second."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import clock
from bus.edge import Edge
from bus.writer import Writer
from services.execution.core import ExecutionCore
from services.execution.ledger.ledger import Ledger
from services.execution.messages import IdentityFound
from shared.control import Lease, Ping, Pong
from shared.effects import (
    Control,
    ControlReceived,
    Effect,
    HttpRequest,
    HttpReset,
    Message,
    Paused,
    Peer,
)
from shared.identifiers import Incarnation
from shared.ledger_schema import LEDGER_FILE
from shared.topics import EXECUTION, RISK
from shared.units import NS_PER_MS, BootNs, Instant
from tests.builders.bus_rig import Rig, rig

SYNC_S = 0.5
"""Longer than the lease of 400 ms."""

PING_NS = 100 * NS_PER_MS
PONG_NS_MAX = 150 * NS_PER_MS
EPOCH = 7
RUN = Incarnation(2)


class SlowLedger(Ledger):
    """The real ledger; its syncs begin and end when these stamps say."""

    def __init__(self, path: Path, now: Instant) -> None:
        super().__init__(path, now)
        self.began: list[int] = []
        self.ended: list[int] = []

    def commit(self, now: Instant) -> None:
        self.began.append(clock.read().boot_ns)
        threading.Event().wait(SYNC_S)
        super().commit(now)
        self.ended.append(clock.read().boot_ns)

    @property
    def is_syncing(self) -> bool:
        return len(self.began) > len(self.ended)


class Venue(Edge):
    """Has the key; keeps when each cancel has reached its lane, and answers nothing."""

    handles = (HttpRequest, HttpReset)

    def __init__(self) -> None:
        self.next: list[Message] = []
        self.canceled_ns: list[int] = []

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        if isinstance(effect, HttpRequest) and effect.lane == "cancel":
            self.canceled_ns.append(now.boot_ns)
        return []

    def is_urgent(self, effect: Effect) -> bool:
        return isinstance(effect, HttpReset) or (
            isinstance(effect, HttpRequest) and effect.lane == "cancel"
        )

    def on_tick(self, now: Instant) -> list[Message]:
        said, self.next = self.next, []
        return said


class Risk:
    """Pings ten times a second, echoes every ask as a lease, and keeps every pong."""

    def __init__(self) -> None:
        self.pongs: list[Pong] = []
        self.waits_ns: list[int] = []
        self.fence_id = 0
        self._sent_ns: dict[int, int] = {}
        self._due_ns = 0
        self._peer: Peer | None = None

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        if isinstance(message, ControlReceived) and isinstance(message.body, Pong):
            self._peer = message.sender
            self.pongs.append(message.body)
            sent_ns = self._sent_ns.pop(message.body.ping_id, None)
            if sent_ns is not None:
                self.waits_ns.append(now.boot_ns - sent_ns)
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        if self._peer is None or now.boot_ns < self._due_ns:
            return []
        self._due_ns = now.boot_ns + PING_NS
        ping_id = len(self._sent_ns) + len(self.waits_ns) + 1
        self._sent_ns[ping_id] = now.boot_ns
        return [Control(self._ping(ping_id, now), self._peer)]

    def _ping(self, ping_id: int, now: Instant) -> Ping:
        execution = self.pongs[-1].execution
        assert execution is not None
        lease = Lease(RUN, execution.asked_ns, 400, EPOCH, "ACTIVE")
        return Ping(
            risk_incarnation=Incarnation(1),
            ping_id=ping_id,
            sent_ns=BootNs(now.boot_ns),
            epoch=EPOCH + 1 if self.fence_id else EPOCH,
            fence_id=self.fence_id,
            fence_reason="test" if self.fence_id else "",
            trading_state="ACTIVE",
            reasons=(),
            scopes=(),
            switch_version=1,
            lease=None if self.fence_id else lease,
        )


class Watched(ExecutionCore):
    """Counts how often its loop was away for longer than a lease."""

    pauses = 0

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        self.pauses += isinstance(message, Paused)
        return super().on_message(message, now)


@pytest.fixture
def bus() -> Iterator[Rig]:
    with rig() as made:
        yield made


FOUND = IdentityFound("main", "0x" + "1" * 40, "0x" + "1" * 40, 0, "key-1")


@pytest.mark.req("INV-3", "INV-4", "KS-7")
def test_syncs_longer_than_the_lease_delay_neither_pongs_nor_cancels(bus: Rig) -> None:
    ledger = SlowLedger(bus.directory / LEDGER_FILE, clock.read())
    started = bus.add(RISK, risk := Risk())
    core = Watched(started.settings.config, RUN, ledger.opened, clock.read())
    venue = Venue()
    bus.add(EXECUTION, core, (Writer(ledger), venue))
    bus.turn_until(lambda: len(ledger.ended) == 1)
    venue.next = [FOUND]
    bus.turn_until(lambda: len(ledger.ended) == 2)
    assert all(pong.execution and pong.execution.self_fenced is None for pong in risk.pongs)
    assert core.pauses == 0
    assert core._parts.standing.is_leased(clock.read())

    # An epoch is journaled for the fence too: it is heard while that sync goes on.
    canceled = len(venue.canceled_ns)
    risk.fence_id = EPOCH + 1
    bus.turn_until(lambda: ledger.is_syncing)
    bus.turn_until(lambda: len(venue.canceled_ns) > canceled and answers(risk) > 0)
    assert ledger.is_syncing, "cancel and BLOCKED came while the disk was at it"
    bus.turn_until(lambda: not ledger.is_syncing)
    assert max(risk.waits_ns) < PONG_NS_MAX, [wait // NS_PER_MS for wait in risk.waits_ns]
    assert len(risk.waits_ns) >= 3 * SYNC_S * 10 // 2


def answers(risk: Risk) -> int:
    """Return when the newest pong says that placing was blocked for the fence; 0 when not."""
    execution = risk.pongs[-1].execution
    answer = execution.fence_answer if execution is not None else None
    return answer.blocked_ns if answer is not None and answer.fence_id == risk.fence_id else 0
