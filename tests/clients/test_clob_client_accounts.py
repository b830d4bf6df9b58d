"""py-clob-client-v2 1.2.1 asks about keys, money, notifications and rewards."""

from pathlib import Path
from typing import Any

import pytest
from py_clob_client_v2.clob_types import (
    BalanceAllowanceParams,
    BuilderTradeParams,
    DropNotificationParams,
    OrderPayload,
    OrderScoringParams,
    OrdersScoringParams,
)

from services.simulator import rewards, scoring
from shared.units import NS_PER_S
from shared.venue.order_hash import EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3
from tests.builders.clob_server import Server, Trader, eventually, refusal, serving

UNAUTHORIZED = (401, "Unauthorized/Invalid api key")


def balance_of(trader: Trader, asset: str = "COLLATERAL", token: str | None = None) -> Any:
    params = BalanceAllowanceParams(asset_type=asset, token_id=token)
    return trader.client.get_balance_allowance(params)


# --- keys ------------------------------------------------------------------------------------


@pytest.mark.req("TST-5")
def test_keys_are_made_derived_listed_and_ended(server: Server) -> None:
    trader = server.trader()
    client, first = trader.client, trader.client.creds
    assert client.derive_api_key() == first
    assert refusal(client.create_api_key) == (400, "Could not create api key")
    second = client.create_api_key(nonce=1)
    assert second.api_key != first.api_key
    assert client.get_api_keys() == {"apiKeys": [first.api_key, second.api_key]}
    client.set_api_creds(second)
    assert client.delete_api_key() == "OK"
    assert refusal(client.get_api_keys) == UNAUTHORIZED
    assert refusal(client.derive_api_key, 1) == (400, "Could not derive api key!")
    client.set_api_creds(first)
    assert client.get_api_keys() == {"apiKeys": [first.api_key]}


def test_keys_of_one_wallet_see_their_own_orders(server: Server) -> None:
    trader = server.trader()
    order_id = trader.rest(server.market(), "BUY", 0.1, 10)
    first = trader.client.creds
    trader.client.set_api_creds(trader.client.create_api_key(nonce=1))
    assert trader.client.get_open_orders() == []
    assert refusal(trader.client.get_order, order_id) == (404, "Order not found")
    trader.client.set_api_creds(first)
    assert trader.client.cancel_all()["canceled"] == [order_id]


@pytest.mark.req("TST-5")
def test_read_only_key_reads_and_does_nothing_else(server: Server) -> None:
    trader = server.trader()
    order_id = trader.rest(server.market(), "BUY", 0.1, 10)
    key = trader.client.create_readonly_api_key()["apiKey"]
    assert trader.client.get_readonly_api_keys() == {"readonlyApiKeys": [key]}
    headers = {"POLY_ADDRESS": trader.address, "POLY_READONLY_API_KEY": key}
    status, page = server.ask("GET", "/data/orders", headers=headers)
    assert (status, [row["id"] for row in page["data"]]) == (200, [order_id])
    assert server.ask("DELETE", "/cancel-all", headers=headers)[0] == 401
    stranger = headers | {"POLY_ADDRESS": server.trader().address}
    assert server.ask("GET", "/data/orders", headers=stranger)[0] == 401
    query = f"/auth/validate-readonly-api-key?address={trader.address}&key={key}"
    assert server.ask("GET", query) == (200, "OK")
    assert trader.client.delete_readonly_api_key(key) == "OK"
    assert server.ask("GET", "/data/orders", headers=headers)[0] == 401
    assert refusal(trader.client.delete_readonly_api_key, key)[0] == 404
    trader.client.cancel_all()


def test_banned_and_closed_only_accounts(server: Server) -> None:
    trader, market = server.trader(3), server.market()
    assert trader.client.get_closed_only_mode() == {"closed_only": False}
    server.admin("standing", address=trader.wallet, standing="closed_only")
    assert trader.client.get_closed_only_mode() == {"closed_only": True}
    status, text = refusal(trader.post, market, "BUY", 0.1, 10)
    assert (status, text.lower()) == (400, f"'{trader.wallet}' address in closed only mode")
    server.admin("standing", address=trader.address, standing="banned")
    status, text = refusal(trader.post, market, "BUY", 0.1, 10)
    assert (status, text.lower()) == (400, f"'{trader.address}' address banned")
    server.admin("standing", address=trader.address, standing="normal")
    server.admin("standing", address=trader.wallet, standing="normal")
    trader.rest(market, "BUY", 0.1, 10)
    trader.client.cancel_all()


# --- money -----------------------------------------------------------------------------------


