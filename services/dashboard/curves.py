"""What is kept to be drawn over time: profit and latency, in bounded memory.

A value that is not known at a moment is kept as None and drawn as a hole. When a curve is full
every second point goes and points come half as often: a day fits as an hour does.
"""

from collections import deque
from collections.abc import Sequence

import msgspec

from shared.units import NS_PER_S, MonotonicNs

POINTS_MAX = 720
EVERY_NS = 5 * NS_PER_S
"""An hour at first; a day at a point in two minutes."""

WINDOW_NS = 60 * NS_PER_S
SAMPLES_MAX = 4_000
"""Of one measure, a minute at the group's usual pace."""


class Curve:
    """Points of several values at common moments."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.walls_ms: list[int] = []
        self.values: dict[str, list[int | None]] = {name: [] for name in self.names}
        self._every_ns = EVERY_NS
        self._next_ns = 0

    def is_due(self, now_ns: int) -> bool:
        """Tell whether a point may be added now."""
        return now_ns >= self._next_ns

    def add(self, wall_ms: int, values: dict[str, int | None], now_ns: int) -> None:
        """Add a point; one that is not due yet is left out."""
        assert values.keys() == self.values.keys(), "a point has every value of its curve"
        if not self.is_due(now_ns):
            return
        self._next_ns = now_ns + self._every_ns
        self.walls_ms.append(wall_ms)
        for name, value in values.items():
            self.values[name].append(value)
        if len(self.walls_ms) > POINTS_MAX:
            self._every_ns *= 2
            self.walls_ms = self.walls_ms[::2]
            self.values = {name: points[::2] for name, points in self.values.items()}


class Spread(msgspec.Struct, frozen=True):
    """What a measure was over the last minute.

    Attributes:
        count: Samples that it rests on; there is no Spread of none.
        age_ns: Of the newest sample.
    """

    count: int
    median_ns: int
    p95_ns: int
    max_ns: int
    age_ns: int


class Samples:
    """A measure's samples of the last minute."""

    def __init__(self) -> None:
        self._samples: deque[tuple[MonotonicNs, int]] = deque(maxlen=SAMPLES_MAX)

    def add(self, now_ns: MonotonicNs, took_ns: int) -> None:
        """Keep a sample; negative ones, of a clock read between two, count as 0."""
        self._samples.append((now_ns, max(0, took_ns)))

    def spread(self, now_ns: MonotonicNs) -> Spread | None:
        """Return the last minute's spread, None when nothing was measured in it."""
        while self._samples and now_ns - self._samples[0][0] > WINDOW_NS:
            self._samples.popleft()
        if not self._samples:
            return None
        ordered = sorted(took for _, took in self._samples)
        last = len(ordered) - 1
        return Spread(
            count=len(ordered),
            median_ns=ordered[last // 2],
            p95_ns=ordered[last * 95 // 100],
            max_ns=ordered[last],
            age_ns=max(0, now_ns - self._samples[-1][0]),
        )
