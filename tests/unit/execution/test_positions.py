"""Positions from trades alone: once each, taken back when failed, paid out when resolved."""

from typing import Any

import pytest

from services.execution.positions import Positions
from shared.facts import Side
from shared.identifiers import ConditionId, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.units import BootNs, MoneyE6, PriceE4, SizeE6, WallMs
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
    positions = holding({"settlement": "CONFIRMED"})
    positions.settle(MARKET, {TOKEN: PriceE4(10_000)}, NOW)
    positions.forget_settled(instant(10_000), 5 * 10**9)
    assert positions.legs_e6() == {}
    assert positions.realised_today_e6(NOW) == 1_020_000
    assert positions.take(build_fill_record(trade_id=TradeId("t0"))) == ""
    assert positions.realised_today_e6(NOW) == 1_020_000, "a leg told again changes nothing"


@pytest.mark.req("EX-10")
def test_trade_that_fails_long_after_the_payout_is_still_taken_back() -> None:
    positions = holding({})
    positions.settle(MARKET, {TOKEN: PriceE4(10_000)}, NOW)
    positions.forget_settled(instant(10_000), 5 * 10**9)
    positions.take(build_fill_record(trade_id=TradeId("t0"), settlement="FAILED"))
    assert positions.realised_today_e6(NOW) == 0


@pytest.mark.req("EX-10")
def test_failure_after_restart_and_payout_is_written_again() -> None:
    before = holding({"settlement": "MINED"}, {"settlement": "CONFIRMED"})
    before.settle(MARKET, {TOKEN: PriceE4(10_000)}, NOW)
    rows = [r for r in before.unjournaled if isinstance(r, FillRecord)]
    paid = [r for r in before.unjournaled if isinstance(r, PayoutRecord)]
    after = Positions(rows, paid)
    after.take(build_fill_record(trade_id=TradeId("t0"), settlement="FAILED"))
    assert after.matched_e6(TOKEN) == 0
    assert after.realised_today_e6(NOW) == 1_020_000
    failed, payout = after.unjournaled
    assert isinstance(failed, FillRecord)
    assert failed.settlement == "FAILED"
    assert isinstance(payout, PayoutRecord)
    assert (payout.size_e6, payout.realised_e6) == (2 * SHARE, 1_020_000)
    assert payout.updated_wall_ns == NOW.wall_ns, "the money stays in the day that made it"
    assert [trouble.name for trouble in after.troubles] == ["trade_failed"]


@pytest.mark.req("EX-10")
@pytest.mark.parametrize(("final", "late"), [("CONFIRMED", "FAILED"), ("FAILED", "CONFIRMED")])
def test_both_ends_told_by_the_stream_are_built_on_by_nobody(final: str, late: str) -> None:
    positions = holding({"settlement": final})
    assert positions.take(build_fill_record(trade_id=TradeId("t0"), settlement=late)) == ""
    held = positions.of(MARKET, TOKEN, MAKER)
    assert held.confirmed_e6 == 0, "nothing may be sold on it"
    assert held.most_e6 == 2 * SHARE, "and caps count it"
    assert len(positions.unsettled()) == 1, "so that it is asked for"
    assert [trouble.name for trouble in positions.troubles][-1] == "trade_contradicted"


@pytest.mark.req("EX-10")
@pytest.mark.parametrize("answer", ["CONFIRMED", "FAILED"])
@pytest.mark.parametrize(("final", "late"), [("CONFIRMED", "FAILED"), ("FAILED", "CONFIRMED")])
def test_contradiction_is_decided_by_the_answer_to_a_question(
    final: str, late: str, answer: str
) -> None:
    positions = holding({"settlement": final})
    positions.take(build_fill_record(trade_id=TradeId("t0"), settlement=late))
    positions.take(build_fill_record(trade_id=TradeId("t0"), settlement=answer), asked=True)
    expected = 2 * SHARE if answer == "CONFIRMED" else 0
    held = positions.of(MARKET, TOKEN, MAKER)
    assert (held.matched_e6, held.confirmed_e6, held.most_e6) == (expected,) * 3
    assert positions.unsettled() == ()


def test_contradicted_sell_is_gone_for_exits_and_kept_for_caps() -> None:
    positions = holding({"settlement": "CONFIRMED"}, {"side": "SELL", "settlement": "CONFIRMED"})
    assert positions.of(MARKET, TOKEN, MAKER).most_e6 == 0
    told = build_fill_record(trade_id=TradeId("t1"), side="SELL", settlement="FAILED")
    positions.take(told)
    held = positions.of(MARKET, TOKEN, MAKER)
    assert (held.confirmed_e6, held.most_e6) == (0, 2 * SHARE)


