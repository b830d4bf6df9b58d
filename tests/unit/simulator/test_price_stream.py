"""The price socket: authentication, subscriptions, numbers, limits, and its faults."""

from typing import Any

import pytest

from shared.venue.wire import encode
from tests.builders.venue_rig import VenueRig


def follow_prices(rig: VenueRig, *items: dict[str, Any]) -> list[Any]:
    rig.open(4, "price")
    rig.say(4, {"op": "auth", "rid": "a", "auth": rig.auth()})
    rig.say(4, {"op": "subscribe", "rid": "1", "subscriptions": list(items)})
    return rig.frames(4)


SPOT = {"channel": "price.crypto", "filter": {"symbol": "btcusd"}}
SECOND = {"channel": "price.crypto", "filter": {"symbol": "btcusd", "provider": "chainlink"}}
TWAP = {"channel": "price.crypto.twap", "filter": {"symbol": "btcusd", "window_seconds": 60}}


def test_each_subscription_is_confirmed_and_begins_with_a_snapshot() -> None:
    rig = VenueRig(oracle_latency_ms=1_000)
    authed, spot, spot_data, twap, twap_data = follow_prices(rig, SPOT, TWAP)
    assert authed == {"op": "authed", "rid": "a"}
    assert spot == {"op": "subscribed", "channel": "price.crypto", "rid": "1"}
    assert twap == {"op": "subscribed", "channel": "price.crypto.twap", "rid": "1"}
    for frame in (spot_data, twap_data):
        assert frame["snapshot"] is True
        assert frame["seq"] == 1
        stamps = [point["timestamp"] for point in frame["payload"]["data"]]
        assert stamps == sorted(stamps)
        assert max(stamps) <= rig.now.wall_ms - 1_000


def test_ticks_arrive_as_late_as_the_oracle_is_and_densely_numbered() -> None:
    rig = VenueRig(oracle_latency_ms=1_350, price_ms=500)
    follow_prices(rig, SPOT, TWAP)
    rig.advance(5)
    frames = rig.frames(4)
    for channel in ("price.crypto", "price.crypto.twap"):
        mine = [frame for frame in frames if frame["channel"] == channel]
        assert [frame["seq"] for frame in mine] == list(range(2, 2 + len(mine)))
        assert len(mine) >= 7
        assert all(1_350 <= frame["ts"] - frame["payload"]["timestamp"] < 1_400 for frame in mine)
    assert frames[-1]["payload"]["window_seconds"] == 60


def test_average_is_that_of_the_last_minute() -> None:
    rig = VenueRig(price_ms=1_000)
    rig.advance(61)
    history = rig.core.exchange.oracles["btc"].history  # type: ignore[index]
    last = history[-1]
    prices = [tick.price_e8 for tick in history if tick.at_ms > last.at_ms - 60_000]
    assert len(prices) == 60
    assert last.twap_e8 == sum(prices) // 60


@pytest.mark.parametrize(
    ("item", "code"),
    [({"channel": "price.crypto", "filter": {"symbol": "btc/usd"}}, "bad_filter"),
     ({"channel": "price.crypto", "filter": {"symbol": "dogeusd"}}, "bad_filter"),
     ({"channel": "price.crypto"}, "bad_filter"),
     ({"channel": "price.crypto.twap", "filter": {"symbol": "btcusd", "window_seconds": 30}},
      "bad_filter"),
     ({"channel": "price.crypto", "filter": {"symbol": "btcusd", "provider": "me"}}, "bad_filter"),
     ({"channel": "price.crypto", "filter": {"symbol": "btcusd", "window_seconds": 60}},
      "bad_filter"),
     ({"channel": "price.equity", "filter": {"symbol": "aapl"}}, "bad_filter"),
     ({"channel": "price.moon", "filter": {"symbol": "btcusd"}}, "bad_channel")],
)  # fmt: skip
def test_wrong_subscription_is_an_error_of_its_channel(item: dict[str, Any], code: str) -> None:
    rig = VenueRig()
    first, data = follow_prices(rig, item, SPOT)[1:3]
    assert first == {"op": "error", "code": code, "rid": "1", "channel": item["channel"]}
    assert data == {"op": "subscribed", "channel": "price.crypto", "rid": "1"}


@pytest.mark.req("VEN-5")
def test_price_socket_wants_valid_credentials() -> None:
    rig = VenueRig()
    rig.open(4, "price")
    rig.say(4, {"op": "subscribe", "rid": "1", "subscriptions": [SPOT]})
    rig.say(4, "garbage")
    wrong = {"op": "auth", "rid": "a", "auth": rig.auth() | {"secret": "wrong"}}
    for _ in range(7):
        rig.say(4, wrong)
    required, bad, *refused = rig.frames(4)
    assert required == {"op": "error", "code": "auth_required", "rid": "1"}
    assert bad == {"op": "error", "code": "bad_op"}
    assert {frame["code"] for frame in refused} == {"auth_invalid"}
    assert rig.closed == []
    rig.say(4, wrong)
    assert rig.frames(4) == [{"op": "error", "code": "auth_attempts", "rid": "a"}]
    assert [closed.code for closed in rig.closed] == [4001]


def test_deleted_key_ends_its_price_socket() -> None:
    rig = VenueRig()
    follow_prices(rig, SPOT)
    rig.ask("DELETE", "/auth/api-key")
    rig.say(4, {"op": "unsubscribe", "rid": "2", "subscriptions": [SPOT]})
    assert rig.frames(4) == [{"op": "error", "code": "auth_expired", "rid": "2"}]
    assert [closed.code for closed in rig.closed] == [4001]


