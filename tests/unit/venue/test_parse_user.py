import json
from typing import Any

import pytest

from shared.facts import OwnOrder, OwnTrade
from shared.venue.account_wire import OPEN_ORDER, TRADES
from shared.venue.faults import Malformed, Unparseable
from shared.venue.parse_user import (
    order_status,
    rest_order,
    rest_trade,
    trade_status,
    user_events,
)
from shared.venue.wire import decode

MARKET = "0x" + "ab" * 32
ORDER_ID = "0x" + "01" * 32
MAKER_ID = "0x" + "02" * 32
ORDER: dict[str, Any] = {
    "event_type": "order",
    "id": ORDER_ID,
    "owner": "key-1",
    "market": MARKET,
    "asset_id": "1",
    "side": "BUY",
    "order_owner": "key-1",
    "original_size": "5",
    "size_matched": "1.219511",
    "price": "0.513",
    "associate_trades": None,
    "outcome": "Up",
    "type": "PLACEMENT",
    "created_at": "1725842520",
    "expiration": "0",
    "order_type": "GTC",
    "status": "LIVE",
    "maker_address": "0xm",
    "timestamp": "1725842520990",
}
MAKER: dict[str, Any] = {
    "order_id": MAKER_ID,
    "owner": "key-2",
    "matched_amount": "5",
    "price": "0.482",
    "asset_id": "2",
    "outcome": "Down",
    "side": "BUY",
}
TRADE: dict[str, Any] = {
    "event_type": "trade",
    "type": "TRADE",
    "id": "83b5c849",
    "taker_order_id": ORDER_ID,
    "market": MARKET,
    "asset_id": "1",
    "side": "BUY",
    "size": "5",
    "price": "0.518",
    "status": "MATCHED",
    "match_time": "1725958681",
    "timestamp": "1725958682125",
    "maker_orders": [MAKER],
    "trader_side": "TAKER",
}


def parse_order(**spoilt: object) -> OwnOrder:
    (event,) = user_events(json.dumps(ORDER | spoilt))
    assert isinstance(event, OwnOrder)
    return event


def parse_trade(**spoilt: object) -> OwnTrade:
    (event,) = user_events(json.dumps(TRADE | spoilt))
    assert isinstance(event, OwnTrade)
    return event


def parse_maker(**spoilt: object) -> Any:
    return parse_trade(maker_orders=[MAKER | spoilt]).legs[1]


def test_order_event_becomes_a_fact_in_integers() -> None:
    order = parse_order(associate_trades=["t1"])
    assert (order.price, order.original_size_e6, order.size_matched_e6) == (
        5130,
        5_000_000,
        1_219_511,
    )
    assert (order.status, order.trades, order.source) == ("LIVE", ("t1",), "socket")
    assert order.venue_ms == 1_725_842_520_990


def test_order_is_judged_by_its_status_and_not_by_its_type() -> None:
    """https://github.com/nautechsystems/nautilus_trader/issues/3797."""
    assert parse_order(type="UPDATE", status="CANCELED").status == "CANCELED"


def test_killed_order_keeps_its_unknown_sizes_unknown() -> None:
    prose = "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed."
    order = parse_order(status=prose, size_matched="", type="CANCELLATION", created_at="")
    assert order.status == "CANCELED"
    assert order.status_text == prose
    assert order.size_matched_e6 is None


@pytest.mark.parametrize(
    ("kind", "status"), [("PLACEMENT", "LIVE"), ("UPDATE", "LIVE"), ("CANCELLATION", "CANCELED")]
)
def test_order_without_a_status_takes_it_from_its_type(kind: str, status: str) -> None:
    order = parse_order(status="", type=kind)
    assert order.status == status
    assert order.status_text == ""


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("LIVE", "LIVE"),
        ("live", "LIVE"),
        ("ORDER_STATUS_LIVE", "LIVE"),
        ("MATCHED", "MATCHED"),
        ("DELAYED", "DELAYED"),
        ("UNMATCHED", "UNMATCHED"),
        ("INVALID", "INVALID"),
        ("ORDER_STATUS_CANCELED_MARKET_RESOLVED", "CANCELED"),
        ("CANCELED_NOT_ENOUGH_BALANCE", "CANCELED"),
        ("CANCELED_EXPIRED_ORDER", "EXPIRED"),
        ("CANCELED_ORDER_TIMED_OUT", "EXPIRED"),
    ],
)
def test_every_status_of_an_order_has_its_normal_form(text: str, status: str) -> None:
    assert order_status(text, "status") == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("TRADE_STATUS_CONFIRMED", "CONFIRMED"),
        ("MATCHED_NOT_BROADCASTED", "MATCHED"),
        ("TRADE_STATUS_MATCHED_NOT_BROADCASTED", "MATCHED"),
        ("MINED", "MINED"),
        ("RETRYING", "RETRYING"),
        ("FAILED", "FAILED"),
    ],
)
def test_every_status_of_a_trade_has_its_normal_form(text: str, status: str) -> None:
    assert trade_status(text, "status") == status