@pytest.mark.req("TST-5")
@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_balance_is_that_of_the_wallet(server: Server, kind: int) -> None:
    trader = server.trader(kind)
    server.admin("deposit", account=trader.wallet, amount="11")
    row = balance_of(trader)
    assert row["balance"] == "1011000000"
    assert set(row["allowances"]) == {EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3}
    assert trader.client.update_balance_allowance() == row


def test_balances_of_tokens_have_their_own_spenders(server: Server) -> None:
    maker, taker = server.trader(3), server.trader(3)
    for protocol, asset in (("v1", "CONDITIONAL"), ("v2", "CONDITIONAL-V2")):
        market = server.market(protocol)
        maker.rest(market, "BUY", 0.4, 10, outcome=1)
        taker.take(market, "BUY", 6, 0.6)
        row = balance_of(taker, asset, market.tokens[0])
        assert row["balance"] == "10000000"
        assert (EXCHANGE_V3 in row["allowances"]) == (protocol == "v2")
    assert refusal(balance_of, taker, "CONDITIONAL") == (400, "token_id is required")


@pytest.mark.req("TST-5")
def test_revoked_allowance_ends_orders_and_refuses_new_ones(server: Server) -> None:
    trader = server.trader(3)
    first, second = server.market("v1"), server.market("v2")
    doomed = trader.rest(first, "BUY", 0.1, 10)
    spared = trader.rest(second, "BUY", 0.1, 10)
    revoked = {"account": trader.wallet, "spender": EXCHANGE_V2, "amount": 0}
    assert server.admin("allowance", **revoked) == {"ended": [doomed]}
    assert trader.client.get_order(doomed)["status"] == "INVALID"
    assert balance_of(trader)["allowances"][EXCHANGE_V2] == "0"
    text = (
        "not enough balance / allowance: the allowance is not enough -> "
        f"spender: {EXCHANGE_V2}, allowance: 0, order amount: 1100000"
    )
    assert refusal(trader.post, first, "BUY", 0.1, 11) == (400, text)
    assert [row["id"] for row in trader.client.get_open_orders()] == [spared]
    server.admin("allowance", **(revoked | {"amount": 2**60}))
    trader.rest(first, "BUY", 0.1, 11)
    trader.client.cancel_all()


@pytest.mark.req("TST-5")
def test_fresh_balance_is_seen_after_an_update(tmp_path: Path) -> None:
    with serving(tmp_path, balance_lag_ms=3_600_000) as server:
        trader, market = server.trader(3), server.market()
        assert balance_of(trader)["balance"] == "0"
        status, text = refusal(trader.post, market, "BUY", 0.5, 10)
        assert status == 400
        assert text.endswith("balance: 0, order amount: 5000000")
        assert trader.client.update_balance_allowance()["balance"] == "1000000000"
        trader.rest(market, "BUY", 0.5, 10)
        server.admin("deposit", account=trader.wallet, amount="7")
        assert balance_of(trader)["balance"] == "1000000000"
        trader.client.update_balance_allowance()
        assert balance_of(trader)["balance"] == "1007000000"


# --- notifications ---------------------------------------------------------------------------


@pytest.mark.req("TST-5")
def test_fills_and_ended_orders_are_notified_and_dropped(server: Server) -> None:
    maker, taker = server.trader(), server.trader(3)
    market = server.market("neg_risk")
    order_id = maker.rest(market, "BUY", 0.4, 10, outcome=1)
    taker.take(market, "BUY", 6, 0.6)
    (fill,) = maker.client.get_notifications()
    assert (fill["type"], fill["owner"]) == (2, maker.api_key)
    assert fill["payload"]["order_id"] == order_id
    assert fill["payload"]["matched_size"] == "10"
    assert fill["payload"]["transaction_hash"]
    own = maker.rest(market, "BUY", 0.1, 10)
    maker.client.cancel_order(OrderPayload(orderID=own))
    assert len(maker.client.get_notifications()) == 1, "what one asked for is no news"
    ended = taker.rest(market, "BUY", 0.1, 10)
    server.admin("allowance", account=taker.wallet, spender=EXCHANGE_V2_NEG_RISK, amount=0)
    newest, oldest = taker.client.get_notifications()
    assert (newest["type"], newest["payload"]["order_id"]) == (1, ended)
    taker.client.drop_notifications(DropNotificationParams(ids=[str(newest["id"])]))
    assert taker.client.get_notifications() == [oldest]
    taker.client.drop_notifications()
    assert taker.client.get_notifications() == []


# --- rewards ---------------------------------------------------------------------------------