@pytest.mark.req("VEN-5")
def test_price_socket_bounds_subscriptions_and_operations() -> None:
    rig = VenueRig(assets=tuple(f"a{number}" for number in range(33)), ahead=1)
    items = [
        {"channel": channel, "filter": {"symbol": f"a{number}usd"}}
        for number in range(33)
        for channel in ("price.crypto", "price.crypto.twap")
    ]
    answers = [frame for frame in follow_prices(rig, *items) if frame.get("rid") == "1"]
    assert [frame["op"] for frame in answers] == ["subscribed"] * 64 + ["error"] * 2
    assert {frame.get("code") for frame in answers} == {None, "sub_limit"}
    again = {"op": "subscribe", "rid": "2", "subscriptions": items[:1]}
    for _ in range(20):
        rig.say(4, again)
    frames = [frame for frame in rig.frames(4) if "op" in frame]
    assert [frame["op"] for frame in frames] == ["subscribed"] * 19 + ["error"]
    assert frames[-1] == {"op": "error", "code": "rate_limited", "rid": "2"}
    rig.advance(1)
    rig.say(4, again)
    assert "subscribed" in {frame.get("op") for frame in rig.frames(4)}


def test_snapshot_of_the_average_names_its_window() -> None:
    frames = follow_prices(VenueRig(), TWAP)
    assert (frames[-1]["payload"]["window_seconds"], frames[-1]["snapshot"]) == (60, True)


def test_price_socket_pongs_and_unsubscribes() -> None:
    rig = VenueRig()
    follow_prices(rig, SPOT)
    rig.say(4, {"op": "ping", "rid": "p"})
    rig.say(4, {"op": "unsubscribe", "rid": "2", "subscriptions": [SPOT]})
    assert [frame["op"] for frame in rig.frames(4)] == ["pong", "unsubscribed"]
    rig.advance(5)
    assert rig.frames(4) == []


def test_prices_of_one_asset_may_be_silent() -> None:
    rig = VenueRig(assets=("btc", "eth"))
    follow_prices(rig, SPOT, {"channel": "price.crypto", "filter": {"symbol": "ethusd"}})
    rig.fault("silence", stream="price", asset="btc")
    rig.advance(5)
    assert {frame["payload"]["symbol"] for frame in rig.frames(4)} == {"ethusd"}


def test_faulty_sockets_are_closed_by_kind_at_their_opening() -> None:
    rig = VenueRig()
    rig.fault("refuse_stream", stream="price", count=1)
    rig.open(4, "price")
    rig.open(5, "market")
    assert [closed.connection for closed in rig.closed] == [4]
    rig.ask("POST", "/admin/drop", encode({"stream": "market"}))
    assert [closed.code for closed in rig.closed] == [1012, 0]


@pytest.mark.req("TST-1")
def test_dropped_prices_have_no_number_and_are_counted_by_the_next_frame() -> None:
    rig = VenueRig(price_ms=500)
    follow_prices(rig, SPOT)
    rig.advance(2)
    rig.fault("drop_prices", count=2)
    rig.advance(3)
    frames = rig.frames(4)
    assert [frame["seq"] for frame in frames] == list(range(2, 2 + len(frames)))
    assert [frame.get("dropped", 0) for frame in frames if frame.get("dropped")] == [2]


def test_credentials_may_be_impossible_to_check() -> None:
    rig = VenueRig()
    rig.fault("refuse_auth", text="auth_unavailable", count=1)
    rig.open(4, "price")
    for _ in range(2):
        rig.say(4, {"op": "auth", "rid": "a", "auth": rig.auth()})
    refused, authed = rig.frames(4)
    assert refused == {"op": "error", "code": "auth_unavailable", "rid": "a"}
    assert authed["op"] == "authed"


@pytest.mark.req("TST-1")
def test_frozen_price_is_told_with_new_stamps_until_the_fault_is_off() -> None:
    rig = VenueRig(price_ms=500)
    follow_prices(rig, SPOT, SECOND)
    rig.fault("freeze_price", stream="price", event="chainlink", duration_ms=4_000)
    rig.advance(4)
    rig.tick()
    frames = [frame["payload"] for frame in rig.frames(4)]
    frozen = [row for row in frames if row["source"] == "chainlink"]
    assert len({row["full_accuracy_value"] for row in frozen[:-2]}) == 1
    assert len({row["timestamp"] for row in frozen}) == len(frozen) > 3
    others = [row for row in frames if row["source"] == "pyth"]
    assert len({row["full_accuracy_value"] for row in others}) > 3
    rig.advance(3)
    later = [frame["payload"]["full_accuracy_value"] for frame in rig.frames(4)]
    assert len(set(later)) > 3


@pytest.mark.req("TST-1")
@pytest.mark.parametrize("by_ms", [6_000, -4_000])
def test_shifted_stamps_lie_by_as_much_as_was_asked(by_ms: int) -> None:
    rig = VenueRig(price_ms=500, oracle_latency_ms=1_000)
    follow_prices(rig, SPOT)
    rig.fault("shift_stamps", stream="price", delay_ms=by_ms)
    rig.advance(3)
    frames = rig.frames(4)
    assert frames
    for frame in frames:
        late_ms = frame["ts"] - frame["payload"]["timestamp"]
        assert 1_000 - by_ms <= late_ms < 1_100 - by_ms


@pytest.mark.req("TST-1")
def test_garbled_frames_are_no_json_and_come_as_often_as_was_asked() -> None:
    rig = VenueRig(price_ms=100)
    follow_prices(rig, SPOT)
    rig.fault("garble_frames", stream="price", probability=0.3)
    rig.pushed[4].clear()
    rig.advance(20)
    texts = rig.pushed[4]
    broken = [text for text in texts if not text.endswith("}")]
    assert 0.2 < len(broken) / len(texts) < 0.4
