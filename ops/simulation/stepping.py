"""Between any two effects of a turn a process may die, or be stopped and go on much later.

Counts effects down to the one before which it happens. A death rolls back what is not
committed; after a stop the rest of the turn is applied with the clocks of that moment, which
is what a check made before the stop must survive.
"""

from collections import deque
from collections.abc import Callable, Iterable

from bus.edge import Edge
from shared.effects import Durable, Effect, Message
from shared.units import Instant


class Killed(Exception):
    """The process was killed inside a turn."""


class Stepping:
    """Counts the effects of one process.

    Attributes:
        is_paused: Whether the rest of a turn waits for the process to go on.
    """

    __slots__ = ("_before", "_effects_left", "_lasts_ns", "_pause", "_rest", "is_paused")

    def __init__(self, pause: Callable[[int], None]) -> None:
        """Begin with nothing armed.

        Args:
            pause: Stops the process for a number of nanoseconds.
        """
        self._pause = pause
        self._effects_left: int | None = None
        self._lasts_ns = 0
        self._before = ""
        self._rest: deque[Callable[[], None]] = deque()
        self.is_paused = False

    def arm(self, effects_before: int, lasts_ns: int = 0, before: str = "") -> None:
        """Die before a further effect, or stop there for `lasts_ns` when that is not 0.

        Args:
            effects_before: Effects that are still applied.
            lasts_ns: Length of a stop, 0 for a death.
            before: How the type of the effects that count begins; empty for all.
        """
        self._effects_left = effects_before
        self._lasts_ns = lasts_ns
        self._before = before

    def disarm(self) -> None:
        """Forget a death or stop that has not come."""
        self._effects_left = None

    def step(self, apply: Callable[[], None], *, kind: str = "", may_wait: bool = True) -> None:
        """Apply one effect of a type, or keep it until the process goes on.

        Raises:
            Killed: The process dies instead.
        """
        self._count(kind, may_wait=may_wait)
        if self.is_paused and may_wait:
            self._rest.append(apply)
        else:
            apply()

    def resume(self) -> None:
        """Go on with what was kept, as far as the next stop."""
        self.is_paused = False
        if not self._rest:
            return
        rest, self._rest = self._rest, deque()
        # What a new stop interrupts is kept again, in its order.
        for apply in rest:
            self.step(apply)

    def _count(self, kind: str, *, may_wait: bool) -> None:
        if self._effects_left is None or self.is_paused:
            return
        if not kind.startswith(self._before):
            return
        self._effects_left -= 1
        if self._effects_left >= 0:
            return
        if self._lasts_ns == 0:
            raise Killed
        if not may_wait:
            # Inside a commit: the stop comes with the first effect behind it.
            return
        self._effects_left = None
        self.is_paused = True
        self._pause(self._lasts_ns)


class SteppedEdge(Edge):
    """An edge each of whose effects is one step of its process."""

    def __init__(
        self,
        edge: Edge,
        stepping: Stepping,
        waiting: list[Message],
        read: Callable[[], Instant],
    ) -> None:
        """Wrap an edge.

        Args:
            edge: What carries the effects out.
            stepping: Of the process.
            waiting: Takes what an effect has to say, maybe much later.
            read: The clock: an effect that was kept back gets a fresh reading.
        """
        self.handles = edge.handles
        self._read = read
        self._edge = edge
        self._stepping = stepping
        self._waiting = waiting

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Apply one effect as one step; a durable one never waits inside its commit."""
        durable = isinstance(effect, Durable)
        self._stepping.step(
            lambda: self._waiting.extend(self._edge.apply(effect, self._read())),
            kind=type(effect).__name__,
            may_wait=not durable,
        )
        return []

    def commit(self, now: Instant) -> None:
        """Commit as one step: the process may die before it or after it."""
        self._stepping.step(lambda: self._edge.commit(now), may_wait=False)

    def is_committed(self, now: Instant) -> bool:
        """Ask the edge."""
        return self._edge.is_committed(now)

    def is_urgent(self, effect: Effect) -> bool:
        """Ask the edge."""
        return self._edge.is_urgent(effect)

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        """Ask the edge."""
        return self._edge.withhold(effect, now)

    def withdraw(self, urgent: Effect, waiting: Effect, now: Instant) -> list[Message]:
        """Ask the edge."""
        return self._edge.withdraw(urgent, waiting, now)

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Nothing is polled here."""
        return ()

    def on_tick(self, now: Instant) -> list[Message]:
        """Return what the edge has to tell."""
        return self._edge.on_tick(now)

    def close(self) -> None:
        """Nothing to let go of: the process ends as a whole."""
