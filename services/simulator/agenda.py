"""What a venue will do at a moment that is known already: in order of time, then of asking."""

from collections.abc import Callable
from heapq import heappop, heappush

from shared.effects import Effect
from shared.units import Instant

Later = Callable[[Instant], list[Effect]]


class Agenda:
    """Things to be done later."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._due: list[tuple[int, int, Later]] = []
        self._count = 0

    def at(self, due_ns: int, later: Later) -> None:
        """Do something at a monotonic time."""
        self._count += 1
        heappush(self._due, (due_ns, self._count, later))

    def next_ns(self) -> int | None:
        """Return when something is due next."""
        return self._due[0][0] if self._due else None

    def pop_due(self, now_ns: int) -> Later | None:
        """Return the oldest thing that is due, None when nothing is."""
        if not self._due or self._due[0][0] > now_ns:
            return None
        return heappop(self._due)[2]
