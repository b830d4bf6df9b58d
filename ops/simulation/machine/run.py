"""One run of execution: its core, the real gateway, and turns whose commits take their time.

Effects are applied by the real loop's own rule (`bus/application.py`), over a disk whose commits
are late, fail, or never come because the run is killed first.
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from bus.application import Application
from bus.edge import CommitFailed, Edge
from bus.http import BeforeWrite, Headers, Lane
from bus.settings import Settings
from ops.simulation.machine.ledger import MemoryLedger
from ops.simulation.machine.network import MachineLanes, Network
from services.execution.core import ExecutionCore
from services.execution.gateway import Gateway
from shared.effects import (
    Control,
    Effect,
    Exit,
    HttpRequest,
    Log,
    Message,
    Publish,
)
from shared.identifiers import Incarnation
from shared.ledger_schema import AnyRecord, Journal
from shared.units import Instant

MakeCore = Callable[..., ExecutionCore]
"""Makes a core from configuration, incarnation, what the ledger says, and the moment."""


class Disk(Edge):
    """The ledger's disk, whose commits hold when somebody lets them.

    Attributes:
        is_prompt: Whether commits hold at once.
        fails: How many of the next commits fail.
        is_free: Whether the commit under way may end.
        waiting: Records of the commit under way; none when none is.
    """

    handles: tuple[type[Effect], ...] = (Journal,)

    def __init__(self, ledger: MemoryLedger) -> None:
        """Begin with nothing to write."""
        self._ledger = ledger
        self.waiting: list[AnyRecord] = []
        self.is_prompt = True
        self.is_free = False
        self.fails = 0

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Take a journal's records."""
        assert isinstance(effect, Journal), f"not of this edge: {effect}"
        self.waiting += effect.records
        return []

    def is_committed(self, now: Instant) -> bool:
        """Whether the commit has held.

        Raises:
            CommitFailed: It has failed.
        """
        if not (self.is_prompt or self.is_free):
            return False
        self.is_free = False
        records, self.waiting = self.waiting, []
        if self.fails:
            self.fails -= 1
            raise CommitFailed("the disk takes nothing")
        self._ledger.commit(records)
        return True

    def cut(self, *, committed: bool) -> None:
        """Lose power in the middle of a commit, which is on disk whole or not at all."""
        if committed and not self.fails:
            self._ledger.commit(self.waiting)
        self.waiting = []


class Surroundings(msgspec.Struct, frozen=True):
    """What a run is put into.

    Attributes:
        read: The clock.
        written: Told of each first byte, with the run that wrote it.
        decided: Told of each fact as it is decided.
    """

    settings: Settings
    network: Network
    ledger: MemoryLedger
    read: Callable[[], Instant]
    written: Callable[[int, HttpRequest, Instant], None]
    decided: Callable[[int, Publish], None]
    make_core: MakeCore


class Run:
    """One incarnation of execution (`bus.application.Outlet`).

    Attributes:
        core: Its decisions.
        disk: Where its journal goes.
        ended: Why it has ended; empty while it runs.
    """

    def __init__(self, incarnation: Incarnation, around: Surroundings) -> None:
        """Start from what is durable."""
        self.incarnation = incarnation
        self._around = around
        config = around.settings.config
        opened = around.ledger.opened()
        self.core = around.make_core(config, incarnation, opened, around.read())
        self._lanes: MachineLanes | None = None
        self._gateway = Gateway(around.settings, self.core.may_send, self._make_lanes)
        self.disk = Disk(around.ledger)
        self._application = Application(self, (self.disk, self._gateway), around.read)
        self.ended = ""
        self._inbox: deque[Message] = deque()
        self._is_busy = False

    @property
    def lanes(self) -> MachineLanes:
        """The connections of this run."""
        assert self._lanes is not None, "the gateway makes them"
        return self._lanes

    def _make_lanes(
        self,
        lanes: Sequence[Lane],
        *,
        headers: Headers | None = None,
        before_write: BeforeWrite | None = None,
    ) -> Edge:
        who, around = int(self.incarnation), self._around

        def written(request: HttpRequest, now: Instant) -> None:
            around.written(who, request, now)

        self._lanes = MachineLanes(
            who, around.network, around.read, written, lanes, headers, before_write
        )
        return self._lanes

    # --- turns ----------------------------------------------------------------------

    def tell(self, message: Message) -> None:
        """Give the core a message, and everything that follows from it at once."""
        self._inbox.append(message)
        self._go_on()

    def tick(self) -> None:
        """Let the edges and the core look at the time."""
        now = self._around.read()
        self._inbox.extend(self._gateway.on_tick(now))
        self._inbox.extend(self._application.settle())
        self._go_on()
        if not self.ended:
            self._decide(self.core.on_tick(now))
            self._go_on()

    def commit(self) -> None:
        """Let the commit that is under way end."""
        if self.disk.waiting and not self.ended:
            self.disk.is_free = True
            self._inbox.extend(self._application.settle())
            self._go_on()

    def hear_lanes(self) -> None:
        """Let the core hear what the lanes have to tell."""
        self._inbox.extend(self.lanes.on_tick(self._around.read()))
        self._go_on()

    def cut(self, *, committed: bool) -> None:
        """Die: with the commit under way on disk and nothing that waits for it, or without."""
        self.disk.cut(committed=committed)
        self.end("killed")

    def end(self, why: str) -> None:
        """Be gone; what was written may still land."""
        self.ended = why
        self._inbox.clear()
        self._gateway.close()
        for flight in self._around.network.unheard():
            if flight.who == int(self.incarnation):
                flight.heard = True

    def _go_on(self) -> None:
        if self._is_busy:
            return
        self._is_busy = True
        while self._inbox and not self.ended:
            first = self._inbox.popleft()
            self._decide(self.core.on_message(first, self._around.read()))
        self._is_busy = False

    def _decide(self, effects: Sequence[Effect]) -> None:
        now = self._around.read()
        for effect in effects:
            if isinstance(effect, Publish):
                self._around.decided(int(self.incarnation), effect)
        self._inbox.extend(self._application.apply([(effect, now) for effect in effects]))

    # --- the outlet -------------------------------------------------------------------

    def publish(self, effect: Publish, decided: Instant) -> None:
        """Nobody reads it who was not told when it was decided."""

    def send_control(self, effect: Control) -> None:
        """Risk asks for a pong itself."""

    def log(self, effect: Log) -> None:
        """Nobody reads it."""

    def exit(self, effect: Exit) -> None:
        """End, when the turn is over."""
        self.end(effect.reason)
