"""What the market feed says of itself: connection, session, and evidence of each token.

Decides whether a token's book may be believed to be current. A feed that has fallen silent
is judged by the stamps that it sent last: they only grow old. Of a feed that listens over
several connections each token follows its own: the loss of one concerns no other's tokens.
"""

from collections.abc import Mapping

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
        self._incarnation: Incarnation | None = None
        self._sessions: dict[int, int] = {}
        self._lost: dict[int, str] = {}
        self._heard_ns = MonotonicNs(0)
        self._evident: dict[str, MonotonicNs | None] = {}
        self._shard: dict[str, int] = {}

    def update(
        self, status: FeedStatus, incarnation: Incarnation, sent_ns: MonotonicNs
    ) -> frozenset[int]:
        """Take a status; return the connections, by number, that are others than before.

        The first status ever heard begins no new session, nor does the first of a connection:
        there is nothing to doubt yet. Another run of the feed renews all of them.
        """
        known = self._sessions
        is_restart = self._incarnation not in (None, incarnation)
        self._incarnation = incarnation
        self._status = status
        self._heard_ns = sent_ns
        self._evident = {entry.key: entry.evident_ns for entry in status.evidence}
        self._shard = {entry.key: entry.shard for entry in status.evidence if entry.shard}
        sessions = _sessions(status)
        self._lost = {shard.number: shard.cause for shard in status.shards if not shard.connected}
        self._sessions = {**({} if is_restart else known), **sessions}
        if is_restart:
            return frozenset((*known, *sessions))
        return frozenset(
            number for number, session in sessions.items() if known.get(number, session) != session
        )

    def shard_of(self, token: TokenId) -> int:
        """Return the number of the connection that carries a token, 0 for the only one."""
        return self._shard.get(token, 0)

    def problem(self, now: Instant) -> str:
        """Return why no book is current, empty when the feed is there and connected."""
        if self._status is None:
            return "market feed not heard"
        if now.monotonic_ns - self._heard_ns > STATUS_SILENT_NS_MAX:
            return "market feed silent"
        return "" if self._status.connected else "market feed not connected"

    def token_problem(self, token: TokenId) -> str:
        """Return why a token's book is not current though the feed is there; empty for nothing."""
        number = self.shard_of(token)
        if number not in self._lost:
            return ""
        return f"market feed not connected: connection {number}, {self._lost[number]}"

    def lacks_evidence(self, token: TokenId) -> bool:
        """Tell whether nothing has ever shown a token's stream right."""
        return self._evident.get(token) is None

    def is_stale(self, token: TokenId, now: Instant) -> bool:
        """Tell whether the newest evidence for a token is too old."""
        evident_ns = self._evident.get(token)
        return evident_ns is not None and now.monotonic_ns - evident_ns > self._stale_ns


def _sessions(status: FeedStatus) -> Mapping[int, int]:
    if not status.shards:
        return {0: status.session}
    return {shard.number: shard.session for shard in status.shards}
