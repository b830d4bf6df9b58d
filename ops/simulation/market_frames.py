"""Frames of the market socket by chance, in the recorded shape.

The shape is that of production (a `btc-updown-15m` market, 2026-09-30): each frame is about 745
characters of spaced JSON and tells one changed level of a token and its mirror of the other; of
ten frames eight shared one stamp and one hash, and two stood alone; both books have some fifty
levels a side. One batch in fifty is a trade: two whole books, then the print. Hashes are
the venue's.
"""

import json

import msgspec

from services.simulator.chance import Chance
from shared.facts import Level, MarketInfo
from shared.identifiers import Asset, ConditionId, TokenId
from shared.units import PRICE_ONE_E4, PriceE4, SizeE6, WallMs
from shared.venue.book_hash import HashedBook, book_hash
from shared.venue.decimals import format_price, format_size

BATCHES = (8, 1, 1)
"""Frames of each batch, drawn alike."""

TRADE_EVERY = 50
STEP_MS_MAX = 40
BASE_MS = 1_790_000_100_000
"""A window of fifteen minutes begins here."""

WINDOW_MS = 900_000
TICK_E4 = PriceE4(100)
MIDDLE_E4 = 5_000
MIN_SIZE_E6 = SizeE6(5_000_000)
SIZE_E4_MAX = 10_000_000
"""A level holds up to a thousand shares, in steps of a hundredth, as recorded ones do."""

E4_OF_E6 = 100


class Read(msgspec.Struct, frozen=True):
    """What one read of the socket brought: the frames of one batch come together."""

    venue_ms: WallMs
    texts: tuple[str, ...]


class Frames(msgspec.Struct, frozen=True):
    """Everything that a run is fed with.

    Attributes:
        dump: First books, as they answer the subscription.
        changes: Changed levels in `reads`, each counted for its token.
        batches: Batches in `reads`: so many hashes are to be proven for each of two tokens.
    """

    markets: tuple[MarketInfo, ...]
    dump: Read
    reads: tuple[Read, ...]
    changes: int
    batches: int


def make_market(number: int) -> MarketInfo:
    """Return one of the markets, by its number."""
    return MarketInfo(
        condition_id=ConditionId(f"0x{number + 1:064x}"),
        slug=f"bench-{number}",
        asset=Asset("btc"),
        version="v1",
        tokens=(TokenId(str(10**76 + 2 * number)), TokenId(str(10**76 + 2 * number + 1))),
        outcomes=("Up", "Down"),
        tick_e4=TICK_E4,
        min_size_e6=MIN_SIZE_E6,
        neg_risk=False,
        start_ms=WallMs(BASE_MS),
        end_ms=WallMs(BASE_MS + WINDOW_MS),
        cutoff_ms=WallMs(BASE_MS + WINDOW_MS),
        active=True,
        closed=False,
        accepting_orders=True,
        restricted=False,
        fee_rate_e6=0,
        taker_delay=False,
    )


def generate(seed: int, changes: int, markets: int) -> Frames:
    """Return frames with at least so many changed levels, spread over markets by chance.

    Args:
        seed: The same frames for the same seed.
        changes: Changed levels, above zero; a frame has two.
        markets: 1..500.
    """
    chance = Chance(seed)
    books = [_Market(make_market(number), chance) for number in range(markets)]
    venue_ms = WallMs(BASE_MS)
    dump = Read(venue_ms, ("[" + ",".join(text for book in books for text in book.dump()) + "]",))
    reads: list[Read] = []
    told = batches = 0
    while told < changes:
        venue_ms = WallMs(venue_ms + 1 + chance.below(STEP_MS_MAX))
        book = books[chance.below(len(books))]
        book.venue_ms = venue_ms
        if chance.below(TRADE_EVERY) == 0:
            reads.append(Read(venue_ms, book.trade()))
            continue
        frames = BATCHES[chance.below(len(BATCHES))]
        reads.append(Read(venue_ms, book.batch(frames)))
        told += 2 * frames
        batches += 1
    return Frames(tuple(book.info for book in books), dump, tuple(reads), told, batches)


