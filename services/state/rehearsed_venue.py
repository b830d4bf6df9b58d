"""Markets whose frames have right hashes, for the rehearsal of a restart. Pure."""

from collections.abc import Iterator

from shared.config import Config
from shared.facts import BookChanged, BookSnapshot, MarketInfo, PriceChange
from shared.identifiers import Asset, ConditionId, TokenId
from shared.units import PriceE4, SizeE6, WallMs
from shared.venue.book_hash import HashedBook, book_hash

LEVELS = 40
"""A side; recorded books have some dozens."""

SHARE = 1_000_000
DAY_MS = 86_400_000


class RehearsedVenue:
    """Some markets that all run for a day.

    Attributes:
        filler: A frame of no content that anybody folds, as long as a real one.
    """

    def __init__(self, config: Config, count: int, now_ms: WallMs) -> None:
        """Begin with full books."""
        assets = config.markets.assets
        self.markets = tuple(
            _market(number, Asset(assets[number % len(assets)]), now_ms) for number in range(count)
        )
        self._books = {
            token: _Book(market, token) for market in self.markets for token in market.tokens
        }
        self._stamp_ms = now_ms
        self._number = 0
        self.filler = next(self.changes(now_ms))

    def snapshots(self) -> Iterator[BookSnapshot]:
        """Yield every book whole, as a subscription tells it."""
        for book in self._books.values():
            yield book.snapshot(self._stamp_ms)

    def changes(self, now_ms: WallMs) -> Iterator[BookChanged]:
        """Yield one frame a market, which changes both its books."""
        self._stamp_ms = now_ms
        for market in self.markets:
            self._number += 1
            entries = tuple(
                self._books[token].change(self._number, now_ms) for token in market.tokens
            )
            yield BookChanged(market.condition_id, entries, now_ms)


class _Book:
    """One token's levels."""

    def __init__(self, market: MarketInfo, token: TokenId) -> None:
        self._market = market
        self._token = token
        self._bids = {4_900 - 100 * level: 10 * SHARE for level in range(LEVELS)}
        self._asks = {5_100 + 100 * level: 10 * SHARE for level in range(LEVELS)}

    def change(self, number: int, now_ms: WallMs) -> PriceChange:
        """Set one level anew and return the entry for it."""
        levels = self._bids if number % 2 else self._asks
        price = sorted(levels)[number * 31 % len(levels)]
        levels[price] = (1 + number * 7 % 900) * SHARE
        return PriceChange(
            token=self._token,
            side="BUY" if number % 2 else "SELL",
            price=PriceE4(price),
            size=SizeE6(levels[price]),
            hash=self._hash(now_ms),
            best_bid=PriceE4(max(self._bids)),
            best_ask=PriceE4(min(self._asks)),
        )

    def snapshot(self, now_ms: WallMs) -> BookSnapshot:
        """Return the whole book."""
        return BookSnapshot(
            market=self._market.condition_id,
            token=self._token,
            bids=tuple((PriceE4(one), SizeE6(self._bids[one])) for one in sorted(self._bids)),
            asks=tuple((PriceE4(one), SizeE6(self._asks[one])) for one in sorted(self._asks)),
            venue_ms=now_ms,
            hash=self._hash(now_ms),
            source="socket",
            tick_e4=self._market.tick_e4,
            last_trade_price="0.5",
        )

    def _hash(self, now_ms: WallMs) -> str:
        bids = [(PriceE4(one), SizeE6(self._bids[one])) for one in sorted(self._bids)]
        asks = [(PriceE4(one), SizeE6(self._asks[one])) for one in sorted(self._asks, reverse=True)]
        market = self._market
        book = HashedBook(
            market=market.condition_id,
            token=self._token,
            venue_ms=now_ms,
            bids=bids,
            asks=asks,
            min_size_e6=market.min_size_e6,
            tick_e4=market.tick_e4,
            neg_risk=market.neg_risk,
            version=market.version,
        )
        return book_hash(book, "0.5")


def _market(number: int, asset: Asset, now_ms: WallMs) -> MarketInfo:
    return MarketInfo(
        condition_id=ConditionId(f"0x{number:064x}"),
        slug=f"rehearsed-{number}",
        asset=asset,
        version="v1",
        tokens=(TokenId(str(2 * number + 1)), TokenId(str(2 * number + 2))),
        outcomes=("Up", "Down"),
        tick_e4=PriceE4(100),
        min_size_e6=SizeE6(5 * SHARE),
        neg_risk=False,
        start_ms=WallMs(now_ms - now_ms % 60_000),
        end_ms=WallMs(now_ms + DAY_MS),
        cutoff_ms=WallMs(now_ms + DAY_MS),
        active=True,
        closed=False,
        accepting_orders=True,
        restricted=False,
        fee_rate_e6=0,
        taker_delay=False,
    )