@pytest.mark.req("TST-5")
def test_orders_score_by_size_distance_and_age(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    trader, market = server.trader(), server.market("v2")
    near = trader.rest(market, "BUY", 0.48, 60)
    trader.rest(market, "BUY", 0.48, 60, outcome=1)
    far = trader.rest(market, "BUY", 0.3, 60)
    small = trader.rest(market, "BUY", 0.47, 10)
    assert trader.client.is_order_scoring(OrderScoringParams(near)) == {"scoring": False}
    monkeypatch.setattr(scoring, "MIN_AGE_S", 0)
    assert trader.client.is_order_scoring(OrderScoringParams(near)) == {"scoring": True}
    asked = OrdersScoringParams([near, far, small, "0xabc"])
    assert trader.client.are_orders_scoring(asked) == {
        near: True,
        far: False,
        small: False,
        "0xabc": False,
    }
    assert server.trader().client.is_order_scoring(OrderScoringParams(near)) == {"scoring": False}
    trader.client.cancel_all()


@pytest.mark.req("TST-5")
def test_rewards_are_sampled_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "MIN_AGE_S", 0)
    monkeypatch.setattr(rewards, "MINUTE_NS", NS_PER_S // 10)
    with serving(tmp_path, rewards_usd=1_440.0) as server:
        trader, market = server.trader(3), server.market("v1")
        client = trader.client
        trader.rest(market, "BUY", 0.48, 60)
        trader.rest(market, "BUY", 0.48, 60, outcome=1)
        eventually(lambda: client.get_reward_percentages() == {market.condition: 100.0})
        day = _today(server)
        eventually(lambda: client.get_earnings_for_user_for_day(day) != [])
        (row,) = client.get_earnings_for_user_for_day(day)
        assert row["condition_id"] == market.condition
        assert row["maker_address"] == trader.wallet
        assert row["earnings"] >= 1.0
        (total,) = client.get_total_earnings_for_user_for_day(day)
        assert total["earnings"] >= row["earnings"]
        rows = client.get_user_earnings_and_markets_config(day)
        assert {row["condition_id"] for row in rows} == {row.condition for row in server.markets()}
        assert len(client.get_current_rewards()) == 3
        (config,) = client.get_raw_rewards_for_market(market.condition)
        assert config["rewards_config"][0]["rate_per_day"] == 1_440.0
        assert len(client.get_sampling_markets()["data"]) == 3


def _today(server: Server) -> str:
    _, page = server.ask("GET", "/sampling-markets")
    return str(page["data"][0]["accepting_order_timestamp"][:10])


def test_nothing_is_paid_where_there_is_no_pool(server: Server) -> None:
    client, market = server.trader().client, server.market()
    assert client.get_current_rewards() == []
    assert client.get_raw_rewards_for_market(market.condition) == []
    assert client.get_earnings_for_user_for_day("2026-11-20") == []
    assert client.get_total_earnings_for_user_for_day("2026-11-20") == []
    assert client.get_reward_percentages() == {}
    assert client.get_pre_migration_orders() == []


def test_rebates_are_a_fifth_of_the_fees_that_makers_brought(tmp_path: Path) -> None:
    with serving(tmp_path, rewards_usd=1.0) as server:
        maker, taker, market = server.trader(3), server.trader(), server.market("v1")
        maker.rest(market, "BUY", 0.5, 400, outcome=1)
        asked = f"/rebates/current?date={_today(server)}&maker_address={maker.wallet}"
        taker.take(market, "BUY", 50, 0.5)
        assert server.ask("GET", asked) == (200, []), "less than a dollar is not paid"
        taker.take(market, "BUY", 150, 0.5)
        _, (row,) = server.ask("GET", asked)
        assert row["condition_id"] == market.condition
        assert row["rebated_fees_usdc"] == "1.4"


# --- builders --------------------------------------------------------------------------------


def test_builders_codes_are_known_or_refused(server: Server) -> None:
    code = "0x" + "ab" * 32
    maker, taker, market = server.trader(), server.trader(), server.market()
    status, _ = refusal(maker.post, market, "BUY", 0.2, 10, builder_code=code)
    assert status == 400
    server.admin("builders", code=code, maker_bps=10, taker_bps=50)
    taker.rest(market, "BUY", 0.4, 10, outcome=1)
    reply = maker.post(market, "BUY", 0.6, 10, builder_code=code)
    assert reply["status"] == "matched"
    assert maker.client._get_builder_taker_fee_rate(code) == 0.005
    page = maker.client.get_builder_trades(BuilderTradeParams(builder_code=code))
    assert [trade["id"] for trade in page["trades"]] == reply["tradeIDs"]
    made = maker.client.create_builder_api_key()
    assert maker.client.get_builder_api_keys() == [{"key": made["key"]}]
    assert maker.client.revoke_builder_api_key() == "OK"
    assert maker.client.get_builder_api_keys() == []
