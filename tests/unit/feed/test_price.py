"""The price feed: authentication, dense sequences, ticks, evidence by the settlement source."""

from typing import Any

import msgspec
import pytest

from services.feed.messages import CredentialsFound
from services.feed.price import HISTORY_NS, SILENT_NS_MAX, PriceFeed
from shared.effects import (
    Effect,
    Log,
    Publish,
    Received,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamText,
)
from shared.facts import FeedStatus, PricesDoubted, ReferencePrice
from shared.identifiers import Asset, Incarnation
from shared.topics import RISK
from shared.units import NS_PER_MS, Instant, ReferenceE18, WallMs
from shared.venue.auth import Credentials
from tests.builders.feeds import WALL_START_MS, at, config, facts, of_type, sent

CREDENTIALS = Credentials("0x" + "ab" * 20, "the-key", "c2VjcmV0", "the-passphrase")


def data(seq: int, milliseconds: int = 0, **spoil: Any) -> dict[str, Any]:
    """Return an update of the spot price, stamped so long after the start of the test."""
    payload = {
        "symbol": "btcusd",
        "source": "chainlink",
        "timestamp": WALL_START_MS + milliseconds,
        "value": 100_000.5,
        "full_accuracy_value": "100000.5",
    }
    frame = {
        "v": 1,
        "channel": "price.crypto",
        "seq": seq,
        "ts": WALL_START_MS + milliseconds,
        "payload": {**payload, **spoil.pop("payload", {})},
    }
    return {**frame, **spoil}


def average(seq: int, milliseconds: int = 0) -> dict[str, Any]:
    return data(seq, milliseconds, channel="price.crypto.twap", payload={"window_seconds": 60})


class Rig:
    """A price feed with a fake venue behind its socket."""

    def __init__(self, **markets: Any) -> None:
        self.feed = PriceFeed(config(**markets), seed=1)
        self.stream = ""

    def open(self, now: Instant) -> list[Effect]:
        effects = self.feed.on_message(CredentialsFound(CREDENTIALS), now)
        (opening,) = of_type(effects or self.feed.on_tick(now), StreamOpen)
        self.stream = opening.stream
        return self.feed.on_message(StreamOpened(self.stream), now)

    def hear(self, body: object, now: Instant) -> list[Effect]:
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        return self.feed.on_message(StreamText(self.stream, text, now.monotonic_ns), now)

    def subscribe(self, now: Instant) -> list[dict[str, Any]]:
        """Authenticate and confirm every item of the subscription; return the items."""
        ((found),) = sent(self.hear({"op": "authed", "rid": "auth"}, now))
        items: list[dict[str, Any]] = found["subscriptions"]
        for item in items:
            answer = {"op": "subscribed", "rid": found["rid"], "channel": item["channel"]}
            self.hear(answer, now)
        return items

    def status(self, now: Instant) -> FeedStatus:
        (found,) = facts(list(self.feed.snapshot(now)), "feed.status")
        assert isinstance(found, FeedStatus)
        return found

    def evident_ms(self, now: Instant) -> float | None:
        self.feed.on_tick(now)
        (entry,) = self.status(now).evidence
        if entry.evident_ns is None:
            return None
        return (entry.evident_ns - at(0).monotonic_ns) / NS_PER_MS


def ready(**markets: Any) -> Rig:
    rig = Rig(**markets)
    rig.feed.on_tick(at(0))
    rig.open(at(0))
    rig.subscribe(at(0))
    assert rig.status(at(0)).connected
    return rig


def test_feed_authenticates_then_subscribes_spot_and_average() -> None:
    rig = Rig()
    (auth,) = sent(rig.open(at(0)))
    assert auth["op"] == "auth"
    items = rig.subscribe(at(0))
    assert items == [
        {"channel": "price.crypto", "filter": {"symbol": "btcusd", "provider": "chainlink"}},
        {"channel": "price.crypto.twap", "filter": {"symbol": "btcusd", "window_seconds": 60}},
    ]


def test_feed_is_connected_only_when_every_item_is_confirmed() -> None:
    rig = Rig()
    rig.open(at(0))
    rig.hear({"op": "authed", "rid": "auth"}, at(0))
    answer = {"op": "subscribed", "rid": "subscribe", "channel": "price.crypto"}
    rig.hear(answer, at(0))
    assert not rig.status(at(0)).connected
    rig.hear(answer, at(0))
    assert rig.status(at(0)).connected


def test_tick_is_published_exactly() -> None:
    rig = ready()
    (tick,) = facts(rig.hear(data(1), at(1_500)), "feed.price")
    assert tick == ReferencePrice(
        Asset("btc"),
        "chainlink",
        ReferenceE18(100_000_500_000_000_000_000_000),
        WallMs(WALL_START_MS),
        at(1_500).monotonic_ns,
    )


