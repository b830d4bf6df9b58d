"""The discovery feed: keeps the market calendar, and says until when it is true.

Asks the venue for the windows that the clock says must exist: running, next, and ended ones
until their winner is known. An error means that a market was not refreshed; it never
removes one, and a calendar without markets is never published. What cannot be parsed is
refused with its raw text. A market that we hold a position in stays followed however long ago
its window was (`held.py`).

Source: https://docs.polymarket.com/market-data/fetching-markets (2026-09-28); a window is
found by its computed slug, no listing is needed.
"""

from typing import Literal

import msgspec

from services.feed.events import EventRead, FollowedEvents
from services.feed.held import HeldMarkets
from services.feed.read_budget import FAMILIES, ReadBudgets, Urgency, retry_after_s
from services.feed.report import READ, FeedReport
from services.feed.requests import Reads
from services.feed.tracked_window import TrackedWindow
from services.feed.windows import running_start_s, windows_around
from shared.config import Config
from shared.effects import (
    Effect,
    Exit,
    HttpFailed,
    HttpReply,
    Log,
    Message,
    Publish,
    ReachTold,
    Received,
    Stop,
)
from shared.facts import Calendar, Evidence, FeedStatus, MarketInfo, Positions
from shared.identifiers import ConditionId
from shared.topics import FEED_DISCOVERY
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs, WallMs
from shared.venue.faults import WireFault
from shared.venue.gamma_wire import (
    EVENTS_KEYSET_PATH,
    MARKET,
    MARKET_BY_SLUG_PREFIX,
    MARKETS_KEYSET_PATH,
)
from shared.venue.parse_market import market_info
from shared.venue.wire import decode

CALENDAR_EVERY_NS = NS_PER_S
STATUS_EVERY_NS = 100 * NS_PER_MS

READ_SPACING_NS = 40 * NS_PER_MS
"""25 reads a second at most: the venue allows 300 in 10 s for one path.

Source: https://docs.polymarket.com/api-reference/rate-limits (2026-09-28).
"""

ENDED_EVERY_NS = 2 * NS_PER_S
"""An ended market is asked for less often: its resolution takes 15 s at least."""

TOO_MANY = 429

RETRY_NS = NS_PER_S
"""After a refusal that is no 429: those are the budget's to judge (`read_budget.py`)."""


class _HeldRead(msgspec.Struct, frozen=True):
    """A look-up of a held market by its id."""

    market: ConditionId


