"""Integer amounts against the venue's documented rounding, modelled separately in Decimal."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.facts import Side
from shared.units import MoneyE6, PriceE4, SizeE6
from shared.venue import amounts
from shared.venue.amounts import Amounts

SIDES = st.sampled_from(["BUY", "SELL"])
SIZES = st.integers(1, 10**9).map(lambda hundredths: SizeE6(hundredths * 10_000))


@st.composite
def grid(draw: st.DrawFn) -> tuple[PriceE4, PriceE4]:
    """Return a price on a grid and its tick."""
    tick = draw(st.sampled_from(amounts.TICKS_E4))
    steps = draw(st.integers(1, 10_000 // tick - 1))
    return PriceE4(tick * steps), tick


def documented_rounding(amount: Decimal, decimals: int) -> Decimal:
    """Round as documented: up at four more decimals, then down; only when it is longer."""
    if -int(amount.as_tuple().exponent) <= decimals:
        return amount
    rounded = amount.quantize(Decimal(1).scaleb(-decimals - 4), rounding=ROUND_CEILING)
    return rounded.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_FLOOR)


@given(SIDES, grid(), SIZES)
def test_limit_amounts_equal_the_documented_rounding(
    side: Side, point: tuple[PriceE4, PriceE4], size: SizeE6
) -> None:
    price, tick = point
    found = amounts.limit_amounts(side, price, size, tick)
    exact = Decimal(price).scaleb(-4) * Decimal(size).scaleb(-6)
    money = documented_rounding(exact.normalize(), amounts.amount_decimals(tick))
    assert amounts.order_money(side, found) == money.scaleb(6)
    assert amounts.order_size(side, found) == size


@given(SIDES, grid(), SIZES)
def test_limit_amounts_say_the_price_that_they_were_made_from(
    side: Side, point: tuple[PriceE4, PriceE4], size: SizeE6
) -> None:
    price, tick = point
    found = amounts.limit_amounts(side, price, size, tick)
    assert amounts.implied_price(side, found) == price
    assert amounts.worst_price(side, found, tick) == price


@given(grid(), st.integers(10**6, 10**12))
def test_market_buy_spends_no_more_and_matches_at_its_limit(
    point: tuple[PriceE4, PriceE4], money: int
) -> None:
    price, tick = point
    found = amounts.market_buy_amounts(price, MoneyE6(money), tick)
    assert money - 10_000 < found.maker <= money
    assert amounts.is_market_precision("BUY", found)
    assert Decimal(found.maker) / Decimal(found.taker) >= Decimal(price).scaleb(-4)
    assert amounts.worst_price("BUY", found, tick) == price


@given(grid(), st.integers(100, 10**9).map(lambda hundredths: SizeE6(hundredths * 10_000)))
def test_market_sell_gives_all_and_matches_at_its_limit(
    point: tuple[PriceE4, PriceE4], size: SizeE6
) -> None:
    price, tick = point
    found = amounts.market_sell_amounts(price, size, tick)
    assert found.maker == size
    assert amounts.is_market_precision("SELL", found)
    assert found.taker * 10_000 <= price * size
    assert amounts.worst_price("SELL", found, tick) == price


@given(SIDES, grid(), st.integers(1, 10**12), st.integers(1, 10**12))
def test_worst_price_never_costs_a_taker_more_than_its_amounts_say(
    side: Side, point: tuple[PriceE4, PriceE4], maker: int, taker: int
) -> None:
    _, tick = point
    found = Amounts(maker, taker)
    worst = Decimal(amounts.worst_price(side, found, tick)).scaleb(-4)
    if side == "BUY":
        assert worst * taker <= maker
    else:
        assert worst * maker >= taker
