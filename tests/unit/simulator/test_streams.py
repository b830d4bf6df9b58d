from typing import Any

import pytest

from shared.venue.wire import encode
from tests.builders.venue_rig import Client, VenueRig


def test_subscription_is_answered_by_one_array_of_books() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    (books,) = rig.frames(1)
    assert [book["asset_id"] for book in books] == list(rig.market.tokens)
    assert all(book["event_type"] == "book" for book in books)
    assert books[0]["tick_size"] == "0.01"
    assert books[0]["last_trade_price"] == ""


def test_dump_may_be_left_out() -> None:
    rig = VenueRig()
    rig.open(1, "market")
    rig.say(1, {"type": "market", "assets_ids": rig.market.tokens, "initial_dump": False})
    assert rig.frames(1) == []
    rig.place()
    assert len(rig.frames(1)) == 1


def test_unknown_token_and_garbage_are_met_with_silence() -> None:
    rig = VenueRig()
    rig.open(1, "market")
    rig.say(1, {"type": "market", "assets_ids": ["1", "2"]})
    rig.say(1, "garbage")
    rig.say(1, {"operation": "nonsense", "assets_ids": []})
    assert rig.frames(1) == []


def test_later_subscription_adds_and_a_repeated_one_does_nothing() -> None:
    rig = VenueRig()
    up, down = rig.market.tokens
    rig.open(1, "market")
    rig.say(1, {"type": "market", "assets_ids": [up]})
    rig.say(1, {"operation": "subscribe", "assets_ids": [up, down]})
    first, second = rig.frames(1)
    assert [book["asset_id"] for book in first] == [up]
    assert [book["asset_id"] for book in second] == [down]


def test_unsubscribed_token_is_not_told_of() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    rig.say(1, {"operation": "unsubscribe", "assets_ids": rig.market.tokens})
    rig.frames(1)
    rig.place()
    assert rig.frames(1) == []


def test_closed_socket_is_forgotten() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    rig.follow_user(2)
    rig.leave(1)
    rig.leave(2)
    rig.pushed = {1: [], 2: []}
    rig.place()
    assert rig.pushed == {1: [], 2: []}


def test_resolution_is_told_to_those_who_asked_for_custom_features() -> None:
    rig = VenueRig(interval_s=60)
    rig.follow_market(1)
    rig.open(3, "market")
    frame = {"type": "market", "assets_ids": rig.market.tokens, "custom_feature_enabled": True}
    rig.say(3, frame)
    rig.frames(1)
    rig.frames(3)
    market = rig.market
    rig.advance(70)
    assert market.winner is not None
    assert [frame["event_type"] for frame in rig.frames(1)] == []
    news = [frame for frame in rig.frames(3) if frame["event_type"] == "market_resolved"]
    (resolved,) = news
    assert resolved["winning_asset_id"] == market.tokens[market.winner]
    assert resolved["assets_ids"] == list(market.tokens)


def test_new_market_is_told_to_everybody_with_custom_features() -> None:
    rig = VenueRig(interval_s=60)
    rig.follow_market(1)
    rig.open(3, "market")
    rig.say(3, {"type": "market", "assets_ids": [], "custom_feature_enabled": True})
    rig.frames(1)
    rig.advance(61)
    assert [frame["event_type"] for frame in rig.frames(1)] == []
    (listed,) = rig.frames(3)
    market = rig.core.exchange.calendar.by_condition[listed["market"]]
    assert market.state == "LISTED"
    assert listed["event_type"] == "new_market"
    assert listed["assets_ids"] == listed["clob_token_ids"] == list(market.tokens)
    assert listed["event_message"]["slug"] == market.slug
    assert (listed["order_price_min_tick_size"], listed["fee_schedule"]["exponent"]) == (
        "0.01",
        "1",
    )


def follow_touch(rig: VenueRig, connection: int) -> None:
    rig.open(connection, "market")
    frame = {"type": "market", "assets_ids": rig.market.tokens, "custom_feature_enabled": True}
    rig.say(connection, frame)
    rig.frames(connection)


def touches(rig: VenueRig, connection: int) -> list[tuple[str, str, str]]:
    return [
        (frame["best_bid"], frame["best_ask"], frame["spread"])
        for frame in rig.frames(connection)
        if frame["event_type"] == "best_bid_ask"
    ]


def test_new_touch_is_told_of_both_tokens_with_custom_features() -> None:
    rig = VenueRig()
    follow_touch(rig, 3)
    rig.follow_market(1)
    rig.frames(1)
    rig.place(price=4_500)
    assert touches(rig, 3) == [("0.45", "", ""), ("", "0.55", "")]
    rig.place(outcome=1, price=5_000)
    assert touches(rig, 3) == [("0.45", "0.5", "0.05"), ("0.5", "0.55", "0.05")]
    rig.place(price=4_400)
    assert touches(rig, 3) == []
    assert touches(rig, 1) == []


def test_repeated_subscription_is_rejected_but_its_flag_is_taken() -> None:
    rig = VenueRig()
    rig.follow_market(1)
    rig.frames(1)
    again = {"operation": "subscribe", "assets_ids": rig.market.tokens}
    rig.say(1, again | {"custom_feature_enabled": True})
    assert rig.frames(1) == []
    rig.place(price=4_500)
    assert len(touches(rig, 1)) == 2
    rig.say(1, again | {"custom_feature_enabled": False})
    rig.place(price=4_600)
    assert touches(rig, 1) == []


