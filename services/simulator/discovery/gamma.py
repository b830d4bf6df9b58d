"""Discovery: markets and events as the venue's Gamma describes them.

Source: recorded production answers (2026-07-24, 2026-10-05) and
https://docs.polymarket.com/market-data/fetching-markets (2026-09-28).
"""

from collections.abc import Callable, Iterator

from services.simulator.answers import Answer, error, ok
from services.simulator.discovery.query import (
    EVENT_ROWS_MAX,
    ROWS_MAX,
    BadQuery,
    event_filter,
    keyset_page,
    legacy_page,
    market_filter,
)
from services.simulator.discovery.rows import (
    Row,
    event_id_of,
    event_row,
    market_row,
    series_id_of,
    series_row,
    series_slug_of,
    tag_rows,
    volume_fields,
)
from services.simulator.edge import Request, last_segment
from services.simulator.markets import Calendar, Market
from services.simulator.volumes import Volumes
from shared.units import Instant

NOT_FOUND = error(404, "not found")
Handler = Callable[[Request, Instant], Answer]


def _refusing(handler: Handler) -> Handler:
    """Return a handler that answers 422 to a parameter that cannot be read."""

    def handle(request: Request, now: Instant) -> Answer:
        try:
            return handler(request, now)
        except BadQuery as refusal:
            return error(422, refusal.text)

    return handle


