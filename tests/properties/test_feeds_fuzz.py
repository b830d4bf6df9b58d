"""Whatever a venue sends, no feed ends: each frame is a fact that travels, or is refused."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.envelope import SCHEMA, Header, decode_body, encode
from services.feed.discovery import DiscoveryFeed
from services.feed.market import MarketFeed
from services.feed.messages import CredentialsFound
from services.feed.perp import PerpFeed
from services.feed.price import PriceFeed
from services.feed.user import UserFeed
from shared.config import PerpSettings
from shared.effects import (
    Effect,
    HttpReply,
    HttpRequest,
    Publish,
    Received,
    StreamOpen,
    StreamOpened,
    StreamText,
)
from shared.facts import Calendar
from shared.identifiers import Component, Incarnation
from shared.topics import FEED_DISCOVERY
from shared.units import BootNs, MonotonicNs
from shared.venue.auth import Credentials
from tests.builders import perps
from tests.builders.books import fact
from tests.builders.feeds import WALL_START_MS, at, config, of_type
from tests.builders.markets import MARKET, UP, market_info

Feed = MarketFeed | UserFeed | PriceFeed | DiscoveryFeed | PerpFeed

LEVELS = [{"price": "0.49", "size": "20"}, {"price": "0.5", "size": "1.25"}]
PERP_CONFIG = msgspec.structs.replace(
    config(),
    perp=PerpSettings(
        enabled=True, socket_url="ws://127.0.0.1:1/perp/ws", info_url="http://127.0.0.1:1"
    ),
)
FRAMES: dict[str, tuple[object, ...]] = {
    "perp": (perps.context(), perps.book(), perps.trades(perps.trade(1), perps.trade(2))),
    "market": (
        [
            {
                "event_type": "book",
                "market": MARKET,
                "asset_id": UP,
                "timestamp": str(WALL_START_MS),
                "hash": "ab" * 20,
                "bids": LEVELS,
                "asks": [],
                "tick_size": "0.01",
                "last_trade_price": "",
            }
        ],
        {
            "event_type": "price_change",
            "market": MARKET,
            "timestamp": str(WALL_START_MS),
            "price_changes": [
                {
                    "asset_id": UP,
                    "price": "0.47",
                    "size": "5",
                    "side": "BUY",
                    "hash": "ab" * 20,
                    "best_bid": "0.49",
                    "best_ask": "0.51",
                }
            ],
        },
        {
            "event_type": "last_trade_price",
            "market": MARKET,
            "asset_id": UP,
            "price": "0.51",
            "size": "20",
            "side": "BUY",
            "timestamp": str(WALL_START_MS),
        },
    ),
    "user": (
        {
            "event_type": "order",
            "id": "0x" + "01" * 32,
            "market": MARKET,
            "asset_id": UP,
            "side": "BUY",
            "price": "0.49",
            "original_size": "10",
            "size_matched": "0",
            "type": "PLACEMENT",
            "status": "LIVE",
            "timestamp": str(WALL_START_MS),
        },
    ),
    "price": (
        {
            "v": 1,
            "channel": "price.crypto",
            "seq": 1,
            "ts": WALL_START_MS,
            "payload": {
                "symbol": "btcusd",
                "source": "chainlink",
                "timestamp": WALL_START_MS,
                "value": 5.5,
                "full_accuracy_value": "5.5",
            },
        },
    ),
}
AWKWARD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=60),
    st.sampled_from(["9" * 30, "1e400", "-1", "0", "", "NaN", "\x00", "9" * 5_000]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON document."""
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += places(inner, (*path, number))
    return found


def replaced(value: Any, path: tuple[Any, ...], by: object) -> Any:
    """Return a copy of a document with another value at a path."""
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


@st.composite
def spoilt(draw: st.DrawFn, source: str) -> str:
    """Draw a frame of a source with one value replaced, or with characters changed."""
    frame = draw(st.sampled_from(FRAMES[source]))
    if draw(st.booleans()):
        path = draw(st.sampled_from(places(frame)))
        return msgspec.json.encode(replaced(frame, path, draw(AWKWARD))).decode()
    text = msgspec.json.encode(frame).decode()
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(st.text(max_size=3)) + text[place + draw(st.integers(0, 3)) :]


def connected(source: str) -> tuple[Feed, str]:
    """Return a feed with an open stream."""
    now = at(0)
    if source == "market":
        feed: Feed = MarketFeed(config(), 1)
        calendar = Calendar((market_info(),), now.monotonic_ns)
        opening = feed.on_message(fact(FEED_DISCOVERY, "feed.calendar", calendar, now), now)
    elif source == "perp":
        feed, opening = PerpFeed(PERP_CONFIG, 1), []
    else:
        feed = UserFeed(config(), 1) if source == "user" else PriceFeed(config(), 1)
        credentials = Credentials("0x" + "ab" * 20, "key", "c2VjcmV0", "pass")
        opening = feed.on_message(CredentialsFound(credentials), now)
    (opened,) = of_type(opening or feed.on_tick(now), StreamOpen)
    feed.on_message(StreamOpened(opened.stream), now)
    feed.on_tick(now)
    return feed, opened.stream


def travel(effects: list[Effect]) -> None:
    """Send every fact through the bus's own format: the reader gets what was said."""
    for effect in of_type(effects, Publish):
        header = Header(
            Component("test"),
            Incarnation(1),
            effect.topic,
            1,
            MonotonicNs(1),
            effect.input_ns,
            1,
            SCHEMA,
            (),
            at(0),
        )
        read = decode_body(header, encode(header, effect.body))
        assert isinstance(read, Received), read
        assert read.body == effect.body


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize("source", ["market", "user", "price", "perp"])
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_no_frame_ends_a_feed(source: str, data: st.DataObject) -> None:
    feed, stream = connected(source)
    for _ in range(3):
        text = data.draw(spoilt(source))
        travel(feed.on_message(StreamText(stream, text, at(1).monotonic_ns), at(1)))
        travel(feed.on_tick(at(2)))
        travel(list(feed.snapshot(at(2))))


@pytest.mark.req("DQ-5")
@given(body=st.one_of(st.binary(max_size=40), st.builds(msgspec.json.encode, AWKWARD)))
@settings(max_examples=300, deadline=None)
def test_no_answer_ends_a_feed(body: bytes) -> None:
    perp = PerpFeed(PERP_CONFIG, 1)
    feeds: list[Feed] = [
        DiscoveryFeed(config()),
        connected("market")[0],
        connected("user")[0],
        perp,
    ]
    for feed in feeds:
        feed.on_message(StreamText("market.1", "PONG", at(0).monotonic_ns), at(0))
        feed.on_message(StreamText("user.1", "PONG", at(0).monotonic_ns), at(0))
        requests = of_type(feed.on_tick(at(1_500)), HttpRequest)
        assert requests
        for request in requests:
            reply = HttpReply(request.request_id, 200, {}, body, BootNs(0))
            travel(feed.on_message(reply, at(1_600)))
