"""What is wrong now, each with since when and how often; and when it is over.

What stops a stream is over after some good updates in a row. What was only flagged is shown for a
while. A stream that is asked again and again does not make a second finding of the same.
"""

import msgspec

from services.state.quality.readings import Complaint
from shared.facts import QualityFinding
from shared.units import NS_PER_MS, Instant

FINDINGS_MAX = 64
"""Far more than streams can be wrong in several ways; further ones are counted only."""

FLAGS = ("suspect", "degraded")

Key = tuple[str, str]
"""Stream and check."""


class Findings:
    """All that is wrong.

    Attributes:
        refused, suspect: Values so judged since the start.
    """

    def __init__(self, flag_kept_ms: int) -> None:
        """Begin with nothing wrong.

        Args:
            flag_kept_ms: What was flagged is shown for so long.
        """
        self._flag_kept_ns = flag_kept_ms * NS_PER_MS
        self._open: dict[Key, QualityFinding] = {}
        self.refused = 0
        self.suspect = 0

    def note(
        self, stream: str, asset: str, complaint: Complaint, now: Instant, *, blocks: bool
    ) -> QualityFinding | None:
        """Take a complaint; return the finding when it is a new one."""
        self.refused += complaint.refuses
        self.suspect += complaint.verdict == "suspect"
        key = (stream, complaint.check)
        known = self._open.get(key)
        if known is None and len(self._open) >= FINDINGS_MAX:
            return None
        began_ns = complaint.since_ns if complaint.since_ns is not None else now.monotonic_ns
        found = QualityFinding(
            stream=stream,
            asset=asset,
            check=complaint.check,
            verdict=complaint.verdict,
            value=complaint.value,
            limit=complaint.limit,
            second=complaint.second,
            since_ns=began_ns if known is None else known.since_ns,
            last_ns=now.monotonic_ns,
            count=1 if known is None else known.count + 1,
            blocks=blocks,
        )
        self._open[key] = found
        return found if known is None else None

    def settle(self, stream: str) -> None:
        """End what stops a stream: it has been right for long enough."""
        for key, found in tuple(self._open.items()):
            if key[0] == stream and found.verdict not in FLAGS:
                del self._open[key]

    def end(self, stream: str, check: str) -> None:
        """End one finding."""
        self._open.pop((stream, check), None)

    def expire(self, now: Instant) -> None:
        """End what was flagged long enough ago."""
        for key, found in tuple(self._open.items()):
            is_old = now.monotonic_ns - found.last_ns >= self._flag_kept_ns
            if found.verdict in FLAGS and is_old:
                del self._open[key]

    def told(self) -> tuple[QualityFinding, ...]:
        """Return everything that is wrong, what blocks first, then the oldest."""
        found = self._open.values()
        return tuple(sorted(found, key=lambda one: (not one.blocks, one.since_ns, one.stream)))


class Judged(msgspec.Struct, frozen=True):
    """What is made of one value.

    Attributes:
        is_used: Whether it may be used at all.
        is_suspect: Whether its stamp went backwards, so that our own time stands for it.
    """

    is_used: bool
    is_suspect: bool = False


NOT_USED = Judged(is_used=False)
USED = Judged(is_used=True)
