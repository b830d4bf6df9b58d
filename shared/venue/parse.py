"""From frames and answers of the venue to the facts that everybody reads.

Turns text into integers, other spellings into one, and reports of a trade into the parts
that may be ours. Holds no state, folds no book and knows none of our orders: the reader
does. Raises `faults.WireFault` for what cannot be understood, and never fills a gap.
Source: recorded production frames, and https://docs.polymarket.com/market-data/realtime-data
and https://docs.polymarket.com/trading/realtime-order-updates (2026-09-28).
"""

import functools
from collections.abc import Sequence
from typing import assert_never

from shared.facts import (
    BookChanged,
    BookSnapshot,
    Level,
    MarketEvent,
    MarketResolved,
    PriceChange,
    TickChanged,
    TradePrinted,
)
from shared.identifiers import TokenId
from shared.units import PRICE_ONE_E4, PriceE4
from shared.venue.amounts import is_tick
from shared.venue.decimals import (
    parse_optional_price,
    parse_price,
    parse_size,
    parse_wall_ms,
    price_of_text,
    size_of_text,
)
from shared.venue.faults import Malformed, Unparseable
from shared.venue.market_wire import Book, PriceLevel
from shared.venue.rules import normal_condition_id
from shared.venue.streams_wire import (
    BestBidAskFrame,
    BookFrame,
    LastTradeFrame,
    MarketFrame,
    PriceChangeEntry,
    PriceChangeFrame,
    ResolvedFrame,
    TickSizeFrame,
    UnknownFrame,
    decode_market_frames,
)
from shared.venue.wire import WireNumber


def market_events(text: str | bytes, *, more: bool = False) -> tuple[MarketEvent, ...]:
    """Return the events in one text of the market socket, in order.

    Kinds that we do not use, such as `best_bid_ask` and `new_market`, are left out.

    Args:
        text: As it came.
        more: Whether another text of the same read follows.

    Raises:
        WireFault: A frame cannot be understood; none of the text may then be believed.
    """
    frames = decode_market_frames(text)
    if len(frames) == 1 and type(frames[0]) is PriceChangeFrame:
        return (_book_changed(frames[0], more=more),)  # nearly all of them
    events = (market_event(frame, more=more) for frame in frames)
    return tuple(event for event in events if event is not None)


def market_event(frame: MarketFrame | UnknownFrame, *, more: bool = False) -> MarketEvent | None:
    """Return the event that a frame tells, None when it is of a kind that we do not use.

    Args:
        frame: Of the market socket.
        more: Whether another text of the same read follows.

    Raises:
        Malformed: A book has a level twice.
        Unparseable: A field cannot be what it has to be.
    """
    match frame:
        case BookFrame():
            return _book_snapshot(frame)
        case PriceChangeFrame():
            return _book_changed(frame, more=more)
        case LastTradeFrame():
            return TradePrinted(
                market=normal_condition_id(frame.market, "market"),
                token=parse_token(frame.asset_id, "asset_id"),
                price=parse_price(frame.price, "price"),
                size=parse_size(frame.size, "size"),
                side=frame.side,
                venue_ms=parse_wall_ms(frame.timestamp, "timestamp"),
            )
        case TickSizeFrame():
            return TickChanged(
                market=normal_condition_id(frame.market, "market"),
                token=parse_token(frame.asset_id, "asset_id"),
                old_e4=parse_price(frame.old_tick_size, "old_tick_size"),
                new_e4=parse_tick(frame.new_tick_size, "new_tick_size"),
                venue_ms=parse_wall_ms(frame.timestamp, "timestamp"),
            )
        case ResolvedFrame():
            return MarketResolved(
                market=normal_condition_id(frame.market, "market"),
                winning_token=parse_token(frame.winning_asset_id, "winning_asset_id"),
                venue_ms=parse_wall_ms(frame.timestamp, "timestamp"),
            )
        case BestBidAskFrame() | UnknownFrame():
            return None
        case _:
            assert_never(frame)


