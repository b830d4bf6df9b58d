"""The data service: rows as recorded, computed from the exchange's own trades and balances."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.simulator.chance import Chance
from services.simulator.data_api.rows import RESOLVED_PAYOUT
from services.simulator.discovery.rows import event_id_of
from services.simulator.hosts import DATA_PREFIX
from services.simulator.rows import PARTICIPANT_ADDRESS
from tests.builders.venue_rig import Client, VenueRig

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "Polymarket_py-sdk" / "data_v2"


def get(rig: VenueRig, path: str, **query: str) -> tuple[int, Any]:
    return rig.ask("GET", DATA_PREFIX + path, query=query, headers={})


def rows(rig: VenueRig, path: str, **query: str) -> list[Any]:
    status, body = get(rig, path, **query)
    assert status == 200, body
    found = body["data"]
    assert isinstance(found, list)
    return found


def traded(**settings: Any) -> tuple[VenueRig, Client]:
    """Return a venue where its client bought 20 Up at 0.40 of another one, who sold Up short."""
    rig = VenueRig(**({"confirmed_ms": 0, "indexer_lag_ms": 0} | settings))
    other = Client(rig.settings.seed, 2)
    rig.place(other, outcome=1, price=6_000, size=20)
    rig.place(outcome=0, price=4_000, size=20)
    rig.advance(0.2)
    return rig, other


@pytest.mark.req("TST-5")
@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/v2/positions", "positions.json"),
        ("/v2/trades", "trades.json"),
        ("/v2/activity", "activity.first.json"),
        ("/v2/value", "value.json"),
    ],
)
def test_rows_have_the_names_and_types_of_recorded_ones(path: str, file: str) -> None:
    if not CAPTURES.exists():
        pytest.skip("recorded answers are not at hand")
    recorded = json.loads((CAPTURES / file).read_text())
    rig, _ = traded()
    _, body = get(rig, path, user=rig.client.address)
    told, known = body["data"], recorded
    if isinstance(recorded, list):
        told, known = told[0], recorded[0]
    missing = set(known) - set(told)
    assert not missing
    for name in known:
        kinds = (int, float) if type(known[name]) in (int, float) else type(known[name])
        assert isinstance(told[name], kinds), name


def test_position_is_what_was_bought_at_what_it_cost() -> None:
    rig, other = traded()
    (mine,) = rows(rig, "/v2/positions", user=rig.client.address)
    assert (mine["current_size"], mine["avg_price"], mine["entry_cost_usdc"]) == (20, 0.4, 8)
    assert mine["entry_fees_usdc"] == pytest.approx(20 * 0.07 * 0.4 * 0.6)
    assert (mine["outcome"], mine["status"], mine["mergeable"]) == ("Up", "OPEN", False)
    (theirs,) = rows(rig, "/v2/positions", user=other.address)
    assert (theirs["current_size"], theirs["entry_cost_usdc"]) == (20, 12)
    assert (theirs["outcome"], theirs["entry_fees_usdc"]) == ("Down", 0)
    _, value = get(rig, "/v2/value", user=rig.client.address.upper().replace("0X", "0x"))
    assert value["data"]["value"] == mine["current_value"]


def test_sale_takes_its_part_of_the_cost_and_realizes_the_rest() -> None:
    rig, other = traded()
    rig.place(other, outcome=0, price=5_000, size=10)
    rig.place(outcome=0, side="SELL", price=5_000, size=10)
    rig.advance(0.2)
    (mine,) = rows(rig, "/v2/positions", user=rig.client.address)
    assert (mine["current_size"], mine["entry_cost_usdc"], mine["realized_pnl"]) == (10, 4, 1)
    assert mine["total_size"] == 20
    both = rows(rig, "/v2/positions", user=other.address, status="MERGEABLE")
    assert {row["outcome"] for row in both} == {"Up", "Down"}
    assert all(row["mergeable"] for row in both)
    _, volume = get(rig, "/v2/user-volume", user=rig.client.address)
    assert volume["data"] == {"volume": 30.0, "volume_usdc": 13.0, "trade_count": 2}


def test_dust_is_left_out_unless_asked_for() -> None:
    rig, _ = traded()
    user = rig.client.address
    assert rows(rig, "/v2/positions", user=user, filter_amount="20.1") == []
    assert len(rows(rig, "/v2/positions", user=user, filter_amount="0")) == 1
    assert rows(rig, "/v2/positions", user=user, filter_amount="15", filter_type="CASH") == []
    assert rows(rig, "/v2/trades", user=user, filter_amount="21") == []


@pytest.mark.req("MR-2")
def test_indexer_is_behind_and_sees_no_trade_that_is_not_mined_or_that_failed() -> None:
    rig = VenueRig(mined_ms=1_000, confirmed_ms=0, indexer_lag_ms=3_000)
    other = Client(rig.settings.seed, 2)
    rig.fault("fail_settlement", count=1)
    for _ in range(2):
        rig.place(other, outcome=1, price=6_000, size=20)
        rig.place(outcome=0, price=4_000, size=20)
    user = rig.client.address
    rig.advance(2.5)
    assert rows(rig, "/v2/positions", user=user) == []
    assert rows(rig, "/v2/trades", user=user) == []
    rig.advance(1)
    assert len(rows(rig, "/v2/trades", user=user)) == 1
    assert rows(rig, "/v2/positions", user=user)[0]["current_size"] == 20


def test_feed_has_takers_alone_unless_asked_for_makers_too() -> None:
    rig, other = traded()
    condition = rig.market.condition_id
    (taken,) = rows(rig, "/v2/trades", condition=condition)
    assert (taken["proxy_wallet"], taken["price"]) == (rig.client.address, 0.4)
    both = rows(rig, "/v2/trades", condition_id=condition, taker_only="false")
    assert {row["proxy_wallet"] for row in both} == {rig.client.address, other.address}
    assert len({row["transaction_hash"] for row in both}) == 1
    assert rows(rig, "/v2/trades", user=other.address) == []
    (made,) = rows(rig, "/v2/trades", user=other.address, taker_only="false")
    assert (made["side"], made["outcome"], made["price"]) == ("BUY", "Down", 0.6)
    assert rows(rig, "/v2/trades", user=rig.client.address, side="SELL") == []


def test_feed_pages_lose_and_repeat_nothing_while_it_grows() -> None:
    rig, other = traded()
    for price in range(4_100, 4_900, 100):
        rig.place(other, outcome=1, price=10_000 - price, size=5)
        rig.place(outcome=0, price=price, size=5)
        rig.advance(0.1)
    user = rig.client.address
    whole = [row["transaction_hash"] for row in rows(rig, "/v2/trades", user=user)]
    assert len(whole) == 9
    _, first = get(rig, "/v2/trades", user=user, limit="4")
    rig.place(other, outcome=1, price=4_000, size=5)
    rig.place(outcome=0, price=6_000, size=5)
    rig.advance(0.1)
    seen = [row["transaction_hash"] for row in first["data"]]
    page = first
    while page["pagination"]["has_more"]:
        cursor = page["pagination"]["next_cursor"]
        _, page = get(rig, "/v2/trades", user=user, cursor=cursor, limit="100")
        assert page["pagination"]["limit"] == 4
        seen += [row["transaction_hash"] for row in page["data"]]
    assert page["pagination"]["next_cursor"] is None
    assert seen == whole
    oldest = rows(rig, "/v2/activity", user=user, sort_direction="ASC", limit="1")
    assert oldest[0]["transaction_hash"] == whole[-1]


@pytest.mark.req("MR-2")
def test_resolution_closes_positions_and_tells_of_one_redemption_an_outcome() -> None:
    rig, other = traded(interval_s=60, resolution_ms=1_000)
    market = rig.market
    (before,) = rows(rig, "/v2/resolutions", condition=market.condition_id)
    assert (before["status"], before["payouts"]) == ("initialized", None)
    rig.advance(63)
    winner, loser = (rig.client, other) if market.winner == 0 else (other, rig.client)
    (after,) = rows(rig, "/v2/resolutions", condition=market.condition_id)
    assert (after["status"], after["reporter"]) == ("resolved", "CHAINLINK")
    assert sorted(after["payouts"]) == [0, RESOLVED_PAYOUT]
    assert after["payouts"][market.winner or 0] == RESOLVED_PAYOUT
    for who, money in ((winner, 20), (loser, 0)):
        assert rows(rig, "/v2/positions", user=who.address) == []
        (closed,) = rows(rig, "/v2/positions", user=who.address, status="CLOSED")
        cost = 8 if who is rig.client else 12
        assert closed["realized_pnl"] == money - cost
        (redeemed,) = rows(rig, "/v2/activity", user=who.address, type="REDEEM")
        assert (redeemed["size"], redeemed["usdc_size"]) == (20, money)
    both = rows(rig, "/v2/activity", user=winner.address)
    assert [row["type"] for row in both] == ["REDEEM", "TRADE"]


def test_tokens_holders_and_open_interest_follow_the_balances() -> None:
    rig, other = traded()
    market = rig.market
    (token,) = rows(rig, "/v2/tokens", token_id=market.tokens[1])
    assert (token["outcome"], token["opposite_token_id"]) == ("Down", market.tokens[0])
    assert len(rows(rig, "/v2/tokens", condition=market.condition_id)) == 2
    assert rows(rig, "/v2/oi", condition=market.condition_id)[0]["value"] == 20
    assert rows(rig, "/v2/oi") == [{"condition_id": "GLOBAL", "value": 20.0}]
    holders = rows(rig, "/v2/holders", condition=market.condition_id)
    held = {group["token_id"]: group["holders"][0]["proxy_wallet"] for group in holders}
    assert held == {market.tokens[0]: rig.client.address, market.tokens[1]: other.address}
    assert PARTICIPANT_ADDRESS not in held.values()


@pytest.mark.parametrize(
    ("path", "query", "parameter"),
    [
        ("/v2/positions", {}, "user"),
        ("/v2/positions", {"user": "0x12"}, "user"),
        ("/v2/positions", {"user": "0x" + "1" * 40, "status": "MINE"}, "status"),
        ("/v2/trades", {"limit": "0"}, "limit"),
        ("/v2/trades", {"limit": "1001"}, "limit"),
        ("/v2/trades", {"cursor": "?"}, "cursor"),
        ("/v2/resolutions", {}, "condition"),
        ("/v2/resolutions", {"condition": "0x" + "1" * 62}, "condition"),
        ("/v2/resolutions", {"condition": "mine"}, "condition"),
        ("/v2/holders", {}, "condition"),
        ("/v2/activity", {"user": "0x" + "1" * 40, "start": "then"}, "start"),
    ],
)
def test_refusal_names_the_parameter(path: str, query: dict[str, str], parameter: str) -> None:
    status, body = get(VenueRig(), path, **query)
    assert (status, body["parameter"], body["retryable"]) == (400, parameter, False)
    assert set(body) == {"error", "code", "retryable", "trace_id", "parameter"}


def test_volume_and_past_prices_follow_the_prints() -> None:
    rig, other = traded(interval_s=14_400)
    market = rig.market
    event = event_id_of(market)
    _, volume = get(rig, "/v2/live-volume", event_id=event)
    assert volume["data"] == {
        "taker_volume_total": 20.0,
        "conditions": [{"condition_id": market.condition_id, "taker_volume": 20.0}],
    }
    _, row = rig.ask("GET", f"/markets/slug/{market.slug}", headers={})
    assert (row["volume"], row["volumeNum"], row["volume24hr"]) == ("8.0", 8.0, 8.0)
    _, parent = rig.ask("GET", f"/events/slug/{market.slug}", headers={})
    assert (parent["volume"], parent["markets"][0]["volume"]) == (8.0, "8.0")
    rig.advance(60)
    rig.place(other, outcome=1, price=5_000, size=10)
    rig.place(outcome=0, price=5_000, size=10)
    token = market.tokens[1]
    points = rows(rig, "/v2/prices-history", token_id=token, interval="1h")
    assert [(point["price"], point["resolution_seconds"]) for point in points] == [
        (0.6, 60),
        (0.5, 60),
    ]
    first = points[0]["timestamp"]
    (exact,) = rows(rig, "/v2/prices-history", token_id=token, as_of=str(first + 30))
    assert exact == {"timestamp": first, "price": 0.6, "resolution_seconds": 0}
    late = rows(rig, "/v2/prices-history", token_id=token, start=str(first + 1))
    assert [point["price"] for point in late] == [0.5]
    for query in ({"interval": "1y"}, {}, {"interval": "1h", "bucket_seconds": "5"}):
        assert get(rig, "/v2/prices-history", token_id=token, **query)[0] == 400
    assert get(rig, "/v2/live-volume")[0] == 400


@pytest.mark.parametrize("seed", range(4))
def test_what_the_service_tells_is_what_the_accounts_hold(seed: int) -> None:
    """Once everything is mined and seen, shares and money agree to the last millionth."""
    rig, other = traded(interval_s=14_400, seed=seed, collateral_usd=10_000)
    who = (rig.client, other)
    chance = Chance(seed)
    start = {client.address: 10_000 * 10**6 for client in who}
    for _ in range(60):
        client = who[chance.below(2)]
        account = rig.core.exchange.accounts.get(client.address)
        outcome, price = chance.below(2), chance.between(20, 80) * 100
        held = account.balance(rig.market.tokens[outcome]) // 10**6
        sells = held >= 10 and chance.below(2) == 1
        size = chance.between(5, min(held, 40) if sells else 40)
        side: Any = "SELL" if sells else "BUY"
        rig.post(
            client.order(rig.market, outcome=outcome, side=side, price=price, size=size), client
        )
        rig.advance(0.1)
    rig.advance(1)
    for client in who:
        account = rig.core.exchange.accounts.get(client.address)
        told = rows(rig, "/v2/positions", user=client.address, filter_amount="0")
        told += rows(rig, "/v2/positions", user=client.address, status="CLOSED")
        sizes = {row["token_id"]: row["current_size"] for row in told if row["current_size"]}
        assert sizes == {token: size / 10**6 for token, size in account.tokens.items()}
        spent = sum(
            row["entry_cost_usdc"] - row["realized_pnl"] + row["entry_fees_usdc"] for row in told
        )
        assert spent == pytest.approx(
            (start[client.address] - account.collateral) / 10**6, abs=1e-5
        )
    assert sum(len(rows(rig, "/v2/trades", user=client.address)) for client in who) >= 10
