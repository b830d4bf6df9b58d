"""Recorded production frames and answers, read by the parsers.

The recordings are not part of the project; where they are absent the tests say so.
"""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.facts import BookChanged, BookSnapshot, OwnOrder, OwnTrade
from shared.units import MonotonicNs
from shared.venue.gamma_wire import MARKET
from shared.venue.market_wire import PriceLevel
from shared.venue.parse import market_events
from shared.venue.parse_market import market_info
from shared.venue.parse_prices import reference_prices
from shared.venue.parse_user import user_events
from shared.venue.prices_wire import (
    PriceData,
    PriceError,
    PriceFilter,
    PricePong,
    PriceSubscribed,
    decode_price_frame,
)
from shared.venue.streams_wire import BookFrame, UnknownFrame, decode_market_frames
from shared.venue.wire import decode

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures"))
ADRIANCOVA = CAPTURES / "adriancova_polymarket-bot-v2"
NAUTILUS = CAPTURES / "nautilus_trader/python_resources/ws_messages"
SAMPLES = CAPTURES / "Ligengxin96_polymarket-data-samples"

pytestmark = pytest.mark.skipif(
    not ADRIANCOVA.is_dir(), reason="no recordings of production frames"
)


def user_file(name: str) -> Any:
    (event,) = user_events((NAUTILUS / name).read_text())
    return event


def test_recorded_session_of_the_market_socket_is_read() -> None:
    rows = (ADRIANCOVA / "market-ws-btc15m-2026-09-30-first11.jsonl").read_text().splitlines()
    dump, *changes = (market_events(json.loads(row)["payloadUtf8"]) for row in rows)
    assert [type(event) for event in dump] == [BookSnapshot, BookSnapshot]
    assert [type(event) for change in changes for event in change] == [BookChanged] * 10
    up, down = dump
    assert isinstance(up, BookSnapshot)
    assert isinstance(down, BookSnapshot)
    assert up.bids == tuple((10_000 - price, size) for price, size in down.asks)
    assert up.asks == tuple((10_000 - price, size) for price, size in down.bids)


def test_frame_that_we_would_write_is_the_recorded_one() -> None:
    rows = (ADRIANCOVA / "market-ws-btc15m-2026-09-30-first11.jsonl").read_text().splitlines()
    recorded = json.loads(json.loads(rows[0])["payloadUtf8"])
    for frame, original in zip(decode_market_frames(json.dumps(recorded)), recorded, strict=True):
        assert isinstance(frame, BookFrame)
        assert isinstance(frame.bids[0], PriceLevel)
        assert json.loads(msgspec.json.encode(frame)) == original


def test_recorded_orders_of_the_user_socket_are_read() -> None:
    placed = user_file("order_placement.json")
    assert isinstance(placed, OwnOrder)
    assert (placed.status, placed.price, placed.size_matched_e6) == ("LIVE", 5130, 0)
    canceled = user_file("order_cancel.json")
    assert (canceled.status, canceled.size_matched_e6) == ("CANCELED", 5_000_000)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_recorded_trades_of_the_user_socket_are_read(number: int) -> None:
    trade = user_file(f"user_trade{number}.json")
    assert isinstance(trade, OwnTrade)
    assert len(trade.legs) >= 2
    makers = sum(leg.size for leg in trade.legs if leg.role == "MAKER")
    assert makers > 0


def test_trade_stamped_in_seconds_is_the_same_moment_in_milliseconds() -> None:
    trade = user_file("user_trade3.json")
    assert trade.venue_ms == 1_762_776_436_000
    assert trade.legs[1].side == "BUY"


def test_documented_frames_are_read() -> None:
    """Their market ids are shortened nowhere, their hashes and stamps are made up."""
    path = CAPTURES / "Polymarket_rs-clob-client/doc-example-payloads.json"
    frames = json.loads(path.read_text())
    market = [frame for frame in frames if frame["event_type"] not in ("order", "trade")]
    assert len(market_events(json.dumps(market))) == 4
    user = [frame for frame in frames if frame["event_type"] in ("order", "trade")]
    trade, order = user_events(json.dumps(user))
    assert isinstance(trade, OwnTrade)
    assert isinstance(order, OwnOrder)
    assert order.status == "LIVE"
    assert order.status_text == ""


def test_frame_of_a_retired_kind_is_not_taken_for_another() -> None:
    text = (NAUTILUS / "trades.json").read_text()
    assert decode_market_frames(text) == (UnknownFrame(""),)


def test_recorded_market_of_october_is_read() -> None:
    text = (ADRIANCOVA / "gamma-market-v1-btc15m-2026-10-05.json").read_bytes()
    info = market_info(decode(MARKET, text, "market"), cutoff_lead_ms=10_000)
    assert (info.slug, info.asset, info.version) == ("btc-updown-15m-1791241200", "btc", "v1")
    assert (info.tick_e4, info.min_size_e6, info.fee_rate_e6) == (100, 5_000_000, 70_000)
    assert info.end_ms - info.start_ms == 900_000


def test_recorded_day_of_resolved_markets_is_read_with_its_winners() -> None:
    """The rows are older than the key `version`, which says v1 for all of them."""
    path = SAMPLES / "BTC-5m-markets-2026-07-24.jsonl.gz"
    with gzip.open(path, "rt") as rows:
        markets = [json.loads(row) for row in rows]
    winners = []
    for row in markets:
        text = json.dumps(row["raw"] | {"version": "v1"})
        info = market_info(decode(MARKET, text, "market"), cutoff_lead_ms=10_000)
        assert info.closed
        assert not info.accepting_orders
        assert list(info.tokens) == row["token_ids"]
        assert info.winner == row["outcome_prices"].index("1")
        winners.append(info.winner)
    assert len(winners) == 292
    assert winners.count(1) == 152


def test_recorded_head_of_the_price_socket_is_read() -> None:
    path = CAPTURES / "Polymarket_ts-sdk/polybolt-head.json"
    frames = [decode_price_frame(json.dumps(frame)) for frame in json.loads(path.read_text())]
    error, pong, subscribed, snapshot = frames[:4]
    assert error == PriceError("bad_op")
    assert pong == PricePong("ping")
    assert subscribed == PriceSubscribed("price.crypto", "capture")
    assert isinstance(snapshot, PriceData)
    ticks = reference_prices(snapshot, MonotonicNs(1), PriceFilter("btcusd", provider="pyth"))
    assert ticks[0].value_e18 == 78_803_761_731_790_000_000_000
    assert len(ticks) == 3
