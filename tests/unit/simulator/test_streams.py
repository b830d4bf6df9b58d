import pytest

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
