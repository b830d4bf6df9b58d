"""When the venue restarts by its own calendar. Pure: who computes the moments, reads zones.

Source of the schedule: https://docs.polymarket.com/trading/matching-engine, as it stood until
summer 2026; since then only announcements are promised, and every part is a setting.
"""

from bisect import bisect_right
from typing import Final

import msgspec

from shared.units import WallNs

RESTART_PLANNED: Final = "restart_planned"
"""Why nothing is placed around a restart that the calendar names."""


class PlannedRestarts(msgspec.Struct, frozen=True):
    """When the venue restarts by its own calendar.

    Attributes:
        moments: Each planned restart, in order; empty when nothing is planned.
        lead_ns: Posts stop so long before.
        lasts_ns: A restart is over so long after its moment, as a rule.
    """

    moments: tuple[WallNs, ...] = ()
    lead_ns: int = 0
    lasts_ns: int = 0

    def is_near(self, wall_ns: int) -> bool:
        """Whether a planned restart is about to begin or not over yet."""
        place = bisect_right(self.moments, wall_ns + self.lead_ns)
        return place > 0 and wall_ns < self.moments[place - 1] + self.lasts_ns


NOTHING_PLANNED: Final = PlannedRestarts()
