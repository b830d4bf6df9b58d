"""Virtual time: what happens next, and what the clocks show then.

One heap of (moment, tie-break, number, action). The tie-break is drawn from the seed, so
that events of one moment run in an order that differs between seeds and never within one.
"""

import heapq
from collections.abc import Callable

from services.simulator.chance import Chance
from shared.units import NS_PER_S, BootNs, Instant, MonotonicNs, WallNs

Action = Callable[[], None]

# Far apart, so that a stamp of one clock judged by another is wrong by hours and shows.
_BOOT_BASE_NS = 90_000 * NS_PER_S
_MONOTONIC_BASE_NS = 50_000 * NS_PER_S
WALL_BASE_S = 1_795_000_000

# A congruential generator is chance enough for tie-breaks, and there are very many.
# Source: Knuth, The Art of Computer Programming, volume 2, the generator of MMIX.
_FACTOR = 6_364_136_223_846_793_005
_ADDEND = 1_442_695_040_888_963_407
_MASK = (1 << 64) - 1

EVENTS_PENDING_MAX = 200_000
"""More than this is a loop that feeds itself; a calm run stays below a few thousand."""


class Scheduler:
    """The only source of time and order in a simulation."""

    __slots__ = ("_heap", "_instant", "_numbers", "_read_ns", "_tie", "_wall_base_ns", "now_ns")

    def __init__(self, chance: Chance, *, wall_offset_s: int = 0) -> None:
        """Start at moment 0.

        Args:
            chance: Seeds the tie-breaks.
            wall_offset_s: Added to the wall clock, so that runs start at another place of a window.
        """
        self._tie = chance.bits()
        self._heap: list[tuple[int, int, int, Action]] = []
        self._numbers = 0
        self._wall_base_ns = (WALL_BASE_S + wall_offset_s) * NS_PER_S
        self.now_ns = 0
        self._read_ns = 0
        self._instant = self.instant_of(0)

    def at(self, moment_ns: int, action: Action) -> None:
        """Run an action at a moment that has not passed."""
        assert moment_ns >= self.now_ns
        assert len(self._heap) < EVENTS_PENDING_MAX
        self._numbers += 1
        self._tie = (self._tie * _FACTOR + _ADDEND) & _MASK
        heapq.heappush(self._heap, (moment_ns, self._tie >> 32, self._numbers, action))

    def after(self, delay_ns: int, action: Action) -> None:
        """Run an action after a delay of 0 or more."""
        self.at(self.now_ns + delay_ns, action)

    def run_until(self, end_ns: int) -> int:
        """Run everything due up to and at a moment; return how many actions that were."""
        count = 0
        heap = self._heap
        pop = heapq.heappop
        while heap and heap[0][0] <= end_ns:
            self.now_ns, _, _, action = pop(heap)
            action()
            count += 1
        self.now_ns = end_ns
        return count

    def instant(self) -> Instant:
        """Return a fresh reading of the three clocks."""
        if self._read_ns != self.now_ns:
            self._read_ns = self.now_ns
            self._instant = self.instant_of(self.now_ns)
        return self._instant

    def instant_of(self, moment_ns: int) -> Instant:
        """Return what the clocks show at a moment of the simulation."""
        return Instant(
            BootNs(_BOOT_BASE_NS + moment_ns),
            MonotonicNs(_MONOTONIC_BASE_NS + moment_ns),
            WallNs(self._wall_base_ns + moment_ns),
        )

    def moment_of(self, boot_ns: BootNs) -> int:
        """Return the moment at which CLOCK_BOOTTIME shows a value; may lie in the past."""
        return boot_ns - _BOOT_BASE_NS

    def moment_of_monotonic(self, monotonic_ns: int) -> int:
        """Return the moment at which CLOCK_MONOTONIC shows a value; may lie in the past."""
        return monotonic_ns - _MONOTONIC_BASE_NS
