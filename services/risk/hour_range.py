"""The range of the last hour of one figure, by minutes."""

from collections import deque

import msgspec

from shared.units import NS_PER_S, BootNs, Instant

BUCKET_NS = 60 * NS_PER_S
BUCKETS = 60
"""An hour by minutes."""


class _Bucket(msgspec.Struct):
    """Lowest and highest figure of one minute."""

    began_ns: BootNs
    low: int
    high: int


class HourRange:
    """What one figure was within the hour.

    Attributes:
        newest: As it was told last.
    """

    def __init__(self, value: int) -> None:
        """Begin without a past: nothing is out of a range that nobody knows."""
        self.newest = value
        self._minutes: deque[_Bucket] = deque(maxlen=BUCKETS)

    def take(self, value: int, now: Instant) -> None:
        """Take the figure as it is now."""
        self.newest = value
        if not self._minutes or now.boot_ns >= self._minutes[-1].began_ns + BUCKET_NS:
            self._minutes.append(_Bucket(now.boot_ns, value, value))
            return
        newest = self._minutes[-1]
        newest.low, newest.high = min(newest.low, value), max(newest.high, value)

    def is_outside(self, percent_max: int) -> bool:
        """Tell whether it is farther than some percent outside of what the minutes before saw."""
        past = tuple(self._minutes)[:-1]
        if not past:
            return False
        low, high = min(one.low for one in past), max(one.high for one in past)
        return not low * (100 - percent_max) <= self.newest * 100 <= high * (100 + percent_max)
