"""A frame spoilt in any one place is an event or a WireFault, never another error."""

import contextlib
import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.units import MonotonicNs
from shared.venue.account_wire import OPEN_ORDERS, TRADES
from shared.venue.faults import WireFault
from shared.venue.gamma_wire import MARKET
from shared.venue.parse import market_events
from shared.venue.parse_market import market_info
from shared.venue.parse_prices import reference_prices
from shared.venue.parse_user import rest_order, rest_trade, user_events
from shared.venue.prices_wire import PriceData, decode_price_frame
from shared.venue.wire import decode

CONDITION = "0x" + "ab" * 32
ORDER_ID = "0x" + "01" * 32
LEVEL = {"price": "0.4", "size": "5", "asset_id": "1", "side": "BUY", "hash": "h"}
MARKET_FRAMES: list[dict[str, Any]] = [
    {"event_type": "book", "hash": "h", "bids": [LEVEL], "asks": [], "tick_size": "0.01"},
    {"event_type": "price_change", "price_changes": [LEVEL | {"best_bid": "0.4"}]},
    {"event_type": "last_trade_price", "price": "0.5", "size": "1", "side": "BUY"},
    {"event_type": "tick_size_change", "old_tick_size": "0.01", "new_tick_size": "0.001"},
    {"event_type": "market_resolved", "winning_asset_id": "1"},
]
TRADE: dict[str, Any] = {
    "event_type": "trade",
    "id": "t",
    "taker_order_id": ORDER_ID,
    "market": CONDITION,
    "asset_id": "1",
    "side": "BUY",
    "size": "5",
    "price": "0.5",
    "status": "MINED",
    "match_time": "1725958681",
    "timestamp": "1725958682125",
    "maker_orders": [LEVEL | {"order_id": ORDER_ID, "matched_amount": "5"}],
}
ORDER: dict[str, Any] = {
    "event_type": "order",
    "id": ORDER_ID,
    "market": CONDITION,
    "asset_id": "1",
    "side": "SELL",
    "price": "0.5",
    "original_size": "5",
    "size_matched": "1",
    "type": "UPDATE",
    "status": "LIVE",
    "timestamp": "1725958682125",
    "created_at": 1725958682,
}
PRICE: dict[str, Any] = {
    "v": 1,
    "channel": "price.crypto",
    "seq": 1,
    "ts": 1,
    "payload": {"symbol": "btcusd", "source": "pyth", "timestamp": 1_788_886_057_000, "value": 1.5},
}
GAMMA: dict[str, Any] = {
    "id": "1",
    "slug": "btc-updown-15m-1791241200",
    "conditionId": CONDITION,
    "outcomes": '["Up","Down"]',
    "version": "v1",
    "clobTokenIds": '["1","2"]',
    "outcomePrices": '["1","0"]',
    "umaResolutionStatus": "resolved",
    "active": True,
    "closed": True,
    "restricted": True,
    "acceptingOrders": True,
    "eventStartTime": "2026-10-05T23:00:00Z",
    "endDate": "2026-10-05T23:15:00Z",
    "orderPriceMinTickSize": 0.01,
    "orderMinSize": 5,
    "negRisk": False,
    "feesEnabled": True,
    "feeSchedule": {"rate": 0.07, "exponent": 1, "takerOnly": True, "rebateRate": 0.2},
}
SPOILS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["", "NaN", "1e999", "-1", "0", "9" * 300, "0x", [], {}, [{}], [[]], 10**400]),
)


@st.composite
def spoilt(draw: st.DrawFn, whole: dict[str, Any]) -> str:
    """Return JSON with one value, at any depth, replaced by another."""
    result = copy.deepcopy(whole)
    place: Any = result
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        inner = place[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            place = inner
            continue
        place[key] = draw(SPOILS)
        return json.dumps(result)


def market_frame(frame: dict[str, Any]) -> dict[str, Any]:
    return {"market": CONDITION, "asset_id": "1", "timestamp": "1790766966313"} | frame


@given(st.sampled_from(MARKET_FRAMES).map(market_frame).flatmap(spoilt))
def test_spoilt_market_frame_is_events_or_a_fault(text: str) -> None:
    with contextlib.suppress(WireFault):
        assert len(market_events(text)) <= 1


@given(st.sampled_from([TRADE, ORDER]).flatmap(spoilt))
def test_spoilt_user_frame_is_events_or_a_fault(text: str) -> None:
    with contextlib.suppress(WireFault):
        assert len(user_events(text)) <= 1


@given(st.sampled_from([TRADE, ORDER]).flatmap(spoilt))
def test_spoilt_row_is_a_fact_or_a_fault(row: str) -> None:
    page = f'{{"next_cursor":"LTE=","data":[{row}]}}'
    for read in (
        lambda: [rest_order(order) for order in decode(OPEN_ORDERS, page, "orders").data],
        lambda: [rest_trade(trade) for trade in decode(TRADES, page, "trades").data],
    ):
        with contextlib.suppress(WireFault):
            assert len(list(read())) == 1


@given(spoilt(PRICE))
def test_spoilt_price_frame_is_ticks_or_a_fault(text: str) -> None:
    try:
        frame = decode_price_frame(text)
        assert not isinstance(frame, PriceData) or len(reference_prices(frame, MonotonicNs(1))) <= 1
    except WireFault:
        pass


@given(spoilt(GAMMA))
def test_spoilt_description_is_a_market_or_a_fault(text: str) -> None:
    with contextlib.suppress(WireFault):
        info = market_info(decode(MARKET, text, "market"), 10_000)
        assert len(set(info.tokens)) == 2
