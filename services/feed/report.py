"""A feed's word about itself: the status that it repeats, and the frames that it refused.

Decides when a status is due: every 100 ms, and at once when the connection changed, since
a loss must be known downstream within that time.
"""

from services.feed.link import Board, Link, Shards, no_shards
from shared.effects import Effect, Log, Publish, ReachTold
from shared.facts import FeedStatus
from shared.identifiers import Component
from shared.reach import HostReach
from shared.units import NS_PER_MS, NS_PER_S, Instant

STATUS_EVERY_NS = 100 * NS_PER_MS

RAW_CHARS_MAX = 512
"""Enough of a refused frame to see what was wrong with it."""

REJECT_LOGS_MAX = 10
"""Refused frames logged in one second; the rest is only counted, so that a venue gone mad does
not fill the disk."""


class FeedReport:
    """What the status is made of.

    Attributes:
        rejected_frames: Frames that could not be used, since the start.
    """

    def __init__(self, feed: Component, *, wanted: bool = True) -> None:
        """Start with nothing said.

        Args:
            feed: Who speaks.
            wanted: False where the profile leaves the feed out.
        """
        self._feed = feed
        self._wanted = wanted
        self._next_ns = 0
        self._said: tuple[bool, int, str] | None = None
        self.rejected_frames = 0
        self._logs_in_second = 0
        self._second = -1
        self._hosts: dict[str, HostReach] = {}

    @property
    def hosts(self) -> tuple[HostReach, ...]:
        """What is known of the names that this feed needs."""
        return tuple(self._hosts.values())

    def hear(self, told: ReachTold) -> None:
        """Take in what an edge knows of the names that this feed needs."""
        self._hosts.update({host.host: host for host in told.hosts})

    def reject(self, raw: str, why: str, now: Instant) -> list[Effect]:
        """Count a frame that cannot be used, and show its beginning in the log."""
        self.rejected_frames += 1
        second = now.monotonic_ns // NS_PER_S
        if second != self._second:
            self._second = second
            self._logs_in_second = 0
        self._logs_in_second += 1
        if self._logs_in_second > REJECT_LOGS_MAX:
            return []
        fields = {"why": why, "raw": raw[:RAW_CHARS_MAX], "characters": len(raw)}
        return [Log("feed.frame_rejected", fields, "warning")]

    def on_tick(
        self, connection: Link, evidence: Board, now: Instant, shards: Shards = no_shards
    ) -> list[Effect]:
        """Return the status when it is due; `shards` is asked only then."""
        saying = (connection.is_ready, connection.session, connection.cause)
        if now.monotonic_ns < self._next_ns and saying == self._said:
            return []
        self._next_ns = now.monotonic_ns + STATUS_EVERY_NS
        self._said = saying
        return [self.status(connection, evidence, now, shards)]

    def status(
        self, connection: Link, evidence: Board, now: Instant, shards: Shards = no_shards
    ) -> Publish:
        """Return the status as it is now."""
        fact = FeedStatus(
            feed=self._feed,
            connected=connection.is_ready,
            since_ns=connection.since_ns,
            cause=connection.cause,
            session=connection.session,
            evidence=evidence.entries(),
            rejected_frames=self.rejected_frames,
            reconnects=connection.reconnects,
            wanted=self._wanted,
            state=connection.state,
            failures=connection.failures,
            suspect=connection.is_suspect(now),
            fault=connection.fault,
            url=connection.url,
            next_try_ns=connection.next_try_ns,
            outgoing_dropped=connection.outgoing_dropped,
            hosts=self.hosts,
            shards=shards(),
        )
        return Publish("feed.status", fact, now.monotonic_ns)
