"""However trades are reported, and however often, the position is that of their best report."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.positions import Positions
from shared.identifiers import TokenId, TradeId
from shared.ledger_schema import FillRecord
from shared.units import PriceE4, SizeE6, WallMs
from tests.builders.ledger_rows import build_fill_record

TOKEN = TokenId("1")
STATES = ["MATCHED", "RETRYING", "MINED", "CONFIRMED", "FAILED"]

LEGS = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 9_999),
        st.integers(1, 3_000).map(lambda hundredths: hundredths * 10_000),
    ),
    min_size=1,
    max_size=6,
)
REPORTS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(STATES)), max_size=30)


def build_leg(legs: list[tuple[str, int, int]], index: int, settlement: str) -> FillRecord:
    side, price, size = legs[index]
    return build_fill_record(
        trade_id=TradeId(f"t{index}"),
        side=side,
        price_e4=PriceE4(price),
        size_e6=SizeE6(size),
        settlement=settlement,
        match_ms=WallMs(1_000 + index),
    )


@given(LEGS, REPORTS)
def test_position_is_the_sum_of_trades_that_did_not_fail(
    legs: list[tuple[str, int, int]], reports: list[tuple[int, str]]
) -> None:
    positions = Positions((), ())
    first: dict[int, str] = {}
    for number, settlement in reports:
        index = number % len(legs)
        known = first.get(index)
        if known is None or (
            known not in ("CONFIRMED", "FAILED") and STATES.index(settlement) > STATES.index(known)
        ):
            first[index] = settlement
        positions.take(build_leg(legs, index, settlement))
    shares, cost = 0, Fraction(0)
    for index, settlement in first.items():
        side, price, size = legs[index]
        if settlement != "FAILED":
            sign = 1 if side == "BUY" else -1
            shares += sign * size
            cost += sign * Fraction(price * size, 10_000)
    assert positions.matched_e6(TOKEN) == shares
    held = sum(fact.cost for fact in positions.facts())
    assert held == cost, "sizes in hundredths and prices in ten-thousandths never round"


@pytest.mark.req("EX-8")
@given(LEGS, st.permutations(range(6)))
def test_order_of_reports_does_not_matter(
    legs: list[tuple[str, int, int]], order: list[int]
) -> None:
    straight, shuffled = Positions((), ()), Positions((), ())
    for index in range(len(legs)):
        straight.take(build_leg(legs, index, "MATCHED"))
    for index in order:
        if index < len(legs):
            shuffled.take(build_leg(legs, index, "MATCHED"))
    assert straight.facts() == shuffled.facts()
