import pytest

from shared.facts import Side
from shared.units import MoneyE6, PriceE4, SizeE6
from shared.venue import amounts
from shared.venue.amounts import Amounts


def test_limit_buy_gives_dollars_and_wants_shares() -> None:
    found = amounts.limit_amounts("BUY", PriceE4(5200), SizeE6(10_000_000), PriceE4(100))
    assert found == Amounts(maker=5_200_000, taker=10_000_000)


def test_limit_sell_gives_shares_and_wants_dollars() -> None:
    found = amounts.limit_amounts("SELL", PriceE4(5200), SizeE6(10_000_000), PriceE4(100))
    assert found == Amounts(maker=10_000_000, taker=5_200_000)


def test_limit_size_with_cents_is_not_signed_a_hundredth_short() -> None:
    """The official client floors 5.1 shares to 5.09."""
    found = amounts.limit_amounts("BUY", PriceE4(2900), SizeE6(5_100_000), PriceE4(100))
    assert found == Amounts(maker=1_479_000, taker=5_100_000)


@pytest.mark.parametrize("price", [2900, 5700, 5800])
def test_market_buy_at_the_touch_still_implies_the_touch(price: int) -> None:
    """The official client signs these one tick lower, so that they never match."""
    found = amounts.market_buy_amounts(PriceE4(price), MoneyE6(10_000_000), PriceE4(100))
    assert found.maker * 10_000 >= price * found.taker
    assert amounts.worst_price("BUY", found, PriceE4(100)) == price


def test_market_amounts_respect_the_flat_cap_at_the_finest_tick() -> None:
    buy = amounts.market_buy_amounts(PriceE4(3333), MoneyE6(7_777_777), PriceE4(1))
    sell = amounts.market_sell_amounts(PriceE4(3333), SizeE6(7_770_000), PriceE4(1))
    assert buy == Amounts(maker=7_770_000, taker=23_312_300)
    assert sell == Amounts(maker=7_770_000, taker=2_589_700)
    assert amounts.is_market_precision("BUY", buy)
    assert amounts.is_market_precision("SELL", sell)


@pytest.mark.parametrize(
    ("side", "maker", "taker", "fits"),
    [
        ("BUY", 10_000, 100, True),
        ("BUY", 10_001, 100, False),
        ("BUY", 10_000, 101, False),
        ("SELL", 10_000, 100, True),
        ("SELL", 1_000, 100, False),
        ("SELL", 10_000, 10, False),
    ],
)
def test_market_precision_is_judged_on_both_amounts(
    side: Side, maker: int, taker: int, fits: bool
) -> None:
    assert amounts.is_market_precision(side, Amounts(maker, taker)) is fits


@pytest.mark.parametrize(
    ("price", "tick", "fits"),
    [
        (99, 100, False),
        (100, 100, True),
        (101, 100, False),
        (9_899, 100, False),
        (9_900, 100, True),
        (10_000, 100, False),
        (0, 100, False),
        (25, 25, True),
        (9_975, 25, True),
        (9_980, 25, False),
        (455, 10, False),
        (450, 10, True),
        (9_999, 1, True),
        (10_000, 1, False),
    ],
)
def test_price_is_on_the_grid_from_one_tick_to_one_less_a_tick(
    price: int, tick: int, fits: bool
) -> None:
    assert amounts.is_price_on_grid(PriceE4(price), PriceE4(tick)) is fits


@pytest.mark.parametrize("price", [4_550, 4_555])
def test_limit_amounts_assert_that_the_price_is_on_the_grid(price: int) -> None:
    with pytest.raises(AssertionError):
        amounts.limit_amounts("BUY", PriceE4(price), SizeE6(5_000_000), PriceE4(100))


@pytest.mark.parametrize("size", [0, 1, 9_999, 10_001, -10_000])
def test_limit_amounts_assert_that_the_size_is_in_hundredths(size: int) -> None:
    with pytest.raises(AssertionError):
        amounts.limit_amounts("BUY", PriceE4(5000), SizeE6(size), PriceE4(100))


def test_size_is_floored_to_hundredths() -> None:
    assert amounts.floor_size(SizeE6(19_999)) == 10_000
    assert amounts.floor_size(SizeE6(20_000)) == 20_000
    assert amounts.floor_size(SizeE6(9_999)) == 0


def test_prices_are_floored_and_raised_to_the_grid() -> None:
    assert amounts.floor_price(PriceE4(4_599), PriceE4(100)) == 4_500
    assert amounts.ceil_price(PriceE4(4_501), PriceE4(100)) == 4_600
    assert amounts.ceil_price(PriceE4(4_500), PriceE4(100)) == 4_500


def test_minimum_size_is_reached_at_exactly_the_minimum() -> None:
    assert not amounts.is_resting_size(SizeE6(4_999_999), SizeE6(5_000_000))
    assert amounts.is_resting_size(SizeE6(5_000_000), SizeE6(5_000_000))
    assert amounts.is_resting_size(SizeE6(5_000_001), SizeE6(5_000_000))


def test_marketable_buy_needs_a_dollar_and_a_sell_does_not() -> None:
    assert not amounts.is_marketable_value("BUY", PriceE4(1999), SizeE6(5_000_000))
    assert amounts.is_marketable_value("BUY", PriceE4(2000), SizeE6(5_000_000))
    assert amounts.is_marketable_value("BUY", PriceE4(2001), SizeE6(5_000_000))
    assert amounts.is_marketable_value("SELL", PriceE4(10), SizeE6(10_000))


def test_implied_price_of_limit_amounts_is_exact_or_an_error() -> None:
    assert amounts.implied_price("BUY", Amounts(1_479_000, 5_100_000)) == 2900
    assert amounts.implied_price("SELL", Amounts(5_100_000, 1_479_000)) == 2900
    with pytest.raises(amounts.Uneven):
        amounts.implied_price("BUY", Amounts(1_479_001, 5_100_000))
    with pytest.raises(amounts.Uneven):
        amounts.implied_price("BUY", Amounts(1, 0))
    with pytest.raises(amounts.Uneven):
        amounts.worst_price("SELL", Amounts(0, 1), PriceE4(100))


def test_every_tick_of_the_venue_has_its_decimals_and_no_other_does() -> None:
    assert [amounts.amount_decimals(tick) for tick in amounts.TICKS_E4] == [3, 4, 5, 6, 5, 6]
    assert all(amounts.is_tick(tick) for tick in amounts.TICKS_E4)
    assert not amounts.is_tick(20)
    with pytest.raises(ValueError, match="20"):
        amounts.amount_decimals(PriceE4(20))
