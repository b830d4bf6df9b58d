"""One market's hot view: two proven books, its prices, and whether all of it may be trusted.

Decides `valid` and its reason. Downstream nothing in an invalid view may be traded on, so
every doubt makes it invalid; what is merely unknown (a strike, a volatility) is None in a
view that may be valid.
"""

from collections.abc import Mapping

from services.state.feed_health import FeedHealth
from services.state.prices import AssetPrices
from shared.facts import (
    BookChanged,
    BookSnapshot,
    BookView,
    MarketInfo,
    MarketView,
    TickChanged,
    TradePrinted,
)
from shared.identifiers import TokenId
from shared.units import Instant, MonotonicNs, PriceE4, WallMs
from shared.venue.book_memory import BookMemory
from shared.venue.token_book import ProvenLevels, TokenBook

LEVELS_SHOWN = 10
"""Levels a side in a view: strategies look at the first few, people at a screenful."""


class HotMarket:
    """Books and validity of one market of the calendar.

    Attributes:
        info: As discovery last described it.
        changed_input_ns: Oldest input of what was proven since the last publication, None when
            nothing was.
    """

    def __init__(self, info: MarketInfo) -> None:
        """Start without books."""
        self.info = info
        self._pair = (TokenBook(info, info.tokens[0]), TokenBook(info, info.tokens[1]))
        self._books = {book.token: book for book in self._pair}
        self.changed_input_ns: MonotonicNs | None = None

    def books(self) -> tuple[TokenBook, TokenBook]:
        """Return the books in the order of the outcomes."""
        return self._pair

    @property
    def is_open(self) -> bool:
        """Tell whether a book was folded further than it is proven."""
        first, second = self._pair
        return first.is_open or second.is_open

    def is_same(self, info: MarketInfo) -> bool:
        """Tell whether a description is of the same books: of all that their hashes are made of.

        A price step may change; the books follow it by what the stream tells.
        """
        return _hashed(info) == _hashed(self.info)

    def update_info(self, info: MarketInfo) -> None:
        """Take discovery's newer description; the books keep their own price step."""
        assert self.is_same(info)
        self.info = info

    def apply(
        self,
        event: BookSnapshot | BookChanged | TradePrinted | TickChanged,
        input_ns: MonotonicNs,
        now: Instant,
    ) -> None:
        """Fold one event; tokens that are not of this market are ignored."""
        match event:
            case BookChanged():
                for change in event.changes:
                    book = self._books.get(change.token)
                    if book is not None and book.apply_change(
                        change, event.venue_ms, input_ns, now
                    ):
                        self._note_proof(book)
            case TradePrinted():
                for book in self._pair:
                    book.note_trade(event.price)
            case BookSnapshot():
                if event.token in self._books:
                    self._books[event.token].apply_snapshot(event, input_ns, now)
            case TickChanged():
                self._take_step(event.new_e4, input_ns, now)

    def _take_step(self, tick_e4: PriceE4, input_ns: MonotonicNs, now: Instant) -> None:
        """Take a new price step, which the venue tells of each token and the market has as one."""
        if all(book.tick_e4 == tick_e4 for book in self._pair):
            return
        for book in self._pair:
            book.apply_tick(tick_e4, now)
        if all(book.proven is not None for book in self._pair):
            known = self.changed_input_ns
            self.changed_input_ns = input_ns if known is None else min(known, input_ns)

    def recall(self, books: Mapping[TokenId, BookMemory]) -> None:
        """Go on from remembered books: doubted until their hashes agree."""
        for token, book in self._books.items():
            if token in books:
                book.recall(books[token])

    def doubt_again(self) -> None:
        """Take the proofs of both books away and keep what is folded."""
        self.changed_input_ns = None
        for book in self._books.values():
            book.doubt_again()

    def distrust(self, why: str) -> None:
        """Doubt both books."""
        for book in self._pair:
            book.distrust(why)

    def distrust_renewed(self, renewed: frozenset[int], health: FeedHealth) -> None:
        """Doubt the books that connections carried which are others now."""
        for book in self._pair:
            if health.shard_of(book.token) in renewed:
                book.distrust("new session of the market feed")

    def distrust_stale(self, health: FeedHealth, now: Instant) -> None:
        """Doubt books without fresh evidence.

        Fresh evidence later shows that the stream is alive again, not that nothing was lost
        meanwhile: only a new snapshot ends the doubt.
        """
        for book in self._pair:
            if book.proven is not None and health.is_stale(book.token, now):
                book.distrust("stale")

    def settle(self, now: Instant) -> None:
        """Try to prove what was folded since the last turn."""
        for book in self._pair:
            if book.settle(now):
                self._note_proof(book)

    def _note_proof(self, book: TokenBook) -> None:
        assert book.proven is not None, "it was proven just now"
        known, newer = self.changed_input_ns, book.proven.input_ns
        self.changed_input_ns = newer if known is None else min(known, newer)

    def problem(self, health: FeedHealth, now: Instant) -> str:
        """Return the first reason why this market may not be traded on, empty for none."""
        if self.info.closed or now.wall_ms >= self.info.end_ms:
            return "market ended"
        feed = health.problem(now)
        if feed:
            return feed
        for place, book in enumerate(self._pair):
            trouble = self._book_problem(book, health, now)
            if trouble:
                return f"{self.info.outcomes[place]}: {trouble}"
        return ""

    def view(self, health: FeedHealth, prices: AssetPrices | None, now: Instant) -> MarketView:
        """Return what may be known of this market now."""
        problem = self.problem(health, now)
        first, second = (book.proven for book in self._pair)
        proven = None if first is None or second is None else (first, second)
        strike = None if prices is None else prices.at_start(self.info.start_ms)
        return MarketView(
            market=self.info.condition_id,
            asset=self.info.asset,
            valid=not problem,
            reason=problem,
            proven_ns=None if proven is None else _oldest(proven),
            tick_e4=self._pair[0].tick_e4,
            books=None if proven is None else self._shown(proven),
            reference=None if prices is None else prices.settlement,
            strike_e18=None if strike is None else strike.value_e18,
            volatility_e9=None if prices is None else prices.volatility_e9(),
            venue_ms=WallMs(0) if proven is None else max(book.venue_ms for book in proven),
            spot=None if prices is None else prices.spot,
            strike_ms=None if strike is None else strike.venue_ms,
            final_e18=None if prices is None else prices.strike(self.info.end_ms),
        )

    def _book_problem(self, book: TokenBook, health: FeedHealth, now: Instant) -> str:
        lost = health.token_problem(book.token)
        if lost:
            return lost
        if book.doubt:
            return book.doubt
        if book.proven is None:
            return "book not proven"
        if book.proven.is_crossed:
            return "book crossed"
        return "no evidence yet" if health.lacks_evidence(book.token) else ""

    def _shown(self, proven: tuple[ProvenLevels, ProvenLevels]) -> tuple[BookView, BookView]:
        first, second = self.info.tokens
        return (_top(first, proven[0]), _top(second, proven[1]))


def _top(token: TokenId, levels: ProvenLevels) -> BookView:
    return BookView(token, *levels.top(LEVELS_SHOWN))


def _oldest(proven: tuple[ProvenLevels, ProvenLevels]) -> MonotonicNs:
    return min(book.proven_ns for book in proven)


def _hashed(info: MarketInfo) -> tuple[object, ...]:
    return info.condition_id, info.tokens, info.min_size_e6, info.neg_risk, info.version
