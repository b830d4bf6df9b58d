import math

import pytest

from services.state.prices import (
    RETURNS_MIN,
    STEP_MS_MAX,
    STRIKE_LATE_MS_MAX,
    STRIKES_MAX,
    AssetPrices,
)
from shared.facts import ReferencePrice
from shared.identifiers import Asset
from shared.units import MonotonicNs, ReferenceE18, WallMs

START = 1_790_000_040_000
DOLLAR = 10**18


def tick(milliseconds: int, dollars: float = 100_000, source: str = "chainlink") -> ReferencePrice:
    return ReferencePrice(
        Asset("btc"),
        source,
        ReferenceE18(round(dollars * 10**6) * 10**12),
        WallMs(START + milliseconds),
        MonotonicNs(milliseconds),
    )


@pytest.mark.parametrize(
    ("late_ms", "is_known"),
    [(0, True), (STRIKE_LATE_MS_MAX, True), (STRIKE_LATE_MS_MAX + 1, False)],
)
def test_strike_is_the_first_tick_after_the_start_unless_it_is_late(
    late_ms: int, *, is_known: bool
) -> None:
    prices = AssetPrices(60)
    prices.add(tick(-1, 90_000))
    prices.add(tick(late_ms, 100_000))
    prices.add(tick(late_ms + 1, 110_000))
    assert prices.strike(WallMs(START)) == (100_000 * DOLLAR if is_known else None)


def test_strike_comes_from_a_backfill_too() -> None:
    prices = AssetPrices(60)
    prices.add(tick(30_000, 105_000))
    prices.add(tick(1_000, 101_000))
    prices.add(tick(0, 100_000))
    assert prices.strike(WallMs(START)) == 100_000 * DOLLAR
    assert prices.settlement is not None
    assert prices.settlement.venue_ms == START + 30_000


def test_correction_of_the_same_moment_wins() -> None:
    prices = AssetPrices(60)
    prices.add(tick(0, 100_000))
    prices.add(tick(0, 100_001))
    assert prices.strike(WallMs(START)) == 100_001 * DOLLAR


def test_strike_of_the_venues_own_windows_is_the_average() -> None:
    prices = AssetPrices(300)
    start = START - START % 300_000
    prices.add(tick(start - START, 100_000))
    assert prices.strike(WallMs(start)) is None
    prices.add(tick(start - START, 99_000, "chainlink_twap_60"))
    assert prices.strike(WallMs(start)) == 99_000 * DOLLAR
    assert prices.settlement is not None
    assert prices.settlement.source == "chainlink_twap_60"


def test_other_sources_do_not_settle() -> None:
    prices = AssetPrices(60)
    prices.add(tick(0, 100_000, "pyth"))
    assert prices.settlement is None
    assert prices.strike(WallMs(START)) is None


def test_kept_strikes_are_bounded_and_the_oldest_go_first() -> None:
    prices = AssetPrices(60)
    for window in range(STRIKES_MAX + 1):
        prices.add(tick(window * 60_000))
    assert prices.strike(WallMs(START)) is None
    assert prices.strike(WallMs(START + 60_000)) is not None


@pytest.mark.parametrize(("returns", "is_known"), [(RETURNS_MIN - 1, False), (RETURNS_MIN, True)])
def test_volatility_is_unknown_until_there_are_enough_returns(
    returns: int, *, is_known: bool
) -> None:
    prices = AssetPrices(60)
    for step in range(returns + 1):
        prices.add(tick(step * 1_000, 100_000 + step % 2))
    assert (prices.volatility_e9() is not None) == is_known


@pytest.mark.parametrize("step_ms", [500, 1_000, 2_000])
def test_volatility_is_per_root_second_whatever_the_cadence(step_ms: int) -> None:
    prices = AssetPrices(60)
    move = 0.0001 * math.sqrt(step_ms / 1_000)
    for step in range(400):
        prices.add(tick(step * step_ms, 100_000 * (1 + move * (step % 2))))
    found = prices.volatility_e9()
    assert found is not None
    assert abs(found - 100_000) < 2_000


def test_repeated_moment_and_long_hole_make_no_return() -> None:
    prices = AssetPrices(60)
    for step in range(RETURNS_MIN * 2):
        prices.add(tick(0, 100_000 + step))
    assert prices.volatility_e9() is None
    for step in range(RETURNS_MIN * 2):
        prices.add(tick((step + 1) * (STEP_MS_MAX + 1), 100_000 + step))
    assert prices.volatility_e9() is None


@pytest.mark.req("CB-3")
def test_doubted_prices_are_forgotten_and_strikes_before_them_stand() -> None:
    prices = AssetPrices(60)
    for step in range(2 * RETURNS_MIN):
        prices.add(tick(step * 2_000, 100_000 + step % 2))
    assert prices.volatility_e9() is not None
    prices.add(tick(120_000, 130_000))
    prices.forget_since(WallMs(tick(120_000).venue_ms))
    assert (prices.settlement, prices.spot, prices.volatility_e9()) == (None, None, None)
    assert prices.strike(WallMs(tick(60_000).venue_ms)) is not None
    assert prices.strike(WallMs(tick(120_000).venue_ms)) is None
    prices.add(tick(120_500, 100_000))
    assert prices.strike(WallMs(tick(120_000).venue_ms)) == tick(0, 100_000).value_e18
