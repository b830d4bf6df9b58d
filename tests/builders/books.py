"""Books of a fake venue whose hashes are right, for the tests of folding."""

from typing import Any

from shared.effects import Received
from shared.facts import (
    BookChanged,
    BookSnapshot,
    Level,
    MarketInfo,
    PriceChange,
    Side,
)
from shared.identifiers import Component, Incarnation, TokenId
from shared.units import Instant, PriceE4, SizeE6, WallMs
from shared.venue.book_hash import HashedBook, book_hash
from tests.builders.markets import market_info

SHARE = 1_000_000


class VenueBook:
    """One token's book as the venue holds it: what it sends can be proven."""

    def __init__(self, token: TokenId, market: MarketInfo | None = None) -> None:
        self.market = market or market_info()
        self.token = token
        self.bids: dict[int, int] = {4_800: 30 * SHARE, 4_900: 20 * SHARE}
        self.asks: dict[int, int] = {5_100: 25 * SHARE, 5_200: 10 * SHARE}
        self.last_trade = ""
        self.tick = self.market.tick_e4
        self.venue_ms = 1_790_000_040_000

    def levels(self, side: str) -> tuple[Level, ...]:
        rows = self.bids if side == "BUY" else self.asks
        ordered = sorted(rows.items(), reverse=side == "SELL")
        return tuple((PriceE4(price), SizeE6(size)) for price, size in ordered)

    def hash(self) -> str:
        book = HashedBook(
            market=self.market.condition_id,
            token=self.token,
            venue_ms=WallMs(self.venue_ms),
            bids=self.levels("BUY"),
            asks=self.levels("SELL"),
            min_size_e6=self.market.min_size_e6,
            tick_e4=self.tick,
            neg_risk=self.market.neg_risk,
            version=self.market.version,
        )
        return book_hash(book, self.last_trade)

    def snapshot(self, *, after_trade: bool = False, **spoil: Any) -> BookSnapshot:
        """Return the whole book, as at subscription or as after a trade."""
        fields: dict[str, Any] = {
            "market": self.market.condition_id,
            "token": self.token,
            "bids": self.levels("BUY"),
            "asks": self.levels("SELL"),
            "venue_ms": WallMs(self.venue_ms),
            "hash": self.hash(),
            "source": "socket",
            "tick_e4": None if after_trade else self.tick,
            "last_trade_price": None if after_trade else self.last_trade,
        }
        return BookSnapshot(**{**fields, **spoil})

    def set(self, side: Side, price: int, shares: int) -> None:
        """Change a level without telling anybody yet."""
        rows = self.bids if side == "BUY" else self.asks
        rows[price] = shares * SHARE
        if shares == 0:
            del rows[price]

    def change(self, side: Side, price: int, **spoil: Any) -> PriceChange:
        """Return the entry for a level as it is now."""
        rows = self.bids if side == "BUY" else self.asks
        fields: dict[str, Any] = {
            "token": self.token,
            "side": side,
            "price": PriceE4(price),
            "size": SizeE6(rows.get(price, 0)),
            "hash": self.hash(),
            "best_bid": PriceE4(max(self.bids)) if self.bids else None,
            "best_ask": PriceE4(min(self.asks)) if self.asks else None,
        }
        return PriceChange(**{**fields, **spoil})

    def step(self, side: Side, price: int, shares: int) -> PriceChange:
        """Advance the clock, change a level and return the entry."""
        self.venue_ms += 10
        self.set(side, price, shares)
        return self.change(side, price)

    def frame(self, *changes: PriceChange) -> BookChanged:
        """Return the frame with entries, at the book's stamp."""
        return BookChanged(self.market.condition_id, changes, WallMs(self.venue_ms))


def fact(
    component: Component, topic: str, body: Any, now: Instant, incarnation: int = 1
) -> Received:
    """Return a fact as it comes off the bus at this moment."""
    return Received(
        component,
        Incarnation(incarnation),
        topic,
        1,
        now.monotonic_ns,
        now.monotonic_ns,
        now.wall_ns,
        body,
    )
