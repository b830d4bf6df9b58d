"""How fast the venue answers risk, against how fast it usually does.

Medians of few and of many answers, so that one slow answer says nothing and a slow hour becomes
no baseline. Deliberately ignorant of what was asked: nearly all of it are beats.
"""

from collections import deque
from statistics import median_low

NEWEST = 5
"""Answers that count as now: ten seconds of beats."""

USUAL = 150
"""Answers that count as usual: five minutes of beats."""

USUAL_MIN = 20
"""Fewer answers than this are no baseline."""


class Latency:
    """Times of the newest answers."""

    def __init__(self) -> None:
        """Begin with no baseline."""
        self._newest: deque[int] = deque(maxlen=NEWEST)
        self._usual: deque[int] = deque(maxlen=USUAL)

    def answered(self, took_ns: int) -> None:
        """Take an answer; what leaves the newest becomes part of what is usual."""
        if len(self._newest) == NEWEST:
            self._usual.append(self._newest[0])
        self._newest.append(took_ns)

    def slow(self, times: int, floor_ns: int) -> tuple[int, int] | None:
        """Return median and baseline in ns when answers are slow now, None when they are not.

        Args:
            times: Slow is this many times the baseline.
            floor_ns: And slower than this.
        """
        if len(self._usual) < USUAL_MIN or len(self._newest) < NEWEST:
            return None
        now_ns, usual_ns = median_low(self._newest), median_low(self._usual)
        is_slow = now_ns > times * usual_ns and now_ns > floor_ns
        return (now_ns, usual_ns) if is_slow else None