class DiscoveryFeed:
    """The whole process, pure."""

    def __init__(self, config: Config, seed: int = 0) -> None:
        """Start without a calendar.

        Args:
            config: Which markets, and how often they are asked for.
            seed: Of the jitter of pauses that the venue asks for.
        """
        self._markets = config.markets
        self._events = FollowedEvents(config.markets)
        self._reads: Reads[str | _HeldRead | EventRead] = Reads(
            config.timing.read_deadline_ms * NS_PER_MS
        )
        self._budgets = ReadBudgets(FAMILIES, seed)
        self._held = HeldMarkets(config.markets.cutoff_ms)
        self._every_ns = config.markets.discovery_every_ms * NS_PER_MS
        self._tracked: dict[str, TrackedWindow] = {}
        self._report = FeedReport(FEED_DISCOVERY)
        self._next_read_ns = 0
        self._next_calendar_ns = 0
        self._next_status_ns = 0
        self._connected = False
        self._since_ns = MonotonicNs(0)
        self._cause = "not asked yet"
        self._changed = False
        self._running_ms = WallMs(0)

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take answers in."""
        match message:
            case HttpReply():
                return self._on_reply(message, now)
            case HttpFailed():
                return self._on_failed(message, now)
            case Received(body=Positions() as positions):
                self._held.follow(positions)
                return []
            case ReachTold():
                self._report.hear(message)
                return []
            case Stop(cause=cause):
                return [Exit(0, cause)]
            case _:
                return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Follow the clock, ask for what is due, publish."""
        self._follow_clock(now)
        effects = self._ask_next(now)
        if self._changed or now.monotonic_ns >= self._next_calendar_ns:
            self._changed = False
            self._next_calendar_ns = now.monotonic_ns + CALENDAR_EVERY_NS
            effects.extend(self.snapshot(now))
        if now.monotonic_ns >= self._next_status_ns:
            self._next_status_ns = now.monotonic_ns + STATUS_EVERY_NS
            effects.append(self._status(now))
        return effects

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the calendar, unless nothing is known yet."""
        verified_ns = self._verified_ns() or self._ended_verified_ns()
        followed = tuple(
            tracked.info for tracked in self._tracked.values() if tracked.info is not None
        )
        markets = (*self._held.infos(self._known()), *followed)
        if not followed or verified_ns is None:
            return []
        return [
            Publish(
                "feed.calendar", Calendar(markets, verified_ns, self._events.infos()), verified_ns
            )
        ]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return whether there is a calendar."""
        return ("starting", self._cause) if self._verified_ns() is None else ("ready", "")

    def _follow_clock(self, now: Instant) -> None:
        markets = self._markets
        due = windows_around(markets.assets, markets.interval_s, markets.ahead, now)
        slugs = {window.slug for window in due}
        self._running_ms = WallMs(running_start_s(markets.interval_s, now) * 1_000)
        if slugs == self._tracked.keys():
            return
        self._tracked = {
            window.slug: self._tracked.get(window.slug) or TrackedWindow(window) for window in due
        }
        self._changed = True

    def _ask_next(self, now: Instant) -> list[Effect]:
        if now.monotonic_ns < self._next_read_ns or self._reads.is_full:
            return []
        due = [tracked for tracked in self._tracked.values() if self._is_due(tracked, now)]
        if not due:
            return self._ask_held(now)
        # Live windows first; among those of a kind, the one that was asked longest ago.
        tracked = min(due, key=lambda found: (self._is_ended(found, now), found.asked_ns or 0))
        path = MARKET_BY_SLUG_PREFIX + tracked.window.slug
        urgency: Urgency = "usual" if self._is_ended(tracked, now) else "critical"
        if not self._budgets.of(path).take(urgency, now):
            return []
        tracked.asked_ns = now.monotonic_ns
        tracked.is_asking = True
        self._next_read_ns = now.monotonic_ns + READ_SPACING_NS
        return [self._reads.ask(path, tracked.window.slug, now)]

    def _ask_held(self, now: Instant) -> list[Effect]:
        """Look up a held market when no window by the clock is due."""
        held = self._held.due(self._known(), now)
        if held is None:
            return self._ask_event(now)
        if not self._budgets.of(MARKETS_KEYSET_PATH).take("usual", now):
            return []
        self._next_read_ns = now.monotonic_ns + READ_SPACING_NS
        return [self._reads.ask(held.path(now), _HeldRead(held.market), now)]

    def _ask_event(self, now: Instant) -> list[Effect]:
        """Ask for an event with several markets when nothing that is traded is due."""
        if self._events.is_empty:
            return []
        budget = self._budgets.of(EVENTS_KEYSET_PATH)
        read = self._events.due(budget.stretched(self._events.every_ns, now), now)
        if read is None or not budget.take("history" if read.series else "usual", now):
            return []
        self._events.asked(read)
        self._next_read_ns = now.monotonic_ns + READ_SPACING_NS
        return [self._reads.ask(read.path, read, now)]

    def _known(self) -> set[ConditionId]:
        """Return the markets that the clock names and the venue has described."""
        return {
            tracked.info.condition_id
            for tracked in self._tracked.values()
            if tracked.info is not None
        }

    def _is_due(self, tracked: TrackedWindow, now: Instant) -> bool:
        if tracked.is_asking or tracked.is_settled:
            return False
        usual = (
            max(ENDED_EVERY_NS, self._every_ns) if self._is_ended(tracked, now) else self._every_ns
        )
        every = self._budgets.of(MARKET_BY_SLUG_PREFIX).stretched(usual, now)
        return tracked.asked_ns is None or now.monotonic_ns - tracked.asked_ns >= every

    def _is_ended(self, tracked: TrackedWindow, now: Instant) -> bool:
        return tracked.window.end_ms <= now.wall_ms

    def _on_reply(self, reply: HttpReply, now: Instant) -> list[Effect]:
        purpose = self._reads.finish(reply.request_id)
        if purpose is not None:
            self._note_pace(_path_of(purpose), reply, now)
        if isinstance(purpose, _HeldRead):
            return self._on_held(purpose.market, reply, now)
        if isinstance(purpose, EventRead):
            return self._on_event(purpose, reply, now)
        tracked = None if purpose is None else self._tracked.get(purpose)
        if tracked is None:
            return []
        tracked.is_asking = False
        if reply.status == 404:
            return self._on_absent(now)
        if reply.status != 200:
            if reply.status != TOO_MANY:
                self._next_read_ns = now.monotonic_ns + RETRY_NS
            return self._lose(f"status {reply.status}", now)
        self._report.frame(now)
        try:
            described = decode(MARKET, reply.body, "market")
            info = market_info(described, self._markets.cutoff_ms)
        except WireFault as fault:
            return self._report.reject(reply.body.decode(errors="replace"), str(fault), now, READ)
        return self._on_info(tracked, info, now)

    def _on_event(self, read: EventRead, reply: HttpReply, now: Instant) -> list[Effect]:
        """Take an event or a listing in; what cannot be read costs nothing else."""
        if reply.status != 200:
            self._events.failed(read)
            if reply.status in (404, TOO_MANY):
                return []
            return [Log("discovery.event", {"path": read.path, "status": reply.status}, "warning")]
        try:
            self._changed |= self._events.answered(read, reply.body)
        except WireFault as fault:
            return self._report.reject(reply.body.decode(errors="replace"), str(fault), now, READ)
        return []

    def _note_pace(self, path: str, reply: HttpReply, now: Instant) -> None:
        """Tell the budget of a path how the venue has answered."""
        budget = self._budgets.of(path)
        if reply.status == TOO_MANY:
            budget.refused(now, retry_after_s(reply.headers))
        elif reply.status in (200, 404):
            budget.answered(now.boot_ns - reply.sent_ns)
        else:
            budget.failed(now)

    def _on_held(self, market: ConditionId, reply: HttpReply, now: Instant) -> list[Effect]:
        """Take the listing of a held market in."""
        if reply.status != 200:
            self._held.failed(market)
            return []
        self._report.frame(now)
        try:
            self._changed |= self._held.answered(market, reply.body)
        except WireFault as fault:
            self._held.failed(market)
            return self._report.reject(reply.body.decode(errors="replace"), str(fault), now, READ)
        return []

    def _on_info(self, tracked: TrackedWindow, info: MarketInfo, now: Instant) -> list[Effect]:
        window = tracked.window
        if (info.slug, info.start_ms, info.end_ms) != (window.slug, window.start_ms, window.end_ms):
            why = "not the window that was asked for"
            return self._report.reject(f"{info.slug} {info.start_ms} {info.end_ms}", why, now, READ)
        self._gain(now)
        tracked.verified_ns = tracked.asked_ns
        if info == tracked.info:
            return []
        known = tracked.info
        tracked.info = info
        self._changed = True
        if known is None or known.winner != info.winner or known.closed != info.closed:
            fields = {"slug": info.slug, "closed": info.closed, "winner": info.winner}
            return [Log("discovery.market", fields)]
        return []

    def _on_absent(self, now: Instant) -> list[Effect]:
        """Note that the venue does not list a window (yet): that is an answer too."""
        self._gain(now)
        return []

    def _on_failed(self, failed: HttpFailed, now: Instant) -> list[Effect]:
        purpose = self._reads.finish(failed.request_id)
        if purpose is not None:
            self._budgets.of(_path_of(purpose)).failed(now)
        if isinstance(purpose, EventRead):
            self._events.failed(purpose)
            return []
        if isinstance(purpose, _HeldRead):
            self._held.failed(purpose.market)
        elif purpose is not None and purpose in self._tracked:
            self._tracked[purpose].is_asking = False
        return self._lose(failed.reason, now)

    def _gain(self, now: Instant) -> None:
        if not self._connected:
            self._connected = True
            self._since_ns = now.monotonic_ns
            self._cause = ""

    def _lose(self, cause: str, now: Instant) -> list[Effect]:
        was_connected = self._connected
        self._connected = False
        self._cause = cause
        if not was_connected:
            return []
        self._since_ns = now.monotonic_ns
        return [Log("discovery.lost", {"cause": cause}, "warning")]

    def _verified_ns(self) -> MonotonicNs | None:
        """Return since when every live market of the calendar is vouched for, None without any.

        One that was decided before its window ends is not asked about again, and grows no older.
        """
        stamps = [
            tracked.verified_ns
            for tracked in self._tracked.values()
            if tracked.info is not None
            and tracked.verified_ns is not None
            and not tracked.is_settled
            and tracked.window.start_ms >= self._running_ms
        ]
        return min(stamps, default=None)

    def _ended_verified_ns(self) -> MonotonicNs | None:
        """Return since when an ended market is vouched for, None when none is.

        Only where the venue lists nothing that follows: how the last market ended must be told
        all the same. Nothing is asked once that is known, so that such a calendar grows stale.
        """
        stamps = [
            tracked.verified_ns
            for tracked in self._tracked.values()
            if tracked.verified_ns is not None and tracked.window.start_ms < self._running_ms
        ]
        return max(stamps, default=None)

    def _status(self, now: Instant) -> Publish:
        verified_ns = self._verified_ns()
        frames, rejected = self._report.window(now)
        strained, strained_ns = self._budgets.strain(now)
        fact = FeedStatus(
            feed=FEED_DISCOVERY,
            connected=self._connected,
            since_ns=self._since_ns,
            cause=self._cause,
            session=1,
            evidence=(Evidence("calendar", verified_ns),),
            rejected_frames=self._report.rejected_frames,
            window_frames=frames,
            window_rejected=rejected,
            hosts=self._report.hosts,
            strained=strained,
            strained_ms=strained_ns // NS_PER_MS,
        )
        return Publish("feed.status", fact, now.monotonic_ns)


def _path_of(purpose: str | _HeldRead | EventRead) -> str:
    """Return a path of the family that a read is counted in."""
    return EVENTS_KEYSET_PATH if isinstance(purpose, EventRead) else MARKET_BY_SLUG_PREFIX
