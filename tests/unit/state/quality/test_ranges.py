"""DQ-6 to DQ-9: jumps, minima, open interest, volume and outliers, at their limits."""

import pytest

from services.state.quality.freshness import Witness
from services.state.quality.interest import InterestRange
from services.state.quality.outliers import STEPS_MIN, Outliers
from services.state.quality.prices import BUCKET_NS, BUCKETS, PriceRange
from services.state.quality.readings import Complaint
from services.state.quality.volume import VolumeRange
from shared.units import NS_PER_MS
from tests.builders.feeds import at
from tests.builders.quality import E18, confirmed, contradicted, unknown


def verdict(complaint: Complaint | None) -> str:
    return "" if complaint is None else complaint.verdict


def prices(usd: int = 100) -> PriceRange:
    known = PriceRange(20, 50)
    known.accept(usd * E18, at(0))
    return known


@pytest.mark.req("DQ-6")
@pytest.mark.parametrize("percent", [80, 100, 120])
def test_price_within_its_limit_asks_nobody(percent: int) -> None:
    assert prices().judge(percent * E18, unknown) is None


@pytest.mark.req("DQ-6")
@pytest.mark.parametrize("value", [120 * E18 + 1, 80 * E18 - 1])
@pytest.mark.parametrize(
    ("witness", "said"), [(confirmed, ""), (contradicted, "refused"), (unknown, "unknown")]
)
def test_jump_counts_as_its_second_source_says(value: int, witness: Witness, said: str) -> None:
    assert verdict(prices().judge(value, witness)) == said


@pytest.mark.req("DQ-6")
@pytest.mark.parametrize(("value", "said"), [(50 * E18, ""), (50 * E18 - 1, "refused")])
def test_price_below_half_of_the_lowest_is_refused_whoever_confirms_it(
    value: int, said: str
) -> None:
    assert verdict(prices().judge(value, confirmed)) == said


@pytest.mark.req("DQ-6")
def test_lowest_of_an_hour_ago_is_forgotten_by_newer_prices() -> None:
    known = prices(100)
    minute_ms = BUCKET_NS // NS_PER_MS
    for minute in range(1, BUCKETS + 1):
        assert verdict(known.judge(99 * E18, confirmed)) == ""
        known.accept(300 * E18, at(minute * minute_ms))
    assert verdict(known.judge(149 * E18, confirmed)) == "refused"


def test_first_price_has_nothing_to_be_compared_with() -> None:
    assert PriceRange(20, 50).judge(E18, unknown) is None


@pytest.mark.parametrize("value", [0, -1])
def test_price_that_is_not_above_zero_is_refused(value: int) -> None:
    assert verdict(PriceRange(20, 50).judge(value, confirmed)) == "refused"


@pytest.mark.req("DQ-7")
@pytest.mark.parametrize(("value", "said"), [(0, ""), (-1, "refused")])
def test_open_interest_below_zero_is_refused(value: int, said: str) -> None:
    assert verdict(InterestRange(50).judge(value, confirmed)) == said


@pytest.mark.req("DQ-7")
@pytest.mark.parametrize(
    ("value", "witness", "said"),
    [
        (150 * E18, unknown, ""),
        (50 * E18, unknown, ""),
        (150 * E18 + 1, unknown, "unknown"),
        (50 * E18 - 1, contradicted, "refused"),
        (50 * E18 - 1, confirmed, ""),
    ],
)
def test_open_interest_is_checked_above_its_change(value: int, witness: Witness, said: str) -> None:
    known = InterestRange(50)
    known.accept(100 * E18, at(0))
    assert verdict(known.judge(value, witness)) == said


@pytest.mark.req("DQ-8")
@pytest.mark.parametrize(
    ("value", "witness", "said"),
    [
        (1_000 * E18, unknown, ""),
        (1_000 * E18 + 1, unknown, "unknown"),
        (1_000 * E18 + 1, contradicted, "refused"),
        (1_000 * E18 + 1, confirmed, "suspect"),
        (-1, confirmed, "refused"),
    ],
)
def test_volume_far_above_the_highest_is_flagged_and_checked(
    value: int, witness: Witness, said: str
) -> None:
    known = VolumeRange(10)
    for told in (100, 40):
        known.accept(told * E18, at(0))
    assert verdict(known.judge(value, witness)) == said


def steady(steps: int) -> Outliers:
    """Return a check that has seen steps of exactly 0.1 % up and down."""
    check = Outliers(5, 10)
    for step in range(steps + 1):
        check.accept(100_000 * E18 if step % 2 else 100_100 * E18, at(step))
    return check


@pytest.mark.req("DQ-9")
@pytest.mark.parametrize(
    ("usd", "said"), [(100_490, ""), (100_510, "suspect"), (99_400, "suspect")]
)
def test_step_of_more_than_five_deviations_is_flagged(usd: int, said: str) -> None:
    check = steady(101)
    assert verdict(check.judge(usd * E18)) == said


@pytest.mark.req("DQ-9")
def test_few_steps_say_nothing_of_an_outlier() -> None:
    assert steady(STEPS_MIN - 1).judge(200_000 * E18) is None
    assert steady(STEPS_MIN).judge(200_000 * E18) is not None


@pytest.mark.req("DQ-9")
def test_small_step_after_a_calm_is_no_outlier() -> None:
    check = Outliers(5, 10)
    for step in range(100):
        check.accept(100_000 * E18, at(step))
    assert check.judge(100_099 * E18) is None
    assert check.judge(100_101 * E18) is not None
