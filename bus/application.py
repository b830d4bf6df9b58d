"""Who carries out an effect, in which order, and what waits for the disk: what INV-2 rests on.

First what is urgent (an edge says so: cancels and resets rest on nothing in the journal; the
control line, what tells people of trouble, and an end that is not clean always are),
then all durable effects and one commit, then everything else as it was returned. A commit may
take as long as a disk likes: what is urgent in later turns leaves meanwhile, all else of them
waits behind it in its order, even of a turn that has nothing durable of its own, since what it
says may rest on what the disk has not got yet. The turns that waited share the next commit.

When a commit fails nothing else of its turns, nor of those behind it, is applied but logs and
the end of the process; each edge answers for what was withheld, and the core hears
`JournalFailed`. When it has held the core hears `JournalHeld`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from bus.edge import CommitFailed, Edge
from shared.effects import (
    Control,
    Durable,
    Effect,
    Exit,
    JournalFailed,
    JournalHeld,
    Log,
    Message,
    Publish,
)
from shared.units import Instant

Decided = tuple[Effect, Instant]
"""An effect, with the instant that the core was given when it decided it."""

WAITING_MAX: Final = 8_192
"""Effects that may wait for a commit: minutes of an execution that stands still, which it does
long before (`ledger_slow`). A turn that finds no room is withheld as if its commit had failed."""


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


class _Turn(msgspec.Struct):
    """What one turn wants on disk, and what waits for that."""

    durable: list[Durable]
    rest: list[Decided]

    @property
    def size(self) -> int:
        return len(self.durable) + len(self.rest)


class Application:
    """Applies the effects of one turn after another."""

    def __init__(
        self,
        outlet: Outlet,
        edges: Sequence[Edge],
        read: Callable[[], Instant],
        waiting_max: int = WAITING_MAX,
    ) -> None:
        """Take the edges; each type of effect has one.

        Args:
            outlet: For what every process has.
            edges: For everything else.
            read: The clock; edges get a fresh reading for each effect.
            waiting_max: Effects that may wait for a commit.
        """
        self._outlet = outlet
        self._read = read
        self._waiting_max = waiting_max
        self._committing: list[_Turn] = []
        self._touched: list[Edge] = []
        self._behind: deque[_Turn] = deque()
        self._edges: dict[type[Effect], Edge] = {}
        for edge in edges:
            for kind in edge.handles:
                assert kind not in self._edges, f"two edges handle {kind.__name__}"
                self._edges[kind] = edge

    @property
    def is_waiting(self) -> bool:
        """Whether effects of an earlier turn wait for a commit that is under way."""
        return bool(self._committing)

    def apply(self, turn: Sequence[Decided]) -> list[Message]:
        """Apply the effects of one turn, as far as nothing waits for a disk.

        Returns:
            What the edges have to say at once.
        """
        messages: list[Message] = []
        urgent, following = self._sort(turn)
        for effect, decided in urgent:
            messages.extend(self._withdraw(effect))
            messages.extend(self._apply_one(effect, decided))
        if following.size and self._has_room(following):
            self._enqueue(following)
        elif following.size:
            messages.extend(self._refuse([following], "too much waits for a commit under way"))
        messages.extend(self.settle())
        return messages

    def settle(self) -> list[Message]:
        """Go on with what waits, in its order, as far as commits have held.

        Returns:
            What the edges have to say, and whether each commit that is over has held.
        """
        messages: list[Message] = []
        try:
            while self._committing or self._behind:
                if not self._committing:
                    self._begin(messages)
                if not self._has_held():
                    break
                self._release(messages)
        except CommitFailed as error:
            turns = [*self._committing, *self._behind]
            self._committing, self._touched = [], []
            self._behind.clear()
            messages.extend(self._refuse(turns, str(error)))
        return messages

    def _sort(self, turn: Sequence[Decided]) -> tuple[list[Decided], _Turn]:
        urgent: list[Decided] = []
        following = _Turn([], [])
        for effect, decided in turn:
            edge = self._edges.get(type(effect))
            if isinstance(effect, Durable):
                assert edge is not None, f"no edge handles {type(effect).__name__}"
                following.durable.append(effect)
            elif _waits_for_nothing(effect) or (edge is not None and edge.is_urgent(effect)):
                urgent.append((effect, decided))
            else:
                following.rest.append((effect, decided))
        return urgent, following

    def _has_room(self, following: _Turn) -> bool:
        """Whether a turn may wait; one before which nothing waits always may."""
        if not self._committing:
            return True
        waiting = sum(turn.size for turn in (*self._committing, *self._behind))
        return waiting + following.size <= self._waiting_max

    def _enqueue(self, following: _Turn) -> None:
        """Let a turn wait behind all others; one without a journal joins the one before it."""
        before = [*self._committing, *self._behind][-1:]
        if before and not following.durable:
            before[0].rest.extend(following.rest)
        else:
            self._behind.append(following)

    def _begin(self, messages: list[Message]) -> None:
        """Begin the one commit of all turns that wait for one.

        Raises:
            CommitFailed: It has failed already.
        """
        while self._behind and not self._behind[0].durable:
            self._apply_rest(self._behind.popleft(), messages)
        self._committing = list(self._behind)
        self._behind.clear()
        for turn in self._committing:
            for effect in turn.durable:
                edge = self._edges[type(effect)]
                if edge not in self._touched:
                    self._touched.append(edge)
                messages.extend(edge.apply(effect, self._read()))
        for edge in self._touched:
            edge.commit(self._read())

    def _has_held(self) -> bool:
        """Whether the commit that was begun is over.

        Raises:
            CommitFailed: It is, and has not held.
        """
        while self._touched:
            if not self._touched[0].is_committed(self._read()):
                return False
            self._touched.pop(0)
        return True

    def _release(self, messages: list[Message]) -> None:
        """Apply what has waited for the commit that has held."""
        turns, self._committing = self._committing, []
        numbers = [effect.number for turn in turns for effect in turn.durable]
        if numbers:
            messages.append(JournalHeld(numbers[-1]))
        for turn in turns:
            self._apply_rest(turn, messages)

    def _apply_rest(self, turn: _Turn, messages: list[Message]) -> None:
        for effect, decided in turn.rest:
            messages.extend(self._apply_one(effect, decided))

    def _refuse(self, turns: Sequence[_Turn], why: str) -> list[Message]:
        """Withhold what rests on a commit that has not held."""
        messages: list[Message] = []
        if any(turn.durable for turn in turns):
            messages.append(JournalFailed(why))
        for turn in turns:
            for effect, decided in turn.rest:
                messages.extend(self._withhold(effect, decided))
        return messages

    def _withdraw(self, urgent: Effect) -> list[Message]:
        """Take back what an urgent effect undoes before it was ever applied."""
        edge = self._edges.get(type(urgent))
        if edge is None:
            return []
        messages: list[Message] = []
        for turn in (*self._committing, *self._behind):
            kept: list[Decided] = []
            for effect, decided in turn.rest:
                said: list[Message] = []
                if self._edges.get(type(effect)) is edge:
                    said = edge.withdraw(urgent, effect, self._read())
                if not said:
                    kept.append((effect, decided))
                messages.extend(said)
            turn.rest = kept
        return messages

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


def _waits_for_nothing(effect: Effect) -> bool:
    """Whether an effect tells of trouble, or ends a process that has given up waiting."""
    match effect:
        case Control() | Log(level="critical") | Publish(topic="risk.alert"):
            return True
        case Exit(status=status):
            return status != 0
        case _:
            return False
