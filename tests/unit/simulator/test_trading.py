from typing import Any

import pytest

from services.simulator.limits import CANCEL_BURST, ORDER_BURST
from shared.venue.wire import encode
from tests.builders.venue_rig import Client, VenueRig


def rig_with_offer(**spoil: Any) -> tuple[VenueRig, Client, str]:
    """Return a rig where somebody offers ten Up shares at 0.60, by bidding for Down at 0.40."""
    rig = VenueRig(**spoil)
    maker = Client(rig.settings.seed, 2)
    return rig, maker, rig.place(maker, outcome=1, price=4_000, size=10)


def test_crossing_orders_mint_a_pair_and_the_taker_gets_the_makers_price() -> None:
    rig, maker, _ = rig_with_offer()
    status, body = rig.post(rig.client.order(rig.market, price=6_500, size=10))
    assert status == 200
    assert (body["status"], body["makingAmount"], body["takingAmount"]) == ("matched", "6", "10")
    accounts = rig.core.exchange.accounts
    # 10 shares x 0.07 x 0.6 x 0.4 = 0.168 of fee for the taker alone.
    assert accounts.get(rig.client.address).collateral == 1_000_000_000 - 6_000_000 - 168_000
    assert accounts.get(maker.address).collateral == 1_000_000_000 - 4_000_000


def test_reply_to_a_resting_order_has_empty_amounts() -> None:
    rig = VenueRig()
    _, body = rig.post(rig.client.order(rig.market))
    assert body["success"] is True
    assert (body["makingAmount"], body["takingAmount"], body["tradeIDs"]) == ("", "", [])


def test_post_only_order_that_would_cross_is_rejected() -> None:
    rig, _, _ = rig_with_offer()
    status, body = rig.post(rig.client.order(rig.market, price=6_000, post_only=True))
    assert (status, body["error"]) == (400, "invalid post-only order: order crosses book")
    status, _ = rig.post(rig.client.order(rig.market, price=5_900, post_only=True))
    assert status == 200


def test_rest_of_a_crossing_order_rests_at_its_own_price() -> None:
    rig, _, _ = rig_with_offer()
    order_id = rig.place(price=6_500, size=25)
    _, row = rig.ask("GET", f"/data/order/{order_id}")
    assert (row["status"], row["size_matched"], row["price"]) == ("LIVE", "10", "0.65")
    assert rig.market.book.bids.total(6_500) == 15_000_000


@pytest.mark.parametrize(("size", "matched"), [(10, True), (10.01, False)])
def test_fok_order_is_filled_in_full_or_killed(size: float, matched: bool) -> None:
    rig, _, _ = rig_with_offer()
    order = rig.client.order(
        rig.market, price=6_000, order_type="FOK",
        maker_amount=round(size * 600_000) // 10_000 * 10_000 + (0 if matched else 10_000),
        taker_amount=round(size * 1_000_000),
    )  # fmt: skip
    status, body = rig.post(order)
    assert (status == 200) is matched
    assert matched or body["error"].startswith("order couldn't be fully filled")


def test_fak_order_takes_what_there_is_and_ends() -> None:
    rig, _, _ = rig_with_offer()
    status, body = rig.post(rig.client.order(rig.market, price=6_000, size=20, order_type="FAK"))
    assert (status, body["status"], body["takingAmount"]) == (200, "matched", "10")
    assert rig.open_ids() == []
    status, body = rig.post(rig.client.order(rig.market, price=6_000, size=20, order_type="FAK"))
    assert (status, body["error"][:24]) == (400, "no orders found to match")


def test_order_beyond_the_balance_is_rejected_with_the_balance() -> None:
    rig = VenueRig(collateral_usd=10)
    rig.place(price=5_000, size=10)
    status, body = rig.post(rig.client.order(rig.market, price=5_000, size=10.02))
    assert status == 400
    assert "the balance is not enough -> balance: 10000000" in body["error"]
    rig.place(price=5_000, size=10)


def test_shares_may_be_sold_once_they_are_mined_and_not_before() -> None:
    rig, _, _ = rig_with_offer(mined_ms=2_000)
    rig.place(price=6_000, size=10)
    sell: dict[str, Any] = {"side": "SELL", "price": 7_000, "size": 10}
    status, body = rig.post(rig.client.order(rig.market, **sell))
    assert (status, body["error"][:10]) == (400, "not enough")
    rig.advance(2)
    rig.place(**sell)
    status, _ = rig.post(rig.client.order(rig.market, **sell))
    assert status == 400, "an open sell reserves the shares"


# --- the taker delay ------------------------------------------------------------------


def test_marketable_order_is_held_and_answered_later() -> None:
    rig, _, _ = rig_with_offer(taker_delay_ms=150)
    number = rig.send("POST", "/order", encode(rig.client.order(rig.market, price=6_000, size=10)))
    rig.advance(0.149)
    assert number not in rig.answers
    rig.advance(0.001)
    assert b'"status":"matched"' in rig.answers[number].body


def test_held_order_can_not_be_canceled() -> None:
    rig, _, _ = rig_with_offer(taker_delay_ms=150)
    post = rig.client.order(rig.market, price=6_000, size=10)
    rig.send("POST", "/order", encode(post))
    order_id = rig.client.order_id(rig.market, post)
    _, body = rig.ask("DELETE", "/order", encode({"orderID": order_id}))
    assert body["canceled"] == []
    assert "pending" in body["not_canceled"][order_id]
    assert rig.ask("DELETE", "/cancel-all")[1] == {"canceled": [], "not_canceled": {}}


