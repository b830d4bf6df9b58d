"""The venue's hash of a book, with which a folded book is proven equal to the venue's.

The hash is SHA-1 over compact JSON with a fixed order of keys; sizes and prices are written
as on the wire. Source: verified against recorded production frames of v1 and v2 markets
(2026-09-30, 2026-10-05), as in `tests/wire/test_book_hash_captures.py`; the official client's
helper (py-clob-client-v2 1.2.1, `utilities.py`) leaves out `version`.
"""

import hashlib
from collections.abc import Iterable, Sequence

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


def book_hash(book: HashedBook, last_trade_price: str) -> str:
    """Return the hash of a book, 40 hex digits.

    Args:
        book: Levels and constants.
        last_trade_price: As the venue writes it: empty before the first trade, and with
            three decimals (`0.490`) after it; this text is hashed as it is.
    """
    head = f"{_text_before_last_trade(book)}{last_trade_price}{_text_after_last_trade(book)}"
    return hashlib.sha1(head.encode(), usedforsecurity=False).hexdigest()


def find_last_trade_price(book: HashedBook, wanted: str, candidates: Iterable[str]) -> str | None:
    """Return the first of some last trade prices under which a book has a hash, else None.

    After a trade the stream does not say which text it hashes; trying all is cheap because
    only the end of the hashed text differs.
    """
    prefix = hashlib.sha1(_text_before_last_trade(book).encode(), usedforsecurity=False)
    tail = _text_after_last_trade(book)
    for candidate in candidates:
        attempt = prefix.copy()
        attempt.update(f"{candidate}{tail}".encode())
        if attempt.hexdigest() == wanted:
            return candidate
    return None


def last_trade_candidates(trade_price: PriceE4, tick_e4: PriceE4) -> tuple[str, ...]:
    """Return the texts that may be hashed after a trade, likeliest first, about 2,000 at most.

    In the recorded trade both books hashed one dollar less the trade's price, with three
    decimals. Then the price itself, then every price of the grid, in both spellings.
    """
    likely = (PriceE4(10_000 - trade_price), trade_price)
    grid = (PriceE4(price) for price in range(tick_e4, 10_000, max(tick_e4, _CANDIDATE_STEP_E4)))
    texts: dict[str, None] = {}
    for price in (*likely, *grid):
        texts[f"{price // 10_000}.{price % 10_000:04d}"[:5]] = None
        texts[format_price(price)] = None
    return (*texts, "")


_CANDIDATE_STEP_E4 = 10
"""One thousand candidates at most; a finer tick has never been seen on the markets we trade."""


def _text_before_last_trade(book: HashedBook) -> str:
    return (
        f'{{"market":"{book.market}","asset_id":"{book.token}",'
        f'"timestamp":"{book.venue_ms}","hash":"",'
        f'"bids":[{_levels_text(book.bids)}],"asks":[{_levels_text(book.asks)}],'
        f'"min_order_size":"{format_size(book.min_size_e6)}",'
        f'"tick_size":"{format_price(book.tick_e4)}",'
        f'"neg_risk":{"true" if book.neg_risk else "false"},"last_trade_price":"'
    )


def _text_after_last_trade(book: HashedBook) -> str:
    return '"}' if book.version == "v1" else f'","version":"{book.version}"}}'


def _levels_text(levels: Sequence[Level]) -> str:
    return ",".join(
        [
            f'{{"price":"{format_price(price)}","size":"{format_size(size)}"}}'
            for price, size in levels
        ]
    )
