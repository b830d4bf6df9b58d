"""The kill drill: a real fence of a group that trades, measured, and left by recovery (TST-10).

Nothing here stops or allows anything: the fence is the same one that every other cause makes,
and its times are its own. Held when it is asked for, or once a day by the profile.
"""

import msgspec

from services.risk.fence import Fence
from shared.drill import misses
from shared.operator import DrillReport
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, WallNs

DRILL_NS_MAX = 30 * NS_PER_S
"""A proof takes about three seconds where the venue answers, and ten with an order in flight."""

CHANCE_NS = 3_600 * NS_PER_S
"""So long after its time a scheduled drill is still held; later it is left out for that day."""

DAY_NS = 86_400 * NS_PER_S

NOBODY = 0
"""Connection of a drill that nobody waits for; those of the control socket count from 1."""


class _Running(msgspec.Struct, frozen=True):
    """The drill under way."""

    connection: int
    asked_by: str
    reason: str
    fence: Fence
    began_ns: BootNs
    wall_ns: WallNs


class KillDrill:
    """One drill at a time."""

    def __init__(self, at_utc: str) -> None:
        """Begin with none.

        Args:
            at_utc: `HH:MM` at which one is due each day; empty for never.
        """
        self._running: _Running | None = None
        self._at_ns = _of_day_ns(at_utc) if at_utc else None
        self._day_done: int | None = None

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self._running is not None

    def begin(
        self, connection: int, asked_by: str, reason: str, fence: Fence, now: Instant
    ) -> None:
        """Take note of the fence that was just made for a drill."""
        assert self._running is None, "one drill at a time: its fence would be another's"
        self._running = _Running(connection, asked_by, reason, fence, now.boot_ns, now.wall_ns)

    def look(self, newest: Fence, now: Instant) -> tuple[int, DrillReport] | None:
        """Return the connection and the report of a drill that has ended; None while it runs.

        Args:
            newest: The newest fence there is: another one ends the drill without its proof.
            now: Of the look.
        """
        running = self._running
        if running is None:
            return None
        found: tuple[str, ...]
        if running.fence.is_zero:
            found = misses(running.fence.times())
        elif newest is not running.fence:
            found = (f"another fence came: {newest.reason}",)
        elif now.boot_ns >= running.began_ns + DRILL_NS_MAX:
            waits = running.fence.waits_for(now.boot_ns)
            late = f"not proven after {DRILL_NS_MAX // NS_PER_S} s: {waits}"
            found = (*misses(running.fence.times()), late)
        else:
            return None
        self._running = None
        return running.connection, DrillReport(
            running.wall_ns, running.asked_by, running.reason, running.fence.times(), found
        )

    def is_due(self, now: Instant) -> bool:
        """Tell whether the day's own drill is due: past its time, not held, not an hour late."""
        if self._at_ns is None or self.is_running:
            return False
        day, of_day_ns = divmod(now.wall_ns, DAY_NS)
        in_time = self._at_ns <= of_day_ns < self._at_ns + CHANCE_NS
        return in_time and self._day_done != day

    def held(self, now: Instant) -> None:
        """Take note that the day's own drill is done with."""
        self._day_done = now.wall_ns // DAY_NS


def _of_day_ns(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 * NS_PER_MS
