"""py-clob-client-v2 1.2.1 places, takes, cancels and beats; the venue answers as it is known to."""

from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pytest
from py_clob_client_v2.clob_types import (
    MarketOrderArgs,
    OpenOrderParams,
    OrderMarketCancelParams,
    OrderPayload,
    PostOrdersV2Args,
    TradeParams,
)
from py_clob_client_v2.exceptions import PolyApiException

from tests.builders.clob_server import (
    Server,
    Trader,
    eventually,
    refusal,
    serving,
)

FOK_TEXT = "order couldn't be fully filled. FOK orders are fully filled or killed."
FAK_TEXT = (
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no "
    "match is found."
)


@pytest.fixture
def empty(server: Server) -> Server:
    """Return the server with no client's order open."""
    _, state = server.ask("GET", "/admin/state")
    for rows in state["open"].values():
        for row in rows:
            assert row["account"] in _traders, "only the traders of this file rest here"
            _traders[row["account"]].client.cancel_all()
    return server


_traders: dict[str, Trader] = {}


def new_trader(server: Server, kind: int = 0) -> Trader:
    trader = server.trader(kind)
    _traders[trader.wallet] = trader
    return trader


def fee_of(size: str, price: str) -> Decimal:
    exact = Decimal(size) * Decimal("0.07") * Decimal(price) * (1 - Decimal(price))
    return exact.quantize(Decimal("0.00001"), ROUND_FLOOR)


# --- placing ------------------------------------------------------------------------------


@pytest.mark.req("TST-5")
def test_good_till_cancelled_order_is_read_back(empty: Server) -> None:
    trader, market = new_trader(empty), empty.market()
    order_id = trader.rest(market, "BUY", 0.3, 5.5, outcome=1)
    row = trader.client.get_order(order_id)
    assert (row["status"], row["order_type"], row["expiration"]) == ("LIVE", "GTC", "0")
    assert (row["price"], row["original_size"], row["size_matched"]) == ("0.3", "5.5", "0")
    assert (row["asset_id"], row["outcome"]) == (market.tokens[1], "Down")
    assert row["associate_trades"] == []
    assert row["owner"] == trader.api_key


def test_good_till_date_order_needs_three_minutes(empty: Server) -> None:
    trader, market = new_trader(empty), empty.market()
    now_s = int(trader.client.get_server_time())
    late = trader.rest(market, "BUY", 0.3, 5, order_type="GTD", expiration=now_s + 600)
    assert trader.client.get_order(late)["expiration"] == str(now_s + 600)
    soon = {"order_type": "GTD", "expiration": now_s + 100}
    assert refusal(trader.post, market, "BUY", 0.3, 6, **soon) == (400, "invalid expiration")


@pytest.mark.req("TST-5")
@pytest.mark.parametrize("protocol", ["v1", "neg_risk", "v2"])
def test_fill_or_kill_takes_and_learns_its_transactions(empty: Server, protocol: str) -> None:
    maker, taker = new_trader(empty), new_trader(empty)
    market = empty.market(protocol)
    resting = maker.rest(market, "BUY", 0.4, 30, outcome=1)
    reply = taker.take(market, "BUY", 6, 0.6)
    assert (reply["status"], reply["makingAmount"], reply["takingAmount"]) == ("matched", "6", "10")
    (hashed,) = reply["transactionsHashes"]
    (trade,) = taker.client.get_trades(TradeParams(id=reply["tradeIDs"][0]))
    assert trade["transaction_hash"] == hashed
    assert (trade["trader_side"], trade["side"], trade["size"]) == ("TAKER", "BUY", "10")
    (part,) = trade["maker_orders"]
    assert (part["order_id"], part["matched_amount"], part["side"]) == (resting, "10", "BUY")
    (seen,) = maker.client.get_trades(TradeParams(market=market.condition))
    assert (seen["id"], seen["trader_side"]) == (trade["id"], "MAKER")
    assert maker.client.get_order(resting)["size_matched"] == "10"
    spent = 6 + fee_of("10", "0.6")
    balance = Decimal(taker.client.get_balance_allowance()["balance"]) / 1_000_000
    assert balance == 1000 - spent


