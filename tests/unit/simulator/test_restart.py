"""A venue that goes on where an earlier one ended, against a twin that never ended."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.simulator.markets import RETAINED_MAX, Market
from services.simulator.saved import Saved, fold
from shared.identifiers import Asset
from shared.units import NS_PER_S
from tests.builders.venue_rig import Client, VenueRig
from tests.unit.simulator.test_core import assert_conserved, assert_reserved
from tests.unit.simulator.test_journal import facts_now, trade_busily

BTC = Asset("btc")


def begin(**terms: Any) -> VenueRig:
    """Return a venue with markets of a minute that keeps a journal."""
    return VenueRig(interval_s=60, saved=Saved(), **terms)


def resume(rig: VenueRig, after_s: float = 0.0, *, interval_s: int = 60, **terms: Any) -> VenueRig:
    """Return the next life of a venue that was killed, some time later."""
    at_ns = rig.ns + round(after_s * NS_PER_S)
    return VenueRig(interval_s=interval_s, saved=fold(rig.journal), at_ns=at_ns, **terms)


def buy_up(rig: VenueRig, size: float = 10) -> tuple[Client, Client]:
    """Let the first client buy Up at 0.40 from one who buys Down, and return both."""
    other = Client(rig.settings.seed, 2)
    rig.place(other, outcome=1, price=6_000, size=size)
    rig.place(price=4_000, size=size)
    return rig.client, other


def account(rig: VenueRig, client: Client) -> dict[str, Any]:
    """Return what the venue tells of an account."""
    status, body = rig.ask("GET", "/admin/account", query={"address": client.address})
    assert status == 200
    found: dict[str, Any] = body
    return found


def same_market(rig: VenueRig, market: Market) -> Market:
    return rig.core.exchange.calendar.by_condition[market.condition_id]


# --- against a twin ---------------------------------------------------------------------


def test_next_life_goes_on_exactly_as_the_one_that_never_ended() -> None:
    slow = {"mined_ms": 1_500, "confirmed_ms": 1_500}
    twin = begin(**slow)
    twin.fault("fail_settlement", probability=0.3)
    trade_busily(twin, 12)
    later = resume(twin, **slow)
    assert facts_now(later) == facts_now(twin)
    for rig in (twin, later):
        rig.advance(130)
    left, right = facts_now(twin), facts_now(later)
    # Both move trades on at their ticks, which need not fall together.
    for trade in (*left["trades"].values(), *right["trades"].values()):
        trade.pop("updated_ms")
    assert left == right
    assert {trade["status"] for trade in left["trades"].values()} == {"CONFIRMED", "FAILED"}
    assert any(market["winner"] is not None for market in left["markets"].values())


def test_venue_killed_before_a_turn_is_written_has_told_nothing_of_it() -> None:
    rig = begin()
    buy_up(rig)
    rig.advance(1)
    lines = list(rig.journal)
    for count in range(1, len(lines) + 1):
        # Whatever was told when line `count` was the last one is known to the next life.
        later = VenueRig(interval_s=60, saved=fold(lines[:count]), at_ns=rig.ns)
        trades = [trade.trade_id for trade in later.core.exchange.trades.by_id.values()]
        told = [
            str(stamp["trade_id"])
            for line in lines[:count]
            for stamp in stamps_of(line)
            if stamp["kind"] == "fill"
        ]
        assert list(dict.fromkeys(told)) == trades


def stamps_of(line: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(line)["turn"].get("stamps", [])
    return found


def test_reference_price_goes_on_from_its_last_value() -> None:
    rig = begin()
    rig.advance(10)
    last = rig.core.exchange.oracles[BTC].history[-1]
    soon = resume(rig, 20).core.exchange.oracles[BTC]
    assert last in soon.history
    assert [tick.at_ms - last.at_ms for tick in soon.history if tick.at_ms > last.at_ms] == [
        500 * count for count in range(1, 41)
    ]
    late = resume(rig, 86_400).core.exchange.oracles[BTC]
    assert abs(late.history[0].price_e8 - last.price_e8) < last.price_e8 // 100


# --- trades and money -----------------------------------------------------------------


def test_positions_money_and_trades_are_there_after_a_kill() -> None:
    rig = begin()
    buyer, other = buy_up(rig)
    status, trades = rig.ask("GET", "/data/trades")
    assert status == 200
    assert len(trades["data"]) == 1
    later = resume(rig, 1)
    assert later.ask("GET", "/data/trades") == (200, trades)
    for client in (buyer, other):
        assert account(later, client) == account(rig, client)
    assert account(later, buyer)["tokens"] == {rig.market.tokens[0]: "10"}


def test_trade_under_way_settles_in_the_next_life() -> None:
    rig = begin(mined_ms=2_000, confirmed_ms=2_000)
    buyer, _ = buy_up(rig)
    rig.advance(0.5)
    later = resume(rig, 1, mined_ms=2_000, confirmed_ms=2_000)
    assert account(later, buyer)["tokens"] == {}
    later.advance(0.6)
    assert account(later, buyer)["tokens"] == {rig.market.tokens[0]: "10"}
    later.advance(2.1)
    assert [record["status"] for record in later.kinds("trade")] == ["MINED", "CONFIRMED"]


def test_trade_that_fails_in_the_next_life_gives_back_what_was_taken() -> None:
    rig = begin(mined_ms=2_000)
    rig.fault("fail_settlement")
    buyer, other = buy_up(rig)
    later = resume(rig, 30, mined_ms=2_000)
    assert [record["status"] for record in later.kinds("trade")] == ["FAILED"]
    for client in (buyer, other):
        assert account(later, client)["collateral"] == "1000"


def test_trade_ids_are_never_given_twice() -> None:
    rig = begin()
    buy_up(rig)
    later = resume(rig)
    later.client = Client(1, 3)
    other = Client(1, 4)
    later.place(other, outcome=1, price=6_000)
    later.place(price=4_000)
    assert len(later.core.exchange.trades.by_id) == 2


def test_deposit_is_there_after_a_kill() -> None:
    rig = begin()
    body = msgspec.json.encode({"account": rig.client.address, "amount": "250.5"})
    assert rig.ask("POST", "/admin/deposit", body)[0] == 200
    found = account(resume(rig), rig.client)
    assert (found["collateral"], found["deposited"]) == ("1250.5", "1250.5")


# --- markets --------------------------------------------------------------------------


@pytest.mark.parametrize("windows_away", [0, 1, 2, RETAINED_MAX + 30])
def test_market_that_ended_meanwhile_resolves_pays_and_is_found(windows_away: int) -> None:
    rig = begin()
    market = rig.market
    buyer, other = buy_up(rig)
    rig.advance(1)
    later = resume(rig, 64 + 60 * windows_away)
    later.advance(5)
    found = same_market(later, market)
    assert found.state == "RESOLVED"
    assert found.strike_e8 == market.strike_e8
    winner, loser = (buyer, other) if found.winner == 0 else (other, buyer)
    paid = {record["account"]: record["payout"] for record in later.kinds("payout")}
    assert paid == {winner.address: "10", loser.address: "0"}
    total = sum(Decimal(account(later, client)["collateral"]) for client in (buyer, other))
    fees = sum(Decimal(record["fee"]) for record in rig.kinds("fill"))
    assert fees > 0
    assert total == 2_000 - fees
    query = {"condition_ids": market.condition_id, "closed": "true"}
    status, body = later.ask("GET", "/markets/keyset", query=query)
    assert status == 200
    assert [row["conditionId"] for row in body["markets"]] == [market.condition_id]


def test_market_that_was_only_listed_ends_and_resolves_meanwhile() -> None:
    rig = begin()
    ahead = [market for market in rig.core.exchange.calendar if market.state == "LISTED"]
    rig.place(price=100)
    later = resume(rig, 3_600)
    for market in ahead:
        found = same_market(later, market)
        assert found.state == "RESOLVED"
        assert found.winner is not None


def test_resolved_market_is_forgotten_by_count_and_its_trades_with_it() -> None:
    rig = VenueRig(interval_s=10, price_ms=2_000, saved=Saved())
    market = rig.market
    buy_up(rig)
    rig.advance(20)
    assert same_market(rig, market).state == "RESOLVED"
    rig = resume(rig, 3_600 * 24, interval_s=10, price_ms=2_000)
    rig.advance(10 * (RETAINED_MAX - 10))
    assert same_market(rig, market).state == "RESOLVED"
    rig.advance(10 * 12)
    assert market.condition_id not in rig.core.exchange.calendar.by_condition
    saved = fold(rig.journal)
    assert market.condition_id not in saved.markets
    assert not saved.trades
    assert not saved.orders
    resolved = [row for row in saved.markets.values() if row.state == "RESOLVED"]
    assert len(resolved) == RETAINED_MAX


def test_market_of_an_asset_that_is_not_listed_any_more_resolves() -> None:
    rig = begin(assets=("btc", "eth"))
    eth = next(market for market in rig.core.exchange.calendar if market.asset == "eth")
    later = resume(rig, 30)
    later.advance(200)
    assert same_market(later, eth).state == "RESOLVED"
    assert [m.asset for m in later.core.exchange.calendar.trading()] == ["btc"] * 3


def test_other_length_of_markets_lists_beside_those_of_before() -> None:
    rig = begin()
    rig.advance(1)
    later = VenueRig(interval_s=300, saved=fold(rig.journal), at_ns=rig.ns)
    lengths = [m.end_ms - m.start_ms for m in later.core.exchange.calendar.trading()]
    assert lengths == [60_000] * 3 + [300_000] * 3


# --- orders ---------------------------------------------------------------------------


def test_resting_orders_and_what_they_reserve_are_there_in_their_turn() -> None:
    rig = begin()
    first = rig.place(price=3_000, size=10)
    rig.advance(0.1)
    second = rig.place(price=3_000, size=10)
    gone = rig.place(price=2_000, size=10)
    rig.ask("DELETE", "/order", msgspec.json.encode({"orderID": gone}))
    later = resume(rig, 1)
    assert later.open_ids() == [first, second]
    assert account(later, rig.client)["reserved"] == "6"
    other = Client(1, 2)
    later.place(other, outcome=1, price=7_000, size=15)
    rows = later.ask("GET", "/data/orders")[1]["data"]
    assert [(row["id"], row["size_matched"]) for row in rows] == [(second, "5")]
    assert account(later, rig.client)["reserved"] == "1.5"
    assert later.ask("GET", f"/data/order/{gone}")[1]["status"] == "CANCELED"


def test_order_whose_time_came_meanwhile_is_ended_at_once() -> None:
    rig = VenueRig(saved=Saved())
    order_id = rig.place(price=300, order_type="GTD", expiration_s=rig.now_s + 190)
    assert resume(rig, 1).open_ids() == [order_id]
    later = resume(rig, 140)
    assert later.open_ids() == []
    assert [(row["order_id"], row["cause"]) for row in later.kinds("order")] == [
        (order_id, "expired")
    ]
    assert account(later, rig.client)["reserved"] == "0"


def test_held_order_is_gone_and_was_never_answered() -> None:
    rig = begin(taker_delay_ms=150)
    other = Client(1, 2)
    rig.place(other, outcome=1, price=6_000)
    number = rig.send(
        "POST", "/order", msgspec.json.encode(rig.client.order(rig.market, price=4_000))
    )
    rig.ask("POST", "/admin/deposit", b'{"account":"0x1","amount":"1"}')
    assert number not in rig.answers
    later = resume(rig, taker_delay_ms=150)
    later.advance(1)
    assert later.open_ids() == []
    assert account(later, rig.client)["reserved"] == "0"
    assert len(later.open_ids(other)) == 1


def test_armed_switch_cancels_when_its_key_stays_silent_after_the_restart() -> None:
    rig = begin()
    rig.ask("POST", "/v1/heartbeats", b'{"heartbeat_id":""}')
    rig.place(price=300)
    later = resume(rig, 2)
    later.advance(8)
    assert len(later.open_ids()) == 1
    later.advance(10)
    assert later.open_ids() == []
    assert [row["orders"] for row in later.kinds("dead_man")] == [1]


def test_beat_begins_again_with_an_empty_id() -> None:
    rig = begin()
    body = rig.ask("POST", "/v1/heartbeats", b'{"heartbeat_id":""}')[1]
    later = resume(rig, 2)
    status, refused = later.ask("POST", "/v1/heartbeats", msgspec.json.encode(body))
    assert (status, refused["heartbeat_id"]) == (400, "")
    assert later.ask("POST", "/v1/heartbeats", b'{"heartbeat_id":""}')[0] == 200


# --- many lives -----------------------------------------------------------------------


def test_money_and_shares_are_conserved_over_many_lives_with_a_crowd() -> None:
    crowd: dict[str, Any] = {"frames_per_second": 10, "takers_per_second": 3.0, "mined_ms": 700}
    rig = begin(**crowd)
    for _ in range(12):
        trade_busily(rig, 8)
        rig = resume(rig, 5.3, **crowd)
        assert_conserved(rig)
        assert_reserved(rig)
    assert len(rig.core.exchange.trades.by_id) > 20
