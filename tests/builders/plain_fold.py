"""A plain reader of the market socket: folds all it is sent and proves it by the venue's hash.

Stands on nothing of the feed or of state: dictionaries of levels, the wire's decoder and the
book hash. Whatever does not agree is an assertion.
"""

from collections import deque

from shared.facts import Level
from shared.identifiers import ConditionId, TokenId
from shared.units import PRICE_ONE_E4, PriceE4, SizeE6, WallMs
from shared.venue.book_hash import (
    HashedBook,
    book_hash,
    find_last_trade_price,
    last_trade_candidates,
)
from shared.venue.decimals import parse_price, parse_size
from shared.venue.market_wire import PriceLevel
from shared.venue.streams_wire import (
    BestBidAskFrame,
    BookFrame,
    LastTradeFrame,
    PriceChangeEntry,
    PriceChangeFrame,
    TickSizeFrame,
    UnknownFrame,
)

HISTORY = 4_000
"""Proven states kept of a token: some seconds of the fastest market."""

MIN_SIZE = SizeE6(5_000_000)


def levels_of(rows: tuple[PriceLevel, ...]) -> dict[PriceE4, SizeE6]:
    """Return one side as a dictionary."""
    return {parse_price(row.price, ""): parse_size(row.size, "") for row in rows}


class TokenFold:
    """One token's book; `settle` proves it once a batch is complete.

    Attributes:
        last: Text of the last trade's price that the hash takes, empty before the first.
        proven: (timestamp, hash) of every proven state, newest last.
    """

    def __init__(self, market: str, token: str) -> None:
        self.market = market
        self.token = token
        self.bids: dict[PriceE4, SizeE6] = {}
        self.asks: dict[PriceE4, SizeE6] = {}
        self.tick = PriceE4(100)
        self.last = ""
        self.ms = 0
        self.checks = 0
        self.trades: deque[str] = deque(maxlen=HISTORY)
        self.proven: deque[tuple[int, str]] = deque(maxlen=HISTORY)
        self._wanted = ""
        self._touch: tuple[str, str] | None = None
        self._traded = False

    def take_book(self, frame: BookFrame) -> None:
        """Begin anew from a whole book; one after a trade does not say the last price."""
        self.settle()
        self.bids, self.asks = levels_of(frame.bids), levels_of(frame.asks)
        self.ms, self._wanted = int(frame.timestamp), frame.hash
        self._touch = None
        if frame.tick_size is not None:
            self.tick = parse_price(frame.tick_size, "")
        self._traded = frame.last_trade_price is None
        if frame.last_trade_price is not None:
            self.last = frame.last_trade_price
        self.settle()

    def take_change(self, entry: PriceChangeEntry, ms: int) -> None:
        """Fold one level; entries of one batch share time and hash."""
        if (ms, entry.hash) != (self.ms, self._wanted):
            self.settle()
        side = self.bids if entry.side == "BUY" else self.asks
        price, size = parse_price(entry.price, ""), parse_size(entry.size, "")
        if size:
            side[price] = size
        else:
            assert side.pop(price, None) is not None, "a level is removed that was not there"
        self.ms, self._wanted = ms, entry.hash
        self._touch = (str(entry.best_bid), str(entry.best_ask))

    def take_tick(self, frame: TickSizeFrame) -> None:
        """Take a new tick; the book that follows begins anew."""
        self.settle()
        assert parse_price(frame.old_tick_size, "") == self.tick
        self.tick = parse_price(frame.new_tick_size, "")

    def take_touch(self, frame: BestBidAskFrame) -> None:
        """Compare a touch that the venue tells with ours."""
        self.settle()
        assert (str(frame.best_bid), str(frame.best_ask)) == self.touch()

    def touch(self) -> tuple[str, str]:
        """Return best bid and best ask as the wire writes them."""
        bid = f"{max(self.bids) / PRICE_ONE_E4:g}" if self.bids else ""
        return bid, f"{min(self.asks) / PRICE_ONE_E4:g}" if self.asks else ""

    def settle(self) -> None:
        """Prove the book as the last batch has left it; nothing when that is done already."""
        if not self._wanted or (self.proven and self.proven[-1] == (self.ms, self._wanted)):
            return
        book = self._book()
        if self._traded:
            found = find_last_trade_price(book, self._wanted, self._candidates())
            assert found is not None, f"no last price proves {self.token[:8]} at {self.ms}"
            self.last, self._traded = found, False
            self.trades.append(found)
        else:
            assert book_hash(book, self.last) == self._wanted, f"{self.token[:8]} at {self.ms}"
        if self._touch is not None:
            assert self._touch == self.touch()
        self.checks += 1
        self.proven.append((self.ms, self._wanted))

    def _candidates(self) -> tuple[str, ...]:
        # The present text first: a book that follows a new tick is whole without any trade.
        middle = PriceE4(max(self.bids, default=PriceE4(5_000)))
        return (self.last, *last_trade_candidates(middle, PriceE4(10)))

    def _book(self) -> HashedBook:
        bids: list[Level] = sorted(self.bids.items())
        asks: list[Level] = sorted(self.asks.items(), reverse=True)
        return HashedBook(
            market=ConditionId(self.market),
            token=TokenId(self.token),
            venue_ms=WallMs(self.ms),
            bids=bids,
            asks=asks,
            min_size_e6=MIN_SIZE,
            tick_e4=self.tick,
            neg_risk=False,
            version="v1",
        )


class PlainFold:
    """All tokens of one socket.

    Attributes:
        kinds: Frames so far, by type.
        printed: Texts of last trades' prices that prints allow, by market.
    """

    def __init__(self) -> None:
        self.tokens: dict[str, TokenFold] = {}
        self.kinds: dict[str, int] = {}
        self.printed: dict[str, set[str]] = {}

    def take(self, frame: object) -> None:
        """Take one decoded frame in."""
        name = type(frame).__name__
        self.kinds[name] = self.kinds.get(name, 0) + 1
        match frame:
            case BookFrame():
                known = self.tokens.setdefault(
                    frame.asset_id, TokenFold(frame.market, frame.asset_id)
                )
                known.take_book(frame)
            case PriceChangeFrame():
                for entry in frame.price_changes:
                    self.tokens[entry.asset_id].take_change(entry, int(frame.timestamp))
            case TickSizeFrame():
                self.tokens[frame.asset_id].take_tick(frame)
            case BestBidAskFrame():
                self.tokens[frame.asset_id].take_touch(frame)
            case LastTradeFrame():
                own = parse_price(frame.price, "")
                texts = self.printed.setdefault(frame.market, set())
                texts |= {_text(own), _text(PRICE_ONE_E4 - own)}
            case UnknownFrame():
                assert frame.kind == "new_market"

    def settle(self) -> None:
        """Prove what the last frames have left, once nothing more is under way."""
        for token in self.tokens.values():
            token.settle()

    @property
    def checks(self) -> int:
        """How many states were proven."""
        return sum(token.checks for token in self.tokens.values())


def _text(price: int) -> str:
    """Return a price as books hash it after a trade."""
    return f"{price // PRICE_ONE_E4}.{price % PRICE_ONE_E4:04d}"[:5]
