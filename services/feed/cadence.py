"""How often a feed's streams are proven, against the setting that calls them stale.

Decides whether a limit is shorter than what the feed's own rhythm allows, and says so in plain
words. Counts time and not events: the many short gaps of a lively stream say nothing about how
long a quiet one is left without proof. A gap across a lost connection is an outage and no
rhythm, and is not counted.
"""

import msgspec

from shared.units import NS_PER_MS, NS_PER_S, Instant

BUCKET_NS = 50 * NS_PER_MS
BUCKETS = 256
"""Up to 12.8 s in steps of 50 ms; what is longer counts as that."""

JUDGE_EVERY_NS = 60 * NS_PER_S
"""A window that has seen quiet and lively minutes alike; each begins anew."""

STALE_PPM_MAX = 10_000
"""A hundredth of the time called stale without a fault is what a setting may cost."""

GAPS_MIN = 100
"""Fewer gaps in a window are too few to judge a setting by."""

PPM = 1_000_000


class Finding(msgspec.Struct, frozen=True):
    """What one window has shown of a limit.

    Attributes:
        stale_ppm: Part of the streams' time that lay beyond the limit, in millionths.
        needed_ms: The smallest limit, in whole buckets, that keeps this part in its bound.
    """

    stale_ppm: int
    needed_ms: int

    @property
    def is_too_short(self) -> bool:
        """Tell whether the limit is shorter than the rhythm allows."""
        return self.stale_ppm > STALE_PPM_MAX

    def words(self, setting: str, limit_ms: int) -> str:
        """Say it to people."""
        return (
            f"{setting} is {limit_ms} ms, but the streams are proven less often: "
            f"{self.stale_ppm / 10_000:.1f} % of the time they count as stale and nothing is "
            f"wrong; it should be at least {self.needed_ms} ms"
        )


class Cadence:
    """Gaps between proofs in the present window."""

    def __init__(self, limit_ns: int) -> None:
        """Start with none.

        Args:
            limit_ns: Age at which the readers of this feed call a stream stale.
        """
        self._limit_ns = limit_ns
        self._counts = [0] * BUCKETS
        self._total_ns = 0
        self._over_ns = 0
        self._gaps = 0
        self._judge_ns: int | None = None

    def note(self, gap_ns: int) -> None:
        """Count the time between two proofs of one stream."""
        self._gaps += 1
        self._total_ns += gap_ns
        self._counts[min(gap_ns // BUCKET_NS, BUCKETS - 1)] += 1
        if gap_ns > self._limit_ns:
            self._over_ns += gap_ns - self._limit_ns

    def judge(self, now: Instant) -> Finding | None:
        """Return what the window has shown when it is over, else None; then begin another."""
        if self._judge_ns is None:
            self._judge_ns = now.monotonic_ns + JUDGE_EVERY_NS
        if now.monotonic_ns < self._judge_ns:
            return None
        self._judge_ns = now.monotonic_ns + JUDGE_EVERY_NS
        found = None
        if self._gaps >= GAPS_MIN and self._total_ns:
            found = Finding(self._over_ns * PPM // self._total_ns, self._needed_ms())
        self._counts = [0] * BUCKETS
        self._total_ns = self._over_ns = self._gaps = 0
        return found

    def _needed_ms(self) -> int:
        """Return the upper end of the bucket beyond which the allowed part of the time lies."""
        allowed_ns = self._total_ns * STALE_PPM_MAX // PPM
        beyond_ns = 0
        longer = 0
        for bucket in range(BUCKETS - 1, 0, -1):
            longer += self._counts[bucket]
            # Each gap that ends in this bucket or later adds a bucket's width beyond its start.
            beyond_ns += longer * BUCKET_NS
            if beyond_ns > allowed_ns:
                return (bucket + 1) * BUCKET_NS // NS_PER_MS
        return BUCKET_NS // NS_PER_MS