def test_opening_snapshot_is_published_point_by_point() -> None:
    rig = ready()
    points = [
        {"timestamp": WALL_START_MS - 2_000, "value": 1.5, "full_accuracy_value": "1.5"},
        {"timestamp": WALL_START_MS - 1_000, "value": 2.5, "full_accuracy_value": "2.5"},
    ]
    payload = {"symbol": "btcusd", "source": "chainlink", "data": points}
    frame = {**data(1), "snapshot": True, "payload": payload}
    ticks = facts(rig.hear(frame, at(0)), "feed.price")
    assert [tick.value_e18 for tick in ticks] == [15 * 10**17, 25 * 10**17]


@pytest.mark.req("KS-3")
def test_newer_tick_of_the_settlement_source_is_evidence() -> None:
    rig = ready()
    rig.hear(data(1, 1_000), at(1_500))
    assert rig.evident_ms(at(1_500)) == 1_500


@pytest.mark.req("KS-3")
def test_evidence_follows_the_source_that_settles() -> None:
    rig = ready(interval_s=300)
    rig.hear(data(1, 1_000), at(1_500))
    assert rig.evident_ms(at(1_500)) is None
    rig.hear(average(1, 1_000), at(1_600))
    assert rig.evident_ms(at(1_600)) == 1_600


@pytest.mark.req("KS-3")
def test_tick_that_does_not_advance_is_no_evidence() -> None:
    rig = ready()
    rig.hear(data(1, 1_000), at(1_500))
    rig.hear(data(2, 1_000), at(2_500))
    rig.hear(data(3, 999), at(3_500))
    assert rig.evident_ms(at(3_500)) == 1_500


def test_price_carried_forward_is_neither_tick_nor_evidence() -> None:
    rig = ready()
    frame = data(1, 1_000, payload={"is_carried_forward": True})
    assert facts(rig.hear(frame, at(1_500)), "feed.price") == []
    assert rig.evident_ms(at(1_500)) is None


@pytest.mark.req("DQ-2")
@pytest.mark.parametrize(("seq", "is_lost"), [(2, False), (3, True), (1, True)])
def test_gap_in_the_numbers_ends_the_connection(seq: int, *, is_lost: bool) -> None:
    """A new connection brings what was lost in its opening snapshot."""
    rig = ready()
    rig.hear(data(1, 0), at(0))
    effects = rig.hear(data(seq, 1_000), at(1_500))
    assert bool(of_type(effects, StreamClose)) == is_lost
    assert facts(effects, "feed.price"), "the tick itself is right"


def test_numbers_are_dense_by_channel() -> None:
    rig = ready()
    rig.hear(data(1), at(0))
    assert of_type(rig.hear(average(1), at(0)), StreamClose) == []


def test_frames_dropped_by_the_venue_end_the_connection() -> None:
    assert of_type(ready().hear(data(1, dropped=3), at(0)), StreamClose)


def test_numbers_begin_anew_with_each_connection() -> None:
    rig = ready()
    rig.hear(data(1), at(0))
    rig.feed.on_message(StreamClosed(rig.stream, 1006, "gone"), at(1))
    rig.open(at(1))
    rig.subscribe(at(1))
    assert of_type(rig.hear(data(1, 1_000), at(1_500)), StreamClose) == []


def test_refused_authentication_is_said_and_backed_off_from() -> None:
    rig = Rig()
    rig.open(at(0))
    effects = rig.hear({"op": "error", "code": "auth_invalid"}, at(0))
    assert of_type(effects, StreamClose)
    assert of_type(effects, Log)[0].level == "error"
    assert rig.status(at(0)).cause == "refused: auth_invalid"


@pytest.mark.req("NET-2")
@pytest.mark.parametrize(
    ("code", "state"), [("auth_invalid", "barred"), ("auth_unavailable", "waiting")]
)
def test_credentials_that_are_wrong_are_not_tried_again_and_a_busy_service_is(
    code: str, state: str
) -> None:
    rig = Rig()
    rig.open(at(0))
    rig.hear({"op": "error", "code": code}, at(0))
    assert rig.status(at(0)).state == state
    opened = of_type(rig.feed.on_tick(at(60_000)), StreamOpen)
    assert bool(opened) == (state == "waiting")
    if state == "barred":
        assert of_type(rig.feed.on_message(CredentialsFound(CREDENTIALS), at(60_001)), StreamOpen)


@pytest.mark.req("DQ-4")
@pytest.mark.parametrize(("ahead_ms", "is_taken"), [(5_000, True), (5_001, False)])
def test_tick_from_the_future_is_refused(ahead_ms: int, *, is_taken: bool) -> None:
    rig = ready()
    assert bool(facts(rig.hear(data(1, ahead_ms), at(0)), "feed.price")) == is_taken
    assert rig.status(at(0)).rejected_frames == (0 if is_taken else 1)


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    "frame",
    [
        "",
        {"v": 2, "channel": "price.crypto", "seq": 1, "ts": 1, "payload": {}},
        data(1, payload={"value": "-5", "full_accuracy_value": "-5"}),
        data(1, payload={"symbol": "btceur"}),
    ],
)
def test_frame_that_cannot_be_read_is_refused(frame: object) -> None:
    rig = ready()
    effects = rig.hear(frame, at(0))
    assert facts(effects, "feed.price") == []
    assert of_type(effects, Log)
    assert rig.status(at(0)).rejected_frames == 1