def test_fill_or_kill_is_killed_and_fill_and_kill_takes_what_is_there(empty: Server) -> None:
    maker, taker = new_trader(empty), new_trader(empty)
    market = empty.market()
    assert refusal(taker.take, market, "BUY", 6, 0.6) == (400, FOK_TEXT)
    assert refusal(taker.take, market, "BUY", 6, 0.6, 0, "FAK") == (400, FAK_TEXT)
    maker.rest(market, "BUY", 0.4, 5, outcome=1)
    assert refusal(taker.take, market, "BUY", 6, 0.6) == (400, FOK_TEXT)
    reply = taker.take(market, "BUY", 6, 0.6, 0, "FAK")
    assert (reply["status"], reply["takingAmount"]) == ("matched", "5")
    maker.rest(market, "BUY", 0.3, 5)
    sold = taker.take(market, "SELL", 5, 0.3, 0, "FAK")
    assert (sold["makingAmount"], sold["takingAmount"]) == ("5", "1.5")


def test_post_only_order_must_not_cross(empty: Server) -> None:
    maker, other = new_trader(empty), new_trader(empty)
    market = empty.market()
    maker.rest(market, "BUY", 0.4, 10, outcome=1)
    crossing = refusal(other.post, market, "BUY", 0.6, 10, post_only=True)
    assert crossing == (400, "invalid post-only order: order crosses book")
    other.rest(market, "BUY", 0.59, 10, post_only=True)


@pytest.mark.parametrize(
    ("price", "size", "text"),
    [(0.3, 4.99, "Size (4.99) lower than the minimum: 5"),
     (0.3, 50_000, "not enough balance / allowance: the balance is not enough -> "
                   "balance: 1000000000, order amount: 15000000000")],
)  # fmt: skip
def test_order_is_refused_with_the_venues_text(
    empty: Server, price: float, size: float, text: str
) -> None:
    trader = new_trader(empty)
    status, found = refusal(trader.post, empty.market(), "BUY", price, size)
    assert status == 400
    assert text in found


def test_finer_price_than_the_tick_is_refused(empty: Server) -> None:
    trader, market = new_trader(empty), empty.market()
    tick = trader.client.get_tick_size(market.tokens[0])
    assert tick == "0.01"
    trader.client._ClobClient__tick_sizes[market.tokens[0]] = "0.001"
    status, text = refusal(trader.post, market, "BUY", 0.305, 10)
    assert status == 400
    assert "Price (0.305) breaks minimum tick size rule: 0.01" in text


def test_marketable_buy_needs_a_dollar(empty: Server) -> None:
    maker, taker = new_trader(empty), new_trader(empty)
    market = empty.market()
    maker.rest(market, "BUY", 0.9, 100, outcome=1)
    status, text = refusal(taker.take, market, "BUY", 0.9, 0.1)
    assert status == 400
    assert text.startswith("invalid amount for a marketable BUY order ($0.9")
    assert taker.take(market, "BUY", 1, 0.1)["status"] == "matched"


def test_market_order_finer_than_the_flat_cap_is_refused(empty: Server) -> None:
    maker, taker = new_trader(empty), new_trader(empty)
    market = empty.market()
    maker.rest(market, "BUY", 0.97, 200, outcome=1)
    taker.client.get_clob_market_info(market.condition)
    taker.client._ClobClient__tick_sizes[market.tokens[0]] = "0.001"
    status, text = refusal(taker.take, market, "BUY", 5, 0.03)
    assert status == 400
    assert text == (
        "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 "
        "decimals, taker amount a max of 4 decimals"
    )


def test_same_order_is_taken_once(empty: Server) -> None:
    trader, market = new_trader(empty), empty.market()
    order = trader.sign(market, "BUY", 0.3, 10)
    order_id = trader.client.post_order(order)["orderID"]
    again = refusal(trader.client.post_order, order)
    assert again == (400, f"order {order_id} is invalid. Duplicated.")


def test_orders_owner_and_signer_are_the_keys(empty: Server) -> None:
    one, two = new_trader(empty), new_trader(empty)
    order = one.sign(empty.market(), "BUY", 0.3, 10)
    text = "the order signer address has to be the address of the API KEY"
    assert refusal(two.client.post_order, order) == (400, text)
    one.client.creds.api_key, own = two.api_key, one.api_key
    assert refusal(one.client.post_order, order)[0] == 401
    one.client.creds.api_key = own


def test_unknown_token_has_no_book(empty: Server) -> None:
    trader, market = new_trader(empty), empty.market()
    trader.client.get_neg_risk(market.tokens[0])
    order = trader.sign(market, "BUY", 0.3, 10)
    order.tokenId = "12345"
    text = "No orderbook exists for the requested token id"
    assert refusal(trader.client.post_order, order) == (404, text)