@pytest.mark.req("EX-10")
def test_trade_without_an_end_is_told_once() -> None:
    positions = holding({"match_ms": NOW.wall_ms})
    for milliseconds in (121_000, 122_000):
        positions.watch_unsettled(instant(milliseconds))
    assert [trouble.name for trouble in positions.troubles] == ["trade_unsettled"]


@pytest.mark.req("VEN-8")
def test_first_leg_that_comes_after_the_resolution_is_paid_at_once() -> None:
    positions = Positions((), ())
    positions.settle(MARKET, {TOKEN: PriceE4(5_000)}, NOW)
    positions.take(build_fill_record())
    assert positions.matched_e6(TOKEN) == 0
    assert positions.realised_today_e6(NOW) == 1_000_000 - 980_000


@pytest.mark.req("VEN-8")
@pytest.mark.parametrize("size", [1, 2, 3, 999_999, 1_219_511, 2_000_000])
@pytest.mark.parametrize("payout_e4", [0, 5_000, 10_000])
def test_payout_is_exact_and_a_fraction_of_a_unit_is_not_paid(size: int, payout_e4: int) -> None:
    positions = holding({"size_e6": SizeE6(size)})
    positions.settle(MARKET, {TOKEN: PriceE4(payout_e4)}, NOW)
    (payout,) = [row for row in positions.unjournaled if isinstance(row, PayoutRecord)]
    assert payout.size_e6 == size
    assert payout.amount_e6 == {0: 0, 5_000: size // 2, 10_000: size}[payout_e4]
    assert payout.realised_e6 == payout.amount_e6 - payout.cost_e6


@pytest.mark.req("VEN-8")
def test_record_overrules_what_the_stream_said_and_not_the_other_way() -> None:
    positions = holding({})
    positions.settle(MARKET, {TOKEN: PriceE4(10_000)}, NOW, asked=False)
    assert positions.settle(MARKET, {TOKEN: PriceE4(0)}, NOW, asked=False) == 0
    assert positions.realised_today_e6(NOW) == 1_020_000
    assert positions.settle(MARKET, {TOKEN: PriceE4(5_000)}, NOW) == 1
    assert positions.realised_today_e6(NOW) == 20_000
    names = [trouble.name for trouble in positions.troubles]
    assert names == ["resolution_contradicted"] * 2


@pytest.mark.req("EX-23")
def test_most_and_least_bracket_every_outcome_of_unsettled_trades() -> None:
    positions = holding(
        {"settlement": "CONFIRMED"},
        {"settlement": "MINED"},
        {"side": "SELL", "size_e6": SizeE6(SHARE)},
    )
    held = positions.of(MARKET, TOKEN, MAKER)
    assert (held.confirmed_e6, held.matched_e6, held.most_e6) == (SHARE, 3 * SHARE, 4 * SHARE)


@pytest.mark.req("EX-23")
def test_fact_names_all_four_quantities_the_age_of_the_chain_and_dust() -> None:
    positions = holding({"settlement": "CONFIRMED"}, {"settlement": "MINED"}, {})
    (before,) = positions.facts(NOW.boot_ns)
    assert (before.on_chain, before.on_chain_age_ns, before.dust) == (None, None, False)
    positions.take_chain(TOKEN, 3 * SHARE, BootNs(NOW.boot_ns - 7))
    (fact,) = positions.facts(NOW.boot_ns, {MARKET: SizeE6(6 * SHARE + 1)})
    assert (fact.matched, fact.mined, fact.confirmed) == (6 * SHARE, 4 * SHARE, 2 * SHARE)
    assert (fact.on_chain, fact.on_chain_age_ns, fact.dust) == (3 * SHARE, 7, True)


@pytest.mark.req("VEN-8")
def test_payout_is_never_made_again_from_a_part_of_its_legs() -> None:
    before = holding({"settlement": "CONFIRMED"}, {"settlement": "MINED"})
    before.settle(MARKET, {TOKEN: PriceE4(10_000)}, NOW)
    paid = [r for r in before.unjournaled if isinstance(r, PayoutRecord)]
    newer = build_fill_record(trade_id=TradeId("t1"), settlement="MINED")
    after = Positions([newer], paid)
    told = build_fill_record(trade_id=TradeId("t1"), settlement="CONFIRMED")
    assert after.take(told) == ""
    assert after.unjournaled == []
    assert after.realised_today_e6(NOW) == 2 * 1_020_000
    assert after.matched_e6(TOKEN) == 0
