import json
from typing import Any

import pytest

from shared.venue import streams_wire
from shared.venue.faults import Malformed
from shared.venue.market_wire import PriceLevel
from shared.venue.streams_wire import BookFrame, UnknownFrame
from shared.venue.wire import decode, encode

BOOK = {
    "market": "0xc",
    "asset_id": "1",
    "timestamp": "1790766966313",
    "hash": "e341",
    "bids": [{"price": "0.49", "size": "634.49"}],
    "asks": [],
    "event_type": "book",
}
ORDER = {
    "event_type": "order",
    "id": "0x01",
    "market": "0xc",
    "asset_id": "1",
    "side": "BUY",
    "price": "0.5",
    "original_size": "5",
    "size_matched": "",
    "type": "CANCELLATION",
    "timestamp": "1725842520990",
    "status": "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed.",
    "associate_trades": None,
    "created_at": "",
}


def spoil(frame: dict[str, Any], key: str) -> str:
    return json.dumps({name: value for name, value in frame.items() if name != key})


def test_object_and_array_of_objects_are_both_frames() -> None:
    one = streams_wire.decode_market_frames(json.dumps(BOOK))
    two = streams_wire.decode_market_frames(json.dumps([BOOK, BOOK]) + "\n")
    assert len(one) == 1
    assert two == one * 2
    assert streams_wire.decode_market_frames("[]") == ()


def test_unknown_kind_in_an_array_loses_nothing_else() -> None:
    text = json.dumps([{"event_type": "new_market", "id": 1}, BOOK, {"no": "kind"}])
    frames = streams_wire.decode_market_frames(text)
    assert frames[0] == UnknownFrame("new_market")
    assert isinstance(frames[1], BookFrame)
    assert frames[2] == UnknownFrame("")


@pytest.mark.parametrize("key", ["market", "asset_id", "timestamp", "hash", "bids", "asks"])
def test_book_without_a_needed_key_is_malformed_naming_it(key: str) -> None:
    with pytest.raises(Malformed) as caught:
        streams_wire.decode_market_frames(spoil(BOOK, key))
    assert key in caught.value.reason
    assert "book" in caught.value.what


@pytest.mark.parametrize(
    "text",
    ["PONG", "", "{", "null", "3", '"book"', "[3]", '{"event_type":5}', "[" * 5_000, "\udc00"],
)
def test_text_that_is_no_frame_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        streams_wire.decode_market_frames(text)
    with pytest.raises(Malformed):
        streams_wire.decode_user_frames(text)


def test_bytes_that_are_no_text_are_malformed() -> None:
    with pytest.raises(Malformed):
        streams_wire.decode_market_frames(b'{"event_type":"book","market":"\xff"}')


def test_killed_order_with_prose_for_a_status_is_read() -> None:
    (frame,) = streams_wire.decode_user_frames(json.dumps(ORDER))
    assert isinstance(frame, streams_wire.OrderFrame)
    assert (frame.status or "").startswith("CANCELED")
    assert frame.size_matched == ""
    assert frame.associate_trades is None


@pytest.mark.parametrize("key", ["id", "market", "asset_id", "side", "price"])
def test_order_frame_without_a_needed_key_is_malformed(key: str) -> None:
    with pytest.raises(Malformed):
        streams_wire.decode_user_frames(spoil(ORDER, key))


def test_frames_written_are_the_frames_read() -> None:
    frame = BookFrame(
        market="0xc",
        asset_id="1",
        timestamp="1",
        hash="h",
        bids=(PriceLevel("0.5", "1"),),
        asks=(),
        version="v2",
    )
    text = encode((frame,))
    assert json.loads(text)[0]["event_type"] == "book"
    assert "tick_size" not in json.loads(text)[0]
    assert streams_wire.decode_market_frames(text) == (frame,)


def test_subscriptions_are_written_as_the_venue_wants_them() -> None:
    market = streams_wire.MarketSubscription(("1", "2"), custom_feature_enabled=True)
    assert json.loads(encode(market)) == {
        "type": "market",
        "assets_ids": ["1", "2"],
        "custom_feature_enabled": True,
        "initial_dump": True,
        "level": 2,
    }
    user = streams_wire.UserSubscription(streams_wire.StreamAuth("k", "s", "p"))
    assert json.loads(encode(user)) == {
        "type": "user",
        "auth": {"apiKey": "k", "secret": "s", "passphrase": "p"},
    }
    assert decode(streams_wire.USER_SUBSCRIPTION, encode(user), "subscription") == user
