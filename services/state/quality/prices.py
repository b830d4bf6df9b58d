"""DQ-6: a price far from the one before it, and one far below everything of the last hour."""

from collections import deque

import msgspec

from services.state.quality.freshness import Witness
from services.state.quality.readings import Complaint, apart_percent, is_apart, shown
from shared.units import NS_PER_S, Instant, MonotonicNs

BUCKET_NS = 60 * NS_PER_S
BUCKETS = 60
"""An hour by minutes."""


class _Minute(msgspec.Struct):
    """The lowest accepted price of one minute."""

    began_ns: MonotonicNs
    low: int


class PriceRange:
    """What was accepted of one price: the last, and the lowest of the hour by minutes."""

    def __init__(self, jump_percent_max: int, minimum_percent: int) -> None:
        """Begin with no past: the first price is taken as it is.

        Args:
            jump_percent_max: From the last price; farther needs a second source.
            minimum_percent: Of the lowest; below it is refused.
        """
        self._jump_percent_max = jump_percent_max
        self._minimum_percent = minimum_percent
        self._last: int | None = None
        self._minutes: deque[_Minute] = deque(maxlen=BUCKETS)

    def judge(self, value: int, witness: Witness) -> Complaint | None:
        """Return what is against a price, None when nothing is."""
        if value <= 0:
            return Complaint("negative", "refused", shown(value), "above 0")
        if self._last is None:
            return None
        lowest = min(minute.low for minute in self._minutes)
        if value * 100 < self._minimum_percent * lowest:
            limit = f"at least {self._minimum_percent} % of {shown(lowest)}"
            return Complaint("minimum", "refused", shown(value), limit)
        if not is_apart(value, self._last, self._jump_percent_max):
            return None
        opinion = witness(value)
        if opinion.verdict == "confirmed":
            return None
        told = f"{shown(value)}, {apart_percent(value, self._last):+.1f} % from {shown(self._last)}"
        limit = f"{self._jump_percent_max} % without a second source"
        return Complaint("jump", opinion.refusal, told, limit, opinion.said)

    def accept(self, value: int, now: Instant) -> None:
        """Take a price that is used; what was accepted an hour ago is forgotten by newer ones."""
        self._last = value
        minutes = self._minutes
        if not minutes or now.monotonic_ns >= minutes[-1].began_ns + BUCKET_NS:
            minutes.append(_Minute(now.monotonic_ns, value))
        else:
            minutes[-1].low = min(minutes[-1].low, value)
