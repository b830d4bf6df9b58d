"""Whether a component's loop is slower than it usually is. Pure.

Every pong tells the longest turn since the one before. A window of them has a p99; the median of
the windows that were well is the baseline, so that a slow hour does not become what is usual.
"""

from collections import deque
from statistics import median
from typing import Final

WINDOW: Final = 300
"""Pongs of one window: half a minute."""

BASELINE_MIN: Final = 4
"""Windows before anything is judged: two minutes, since a start is slow."""

BASELINE_MAX: Final = 60
"""Windows that are remembered: half an hour."""


class LoopLatency:
    """One component's turns."""

    def __init__(self, factor: int, floor_ns: int) -> None:
        """Know nothing yet.

        Args:
            factor: Over the baseline by more than this is slow.
            floor_ns: A p99 at or below this is never slow.
        """
        self._factor = factor
        self._floor_ns = floor_ns
        self._turns: deque[int] = deque(maxlen=WINDOW)
        self._calm: deque[int] = deque(maxlen=BASELINE_MAX)
        self._since_window = 0

    def add(self, longest_ns: int) -> None:
        """Take the longest turn that a pong tells of."""
        self._turns.append(longest_ns)
        self._since_window += 1
        if self._since_window < WINDOW:
            return
        self._since_window = 0
        if not self.is_slow():
            self._calm.append(self.p99_ns())

    def p99_ns(self) -> int:
        """Return the present window's p99, 0 before the first turn."""
        if not self._turns:
            return 0
        ordered = sorted(self._turns)
        return ordered[-(-len(ordered) * 99 // 100) - 1]

    def baseline_ns(self) -> int | None:
        """Return what is usual, None while too little is known."""
        return None if len(self._calm) < BASELINE_MIN else int(median(self._calm))

    def is_slow(self) -> bool:
        """Tell whether the present window is too slow."""
        baseline = self.baseline_ns()
        if baseline is None:
            return False
        p99 = self.p99_ns()
        return p99 > self._floor_ns and p99 > self._factor * baseline