def rest_book(book: Book) -> BookSnapshot:
    """Return the snapshot in an answer of GET /book.

    Raises:
        Malformed: It has a level twice.
        Unparseable: A field cannot be what it has to be.
    """
    return BookSnapshot(
        market=normal_condition_id(book.market, "market"),
        token=parse_token(book.asset_id, "asset_id"),
        bids=_levels(book.bids, "bids", descending=False),
        asks=_levels(book.asks, "asks", descending=True),
        venue_ms=parse_wall_ms(book.timestamp, "timestamp"),
        hash=book.hash,
        source="rest",
        tick_e4=parse_tick(book.tick_size, "tick_size"),
        last_trade_price=book.last_trade_price,
        min_size_e6=parse_size(book.min_order_size, "min_order_size"),
        neg_risk=book.neg_risk,
    )


@functools.lru_cache(maxsize=4_096)  # every frame names one of a few tokens
def parse_token(text: str, field: str) -> TokenId:
    """Return a token or position id, a decimal number below 2**256.

    Raises:
        Unparseable: It is none.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > _TOKEN_DIGITS_MAX:
        raise Unparseable(field, text)
    return TokenId(text)


def parse_tick(raw: WireNumber, field: str) -> PriceE4:
    """Return a tick that the venue has.

    Raises:
        Unparseable: It is none of them.
    """
    tick = parse_price(raw, field)
    if not is_tick(tick):
        raise Unparseable(field, raw)
    return tick


_TOKEN_DIGITS_MAX = 78
"""Decimal digits of 2**256."""


def _book_snapshot(frame: BookFrame) -> BookSnapshot:
    tick = frame.tick_size
    return BookSnapshot(
        market=normal_condition_id(frame.market, "market"),
        token=parse_token(frame.asset_id, "asset_id"),
        bids=_levels(frame.bids, "bids", descending=False),
        asks=_levels(frame.asks, "asks", descending=True),
        venue_ms=parse_wall_ms(frame.timestamp, "timestamp"),
        hash=frame.hash,
        source="socket",
        tick_e4=None if tick is None else parse_tick(tick, "tick_size"),
        last_trade_price=frame.last_trade_price,
    )


def _levels(rows: Sequence[PriceLevel], side: str, *, descending: bool) -> tuple[Level, ...]:
    """Return levels best last, whatever order they came in; the hash tells if that is wrong."""
    levels = [
        (parse_price(row.price, f"{side}.price"), parse_size(row.size, f"{side}.size"))
        for row in rows
    ]
    levels.sort(reverse=descending)
    previous = None
    for price, size in levels:
        if price == previous:
            raise Malformed("book", f"{side} have {price} twice")
        previous = price
        if size == 0 or not 0 < price < PRICE_ONE_E4:
            raise Malformed("book", f"{side} have an impossible level at {price}")
    return tuple(levels)


def _book_changed(frame: PriceChangeFrame, *, more: bool) -> BookChanged:
    return BookChanged(
        normal_condition_id(frame.market, "market"),
        tuple([_price_change(entry) for entry in frame.price_changes]),
        parse_wall_ms(frame.timestamp, "timestamp"),
        more,
    )


def _price_change(entry: PriceChangeEntry) -> PriceChange:
    # Nearly every field is a text that has been read before: a look-up each, and the whole way
    # with its errors only for the others.
    price, size = entry.price, entry.size
    known = price_of_text(price) if type(price) is str else None
    held = size_of_text(size) if type(size) is str else None
    return PriceChange(
        parse_token(entry.asset_id, "asset_id"),
        entry.side,
        parse_price(price, "price") if known is None else known,
        parse_size(size, "size") if held is None else held,
        entry.hash,
        _touch(entry.best_bid, "best_bid"),
        _touch(entry.best_ask, "best_ask"),
    )


def _touch(raw: WireNumber | None, field: str) -> PriceE4 | None:
    """Return a best price; an empty side has been told as nothing, as 0 and as 1."""
    if type(raw) is str:
        price = price_of_text(raw)
        if price is not None and 0 < price < PRICE_ONE_E4:
            return price
    return _bare_touch(raw, field)


def _bare_touch(raw: WireNumber | None, field: str) -> PriceE4 | None:
    price = parse_optional_price(raw, field)
    return None if price in (None, 0, PRICE_ONE_E4) else price
