"""Every recorded frame of the own-order socket, through the feed's core and into an account."""

from typing import Any

import msgspec
import pytest

from shared.facts import OwnOrder, OwnTrade
from shared.venue.account_wire import OPEN_ORDERS, TRADES
from shared.venue.parse_user import rest_order, rest_trade
from shared.venue.wire import decode
from tests.builders.captures import ABSENT, CAPTURES, DOCUMENTED, frames_of, of_kind
from tests.builders.feeds import at, facts
from tests.builders.user_feed import page, ready

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason=ABSENT)


def user_frames() -> list[Any]:
    found = [frame for name in (*of_kind("user"), DOCUMENTED) for frame in frames_of(name)]
    return [frame for frame in found if frame["event_type"] in ("order", "trade")]


def told(frames: list[Any]) -> list[Any]:
    rig = ready()
    events = [event for frame in frames for event in facts(rig.hear(frame, at(1)), "feed.user")]
    assert rig.status(at(1)).rejected_frames == 0
    return events


@pytest.mark.req("DQ-5", "VEN-6")
def test_every_recorded_frame_passes_through_the_feed() -> None:
    frames = user_frames()
    events = told(frames)
    assert len(frames) == len(events) == 8
    assert sum(isinstance(event, OwnOrder) for event in events) == 3
    trades = [event for event in events if isinstance(event, OwnTrade)]
    assert all(len(trade.legs) >= 2 for trade in trades)
    for frame, event in zip(frames, events, strict=True):
        key = event.order_id if isinstance(event, OwnOrder) else event.trade_id
        assert key == frame["id"].lower()


def test_makers_parts_of_a_recorded_trade_are_its_size_up_to_dust() -> None:
    for frame, event in zip(user_frames(), told(user_frames()), strict=True):
        if isinstance(event, OwnTrade):
            makers = sum(leg.size for leg in event.legs if leg.role == "MAKER")
            parts = sum(float(one["matched_amount"]) for one in frame["maker_orders"])
            assert abs(makers - parts * 1_000_000) < 1


def test_recorded_events_would_be_the_same_facts_by_request() -> None:
    """The rows of a list have the keys of the frames: both sources must agree word by word."""
    for frame, event in zip(user_frames(), told(user_frames()), strict=True):
        if isinstance(event, OwnOrder):
            row = {"created_at": frame["timestamp"], **frame, "status": event.status}
            (found,) = decode(OPEN_ORDERS, page(row), "orders").data
            assert event == msgspec.structs.replace(
                rest_order(found),
                source="socket",
                venue_ms=event.venue_ms,
                status_text=event.status_text,
            )
        else:
            row = {"match_time": frame.get("matchtime"), **frame}
            (one,) = decode(TRADES, page(row), "trades").data
            assert event == msgspec.structs.replace(
                rest_trade(one), source="socket", venue_ms=event.venue_ms
            )
