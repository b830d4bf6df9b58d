"""From reports of orders and trades, by socket or by REST, to facts in one spelling.

The top-level fields of a trade are the taker's. Every part of it that may be ours becomes a
leg in the token and side of that order; the reader knows which order ids are its own.
Source: recorded production frames, and
https://docs.polymarket.com/trading/realtime-order-updates (2026-09-28).
"""

from collections.abc import Sequence
from typing import cast

import msgspec

from shared.facts import OwnOrder, OwnTrade, Side, TradeLeg, UserEvent
from shared.identifiers import OrderHash, TradeId
from shared.units import PRICE_ONE_E4, PriceE4, SizeE6
from shared.venue.account_wire import MakerOrder, OpenOrder, Trade
from shared.venue.decimals import (
    PRICE_PLACES,
    REFERENCE_PLACES,
    parse_optional_size,
    parse_price,
    parse_scaled,
    parse_size,
    parse_wall_ms,
)
from shared.venue.faults import Malformed, Unparseable
from shared.venue.parse import parse_token
from shared.venue.rules import normal_condition_id
from shared.venue.streams_wire import (
    OrderFrame,
    TradeFrame,
    UnknownFrame,
    UserFrame,
    decode_user_frames,
)
from shared.venue.wire import WireNumber


def user_events(text: str | bytes) -> tuple[UserEvent, ...]:
    """Return the events in one text of the user socket, in order; unknown kinds are left out.

    Raises:
        WireFault: A frame cannot be understood; none of the text may then be believed.
    """
    events = (user_event(frame) for frame in decode_user_frames(text))
    return tuple(event for event in events if event is not None)


def user_event(frame: UserFrame | UnknownFrame) -> UserEvent | None:
    """Return the event that a frame tells, None when it is of a kind that we do not know.

    Raises:
        WireFault: A field cannot be what it has to be.
    """
    if isinstance(frame, OrderFrame):
        return _own_order(frame)
    if isinstance(frame, TradeFrame):
        told = (frame.match_time, frame.matchtime, frame.last_update, frame.timestamp)
        return _own_trade(frame, _first_stamp(told))
    return None


def rest_order(order: OpenOrder) -> OwnOrder:
    """Return the fact in one order of /data/orders or /data/order/{id}.

    Sizes are taken as shares. The reader compares the original size with its own and doubts
    an order that differs: the venue's schema shows integers of 1e-6, its answers do not.

    Raises:
        WireFault: A field cannot be what it has to be.
    """
    return OwnOrder(
        order_id=parse_order_id(order.id, "id"),
        market=normal_condition_id(order.market, "market"),
        token=parse_token(order.asset_id, "asset_id"),
        side=parse_side(order.side, "side"),
        price=parse_price(order.price, "price"),
        original_size_e6=parse_size(order.original_size, "original_size"),
        size_matched_e6=parse_size(order.size_matched, "size_matched"),
        status=order_status(order.status, "status"),
        status_text=order.status[:STATUS_CHARS_MAX],
        trades=_trade_ids(order.associate_trades),
        venue_ms=parse_wall_ms(order.created_at, "created_at"),
        source="rest",
    )


def rest_trade(trade: Trade) -> OwnTrade:
    """Return the fact in one trade of /data/trades.

    Raises:
        WireFault: A field cannot be what it has to be.
    """
    return _own_trade(trade, trade.match_time)


def order_status(text: str, field: str) -> str:
    """Return the normalised status of an order.

    `CANCELED` may be followed by prose or by a reason; only its own deadline makes an order
    EXPIRED.

    Raises:
        Unparseable: The venue has never used such a word.
    """
    word = text.upper().removeprefix("ORDER_STATUS_")
    if word in _ORDER_STATUSES:
        return word
    if word.startswith(("CANCELED_EXPIRED", "CANCELED_ORDER_TIMED_OUT")):
        return "EXPIRED"
    if word.startswith(("CANCELED", "CANCELLED")):
        return "CANCELED"
    raise Unparseable(field, text)


def trade_status(text: str, field: str) -> str:
    """Return the normalised settlement status of a trade.

    Raises:
        Unparseable: The venue has never used such a word.
    """
    word = text.upper().removeprefix("TRADE_STATUS_")
    if word == "MATCHED_NOT_BROADCASTED":
        return "MATCHED"
    if word not in _TRADE_STATUSES:
        raise Unparseable(field, text)
    return word


def parse_order_id(text: str, field: str) -> OrderHash:
    """Return an order's id in lower case.

    Raises:
        Unparseable: It is not 0x and 64 hex digits.
    """
    lower = text.lower()
    if len(lower) != _ORDER_ID_CHARS or not lower.startswith("0x"):
        raise Unparseable(field, text)
    if not _HEX_DIGITS.issuperset(lower[2:]):
        raise Unparseable(field, text)
    return OrderHash(lower)


def parse_trade_id(text: str, field: str) -> TradeId:
    """Return a trade's id in lower case, so that both sources name the same trade alike.

    Raises:
        Unparseable: It is empty, or longer than any id of the venue.
    """
    if not 0 < len(text) <= TRADE_ID_CHARS_MAX:
        raise Unparseable(field, text)
    return TradeId(text.lower())


def parse_side(text: str, field: str) -> Side:
    """Return a side.

    Raises:
        Unparseable: It is neither BUY nor SELL, in any case.
    """
    word = text.upper()
    if word not in ("BUY", "SELL"):
        raise Unparseable(field, text)
    return cast(Side, word)