class Gamma:
    """Handles discovery."""

    def __init__(
        self, calendar: Calendar, volumes: Volumes, *, has_bare_conditions: bool = False
    ) -> None:
        """Set where to look, and whether v2 conditions are written with 62 digits."""
        self._calendar = calendar
        self._volumes = volumes
        self._is_bare = has_bare_conditions
        self.markets = _refusing(self._markets)
        self.events = _refusing(self._events)
        self.legacy_markets = _refusing(self._legacy_markets)
        self.legacy_events = _refusing(self._legacy_events)

    # --- markets --------------------------------------------------------------------

    def market(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets/slug/{slug}."""
        market = self._calendar.by_slug.get(last_segment(request))
        return NOT_FOUND if market is None else ok(self._market(market, request, now))

    def market_by_id(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets/{id}."""
        market = self._numbered(last_segment(request))
        return NOT_FOUND if market is None else ok(self._market(market, request, now))

    def market_tags(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets/{id}/tags."""
        market = self._numbered(request.path.split("/")[-2])
        return NOT_FOUND if market is None else ok(tag_rows(market))

    def _markets(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets/keyset."""
        wanted = filter(market_filter(request), self._calendar)
        page = keyset_page(wanted, request, ROWS_MAX)
        rows = [self._market(market, request, now) for market in page.markets]
        return ok(_envelope("markets", rows, page.next_cursor))

    def _legacy_markets(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets."""
        wanted = filter(market_filter(request), self._calendar)
        return ok([self._market(market, request, now) for market in legacy_page(wanted, request)])

    # --- events ---------------------------------------------------------------------

    def event(self, request: Request, now: Instant) -> Answer:
        """Handle GET /events/slug/{slug}."""
        slug = last_segment(request)
        market = next((one for one in self._calendar if one.event_slug == slug), None)
        return NOT_FOUND if market is None else ok(self._event(market, now))

    def event_by_id(self, request: Request, now: Instant) -> Answer:
        """Handle GET /events/{id}."""
        market = self._of_event(last_segment(request))
        return NOT_FOUND if market is None else ok(self._event(market, now))

    def event_tags(self, request: Request, now: Instant) -> Answer:
        """Handle GET /events/{id}/tags."""
        market = self._of_event(request.path.split("/")[-2])
        return NOT_FOUND if market is None else ok(tag_rows(market))

    def _events(self, request: Request, now: Instant) -> Answer:
        """Handle GET /events/keyset."""
        wanted = filter(event_filter(request), self._event_heads())
        page = keyset_page(wanted, request, EVENT_ROWS_MAX)
        rows = [self._event(market, now) for market in page.markets]
        return ok(_envelope("events", rows, page.next_cursor))

    def _legacy_events(self, request: Request, now: Instant) -> Answer:
        """Handle GET /events."""
        wanted = filter(event_filter(request), self._event_heads())
        return ok([self._event(market, now) for market in legacy_page(wanted, request)])

    # --- series and tags ------------------------------------------------------------

    def series(self, request: Request, now: Instant) -> Answer:
        """Handle GET /series/{id}, with its open events."""
        wanted = last_segment(request)
        known = [market for market in self._calendar if series_id_of(market) == wanted]
        if not known:
            return NOT_FOUND
        heads = [market for market in self._event_heads() if market in known]
        open_ones = [market for market in heads if market.state != "RESOLVED"]
        events = [_without_series(self._event(market, now)) for market in open_ones]
        return ok(series_row(known[0]) | {"events": events})

    def all_series(self, request: Request, now: Instant) -> Answer:
        """Handle GET /series, by limit and offset."""
        rows = {series_slug_of(market): series_row(market) for market in self._calendar}
        return ok(_sliced(list(rows.values()), request))

    def tag(self, request: Request, now: Instant) -> Answer:
        """Handle GET /tags/{id} and GET /tags/slug/{slug}."""
        wanted = last_segment(request)
        found = [tag for tag in self._tags() if wanted in (tag["id"], tag["slug"])]
        return ok(found[0]) if found else NOT_FOUND

    def tags(self, request: Request, now: Instant) -> Answer:
        """Handle GET /tags, by limit and offset."""
        return ok(_sliced(self._tags(), request))

    def _tags(self) -> list[Row]:
        rows = {str(tag["id"]): tag for market in self._calendar for tag in tag_rows(market)}
        return list(rows.values())

    # --- rows -----------------------------------------------------------------------

    def _numbered(self, number: str) -> Market | None:
        return next((market for market in self._calendar if market.number == number), None)

    def _of_event(self, event_id: str) -> Market | None:
        return next((market for market in self._calendar if event_id_of(market) == event_id), None)

    def _event_heads(self) -> Iterator[Market]:
        """Iterate over the markets that stand for their events: the first of each."""
        return (market for market in self._calendar if not market.range_number)

    def _bare_market(self, market: Market, now: Instant) -> Row:
        row = market_row(
            market,
            self._calendar.resolution_ms,
            has_ids=self._calendar.tells_ids(market, now.wall_ms),
            is_bare=self._is_bare,
        )
        return row | self._volume(market)

    def _volume(self, market: Market) -> Row:
        """Return what a market has traded; nothing is said of one that has not."""
        volume = self._volumes.of(market.condition_id)
        return volume_fields(volume) if volume.size else {}

    def _market(self, market: Market, request: Request, now: Instant) -> Row:
        """Return a market with its event, and with its tags only when they are asked for."""
        row = self._bare_market(market, now)
        event = event_row(market, (row,))
        del event["markets"], event["tags"]
        whole = row | {"events": [event]}
        if request.query.get("include_tag") == "true":
            whole["tags"] = list(tag_rows(market))
        return whole

    def _event(self, market: Market, now: Instant) -> Row:
        members = [market]
        if market.range_number is not None:
            slug = market.event_slug
            members = [one for one in self._calendar if one.event_slug == slug]
        row = event_row(market, tuple(self._bare_market(one, now) for one in members))
        volume = self._volume(market)
        return row | volume | ({"volume": volume["volumeNum"]} if volume else {})


def _envelope(name: str, rows: list[Row], cursor: str | None) -> Row:
    return {name: rows} | ({} if cursor is None else {"next_cursor": cursor})


def _without_series(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "series"}


def _sliced(rows: list[Row], request: Request) -> list[Row]:
    texts = (request.query.get("offset", "0"), request.query.get("limit", str(ROWS_MAX)))
    offset, limit = (int(text) if text.isascii() and text.isdigit() else 0 for text in texts)
    return rows[offset : offset + min(limit, ROWS_MAX)]
