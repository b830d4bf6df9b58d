"""A market feed with a fake venue behind its socket and its reads."""

from typing import Any

import msgspec

from services.feed.market import (
    MarketFeed,
)
from shared.effects import (
    Effect,
    HttpReply,
    HttpRequest,
    StreamOpen,
    StreamOpened,
    StreamText,
)
from shared.facts import (
    Calendar,
    FeedStatus,
    MarketInfo,
)
from shared.identifiers import TokenId
from shared.topics import FEED_DISCOVERY
from shared.units import NS_PER_MS, BootNs, Instant, PriceE4, WallMs
from shared.venue.decimals import format_price, format_size
from tests.builders.books import VenueBook, fact
from tests.builders.feeds import WALL_START_MS, at, config, facts, of_type
from tests.builders.markets import DOWN, UP, market_info


def listed(**spoil: Any) -> MarketInfo:
    fields = {"start_ms": WallMs(WALL_START_MS), "end_ms": WallMs(WALL_START_MS + 60_000)}
    return market_info(**{**fields, **spoil})


def frame_of(book: VenueBook, **spoil: Any) -> dict[str, Any]:
    """Return a book frame as the venue writes it."""
    fields = {
        "event_type": "book",
        "market": book.market.condition_id,
        "asset_id": book.token,
        "timestamp": str(book.venue_ms),
        "hash": book.hash(),
        "bids": [level(*row) for row in book.levels("BUY")],
        "asks": [level(*row) for row in book.levels("SELL")],
        "tick_size": format_price(book.tick),
        "last_trade_price": book.last_trade,
    }
    return {**fields, **spoil}


def level(price: PriceE4, size: Any) -> dict[str, str]:
    return {"price": format_price(price), "size": format_size(size)}


def rest_of(book: VenueBook, **spoil: Any) -> bytes:
    fields = {**frame_of(book), "min_order_size": "5", "neg_risk": False}
    return msgspec.json.encode({**fields, **spoil})


class Rig:
    """A market feed with a fake venue behind its socket."""

    def __init__(self, *markets: MarketInfo) -> None:
        self.feed = MarketFeed(config(), seed=1)
        self.markets = markets or (listed(),)
        self.stream = ""
        self.up = VenueBook(UP, self.markets[0])
        self.down = VenueBook(DOWN, self.markets[0])
        for book in (self.up, self.down):
            book.venue_ms = WALL_START_MS

    def list_markets(self, now: Instant, *markets: MarketInfo) -> list[Effect]:
        self.markets = markets or self.markets
        calendar = Calendar(self.markets, now.monotonic_ns)
        return self.feed.on_message(fact(FEED_DISCOVERY, "feed.calendar", calendar, now), now)

    def open(self, now: Instant) -> list[Effect]:
        effects = self.list_markets(now)
        (opening,) = of_type(effects or self.feed.on_tick(now), StreamOpen)
        self.stream = opening.stream
        return self.feed.on_message(StreamOpened(self.stream), now)

    def hear(self, body: object, now: Instant) -> list[Effect]:
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        return self.feed.on_message(StreamText(self.stream, text, now.monotonic_ns), now)

    def dump(self, now: Instant) -> list[Effect]:
        return self.hear([frame_of(self.up), frame_of(self.down)], now)

    def status(self, now: Instant) -> FeedStatus:
        (found,) = facts(list(self.feed.snapshot(now)), "feed.status")
        assert isinstance(found, FeedStatus)
        return found

    def evident_ms(self, token: TokenId, now: Instant) -> float | None:
        stamps = {entry.key: entry.evident_ns for entry in self.status(now).evidence}
        stamp = stamps[token]
        return None if stamp is None else (stamp - at(0).monotonic_ns) / NS_PER_MS

    def answer(self, request: HttpRequest, body: bytes, now: Instant, status: int = 200) -> Any:
        reply = HttpReply(request.request_id, status, {}, body, BootNs(0))
        return self.feed.on_message(reply, now)

    def asked(self, now: Instant) -> dict[str, HttpRequest]:
        """Tick, and return the reads by token."""
        requests = of_type(self.feed.on_tick(now), HttpRequest)
        return {request.path.partition("token_id=")[2]: request for request in requests}


def ready() -> Rig:
    rig = Rig()
    rig.open(at(0))
    rig.dump(at(0))
    assert rig.status(at(0)).connected
    return rig
