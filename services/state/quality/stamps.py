"""DQ-4: stamps from the future, and stamps that go backwards within one stream.

A stamp that goes backwards in what is told as new is suspect: the value is used by our own time,
and is no window's first price. What is told as history may be of any past, and a tick that is told
twice, as after a new connection, says nothing new.
"""

from collections import deque
from typing import Literal

from services.state.quality.readings import Reading
from shared.units import Instant, WallMs

SEEN_MAX = 256
"""Ticks remembered: more than the two minutes that a new connection tells again."""

Stamped = Literal["new", "history", "seen", "backwards", "future"]


class Stamps:
    """The stamps of one stream."""

    def __init__(self, future_ms_max: int) -> None:
        """Begin with none.

        Args:
            future_ms_max: A stamp farther ahead of the wall clock is refused.
        """
        self._future_ms_max = future_ms_max
        self._newest_ms: WallMs | None = None
        self._seen: deque[tuple[WallMs, int]] = deque(maxlen=SEEN_MAX)

    def judge(self, reading: Reading, now: Instant) -> Stamped:
        """Return what a reading's stamp makes of it; a stream without stamps is always new."""
        stamp = reading.venue_ms
        if stamp is None:
            return "new"
        if stamp - now.wall_ms > self._future_ms_max:
            return "future"
        if (stamp, reading.value) in self._seen:
            return "seen"
        self._seen.append((stamp, reading.value))
        newest = self._newest_ms
        # An equal stamp is a correction: the later one wins.
        if newest is None or stamp >= newest:
            self._newest_ms = stamp
            return "new"
        return "history" if reading.is_history else "backwards"

    def forget(self) -> None:
        """Forget what was told, after the clock was set or the source is read anew."""
        self._seen.clear()
        self._newest_ms = None
