"""Who carries out an effect, and in which order: the rule that INV-2 rests on.

First what is urgent (an edge says so: cancels and resets rest on nothing in the journal),
then all durable effects and one commit, then everything else as it was returned. When the
commit fails nothing else of the turn is applied but logs and the end of the process; each
edge answers for what was withheld, and the core hears `JournalFailed`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from bus.edge import CommitFailed, Edge
from shared.effects import (
    Control,
    Durable,
    Effect,
    Exit,
    JournalFailed,
    Log,
    Message,
    Publish,
)
from shared.units import Instant

Decided = tuple[Effect, Instant]
"""An effect, with the instant that the core was given when it decided it."""


class Outlet(Protocol):
    """Where the effects that every process has go."""

    def publish(self, effect: Publish, decided: Instant) -> None:
        """Broadcast a fact."""
        ...

    def send_control(self, effect: Control) -> None:
        """Send on the control line."""
        ...

    def log(self, effect: Log) -> None:
        """Write a line."""
        ...

    def exit(self, effect: Exit) -> None:
        """End the process after this turn."""
        ...


class Application:
    """Applies the effects of one turn after another."""

    def __init__(self, outlet: Outlet, edges: Sequence[Edge], read: Callable[[], Instant]) -> None:
        """Take the edges; each type of effect has one.

        Args:
            outlet: For what every process has.
            edges: For everything else.
            read: The clock; edges get a fresh reading for each effect.
        """
        self._outlet = outlet
        self._read = read
        self._edges: dict[type[Effect], Edge] = {}
        for edge in edges:
            for kind in edge.handles:
                assert kind not in self._edges, f"two edges handle {kind.__name__}"
                self._edges[kind] = edge

    def apply(self, turn: Sequence[Decided]) -> list[Message]:
        """Apply the effects of one turn; return what the edges have to say at once."""
        messages: list[Message] = []
        urgent, durable, rest = self._sort(turn)
        for effect, decided in urgent:
            messages.extend(self._apply_one(effect, decided))
        if not self._commit(durable, messages):
            for effect, decided in rest:
                messages.extend(self._withhold(effect, decided))
            return messages
        for effect, decided in rest:
            messages.extend(self._apply_one(effect, decided))
        return messages

    def _sort(self, turn: Sequence[Decided]) -> tuple[list[Decided], list[Decided], list[Decided]]:
        urgent: list[Decided] = []
        durable: list[Decided] = []
        rest: list[Decided] = []
        for effect, decided in turn:
            edge = self._edges.get(type(effect))
            if isinstance(effect, Durable):
                assert edge is not None, f"no edge handles {type(effect).__name__}"
                durable.append((effect, decided))
            elif isinstance(effect, Control) or (edge is not None and edge.is_urgent(effect)):
                urgent.append((effect, decided))
            else:
                rest.append((effect, decided))
        return urgent, durable, rest

    def _commit(self, durable: Sequence[Decided], messages: list[Message]) -> bool:
        """Apply and commit the durable effects; False, with the message, when that failed."""
        touched: list[Edge] = []
        try:
            for effect, _ in durable:
                edge = self._edges[type(effect)]
                if edge not in touched:
                    touched.append(edge)
                messages.extend(edge.apply(effect, self._read()))
            for edge in touched:
                edge.commit(self._read())
        except CommitFailed as error:
            messages.append(JournalFailed(str(error)))
            return False
        return True

    def _apply_one(self, effect: Effect, decided: Instant) -> list[Message]:
        match effect:
            case Publish():
                self._outlet.publish(effect, decided)
            case Control():
                self._outlet.send_control(effect)
            case Log():
                self._outlet.log(effect)
            case Exit():
                self._outlet.exit(effect)
            case _:
                edge = self._edges.get(type(effect))
                assert edge is not None, f"no edge handles {type(effect).__name__}"
                return edge.apply(effect, self._read())
        return []

    def _withhold(self, effect: Effect, decided: Instant) -> list[Message]:
        if isinstance(effect, Log | Exit):
            return self._apply_one(effect, decided)
        edge = self._edges.get(type(effect))
        return edge.withhold(effect, self._read()) if edge is not None else []