def test_status_that_nobody_has_seen_is_an_error() -> None:
    for text in ("", "DONE", "CONFIRMED"):
        with pytest.raises(Unparseable):
            order_status(text, "status")
    for text in ("", "LIVE", "CANCELED"):
        with pytest.raises(Unparseable):
            trade_status(text, "status")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"id": "0x01"},
        {"id": "0x" + "zz" * 32},
        {"market": ""},
        {"price": ""},
        {"timestamp": "", "created_at": ""},
        {"status": "DANCING"},
        {"status": "", "type": "DANCING"},
    ],
)
def test_order_event_with_a_field_that_cannot_be_is_refused(spoilt: dict[str, object]) -> None:
    with pytest.raises(Unparseable):
        parse_order(**spoilt)


def test_trade_has_a_leg_for_the_taker_and_one_for_each_maker() -> None:
    trade = parse_trade()
    taker, maker = trade.legs
    assert (taker.order_id, taker.token, taker.side, taker.price, taker.size, taker.role) == (
        ORDER_ID,
        "1",
        "BUY",
        5180,
        5_000_000,
        "TAKER",
    )
    assert (maker.order_id, maker.token, maker.side, maker.price, maker.size, maker.role) == (
        MAKER_ID,
        "2",
        "BUY",
        4820,
        5_000_000,
        "MAKER",
    )
    assert (trade.match_ms, trade.venue_ms) == (1_725_958_681_000, 1_725_958_682_125)


def test_makers_side_that_was_not_sent_follows_from_token_and_taker() -> None:
    assert parse_maker(side=None, asset_id="1", price="0.518").side == "SELL"
    assert parse_maker(side=None, asset_id="2").side == "BUY"


def test_several_parts_of_one_makers_order_are_one_leg() -> None:
    parts = [MAKER | {"matched_amount": "2"}, MAKER | {"matched_amount": "3.000001"}]
    _, maker = parse_trade(maker_orders=parts).legs
    assert maker.size == 5_000_001


def test_one_makers_order_at_two_prices_is_malformed() -> None:
    with pytest.raises(Malformed):
        parse_trade(maker_orders=[MAKER, MAKER | {"price": "0.483"}])


def test_takers_average_finer_than_the_grid_is_rounded_against_us() -> None:
    fine = "0.518333333333333333"
    assert parse_trade(price=fine).legs[0].price == 5184
    assert parse_trade(price=fine, side="SELL").legs[0].price == 5183
    assert parse_trade(price="0.5180").legs[0].price == 5180
    with pytest.raises(Unparseable):
        parse_trade(price="1.00001")


def test_trade_stamps_in_seconds_and_in_another_spelling_are_read() -> None:
    frame = {key: value for key, value in TRADE.items() if key != "match_time"}
    (trade,) = user_events(
        json.dumps(frame | {"matchtime": "1725958681", "timestamp": "1725958682"})
    )
    assert isinstance(trade, OwnTrade)
    assert (trade.match_ms, trade.venue_ms) == (1_725_958_681_000, 1_725_958_682_000)
    (trade,) = user_events(json.dumps(frame))
    assert isinstance(trade, OwnTrade)
    assert trade.match_ms == trade.venue_ms


def test_order_by_rest_is_the_same_fact() -> None:
    row = ORDER | {"created_at": 1748779200, "status": "ORDER_STATUS_LIVE"}
    order = rest_order(decode(OPEN_ORDER, json.dumps(row), "order"))
    assert (order.status, order.status_text) == ("LIVE", "ORDER_STATUS_LIVE")
    assert (order.venue_ms, order.source) == (1_748_779_200_000, "rest")
    assert order.size_matched_e6 == 1_219_511


def test_trade_by_rest_is_the_same_fact() -> None:
    row = TRADE | {"status": "TRADE_STATUS_MINED", "last_update": "1725958690"}
    page = json.dumps({"next_cursor": "LTE=", "data": [row]})
    (wire,) = decode(TRADES, page, "trades").data
    trade = rest_trade(wire)
    assert (trade.status, trade.venue_ms, trade.source) == ("MINED", 1_725_958_690_000, "rest")
    assert trade.legs == parse_trade().legs


def test_unknown_kinds_of_the_user_socket_are_left_out() -> None:
    assert user_events('{"event_type":"notification"}') == ()
