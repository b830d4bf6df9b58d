"""The real execution core and order of effects, over a ledger whose commits the test ends."""

from typing import Any

from bus.application import Application
from bus.edge import CommitFailed, Edge
from services.execution.may_send import PlaceOrder, PlaceOrders
from shared.effects import (
    Control,
    Effect,
    Exit,
    HttpFailed,
    HttpRequest,
    HttpReset,
    Log,
    Message,
    Publish,
)
from shared.ledger_schema import AnyRecord, Journal
from shared.units import Instant
from tests.builders.execution import Rig


class HeldLedger(Edge):
    """Commits at once, or when the test says so.

    Attributes:
        is_quick: Whether commits end as they begin.
        failure: Why the commit under way fails; empty for one that holds.
        journal: What is on disk.
    """

    handles = (Journal,)

    def __init__(self) -> None:
        self.is_quick = True
        self.failure = ""
        self.journal: list[AnyRecord] = []
        self._written: list[AnyRecord] = []
        self._is_released = False

    @property
    def under_way(self) -> int:
        """Return how many records the commit under way has."""
        return len(self._written)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        assert isinstance(effect, Journal)
        self._written += effect.records
        return []

    def is_committed(self, now: Instant) -> bool:
        if not (self.is_quick or self._is_released):
            return False
        written, self._written, self._is_released = self._written, [], False
        if self.failure:
            raise CommitFailed(self.failure)
        self.journal += written
        return True

    def release(self) -> None:
        """Let the commit under way end; the next one is held again."""
        self._is_released = True


class RigEdge(Edge):
    """The rig's venue, behind the lanes that the gateway has."""

    handles = (PlaceOrder, PlaceOrders, HttpRequest, HttpReset)

    def __init__(self, rig: "SlowRig") -> None:
        self._rig = rig

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        self._rig.effects.append(effect)
        if isinstance(effect, HttpReset):
            return self._rig._reset()
        if isinstance(effect, HttpRequest):
            return self._rig.venue.request(effect, now)
        return self._rig._send(effect)

    def is_urgent(self, effect: Effect) -> bool:
        return isinstance(effect, HttpReset) or (
            isinstance(effect, HttpRequest) and effect.lane == "cancel"
        )

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        return _unsent(effect, "not_journaled")

    def withdraw(self, urgent: Effect, waiting: Effect, now: Instant) -> list[Message]:
        is_post = isinstance(waiting, PlaceOrder | PlaceOrders)
        return _unsent(waiting, "reset") if is_post and isinstance(urgent, HttpReset) else []


def _unsent(effect: Effect, reason: str) -> list[Message]:
    if isinstance(effect, PlaceOrder | PlaceOrders | HttpRequest):
        return [HttpFailed(effect.request_id, False, reason)]
    return []


class Told:
    """The outlet: what left is kept among the rig's effects."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def publish(self, effect: Publish, decided: Instant) -> None:
        """Keep a fact."""
        self._rig.effects.append(effect)

    def send_control(self, effect: Control) -> None:
        """Nothing of execution goes this way."""
        raise AssertionError(effect)

    def log(self, effect: Log) -> None:
        """Keep a line."""
        self._rig.effects.append(effect)

    def exit(self, effect: Exit) -> None:
        """Keep how it ended."""
        self._rig.exit = effect


class SlowRig(Rig):
    """The rig of the execution core, with the loop's own order of effects.

    Attributes:
        ledger: Held by the test.
    """

    def __init__(self, **limits: Any) -> None:
        super().__init__(**limits)
        self.ledger = HeldLedger()
        self.journal = self.ledger.journal
        edges = (self.ledger, RigEdge(self))
        self._application = Application(Told(self), edges, lambda: self.now)

    def release(self) -> None:
        """Let the commit under way end, and the loop take its turn."""
        self.ledger.release()
        self._hear(self._application.settle())

    def _apply(self, effects: list[Effect]) -> None:
        self._hear(self._application.apply([(effect, self.now) for effect in effects]))

    def _hear(self, messages: list[Message]) -> None:
        for message in messages:
            self.tell(message)