def test_asset_that_was_not_asked_for_is_left_out() -> None:
    rig = ready()
    assert facts(rig.hear(data(1, payload={"symbol": "ethusd"}), at(0)), "feed.price") == []


@pytest.mark.parametrize(("late_ms", "is_given_up"), [(-1, False), (0, True)])
def test_silent_connection_is_given_up(late_ms: int, *, is_given_up: bool) -> None:
    rig = ready()
    for second in range(0, SILENT_NS_MAX // NS_PER_MS, 2_000):
        rig.hear({"op": "pong", "rid": "ping"}, at(second))
        assert of_type(rig.feed.on_tick(at(second)), StreamClose) == []
    effects = rig.feed.on_tick(at(SILENT_NS_MAX / NS_PER_MS + late_ms))
    assert bool(of_type(effects, StreamClose)) == is_given_up


def test_late_reader_gets_the_recent_ticks_oldest_first() -> None:
    rig = ready()
    seconds = HISTORY_NS // 10**9 + 10
    for second in range(seconds):
        now = at(second * 1_000)
        rig.hear(data(second + 1, second * 1_000), now)
        rig.hear({"op": "pong", "rid": "ping"}, now)
    ticks = facts(list(rig.feed.snapshot(at(seconds * 1_000))), "feed.price")
    stamps = [tick.venue_ms for tick in ticks]
    assert stamps == sorted(stamps)
    assert stamps[-1] == WALL_START_MS + (seconds - 1) * 1_000
    assert len(stamps) == HISTORY_NS // 10**9 + 1


def test_snapshot_ticks_keep_the_stamp_of_their_arrival() -> None:
    rig = ready()
    rig.hear(data(1), at(5))
    (tick, _status) = rig.feed.snapshot(at(9_000))
    assert isinstance(tick, Publish)
    assert tick.input_ns == at(5).monotonic_ns


def test_snapshot_without_a_symbol_is_read_where_it_can_only_be_one() -> None:
    payload = {"data": [{"timestamp": WALL_START_MS, "full_accuracy_value": "100000.5"}]}
    frame = {"v": 1, "channel": "price.crypto", "seq": 1, "ts": WALL_START_MS, "payload": payload}
    alone = Rig()
    alone.open(at(0))
    (tick,) = facts(alone.hear(frame, at(1)), "feed.price")
    assert (tick.asset, tick.value_e18) == ("btc", 100_000_500_000_000_000_000_000)
    several = Rig(assets=("btc", "eth"))
    several.open(at(0))
    assert facts(several.hear(frame, at(1)), "feed.price") == []
    assert several.status(at(1)).rejected_frames == 1


def doubted(number: int, asset: str = "btc") -> Received:
    stamp = at(0).monotonic_ns
    body = PricesDoubted(Asset(asset), number, WallMs(0), "contradicted")
    return Received(RISK, Incarnation(1), "risk.doubted", 1, stamp, stamp, 0, body)


@pytest.mark.req("CB-3")
def test_second_opinion_is_subscribed_by_itself_and_its_refusal_costs_nothing() -> None:
    rig = Rig()
    rig.feed.on_tick(at(0))
    rig.open(at(0))
    rig.hear({"op": "authed", "rid": "auth"}, at(0))
    answer = {"op": "subscribed", "rid": "subscribe", "channel": "price.crypto"}
    assert not sent(rig.hear(answer, at(0)))
    ((found),) = sent(rig.hear(answer, at(0)))
    assert found["rid"] == "second"
    assert found["subscriptions"] == [
        {"channel": "price.crypto", "filter": {"symbol": "btcusd", "provider": "pyth"}}
    ]
    rig.hear({"op": "error", "rid": "second", "code": "bad_filter"}, at(0))
    assert rig.status(at(0)).connected


@pytest.mark.req("CB-3")
def test_doubted_prices_are_read_anew_once_a_number() -> None:
    rig = ready()
    rig.hear(data(1), at(1_500))
    assert facts(list(rig.feed.snapshot(at(1_500))), "feed.price")
    assert of_type(rig.feed.on_message(doubted(1), at(1_600)), StreamClose)
    assert not facts(list(rig.feed.snapshot(at(1_600))), "feed.price")
    rig.open(at(5_000))
    rig.subscribe(at(5_000))
    assert not rig.feed.on_message(doubted(1), at(5_100))
    assert not rig.feed.on_message(doubted(2, "eth"), at(5_100))
    assert of_type(rig.feed.on_message(doubted(2), at(5_100)), StreamClose)