def test_beyond_five_hundred_tokens_the_first_books_are_missing() -> None:
    assets = tuple(f"a{number}" for number in range(84))
    rig = VenueRig(assets=assets)
    markets = list(rig.core.exchange.calendar)
    tokens = [token for market in markets for token in market.tokens]
    assert len(tokens) > 502
    rig.open(1, "market")
    rig.say(1, {"type": "market", "assets_ids": tokens})
    (dump,) = rig.frames(1)
    assert [book["asset_id"] for book in dump] == tokens[:500]
    status, _ = rig.post(rig.client.order(markets[251]))
    assert status == 200
    assert [frame["event_type"] for frame in rig.frames(1)] == ["price_change"]


@pytest.mark.parametrize("spoiled", ["apiKey", "secret", "passphrase"])
def test_wrong_credentials_close_the_user_socket(spoiled: str) -> None:
    rig = VenueRig()
    rig.open(2, "user")
    rig.say(2, {"type": "user", "auth": rig.auth() | {spoiled: "wrong"}})
    assert [closed.connection for closed in rig.closed] == [2]
    rig.place()
    assert rig.frames(2) == []


def test_user_stream_tells_the_life_of_an_order() -> None:
    rig = VenueRig(mined_ms=1_000, confirmed_ms=1_000)
    other = Client(rig.settings.seed, 2)
    rig.follow_user(2)
    order_id = rig.place(price=6_000, size=10)
    rig.place(other, outcome=1, price=4_000, size=6)
    rig.ask("DELETE", "/cancel-all")
    placed, updated, matched, canceled = rig.frames(2)
    assert [placed["type"], updated["type"], canceled["type"]] == [
        "PLACEMENT",
        "UPDATE",
        "CANCELLATION",
    ]
    assert {placed["id"], updated["id"], canceled["id"]} == {order_id}
    assert placed["associate_trades"] is None
    assert (updated["size_matched"], updated["status"]) == ("6", "LIVE")
    assert updated["associate_trades"] == [matched["id"]]
    assert canceled["status"] == "CANCELED"
    assert len(placed["created_at"]) == 10
    rig.advance(2)
    mined, confirmed = rig.frames(2)
    assert [matched["status"], mined["status"], confirmed["status"]] == [
        "MATCHED",
        "MINED",
        "CONFIRMED",
    ]
    assert matched["transaction_hash"] == ""
    assert mined["transaction_hash"].startswith("0x")
    assert {matched["id"], mined["id"], confirmed["id"]} == {matched["id"]}


def test_makers_part_stands_among_the_maker_orders_in_its_own_token() -> None:
    rig = VenueRig()
    taker = Client(rig.settings.seed, 2)
    rig.follow_user(2)
    order_id = rig.place(price=6_000, size=10)
    rig.place(taker, outcome=1, price=4_500, size=10)
    trade = next(frame for frame in rig.frames(2) if frame["event_type"] == "trade")
    assert trade["trader_side"] == "MAKER"
    assert (trade["asset_id"], trade["price"]) == (rig.market.tokens[1], "0.4")
    (part,) = trade["maker_orders"]
    assert part["order_id"] == order_id
    assert (part["asset_id"], part["price"], part["side"], part["matched_amount"]) == (
        rig.market.tokens[0],
        "0.6",
        "BUY",
        "10",
    )


def test_taker_over_several_levels_is_told_a_trade_a_price() -> None:
    rig = VenueRig()
    maker = Client(rig.settings.seed, 2)
    for price in (4_000, 3_900):
        rig.place(maker, outcome=1, price=price, size=10)
    rig.follow_user(2)
    rig.place(price=6_100, size=20)
    trades = [frame for frame in rig.frames(2) if frame["event_type"] == "trade"]
    assert [(trade["price"], trade["bucket_index"]) for trade in trades] == [
        ("0.6", 0),
        ("0.61", 1),
    ]
    assert {trade["trader_side"] for trade in trades} == {"TAKER"}


def test_user_socket_hears_the_markets_it_wants() -> None:
    rig = VenueRig(assets=("btc", "eth"))
    btc, eth = [market for market in rig.core.exchange.calendar if market.state == "OPEN"]
    rig.open(2, "user")
    rig.say(2, {"type": "user", "auth": rig.auth(), "markets": [eth.condition_id]})
    for market in (btc, eth):
        rig.post(rig.client.order(market))
    assert [frame["market"] for frame in rig.frames(2)] == [eth.condition_id]
    rig.say(2, {"operation": "subscribe", "markets": [btc.condition_id]})
    rig.say(2, {"operation": "unsubscribe", "markets": [eth.condition_id]})
    for market in (btc, eth):
        rig.post(rig.client.order(market))
    assert [frame["market"] for frame in rig.frames(2)] == [btc.condition_id]


def test_orders_of_others_are_not_told() -> None:
    rig = VenueRig()
    rig.follow_user(2)
    rig.place(Client(rig.settings.seed, 2))
    assert rig.frames(2) == []


# --- the price socket -----------------------------------------------------------------


def follow_prices(rig: VenueRig, *items: dict[str, Any]) -> list[Any]:
    rig.open(4, "price")
    rig.say(4, {"op": "auth", "rid": "a", "auth": rig.auth()})
    rig.say(4, {"op": "subscribe", "rid": "1", "subscriptions": list(items)})
    return rig.frames(4)


SPOT = {"channel": "price.crypto", "filter": {"symbol": "btcusd"}}
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
