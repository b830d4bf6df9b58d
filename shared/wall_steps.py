"""Steps of the wall clock, seen by the clock that nobody sets.

Wall time minus CLOCK_BOOTTIME stays the same but for slewing, which is 0.5 ms a second at most
(adjtimex(2)). When it moves by seconds somebody has set the clock.
"""

from typing import Final

from shared.units import NS_PER_S, Instant

STEP_NS_MIN: Final = 2 * NS_PER_S
"""From here on what rests on wall time is rebuilt: orders' deadlines have a margin of two seconds
(`timing.late_order_margin_ms`). Smaller steps are what slewing amounts to anyway."""


class WallSteps:
    """Looks for steps between one look and the next."""

    def __init__(self) -> None:
        self._ahead_ns: int | None = None

    def look(self, now: Instant) -> int:
        """Return by how much the wall clock was set since the last look, in ns; 0 for not.

        Steps too small to count add up, so that a clock set in small pieces is seen too.
        """
        ahead_ns = now.wall_ns - now.boot_ns
        if self._ahead_ns is None:
            self._ahead_ns = ahead_ns
            return 0
        by_ns = ahead_ns - self._ahead_ns
        if abs(by_ns) < STEP_NS_MIN:
            return 0
        self._ahead_ns = ahead_ns
        return by_ns