TRADE_ID_CHARS_MAX = 128
"""The venue's ids are UUIDs of 36 characters, its matching engine's a hash of 66."""

STATUS_CHARS_MAX = 120
"""The longest status seen, prose included, has 83 characters."""

_UNTOLD: tuple[WireNumber | None, ...] = (None, "", "0", 0)
"""What has stood for a stamp that is not there."""

_ORDER_ID_CHARS = 66
_HEX_DIGITS = frozenset("0123456789abcdef")
_ORDER_STATUSES = frozenset({"LIVE", "MATCHED", "DELAYED", "UNMATCHED", "INVALID"})
_TRADE_STATUSES = frozenset({"MATCHED", "MINED", "CONFIRMED", "RETRYING", "FAILED"})
_STATUS_OF_TYPE = {"PLACEMENT": "LIVE", "UPDATE": "LIVE", "CANCELLATION": "CANCELED"}
"""For frames without a status, as in the documentation's example; `UPDATE` says only that
some size was matched, which `size_matched` tells better."""


def _trade_ids(told: Sequence[str] | None) -> tuple[TradeId, ...]:
    return tuple(parse_trade_id(trade, "associate_trades") for trade in told or ())


def _first_stamp(told: Sequence[WireNumber | None]) -> WireNumber:
    """Return the first stamp that was told at all; some frames leave out one or the other."""
    return next((stamp for stamp in told if stamp not in _UNTOLD), None) or ""


def _own_order(frame: OrderFrame) -> OwnOrder:
    told = frame.status or ""
    status_text = told or _STATUS_OF_TYPE.get(frame.type.upper(), frame.type)
    return OwnOrder(
        order_id=parse_order_id(frame.id, "id"),
        market=normal_condition_id(frame.market, "market"),
        token=parse_token(frame.asset_id, "asset_id"),
        side=parse_side(frame.side, "side"),
        price=parse_price(frame.price, "price"),
        original_size_e6=parse_optional_size(frame.original_size, "original_size"),
        size_matched_e6=parse_optional_size(frame.size_matched, "size_matched"),
        status=order_status(status_text, "status"),
        status_text=told[:STATUS_CHARS_MAX],
        trades=_trade_ids(frame.associate_trades),
        venue_ms=parse_wall_ms(_first_stamp((frame.timestamp, frame.created_at)), "timestamp"),
        source="socket",
    )


def _own_trade(trade: Trade | TradeFrame, match_time: WireNumber) -> OwnTrade:
    newest = trade.timestamp if isinstance(trade, TradeFrame) else trade.last_update
    side = parse_side(trade.side, "side")
    taker = TradeLeg(
        order_id=parse_order_id(trade.taker_order_id, "taker_order_id"),
        token=parse_token(trade.asset_id, "asset_id"),
        side=side,
        price=_taker_price(trade.price, side),
        size=parse_size(trade.size, "size"),
        role="TAKER",
    )
    return OwnTrade(
        trade_id=parse_trade_id(trade.id, "id"),
        market=normal_condition_id(trade.market, "market"),
        status=trade_status(trade.status, "status"),
        legs=(taker, *_maker_legs(trade.maker_orders or (), taker)),
        match_ms=parse_wall_ms(match_time, "match_time"),
        venue_ms=parse_wall_ms(_first_stamp((newest, match_time)), "timestamp"),
        source="socket" if isinstance(trade, TradeFrame) else "rest",
    )


def _taker_price(raw: WireNumber, side: Side) -> PriceE4:
    """Return the taker's price; one that averages several makers is rounded against us."""
    fine = parse_scaled(raw, REFERENCE_PLACES, "price")
    price = -(-fine // _FINE_STEP) if side == "BUY" else fine // _FINE_STEP
    if not 0 <= price <= PRICE_ONE_E4:
        raise Unparseable("price", raw)
    return PriceE4(price)


_FINE_STEP = 10 ** (REFERENCE_PLACES - PRICE_PLACES)
"""Units of the finest decimal in one ten-thousandth of a dollar."""


def _maker_legs(orders: Sequence[MakerOrder], taker: TradeLeg) -> tuple[TradeLeg, ...]:
    """Return one leg for each maker's order; parts of one order are added up."""
    legs: dict[OrderHash, TradeLeg] = {}
    for order in orders:
        leg = _maker_leg(order, taker)
        before = legs.get(leg.order_id)
        if before is not None:
            whole = SizeE6(before.size + leg.size)
            leg = msgspec.structs.replace(leg, size=whole)
            if leg != msgspec.structs.replace(before, size=whole):
                raise Malformed("trade", f"order {leg.order_id} in two tokens, sides or prices")
        legs[leg.order_id] = leg
    return tuple(legs.values())


def _maker_leg(order: MakerOrder, taker: TradeLeg) -> TradeLeg:
    token = parse_token(order.asset_id, "maker_orders.asset_id")
    if order.side is not None:
        side = parse_side(order.side, "maker_orders.side")
    elif token == taker.token:
        side = "SELL" if taker.side == "BUY" else "BUY"
    else:  # a mint joins two BUYs, a merge two SELLs
        side = taker.side
    return TradeLeg(
        order_id=parse_order_id(order.order_id, "maker_orders.order_id"),
        token=token,
        side=side,
        price=parse_price(order.price, "maker_orders.price"),
        size=parse_size(order.matched_amount, "maker_orders.matched_amount"),
        role="MAKER",
    )
