"""Frames of perpetual futures: kinds, and what is none."""

import msgspec
import pytest

from shared.perps.wire import (
    BookFrame,
    ContextFrame,
    ErrorFrame,
    OtherFrame,
    PerpRequest,
    PerpSubscription,
    PongFrame,
    SubscribedFrame,
    TradesFrame,
    decode_contexts,
    decode_perp_frame,
)
from shared.venue.faults import Malformed
from shared.venue.wire import encode
from tests.builders import perps

SUBSCRIBED = {
    "channel": "subscriptionResponse",
    "data": {
        "method": "subscribe",
        "subscription": {"type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None},
    },
}


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (SUBSCRIBED, SubscribedFrame),
        ({"channel": "pong"}, PongFrame),
        ({"channel": "error", "data": "Invalid subscription {}"}, ErrorFrame),
        (perps.context(), ContextFrame),
        (perps.book(), BookFrame),
        (perps.trades(perps.trade(1)), TradesFrame),
        (perps.trades(), TradesFrame),
        ({"channel": "notification", "data": {"notification": "hello"}}, OtherFrame),
    ],
)
def test_frame_is_of_its_kind(frame: object, kind: type) -> None:
    assert isinstance(decode_perp_frame(msgspec.json.encode(frame)), kind)


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "Websocket connection established",
        '{"channel":"l2Book"}',
        '{"channel":"l2Book","data":{"coin":"BTC","time":1,"levels":[[]]}}',
        '{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{}}}',
        '{"channel":"trades","data":[{"coin":"BTC","side":"X"}]}',
    ],
)
def test_damaged_frame_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        decode_perp_frame(text)


def test_subscription_names_nothing_that_is_not_wanted() -> None:
    wish = PerpRequest("subscribe", PerpSubscription("l2Book", "BTC"))
    assert encode(wish) == (b'{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC"}}')
    assert encode(PerpRequest("ping")) == b'{"method":"ping"}'


def test_contexts_have_the_places_of_their_coins() -> None:
    told = perps.contexts("ETH", "BTC")
    told[1][1]["markPx"] = "80000.5"
    known = decode_contexts(msgspec.json.encode(told))
    assert known["BTC"].mark_px == "80000.5"
    assert known["ETH"].mark_px == "80640.0"


@pytest.mark.req("DQ-5")
def test_contexts_without_their_coins_are_refused() -> None:
    told = perps.contexts("ETH", "BTC")
    told[1].pop()
    with pytest.raises(Malformed):
        decode_contexts(msgspec.json.encode(told))
