"""The venue's hash of a book, with which a folded book is proven equal to the venue's.

The hash is SHA-1 over compact JSON with a fixed order of keys; sizes and prices are written
as on the wire. Source: verified against recorded production frames of v1 and v2 markets
(2026-09-30, 2026-10-05), as in `tests/wire/test_book_hash_captures.py`; the official client's
helper (py-clob-client-v2 1.2.1, `utilities.py`) leaves out `version`.
"""

import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from shared.facts import Level, MarketVersion
from shared.identifiers import ConditionId, TokenId
from shared.units import PriceE4, SizeE6, WallMs
from shared.venue.decimals import format_price, format_size


class HashedBook(msgspec.Struct, frozen=True):
    """Everything that the hash covers, except the last trade's price.

    Attributes:
        market: Condition id as the venue writes it for this book.
        token: Token or position id.
        venue_ms: Timestamp of the book, or of the batch that led to it.
        bids: Ascending: best last.
        asks: Descending: best last.
        min_size_e6: The market's minimum order size.
        tick_e4: The market's price step.
        neg_risk: Whether the market is of the neg-risk kind.
        version: Protocol of the market; v1 books are hashed without it.
    """

    market: ConditionId
    token: TokenId
    venue_ms: WallMs
    bids: Sequence[Level]
    asks: Sequence[Level]
    min_size_e6: SizeE6
    tick_e4: PriceE4
    neg_risk: bool
    version: MarketVersion


class HashTrials:
    """The hashed text of one book, written once for as many last trade prices as are tried."""

    __slots__ = ("_prefix", "_tail")

    def __init__(self, text: str, tail: str) -> None:
        """Hash the text; only its end differs between trials.

        Args:
            text: Of the book up to the last trade's price.
            tail: What follows that price.
        """
        self._prefix = hashlib.sha1(text.encode(), usedforsecurity=False)
        self._tail = tail

    @classmethod
    def of(cls, book: HashedBook) -> "HashTrials":
        """Write the text of a book and hash it."""
        return cls(_text_before_last_trade(book), _text_after_last_trade(book))

    def hash_with(self, last_trade_price: str) -> str:
        """Return the hash of the book, 40 hex digits.

        Args:
            last_trade_price: As the venue writes it: empty before the first trade, and with
                three decimals (`0.490`) after it; this text is hashed as it is.
        """
        attempt = self._prefix.copy()
        attempt.update(f"{last_trade_price}{self._tail}".encode())
        return attempt.hexdigest()

    def find(self, wanted: str, candidates: Iterable[str]) -> str | None:
        """Return the first of some last trade prices under which the book has a hash, else None."""
        copy, tail = self._prefix.copy, self._tail
        for text in candidates:
            # Up to two thousand trials at each frame after a trade: no call more than needed.
            attempt = copy()
            attempt.update((text + tail).encode())
            if attempt.hexdigest() == wanted:
                return text
        return None


def book_hash(book: HashedBook, last_trade_price: str) -> str:
    """Return the hash of a book, 40 hex digits; see `HashTrials.hash_with`."""
    return HashTrials.of(book).hash_with(last_trade_price)


def find_last_trade_price(book: HashedBook, wanted: str, candidates: Iterable[str]) -> str | None:
    """Return the first of some last trade prices under which a book has a hash, else None.

    After a trade the stream does not say which text it hashes; trying all is cheap because
    only the end of the hashed text differs.
    """
    return HashTrials.of(book).find(wanted, candidates)


def last_trade_candidates(trade_price: PriceE4, tick_e4: PriceE4) -> tuple[str, ...]:
    """Return the texts that may be hashed after a trade, likeliest first, about 2,000 at most.

    In the recorded trade both books hashed one dollar less the trade's price, with three
    decimals. Then the price itself, then every price of the grid, in both spellings.
    """
    likely = (*_spellings(PriceE4(10_000 - trade_price)), *_spellings(trade_price))
    return tuple(dict.fromkeys((*likely, *_grid(tick_e4), "")))


def spelled_last_trades(prices: Iterable[PriceE4]) -> Iterator[str]:
    """Yield the texts that may be hashed after a trade at one of these prices, likeliest first."""
    for price in dict.fromkeys(prices):
        yield from _spellings(PriceE4(10_000 - price))
        yield from _spellings(price)


def _spellings(price: PriceE4) -> tuple[str, str]:
    return f"{price // 10_000}.{price % 10_000:04d}"[:5], format_price(price)


@functools.lru_cache(maxsize=16)  # the venue has five price steps
def _grid(tick_e4: PriceE4) -> tuple[str, ...]:
    step_e4 = max(tick_e4, _CANDIDATE_STEP_E4)
    prices = (PriceE4(price) for price in range(tick_e4, 10_000, step_e4))
    return tuple(text for price in prices for text in _spellings(price))


_CANDIDATE_STEP_E4 = 10
"""One thousand candidates at most; a finer tick has never been seen on the markets we trade."""


def _text_before_last_trade(book: HashedBook) -> str:
    return (
        f"{text_before_stamp(book.market, book.token)}{book.venue_ms}"
        f'","hash":"","bids":[{_levels_text(book.bids)}],"asks":[{_levels_text(book.asks)}],'
        f"{text_of_terms(book.min_size_e6, book.tick_e4, neg_risk=book.neg_risk)}"
    )


def _text_after_last_trade(book: HashedBook) -> str:
    return text_after_last_trade(book.version)


def text_before_stamp(market: ConditionId, token: TokenId) -> str:
    """Return the beginning of what is hashed, the same for every state of a book."""
    return f'{{"market":"{market}","asset_id":"{token}","timestamp":"'


def text_of_terms(min_size_e6: SizeE6, tick_e4: PriceE4, *, neg_risk: bool) -> str:
    """Return what is hashed between the levels and the last trade's price."""
    return (
        f'"min_order_size":"{format_size(min_size_e6)}","tick_size":"{format_price(tick_e4)}",'
        f'"neg_risk":{"true" if neg_risk else "false"},"last_trade_price":"'
    )


def text_after_last_trade(version: MarketVersion) -> str:
    """Return the end of what is hashed: books of v1 are hashed without their version."""
    return '"}' if version == "v1" else f'","version":"{version}"}}'


def _levels_text(levels: Sequence[Level]) -> str:
    return ",".join([level_text(price, size) for price, size in levels])


def level_text(price: PriceE4, size: SizeE6) -> str:
    """Return what the hash says of one level."""
    return f'{{"price":"{format_price(price)}","size":"{format_size(size)}"}}'
