import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.strategy.pricing import (
    SECONDS_LEFT_MIN,
    Fair,
    avellaneda_stoikov,
    fair_value,
    round_ask_up,
    round_bid_down,
)
from shared.units import PriceE4, ReferenceE18

STRIKE = ReferenceE18(100_000 * 10**18)
VOLATILITY_E9 = 100_000  # one basis point per square-root second


def _at(basis_points: float) -> ReferenceE18:
    return ReferenceE18(int(100_000 * (1 + basis_points / 10_000) * 10**18))


def test_fair_value_at_the_strike_is_one_half() -> None:
    fair = fair_value(STRIKE, STRIKE, VOLATILITY_E9, 60.0)
    assert fair.probability == pytest.approx(0.5)
    assert fair.variance == pytest.approx(1 / (2 * math.pi))


def test_fair_value_one_deviation_above_the_strike_is_the_normal_distribution() -> None:
    above = ReferenceE18(int(100_000 * math.exp(1e-4 * math.sqrt(25.0)) * 10**18))
    assert fair_value(above, STRIKE, VOLATILITY_E9, 25.0).probability == pytest.approx(
        0.841345, abs=1e-5
    )


def test_fair_value_sharpens_as_time_runs_out() -> None:
    early = fair_value(_at(3), STRIKE, VOLATILITY_E9, 100.0)
    late = fair_value(_at(3), STRIKE, VOLATILITY_E9, 4.0)
    assert 0.5 < early.probability < late.probability
    assert late.variance < early.variance


@pytest.mark.parametrize("seconds_left", [SECONDS_LEFT_MIN, SECONDS_LEFT_MIN / 2, 0.0, -5.0])
def test_fair_value_floors_the_time_left(seconds_left: float) -> None:
    floor = fair_value(_at(1), STRIKE, VOLATILITY_E9, SECONDS_LEFT_MIN)
    assert fair_value(_at(1), STRIKE, VOLATILITY_E9, seconds_left) == floor


@pytest.mark.req("ST-1")
def test_reservation_price_falls_when_long_and_rises_when_short() -> None:
    fair = Fair(0.5, 0.16)
    flat = avellaneda_stoikov(fair, 0.0, 0.1, 60.0)
    assert flat.reservation == 0.5
    assert avellaneda_stoikov(fair, 30.0, 0.1, 60.0).reservation == pytest.approx(
        0.5 - 0.3 * 0.1 * 0.16
    )
    assert avellaneda_stoikov(fair, -30.0, 0.1, 60.0).reservation > 0.5


@pytest.mark.req("ST-1")
def test_spread_follows_the_paper_and_narrows_with_the_variance_to_come() -> None:
    wide = avellaneda_stoikov(Fair(0.5, 0.16), 0.0, 0.1, 60.0)
    narrow = avellaneda_stoikov(Fair(0.5, 0.01), 0.0, 0.1, 60.0)
    assert 2 * wide.half_spread == pytest.approx(0.1 * 0.16 + 20 * math.log(1 + 0.1 / 60))
    assert narrow.half_spread < wide.half_spread


@given(
    price=st.floats(min_value=-0.5, max_value=1.5),
    tick=st.sampled_from([1, 10, 25, 50, 100, 1000]),
)
def test_rounding_stays_on_the_grid_and_on_its_own_side(price: float, tick: int) -> None:
    bid = round_bid_down(price, PriceE4(tick))
    ask = round_ask_up(price, PriceE4(tick))
    if bid is not None:
        assert bid % tick == 0
        assert tick <= bid <= 10_000 - tick
        assert bid <= price * 10_000 + 1e-3
    if ask is not None:
        assert ask % tick == 0
        assert ask >= price * 10_000 - 1e-3


def test_rounding_outside_the_book_is_no_price() -> None:
    assert round_bid_down(0.004, PriceE4(100)) is None
    assert round_ask_up(0.995, PriceE4(100)) is None
    assert round_bid_down(0.29, PriceE4(100)) == 2900
