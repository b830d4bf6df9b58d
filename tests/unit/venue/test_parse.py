import json
from typing import Any

import pytest

from shared.facts import BookChanged, BookSnapshot, MarketResolved, TickChanged, TradePrinted
from shared.venue.faults import Malformed, Unparseable, WireFault
from shared.venue.market_wire import BOOK
from shared.venue.parse import market_events, rest_book
from shared.venue.wire import decode

MARKET = "0x" + "ab" * 32
BOOK_FRAME: dict[str, Any] = {
    "event_type": "book",
    "market": MARKET,
    "asset_id": "1",
    "timestamp": "1790766966313",
    "hash": "e341",
    "bids": [{"price": "0.01", "size": "92790"}, {"price": "0.49", "size": "634.49"}],
    "asks": [{"price": "0.99", "size": "3"}, {"price": "0.5", "size": "45.2"}],
    "tick_size": "0.01",
    "last_trade_price": "",
}
CHANGE_FRAME: dict[str, Any] = {
    "event_type": "price_change",
    "market": MARKET,
    "timestamp": "1790766981628",
    "price_changes": [
        {
            "asset_id": "1",
            "price": "0.46",
            "size": "0",
            "side": "BUY",
            "hash": "c8dc",
            "best_bid": "0.5",
            "best_ask": "0.51",
        }
    ],
}


def parse_one(frame: dict[str, Any], **spoilt: object) -> Any:
    (event,) = market_events(json.dumps(frame | spoilt))
    return event


def test_book_becomes_a_snapshot_with_the_best_last() -> None:
    book = parse_one(BOOK_FRAME)
    assert isinstance(book, BookSnapshot)
    assert book.bids == ((100, 92_790_000_000), (4900, 634_490_000))
    assert book.asks == ((9900, 3_000_000), (5000, 45_200_000))
    assert (book.tick_e4, book.last_trade_price, book.source) == (100, "", "socket")
    assert book.venue_ms == 1_790_766_966_313
    assert book.min_size_e6 is None
    assert book.neg_risk is None


def test_book_after_a_trade_leaves_tick_and_last_price_unknown() -> None:
    frame = {key: value for key, value in BOOK_FRAME.items() if "tick" not in key}
    del frame["last_trade_price"]
    book = parse_one(frame)
    assert book.tick_e4 is None
    assert book.last_trade_price is None


def test_book_whose_best_comes_first_is_turned_round() -> None:
    book = parse_one(BOOK_FRAME, bids=BOOK_FRAME["bids"][::-1], asks=BOOK_FRAME["asks"][::-1])
    assert book == parse_one(BOOK_FRAME)


@pytest.mark.parametrize(
    "bids",
    [
        [{"price": "0.4", "size": "1"}, {"price": "0.40", "size": "2"}],
        [{"price": "0.4", "size": "0"}],
        [{"price": "0", "size": "1"}],
        [{"price": "1", "size": "1"}],
    ],
)
def test_book_with_an_impossible_level_is_malformed(bids: list[dict[str, str]]) -> None:
    with pytest.raises(Malformed):
        parse_one(BOOK_FRAME, bids=bids)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"market": "0x12"},
        {"asset_id": "0x12"},
        {"asset_id": "1" * 79},
        {"timestamp": ""},
        {"bids": [{"price": "", "size": "1"}]},
        {"asks": [{"price": "0.5", "size": "-1"}]},
        {"tick_size": "0.02"},
        {"tick_size": ""},
    ],
)
def test_book_with_a_field_that_cannot_be_is_refused(spoilt: dict[str, object]) -> None:
    with pytest.raises(Unparseable):
        parse_one(BOOK_FRAME, **spoilt)


def test_one_bad_frame_of_an_array_refuses_the_whole_text() -> None:
    with pytest.raises(WireFault):
        market_events(json.dumps([BOOK_FRAME, BOOK_FRAME | {"asset_id": "x"}]))


def test_price_change_keeps_a_removed_level_as_size_zero() -> None:
    event = parse_one(CHANGE_FRAME)
    assert isinstance(event, BookChanged)
    (change,) = event.changes
    assert (change.price, change.size, change.side) == (4600, 0, "BUY")
    assert (change.best_bid, change.best_ask) == (5000, 5100)


@pytest.mark.parametrize("touch", ["", None, "0", "1", 0])
def test_touch_of_an_empty_side_is_none(touch: object) -> None:
    entry = CHANGE_FRAME["price_changes"][0] | {"best_bid": touch, "best_ask": touch}
    (change,) = parse_one(CHANGE_FRAME, price_changes=[entry]).changes
    assert (change.best_bid, change.best_ask) == (None, None)


def test_touch_that_was_not_sent_is_none() -> None:
    entry = CHANGE_FRAME["price_changes"][0].copy()
    del entry["best_bid"]
    (change,) = parse_one(CHANGE_FRAME, price_changes=[entry]).changes
    assert change.best_bid is None


def test_trade_tick_and_resolution_become_their_events() -> None:
    common = {"market": MARKET, "asset_id": "1", "timestamp": "1790766981628"}
    trade = parse_one(
        common | {"event_type": "last_trade_price", "price": "0.51", "size": "20", "side": "BUY"}
    )
    assert isinstance(trade, TradePrinted)
    assert (trade.price, trade.size, trade.side) == (5100, 20_000_000, "BUY")
    tick = parse_one(
        common
        | {"event_type": "tick_size_change", "old_tick_size": "0.01", "new_tick_size": "0.001"}
    )
    assert isinstance(tick, TickChanged)
    assert (tick.old_e4, tick.new_e4) == (100, 10)
    resolved = parse_one(common | {"event_type": "market_resolved", "winning_asset_id": "1"})
    assert isinstance(resolved, MarketResolved)
    assert resolved.winning_token == "1"


def test_kinds_that_we_do_not_use_are_left_out() -> None:
    touch = {
        "event_type": "best_bid_ask",
        "market": MARKET,
        "asset_id": "1",
        "best_bid": "",
        "best_ask": "0.5",
        "timestamp": "1",
    }
    assert market_events(json.dumps([touch, {"event_type": "new_market"}])) == ()


def test_book_by_rest_tells_minimum_size_and_kind() -> None:
    frame = {key: value for key, value in BOOK_FRAME.items() if key != "event_type"}
    text = json.dumps(frame | {"min_order_size": "5", "neg_risk": False})
    book = rest_book(decode(BOOK, text, "book"))
    assert (book.min_size_e6, book.neg_risk, book.source) == (5_000_000, False, "rest")
