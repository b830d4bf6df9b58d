from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shared.facts import Side
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.profit import Holding, holdings, money_of, totals_of
from shared.units import MoneyE6, PriceE4, SizeE6, WallMs, WallNs

DAY_NS = 86_400_000_000_000


def a_fill(**spoiled: Any) -> FillRecord:
    fill = FillRecord(
        trade_id=TradeId("t1"),
        order_id=OrderHash("0x1"),
        account="main",
        strategy=StrategyName("market_making"),
        market=ConditionId("0xm"),
        token=TokenId("1"),
        side="BUY",
        price_e4=PriceE4(4_500),
        size_e6=SizeE6(10_000_000),
        role="MAKER",
        settlement="CONFIRMED",
        fee_e6=MoneyE6(0),
        match_ms=WallMs(1_000),
        updated_wall_ns=WallNs(1_000_000_000),
    )
    return msgspec.structs.replace(fill, **spoiled)


def a_payout(**spoiled: Any) -> PayoutRecord:
    payout = PayoutRecord(
        market=ConditionId("0xm"),
        token=TokenId("1"),
        strategy=StrategyName("market_making"),
        account="main",
        payout_e4=PriceE4(10_000),
        size_e6=SizeE6(10_000_000),
        amount_e6=MoneyE6(10_000_000),
        cost_e6=MoneyE6(4_500_000),
        realised_e6=MoneyE6(5_500_000),
        updated_wall_ns=WallNs(5 * DAY_NS + 1),
    )
    return msgspec.structs.replace(payout, **spoiled)


def only(held: list[Holding]) -> Holding:
    assert len(held) == 1
    return held[0]


def test_bought_shares_stay_open_until_paid() -> None:
    held = only(holdings([a_fill()], []))
    assert (held.matched, held.cost, held.is_closed, held.realised) == (
        10_000_000,
        4_500_000,
        False,
        None,
    )


def test_payout_closes_and_realises() -> None:
    held = only(holdings([a_fill()], [a_payout()]))
    assert (held.is_closed, held.realised) == (True, 5_500_000)


def test_selling_all_closes_and_fees_count() -> None:
    sell = a_fill(
        trade_id=TradeId("t2"), side="SELL", price_e4=PriceE4(4_700), fee_e6=MoneyE6(1_234)
    )
    held = only(holdings([a_fill(), sell], []))
    assert (held.matched, held.realised, held.fees) == (0, 200_000 - 1_234, 1_234)


def test_failed_trade_is_taken_back() -> None:
    assert holdings([a_fill(settlement="FAILED")], [])[0].cost == 0


def test_unconfirmed_buy_is_matched_only_and_a_sell_is_gone_at_once() -> None:
    buy = a_fill(settlement="MINED")
    sell = a_fill(
        trade_id=TradeId("t2"), side="SELL", size_e6=SizeE6(4_000_000), settlement="MATCHED"
    )
    held = only(holdings([buy, sell], []))
    assert (held.matched, held.confirmed) == (6_000_000, -4_000_000)


def test_today_counts_payouts_from_midnight_on() -> None:
    closed = holdings([a_fill()], [a_payout()])
    at_end = totals_of(closed, 1, 5 * DAY_NS + 2)
    assert (at_end.realised_e6, at_end.realised_today_e6) == (5_500_000, 5_500_000)
    assert totals_of(closed, 1, 6 * DAY_NS).realised_today_e6 == 0


@given(
    side=st.sampled_from(["BUY", "SELL"]),
    price=st.integers(1, 9_999),
    size=st.integers(1, 10**9),
)
def test_money_equals_decimal_rounded_against_us(side: Side, price: int, size: int) -> None:
    exact = Decimal(price) * Decimal(size) / Decimal(10_000)
    money = money_of(side, price, size)
    assert 0 <= (money - exact if side == "BUY" else exact - money) < 1
