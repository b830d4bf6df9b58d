"""DQ-5 and DQ-4 of the feeds: what share of their frames they refused, and stamps of the future.

A feed refuses such frames before anything of them reaches the bus, and counts them in its status.
"""

from services.state.quality.readings import Complaint
from shared.config import QualitySettings
from shared.facts import FeedStatus
from shared.topics import FEEDS, SIDE_FEEDS
from shared.units import Instant


class Corruption:
    """What each feed's newest status says of its frames."""

    def __init__(self, settings: QualitySettings) -> None:
        """Begin with nothing heard."""
        self._settings = settings
        self._futures: dict[str, int] = {}
        self._degraded: set[str] = set()

    def take(self, status: FeedStatus, now: Instant) -> list[Complaint]:
        """Return what a status complains of."""
        if status.feed not in (*FEEDS, *SIDE_FEEDS):
            return []
        complaints = []
        # A feed that was started again counts from 0: then there is nothing to compare.
        if status.future_stamps > self._futures.get(status.feed, status.future_stamps):
            told = f"{status.future_stamps} frames since its start"
            limit = f"{self._settings.future_ms_max} ms"
            complaints.append(Complaint("future", "suspect", told, limit))
        self._futures[status.feed] = status.future_stamps
        refused, frames = status.window_rejected, status.window_frames
        percent = self._settings.corrupt_percent_max
        is_over = frames >= self._settings.corrupt_frames_min and refused * 100 > percent * frames
        if not is_over:
            self._degraded.discard(status.feed)
            return complaints
        self._degraded.add(status.feed)
        told = f"{refused} of {frames} frames refused"
        return [*complaints, Complaint("corrupt", "degraded", told, f"{percent} %")]

    def is_degraded(self, feed: str) -> bool:
        """Tell whether a feed refused too large a share when it spoke last."""
        return feed in self._degraded
