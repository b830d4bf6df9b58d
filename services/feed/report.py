"""A feed's word about itself: the status that it repeats, and the frames that it refused.

Decides when a status is due: every 100 ms, and at once when the connection changed, since
a loss must be known downstream within that time.
"""

from typing import Final

from services.feed.frame_window import FrameWindow
from services.feed.link import Board, Link, Shards, no_shards
from services.feed.messages import KeepFrame
from services.feed.redaction import redact
from shared.effects import Effect, Log, Publish, ReachTold
from shared.facts import FeedStatus
from shared.identifiers import Component
from shared.quarantine import RAW_CHARS_MAX, QuarantinedFrame
from shared.reach import HostReach
from shared.units import NS_PER_MS, NS_PER_S, Instant

STATUS_EVERY_NS = 100 * NS_PER_MS

LOGGED_CHARS_MAX = 512
"""Enough of a refused frame to see what was wrong with it; the quarantine has the rest."""

REJECT_LOGS_MAX = 10
"""Refused frames logged and kept in one second; the rest is only counted, so that a venue gone mad
does not fill the disk."""

SOCKET: Final = "socket"
READ: Final = "read"
"""Where a frame came from."""

FUTURE: Final = "stamped in the future"
"""Reason of a refusal that is counted by itself (DQ-4)."""


class FeedReport:
    """What the status is made of.

    Attributes:
        rejected_frames: Frames that could not be used, since the start.
        future_stamps: Those of them that were stamped too far ahead.
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
        self.future_stamps = 0
        self._window = FrameWindow()
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

    def frame(self, now: Instant) -> None:
        """Count a frame that came, whatever becomes of it: DQ-5 is a share of them."""
        self._window.frame(now)

    def window(self, now: Instant) -> tuple[int, int]:
        """Return how many frames came lately, and how many of them were refused."""
        return self._window.counts(now)

    def reject(self, raw: str, why: str, now: Instant, origin: str = SOCKET) -> list[Effect]:
        """Count a frame that cannot be used, keep it, and show its beginning in the log.

        Args:
            raw: As it came; secrets are blotted here.
            why: Reason; `FUTURE` is counted apart.
            now: Of the refusal.
            origin: `SOCKET` or `READ`.
        """
        self.rejected_frames += 1
        self.future_stamps += why == FUTURE
        self._window.reject(now)
        second = now.monotonic_ns // NS_PER_S
        if second != self._second:
            self._second = second
            self._logs_in_second = 0
        self._logs_in_second += 1
        if self._logs_in_second > REJECT_LOGS_MAX:
            return []
        # Cut first: a frame may be long, and what is not kept needs no blots.
        blotted = redact(self._feed, raw[:RAW_CHARS_MAX])
        reference = f"{now.wall_ms}-{self.rejected_frames}"
        frame = QuarantinedFrame(reference, self._feed, origin, why, blotted, len(raw), now.wall_ns)
        fields = {
            "why": why,
            "raw": blotted[:LOGGED_CHARS_MAX],
            "characters": len(raw),
            "reference": reference,
        }
        return [Log("feed.frame_rejected", fields, "warning"), KeepFrame(frame)]

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
        frames, rejected = self._window.counts(now)
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
            window_frames=frames,
            window_rejected=rejected,
            future_stamps=self.future_stamps,
        )
        return Publish("feed.status", fact, now.monotonic_ns)
