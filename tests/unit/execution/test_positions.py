"""Positions from trades alone: once each, taken back when failed, paid out when resolved."""

from typing import Any

import pytest

from services.execution.positions import Positions
from shared.facts import Side
from shared.identifiers import ConditionId, StrategyName, TokenId, TradeId
from shared.units import MoneyE6, PriceE4, SizeE6, WallMs
from tests.builders.ledger_rows import build_fill_record
from tests.builders.markets import instant

MARKET = ConditionId("0xm")
TOKEN = TokenId("1")
MAKER = StrategyName("market_making")
SHARE = 1_000_000
NOW = instant()


def holding(*fills: dict[str, Any]) -> Positions:
    positions = Positions((), ())
    for number, fill in enumerate(fills):
        trade: dict[str, Any] = {"trade_id": TradeId(f"t{number}"), **fill}
        positions.take(build_fill_record(**trade))
    return positions


@pytest.mark.req("INV-8")
@pytest.mark.parametrize("again", ["MATCHED", "RETRYING", "MINED", "CONFIRMED", "FAILED"])
def test_leg_is_new_once(again: str) -> None:
    positions = holding({})
    told = positions.take(build_fill_record(trade_id=TradeId("t0"), settlement=again))
    assert told == ("" if again == "MATCHED" else "changed")
    expected = 0 if again == "FAILED" else 2 * SHARE
    assert positions.matched_e6(TOKEN) == expected


@pytest.mark.req("EX-10")
@pytest.mark.parametrize("final", ["CONFIRMED", "FAILED"])
@pytest.mark.parametrize("late", ["MATCHED", "RETRYING", "MINED", "CONFIRMED", "FAILED"])
def test_final_settlement_never_changes(final: str, late: str) -> None:
    positions = holding({"settlement": final})
    assert positions.take(build_fill_record(trade_id=TradeId("t0"), settlement=late)) == ""


def test_changed_numbers_of_a_known_leg_are_not_believed() -> None:
    positions = holding({})
    positions.take(
        build_fill_record(trade_id=TradeId("t0"), settlement="MINED", size_e6=SizeE6(9 * SHARE))
    )
    assert positions.matched_e6(TOKEN) == 2 * SHARE


@pytest.mark.req("EX-23")
def test_position_is_kept_by_how_sure_it_is() -> None:
    positions = holding(
        {}, {"settlement": "MINED"}, {"settlement": "CONFIRMED"}, {"settlement": "FAILED"}
    )
    held = positions.of(MARKET, TOKEN, MAKER)
    assert (held.matched_e6, held.mined_e6, held.confirmed_e6) == (
        6 * SHARE,
        4 * SHARE,
        2 * SHARE,
    )
    assert held.cost_e6 == 3 * 980_000


def test_shares_sold_are_gone_at_once() -> None:
    positions = holding({"settlement": "CONFIRMED"}, {"side": "SELL"})
    assert positions.of(MARKET, TOKEN, MAKER).confirmed_e6 == 0


@pytest.mark.parametrize(("side", "cost"), [("BUY", 980_000 + 70), ("SELL", -980_000 + 70)])
def test_fee_adds_to_cost_and_takes_from_proceeds(side: Side, cost: int) -> None:
    positions = holding({"side": side, "fee_e6": MoneyE6(70)})
    assert positions.of(MARKET, TOKEN, MAKER).cost_e6 == cost


def test_sells_realise_at_average_cost() -> None:
    positions = holding(
        {"price_e4": PriceE4(4_000), "match_ms": WallMs(1)},
        {"price_e4": PriceE4(6_000), "match_ms": WallMs(2)},
        {"side": "SELL", "price_e4": PriceE4(7_000), "match_ms": WallMs(3)},
    )
    assert positions.realised_today_e6(NOW) == 400_000


@pytest.mark.req("VEN-8")
@pytest.mark.parametrize(("payout_e4", "amount"), [(10_000, 2_000_000), (0, 0), (5_000, 1_000_000)])
def test_payout_closes_the_position_to_the_last_unit(payout_e4: int, amount: int) -> None:
    positions = holding({})
    assert positions.settle(MARKET, {TOKEN: PriceE4(payout_e4)}, NOW) == 1
    assert positions.matched_e6(TOKEN) == 0
    assert positions.realised_today_e6(NOW) == amount - 980_000
    assert positions.settle(MARKET, {TOKEN: PriceE4(payout_e4)}, NOW) == 0


def test_leg_that_comes_after_the_payout_is_counted_into_it() -> None:
    positions = holding({})
    positions.settle(MARKET, {TOKEN: PriceE4(10_000)}, NOW)
    positions.take(build_fill_record(trade_id=TradeId("late")))
    assert positions.matched_e6(TOKEN) == 0
    assert positions.realised_today_e6(NOW) == 2 * 1_020_000


def test_loss_of_yesterday_is_not_todays() -> None:
    positions = holding({})
    positions.settle(MARKET, {TOKEN: PriceE4(0)}, instant(-86_400_000))
    assert positions.realised_today_e6(NOW) == 0


def test_restored_positions_are_those_that_were_written() -> None:
    before = holding({}, {"side": "SELL", "size_e6": SizeE6(SHARE)})
    rows = [build_fill_record(trade_id=TradeId("t0"))]
    rows.append(build_fill_record(trade_id=TradeId("t1"), side="SELL", size_e6=SizeE6(SHARE)))
    after = Positions(rows, ())
    assert after.facts() == before.facts()
    assert after.legs_e6() == before.legs_e6()


def test_what_was_paid_out_long_ago_is_forgotten() -> None:
    positions = holding({})
    positions.settle(MARKET, {TOKEN: PriceE4(10_000)}, NOW)
    positions.forget_settled(instant(10_000), 5 * 10**9)
    assert positions.legs_e6() == {}
    assert positions.realised_today_e6(NOW) == 1_020_000
    assert positions.take(build_fill_record(trade_id=TradeId("t0"))) == ""
    assert positions.realised_today_e6(NOW) == 1_020_000, "a leg told again changes nothing"