def test_maker_may_cancel_during_the_hold_and_the_order_then_rests() -> None:
    rig, maker, maker_order = rig_with_offer(taker_delay_ms=150)
    number = rig.send("POST", "/order", encode(rig.client.order(rig.market, price=6_000, size=10)))
    rig.ask("DELETE", "/order", encode({"orderID": maker_order}), client=maker)
    rig.advance(0.2)
    assert b'"status":"live"' in rig.answers[number].body


def test_held_order_of_a_market_that_closes_is_refused() -> None:
    rig, _, _ = rig_with_offer(taker_delay_ms=150)
    rig.advance(rig.market.end_ms / 1000 - rig.now.wall_ns / 1e9 - 0.1)
    number = rig.send("POST", "/order", encode(rig.client.order(rig.market, price=6_000, size=10)))
    rig.advance(0.2)
    assert rig.answers[number].status == 404
    assert rig.core.exchange.accounts.get(rig.client.address).reserved_collateral == 0


# --- batches --------------------------------------------------------------------------


def test_each_entry_of_a_batch_is_judged_alone() -> None:
    rig, _, _ = rig_with_offer()
    posts = [
        rig.client.order(rig.market, price=100),
        rig.client.order(rig.market, price=150),
        rig.client.order(rig.market, price=6_000, post_only=True),
    ]
    status, replies = rig.ask("POST", "/orders", encode(posts))
    assert status == 200
    assert [reply["success"] for reply in replies] == [True, False, False]
    assert [bool(reply["errorMsg"]) for reply in replies] == [False, True, True]
    assert len(rig.open_ids()) == 1


def test_batch_with_a_held_entry_is_answered_as_a_whole_later() -> None:
    rig, _, _ = rig_with_offer(taker_delay_ms=150)
    posts = [rig.client.order(rig.market), rig.client.order(rig.market, price=6_000, size=10)]
    number = rig.send("POST", "/orders", encode(posts))
    assert number not in rig.answers
    rig.advance(0.15)
    body = rig.answers[number].body
    assert b'"live"' in body
    assert b'"matched"' in body


def test_batch_of_more_than_fifteen_is_refused_whole() -> None:
    rig = VenueRig()
    posts = [rig.client.order(rig.market) for _ in range(16)]
    status, body = rig.ask("POST", "/orders", encode(posts))
    assert (status, body["error"]) == (400, "Too many orders in payload: 16, max allowed: 15")
    assert rig.open_ids() == []


# --- cancels --------------------------------------------------------------------------


def test_cancels_name_what_is_gone_and_why_the_rest_is_not() -> None:
    rig, maker, maker_order = rig_with_offer()
    mine = rig.place()
    unknown = "0x" + "9" * 64
    _, body = rig.ask("DELETE", "/orders", encode([mine, mine, maker_order, unknown]))
    assert body["canceled"] == [mine]
    gone = "Order not found or already canceled"
    assert body["not_canceled"] == {maker_order: gone, unknown: gone}
    assert rig.open_ids(maker) == [maker_order]
    _, body = rig.ask("DELETE", "/order", encode({"orderID": mine}))
    assert body["not_canceled"] == {mine: gone}


def test_matched_order_can_not_be_canceled() -> None:
    rig, _, _ = rig_with_offer()
    order_id = rig.place(price=6_000, size=10)
    _, body = rig.ask("DELETE", "/order", encode({"orderID": order_id}))
    assert body["not_canceled"] == {order_id: "order already matched"}


def test_cancel_all_takes_the_orders_of_one_key_only() -> None:
    rig, maker, maker_order = rig_with_offer()
    mine = [rig.place(), rig.place(price=200)]
    _, body = rig.ask("DELETE", "/cancel-all")
    assert body["canceled"] == mine
    assert rig.open_ids(maker) == [maker_order]


def test_market_cancel_takes_one_token_or_both() -> None:
    rig = VenueRig()
    up, down = rig.place(outcome=0), rig.place(outcome=1)
    market = rig.market
    body = encode({"market": market.condition_id, "asset_id": market.tokens[1]})
    assert rig.ask("DELETE", "/cancel-market-orders", body)[1]["canceled"] == [down]
    body = encode({"market": market.condition_id})
    assert rig.ask("DELETE", "/cancel-market-orders", body)[1]["canceled"] == [up]


def test_canceled_order_gives_its_reservation_back() -> None:
    rig = VenueRig()
    rig.place(price=5_000, size=100)
    account = rig.core.exchange.accounts.get(rig.client.address)
    assert account.reserved_collateral == 50_000_000
    rig.ask("DELETE", "/cancel-all")
    assert account.reserved_collateral == 0


# --- rates ----------------------------------------------------------------------------


def test_orders_beyond_the_burst_are_limited_until_tokens_are_back() -> None:
    rig = VenueRig()
    for _ in range(ORDER_BURST):
        rig.place(price=100, size=5)
    number = rig.send("POST", "/order", encode(rig.client.order(rig.market)))
    assert rig.answers[number].status == 429
    assert rig.answers[number].headers["Retry-After"] == "1"
    rig.advance(0.025)
    rig.place(price=100, size=5)


def test_cancel_all_is_charged_for_what_it_cancels() -> None:
    rig = VenueRig()
    for _ in range(ORDER_BURST):
        rig.place(price=100, size=5)
    assert rig.ask("DELETE", "/cancel-all")[0] == 200
    left = CANCEL_BURST - ORDER_BURST - 1
    ids = encode([f"0x{number:064x}" for number in range(left + 1)])
    assert rig.ask("DELETE", "/orders", ids)[0] == 429
    assert rig.ask("DELETE", "/orders", encode([f"0x{n:064x}" for n in range(left)]))[0] == 200


def test_rates_are_not_limited_when_settings_say_so() -> None:
    rig = VenueRig(rate_limits=False)
    for _ in range(ORDER_BURST + 5):
        rig.place(price=100, size=5)
    assert len(rig.open_ids()) == ORDER_BURST + 5
