"""DQ-1: a stream without updates, and a price that does not move while nobody confirms it.

Updates that are refused are updates all the same: the source is there, and what it says is
another check's. A price may stand still for long where a second source is near it.
"""

from collections.abc import Callable

from services.state.quality.readings import Complaint, Reading, shown
from services.state.quality.second_sources import Opinion
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs

Witness = Callable[[int], Opinion]
"""What the second sources say of a value."""


class Freshness:
    """When one stream was updated last, and since when it says the same."""

    def __init__(self, stale_ms: int, unchanged_ms: int) -> None:
        """Begin with nothing heard: that is no staleness, but nothing that could be traded on.

        Args:
            stale_ms: Limit without any update.
            unchanged_ms: Limit of one value without a witness; 0 for what may stand still.
        """
        self._stale_ns = stale_ms * NS_PER_MS
        self._unchanged_ns = unchanged_ms * NS_PER_MS
        self._updated_ns: MonotonicNs | None = None
        self._value: int | None = None
        self._value_ns = MonotonicNs(0)

    def update(self, reading: Reading) -> None:
        """Take an update, whatever is made of its value."""
        self._updated_ns = reading.received_ns
        if reading.value != self._value:
            self._value, self._value_ns = reading.value, reading.received_ns

    def judge(self, witness: Witness, now: Instant) -> Complaint | None:
        """Return what is wrong now, None when nothing is or nothing was ever heard."""
        updated_ns, value = self._updated_ns, self._value
        if updated_ns is None or value is None:
            return None
        age_ns = now.monotonic_ns - updated_ns
        if age_ns >= self._stale_ns:
            age, limit = _seconds(age_ns), _seconds(self._stale_ns)
            return Complaint("stale", "stale", f"no update for {age}", limit, since_ns=updated_ns)
        if not self._unchanged_ns or now.monotonic_ns - self._value_ns < self._unchanged_ns:
            return None
        opinion = witness(value)
        if opinion.verdict == "confirmed":
            return None
        since_ns = MonotonicNs(self._value_ns + self._unchanged_ns)
        same = f"{shown(value)} for {_seconds(now.monotonic_ns - self._value_ns)}"
        limit = _seconds(self._unchanged_ns)
        return Complaint("unchanged", "stale", same, limit, opinion.said, since_ns)


def _seconds(time_ns: int) -> str:
    return f"{time_ns / NS_PER_S:.1f} s"
