"""Events with several markets, as the profile names them: followed until all of it is decided.

An event is asked for by its slug; a series is listed, and every open event of it is followed by
its slug from then on. An error means that an event was not refreshed; its stamp grows old and
says so. What concerns one market alone costs that market, which is named as unknown: whoever
wants a complete set sees that it is none. Decides what to ask and what the answers mean; asks
nothing itself.

Source: https://docs.polymarket.com/market-data/fetching-markets (2026-09-28).
"""

import re

import msgspec

from shared.config import MarketSettings
from shared.facts import EventInfo
from shared.units import NS_PER_MS, Instant, MonotonicNs
from shared.venue.faults import Malformed
from shared.venue.gamma_wire import (
    EVENT,
    EVENT_BY_SLUG_PREFIX,
    EVENTS_KEYSET_PATH,
    EVENTS_PAGE,
    GammaEvent,
)
from shared.venue.parse_market import event_info
from shared.venue.wire import decode

EVENTS_MAX = 64
"""Events followed at once: two reads a second at the usual pace, a fifth of what is set ahead."""

LISTED_MAX = 20
"""Events of one listing: the next ones of a series; later ones come when these are decided."""

SERIES_TIMES = 10
"""A series is listed so many times less often than an event is asked for."""

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,199}", re.ASCII)
"""What a path may hold: a listing names what is asked for next."""


class EventRead(msgspec.Struct, frozen=True):
    """What a read is for: an event by its slug, or the open events of a series.

    Attributes:
        asked_ns: When it was asked.
    """

    slug: str
    series: str
    asked_ns: MonotonicNs

    @property
    def path(self) -> str:
        """Return what to ask."""
        if self.slug:
            return EVENT_BY_SLUG_PREFIX + self.slug
        return f"{EVENTS_KEYSET_PATH}?series_id={self.series}&closed=false&limit={LISTED_MAX}"


class _Followed:
    """One event or one series: what is known, and whether it is asked for just now."""

    def __init__(self) -> None:
        self.info: EventInfo | None = None
        self.asked_ns: MonotonicNs | None = None
        self.is_asking = False

    def is_due(self, every_ns: int, now: Instant) -> bool:
        """Tell whether it is time to ask."""
        if self.is_asking or (self.info is not None and self.info.is_settled):
            return False
        return self.asked_ns is None or now.monotonic_ns - self.asked_ns >= every_ns


class FollowedEvents:
    """Every event that the profile names, and those of its series."""

    def __init__(self, markets: MarketSettings) -> None:
        """Start knowing nothing of any.

        Args:
            markets: Which events and series, how often, and our cutoff.
        """
        self._cutoff_ms = markets.cutoff_ms
        self._every_ns = markets.events_every_ms * NS_PER_MS
        self._events = {slug: _Followed() for slug in markets.events}
        self._named = frozenset(markets.events)
        self._series = {series: _Followed() for series in markets.event_series}

    @property
    def is_empty(self) -> bool:
        """Tell whether the profile names none."""
        return not self._events and not self._series

    def due(self, stretched: int, now: Instant) -> EventRead | None:
        """Return what to ask now, None for nothing.

        Args:
            stretched: How often an event is asked for at the present pace, in ns of one that is
                usually asked for each `events_every_ms`.
            now: Time of the question.
        """
        for series, followed in self._series.items():
            if followed.is_due(SERIES_TIMES * stretched, now):
                return EventRead("", series, now.monotonic_ns)
        waiting = [
            (followed.asked_ns or 0, slug)
            for slug, followed in self._events.items()
            if followed.is_due(stretched, now)
        ]
        return EventRead(min(waiting)[1], "", now.monotonic_ns) if waiting else None

    @property
    def every_ns(self) -> int:
        """How often an event is asked for at the whole pace."""
        return self._every_ns

    def asked(self, read: EventRead) -> None:
        """Note that a read has gone out."""
        followed = self._of(read)
        if followed is not None:
            followed.asked_ns, followed.is_asking = read.asked_ns, True

    def failed(self, read: EventRead) -> None:
        """Note that nothing usable was answered: it is asked again later."""
        followed = self._of(read)
        if followed is not None:
            followed.is_asking = False

    def answered(self, read: EventRead, body: bytes) -> bool:
        """Take an answer in; return whether it told anything new.

        Raises:
            WireFault: It is no event or listing, or describes another event than was asked for.
        """
        self.failed(read)
        if read.series:
            return self._list(decode(EVENTS_PAGE, body, "events").events)
        described = decode(EVENT, body, "event")
        if described.slug != read.slug:
            raise Malformed("event", f"{described.slug} is not what was asked for")
        followed = self._events.get(read.slug)
        if followed is None:
            return False
        info = event_info(described, self._cutoff_ms, read.asked_ns)
        before, followed.info = followed.info, info
        return before is None or _timeless(before) != _timeless(info)

    def infos(self) -> tuple[EventInfo, ...]:
        """Return what is known, each with its own stamp."""
        known = (followed.info for followed in self._events.values())
        return tuple(info for info in known if info is not None)

    def _of(self, read: EventRead) -> _Followed | None:
        return self._series.get(read.series) if read.series else self._events.get(read.slug)

    def _list(self, listed: tuple[GammaEvent, ...]) -> bool:
        """Follow the open events of a listing, as far as there is room."""
        is_new = False
        for slug in (event.slug for event in listed[:LISTED_MAX]):
            if slug in self._events or not SLUG.fullmatch(slug):
                continue
            self._let_go()
            if len(self._events) < EVENTS_MAX:
                self._events[slug] = _Followed()
                is_new = True
        return is_new

    def _let_go(self) -> None:
        """Forget an event that is decided and that only a series has named, when room is needed."""
        if len(self._events) < EVENTS_MAX:
            return
        for slug, followed in self._events.items():
            is_over = followed.info is not None and followed.info.is_settled
            if is_over and slug not in self._named:
                del self._events[slug]
                return


def _timeless(info: EventInfo) -> EventInfo:
    return msgspec.structs.replace(info, verified_ns=MonotonicNs(0))
