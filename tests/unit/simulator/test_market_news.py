"""What only those with custom features hear, and what a long subscription does not bring."""

from tests.builders.venue_rig import VenueRig


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