@pytest.mark.parametrize("price", [0.6, 0.07])
def test_whole_balance_can_be_spent_fees_included(empty: Server, price: float) -> None:
    maker, taker = new_trader(empty), new_trader(empty)
    market = empty.market()
    empty.admin("deposit", account=maker.wallet, amount="100000")
    maker.rest(market, "BUY", round(1 - price, 2), 20_000, outcome=1)
    args = MarketOrderArgs(
        token_id=market.tokens[0], amount=1000, side="BUY", price=price, user_usdc_balance=1000
    )
    reply = taker.client.post_order(taker.client.create_market_order(args), "FOK")
    assert reply["status"] == "matched"
    left = Decimal(taker.client.get_balance_allowance()["balance"]) / 1_000_000
    assert left == 1000 - Decimal(reply["makingAmount"]) - fee_of(reply["takingAmount"], str(price))
    assert 0 <= left < Decimal("0.05") * 1000
    short = refusal(taker.take, market, "BUY", float(left) // 0.01 / 100 + 1, price)
    assert "the balance is not enough" in short[1]


def test_a_thousand_cancels_are_the_most(empty: Server) -> None:
    text = "Too many orders in payload, max allowed: 1000"
    assert refusal(new_trader(empty).client.cancel_orders, ["0x12"] * 1_001) == (400, text)


def test_servers_clock_can_be_asked_for(empty: Server) -> None:
    client = new_trader(empty).client
    client.use_server_time = True
    assert client.get_open_orders() == []
    assert client.derive_api_key() == client.creds


# --- batches --------------------------------------------------------------------------------


def batch(orders: list[Any]) -> list[PostOrdersV2Args]:
    return [PostOrdersV2Args(order=order, orderType="GTC") for order in orders]


@pytest.mark.req("TST-5")
def test_bad_orders_of_a_batch_fail_alone(empty: Server) -> None:
    trader, market = new_trader(empty), empty.market()
    orders = [trader.sign(market, "BUY", 0.2, 5 + number) for number in range(15)]
    orders[3].signature = "0x" + "11" * 65
    orders[7].makerAmount = "1"
    orders[9] = orders[8]
    replies = trader.client.post_orders(batch(orders))
    assert [number for number, reply in enumerate(replies) if not reply["success"]] == [3, 7, 9]
    assert replies[3]["errorMsg"] == "invalid signature"
    assert "Duplicated" in replies[9]["errorMsg"]
    assert len(trader.client.get_open_orders()) == 12


def test_sixteen_orders_are_too_many(empty: Server) -> None:
    trader = new_trader(empty)
    order = trader.sign(empty.market(), "BUY", 0.2, 5)
    text = "Too many orders in payload: 16, max allowed: 15"
    assert refusal(trader.client.post_orders, batch([order] * 16)) == (400, text)


# --- cancelling and paging --------------------------------------------------------------------


@pytest.mark.req("TST-5")
def test_every_cancel_ends_what_it_names(empty: Server) -> None:
    trader = new_trader(empty)
    first, second = empty.market("v1"), empty.market("v2")
    ids = [
        trader.rest(market, "BUY", 0.1, 10, outcome=outcome)
        for market in (first, second)
        for outcome in (0, 1)
    ]
    extra = [trader.rest(first, "BUY", price, 10) for price in (0.11, 0.12)]
    assert trader.client.cancel_orders([extra[0], "0xabc"]) == {
        "canceled": [extra[0]],
        "not_canceled": {"0xabc": "Order not found or already canceled"},
    }
    one = trader.client.cancel_order(OrderPayload(orderID=extra[1]))
    assert one["canceled"] == [extra[1]]
    by_token = OrderMarketCancelParams(asset_id=first.tokens[1])
    assert trader.client.cancel_market_orders(by_token)["canceled"] == [ids[1]]
    by_market = OrderMarketCancelParams(market=second.condition)
    assert trader.client.cancel_market_orders(by_market)["canceled"] == ids[2:]
    assert trader.client.cancel_all() == {"canceled": [ids[0]], "not_canceled": {}}
    assert trader.client.get_open_orders() == []


def test_orders_and_trades_come_in_pages(empty: Server) -> None:
    trader, market = new_trader(empty), empty.market()
    ids: list[str] = []
    for start in range(0, 105, 15):
        orders = [trader.sign(market, "BUY", 0.02, 5 + number / 100) for number in range(15)]
        ids += [reply["orderID"] for reply in trader.client.post_orders(batch(orders))]
        assert len(ids) == start + 15
    assert [row["id"] for row in trader.client.get_open_orders()] == ids
    first = trader.client.get_open_orders(only_first_page=True)
    assert [row["id"] for row in first] == ids[:100]
    rest = trader.client.get_open_orders(next_cursor="MTAw")
    assert [row["id"] for row in rest] == ids[100:]
    wanted = OpenOrderParams(id=ids[104])
    assert [row["id"] for row in trader.client.get_open_orders(wanted)] == [ids[104]]
    page = trader.client.get_trades_paginated()
    assert page == {"trades": [], "next_cursor": "LTE=", "limit": 100, "count": 0}
    assert refusal(trader.client.get_open_orders, next_cursor="x") == (400, "invalid next_cursor")


# --- heartbeats -------------------------------------------------------------------------------


@pytest.mark.req("TST-5")
def test_orders_end_when_the_heartbeats_do(tmp_path: Path) -> None:
    with serving(tmp_path, heartbeat_silence_ms=500, heartbeat_sweep_ms=100) as server:
        trader, market = server.trader(), server.market()
        order_id = trader.rest(market, "BUY", 0.3, 10)
        first = trader.client.post_heartbeat()["heartbeat_id"]
        second = trader.client.post_heartbeat(first)["heartbeat_id"]
        assert second != first
        with pytest.raises(PolyApiException, match="Invalid Heartbeat ID") as caught:
            trader.client.post_heartbeat("wrong")
        assert caught.value.error_msg["heartbeat_id"] == second
        headers = trader.client._l2_headers("POST", "/heartbeats")
        assert server.ask("POST", "/heartbeats", None, headers) == (200, {"status": "ok"})
        eventually(lambda: trader.client.get_open_orders() == [])
        assert trader.client.get_order(order_id)["status"] == "CANCELED"
        assert trader.client.post_heartbeat()["heartbeat_id"]


# --- failures of the wire -----------------------------------------------------------------------


@pytest.mark.req("TST-5")
@pytest.mark.req("TST-1")
def test_repeated_post_whose_first_answer_was_lost_is_a_duplicate(empty: Server) -> None:
    trader, market = new_trader(empty), empty.market()
    trader.client.retry_on_error = True
    order = trader.sign(market, "BUY", 0.3, 10)
    empty.admin("faults", kind="reset_reply", method="POST", path="/order", count=1)
    status, text = refusal(trader.client.post_order, order)
    (row,) = trader.client.get_open_orders()
    assert (status, text) == (400, f"order {row['id']} is invalid. Duplicated.")


def test_repeated_post_whose_first_was_lost_is_taken(empty: Server) -> None:
    trader, market = new_trader(empty), empty.market()
    trader.client.retry_on_error = True
    empty.admin("faults", kind="reset_request", method="POST", path="/order", count=1)
    order_id = trader.rest(market, "BUY", 0.3, 10)
    assert [row["id"] for row in trader.client.get_open_orders()] == [order_id]


def test_failed_trade_gives_no_hash_and_the_money_back(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        maker, taker, market = server.trader(3), server.trader(3), server.market("v2")
        maker.rest(market, "BUY", 0.4, 10, outcome=1)
        server.admin("faults", kind="fail_settlement", count=1)
        reply = taker.take(market, "BUY", 6, 0.6)
        assert (reply["status"], reply["transactionsHashes"]) == ("matched", [])
        (trade,) = taker.client.get_trades()
        assert trade["status"] == "FAILED"
        assert taker.client.get_balance_allowance()["balance"] == "1000000000"
        assert [row["type"] for row in taker.client.get_notifications()] == [8]


# --- authentication ---------------------------------------------------------------------------


@pytest.mark.req("TST-5")
def test_bad_secrets_and_old_timestamps_are_refused(empty: Server) -> None:
    trader = new_trader(empty)
    unauthorized = (401, "Unauthorized/Invalid api key")
    own = trader.client.creds.api_secret
    trader.client.creds.api_secret = new_trader(empty).client.creds.api_secret
    assert refusal(trader.client.get_open_orders) == unauthorized
    trader.client.creds.api_secret = own
    passphrase = trader.client.creds.api_passphrase
    trader.client.creds.api_passphrase = "0" * 64
    assert refusal(trader.client.cancel_all) == unauthorized
    trader.client.creds.api_passphrase = passphrase
    old = trader.client
    then_s = int(old.get_server_time()) - 3_600
    old._get_timestamp = lambda: then_s
    assert refusal(old.get_open_orders) == unauthorized
    assert refusal(old.create_api_key, 5) == (401, "Invalid L1 Request headers")