class _Market:
    """One market's levels, kept for its first token; the other shows their mirror."""

    def __init__(self, info: MarketInfo, chance: Chance) -> None:
        self.info = info
        self.venue_ms = WallMs(BASE_MS)
        self._chance = chance
        self._last_trade = ""
        prices = range(TICK_E4, PRICE_ONE_E4, TICK_E4)
        self._levels = {PriceE4(price): self._size() for price in prices if price != MIDDLE_E4}
        """Below the middle they are bids, above it asks; the middle itself is the spread."""

    def dump(self) -> list[str]:
        """Return both whole books, as a subscription is answered."""
        extra = {"tick_size": format_price(TICK_E4), "last_trade_price": ""}
        return [json.dumps(self._book(place) | extra, separators=(",", ":")) for place in (0, 1)]

    def batch(self, frames: int) -> tuple[str, ...]:
        """Change a level for each frame, and tell them under one stamp and one hash a token."""
        changed = [self._change() for _ in range(frames)]
        hashes = [self._hash(place) for place in (0, 1)]
        bid, ask = (level[0] for level in (self._side(0, "BUY")[-1], self._side(0, "SELL")[-1]))
        touches = [(bid, ask), (PRICE_ONE_E4 - ask, PRICE_ONE_E4 - bid)]
        return tuple(self._frame(price, hashes, touches) for price in changed)

    def trade(self) -> tuple[str, ...]:
        """Let a taker buy at the best ask, and tell both books and the print."""
        price, size = self._side(0, "SELL")[-1]
        self._levels[price] = SizeE6(max(E4_OF_E6, size // 2))
        mirrored = PRICE_ONE_E4 - price
        self._last_trade = f"{mirrored // PRICE_ONE_E4}.{mirrored % PRICE_ONE_E4:04d}"[:5]
        books = [json.dumps(self._book(place) | {"event_type": "book"}) for place in (0, 1)]
        told = {
            "market": self.info.condition_id,
            "asset_id": self.info.tokens[0],
            "price": format_price(price),
            "size": "20",
            "fee_rate_bps": "0",
            "side": "BUY",
            "timestamp": str(self.venue_ms),
            "event_type": "last_trade_price",
            "transaction_hash": "0x" + "e" * 64,
        }
        return (*books, json.dumps(told))

    def _change(self) -> PriceE4:
        """Set, or take away and set again, one level; the touches are left standing."""
        price = PriceE4(TICK_E4 * (1 + self._chance.below(PRICE_ONE_E4 // TICK_E4 - 1)))
        while abs(price - MIDDLE_E4) <= TICK_E4:
            price = PriceE4(TICK_E4 * (1 + self._chance.below(PRICE_ONE_E4 // TICK_E4 - 1)))
        if price in self._levels and self._chance.below(4) == 0:
            del self._levels[price]
        else:
            self._levels[price] = self._size()
        return price

    def _size(self) -> SizeE6:
        return SizeE6(E4_OF_E6 * E4_OF_E6 * (1 + self._chance.below(SIZE_E4_MAX // E4_OF_E6)))

    def _frame(self, price: PriceE4, hashes: list[str], touches: list[tuple[int, int]]) -> str:
        entries = []
        for place in (0, 1):
            is_bid = (price < MIDDLE_E4) == (place == 0)
            shown = price if place == 0 else PRICE_ONE_E4 - price
            entries.append(
                {
                    "asset_id": self.info.tokens[place],
                    "price": format_price(PriceE4(shown)),
                    "size": format_size(self._levels.get(price, SizeE6(0))),
                    "side": "BUY" if is_bid else "SELL",
                    "hash": hashes[place],
                    "best_bid": format_price(PriceE4(touches[place][0])),
                    "best_ask": format_price(PriceE4(touches[place][1])),
                }
            )
        frame = {
            "market": self.info.condition_id,
            "price_changes": entries,
            "timestamp": str(self.venue_ms),
            "event_type": "price_change",
        }
        return json.dumps(frame)

    def _side(self, place: int, side: str) -> list[Level]:
        """Return one side's levels, best last."""
        rows = [
            (price if place == 0 else PriceE4(PRICE_ONE_E4 - price), size)
            for price, size in self._levels.items()
            if ((price < MIDDLE_E4) == (place == 0)) == (side == "BUY")
        ]
        rows.sort(reverse=side == "SELL")
        return rows

    def _hash(self, place: int) -> str:
        book = HashedBook(
            market=self.info.condition_id,
            token=self.info.tokens[place],
            venue_ms=self.venue_ms,
            bids=self._side(place, "BUY"),
            asks=self._side(place, "SELL"),
            min_size_e6=self.info.min_size_e6,
            tick_e4=self.info.tick_e4,
            neg_risk=self.info.neg_risk,
            version=self.info.version,
        )
        return book_hash(book, self._last_trade)

    def _book(self, place: int) -> dict[str, object]:
        rows = {
            name: [
                {"price": format_price(price), "size": format_size(size)}
                for price, size in self._side(place, side)
            ]
            for name, side in (("bids", "BUY"), ("asks", "SELL"))
        }
        return {
            "market": self.info.condition_id,
            "asset_id": self.info.tokens[place],
            "timestamp": str(self.venue_ms),
            "hash": self._hash(place),
            **rows,
            "event_type": "book",
        }
