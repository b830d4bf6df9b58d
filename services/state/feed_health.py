"""What the market feed says of itself: connection, session, and evidence of each token.

Decides whether a token's book may be believed to be current. A feed that has fallen silent
is judged by the stamps that it sent last: they only grow old.
"""

from shared.facts import FeedStatus
from shared.identifiers import Incarnation, TokenId
from shared.units import NS_PER_MS, Instant, MonotonicNs

STATUS_SILENT_NS_MAX = 1_500 * NS_PER_MS
"""The feed repeats its status every 100 ms. On a machine with twelve busy processes a core it came
600 ms late; a dead feed is found by the age of its evidence, at the latest 500 ms after this."""


class FeedHealth:
    """Newest status of the market feed."""

    def __init__(self, stale_ns: int) -> None:
        """Know nothing yet.

        Args:
            stale_ns: Age of evidence after which a token is stale.
        """
        self._stale_ns = stale_ns
        self._status: FeedStatus | None = None
        self._session: tuple[Incarnation, int] | None = None
        self._heard_ns = MonotonicNs(0)
        self._evident: dict[str, MonotonicNs | None] = {}

    def update(self, status: FeedStatus, incarnation: Incarnation, sent_ns: MonotonicNs) -> bool:
        """Take a status; return whether it is of another session than the one before.

        The first status ever heard begins no new session: there is nothing to doubt yet.
        """
        known = self._session
        self._session = (incarnation, status.session)
        self._status = status
        self._heard_ns = sent_ns
        self._evident = {entry.key: entry.evident_ns for entry in status.evidence}
        return known is not None and known != self._session

    def problem(self, now: Instant) -> str:
        """Return why no book is current, empty when the feed is there and connected."""
        if self._status is None:
            return "market feed not heard"
        if now.monotonic_ns - self._heard_ns > STATUS_SILENT_NS_MAX:
            return "market feed silent"
        return "" if self._status.connected else "market feed not connected"

    def lacks_evidence(self, token: TokenId) -> bool:
        """Tell whether nothing has ever shown a token's stream right."""
        return self._evident.get(token) is None

    def is_stale(self, token: TokenId, now: Instant) -> bool:
        """Tell whether the newest evidence for a token is too old."""
        evident_ns = self._evident.get(token)
        return evident_ns is not None and now.monotonic_ns - evident_ns > self._stale_ns
