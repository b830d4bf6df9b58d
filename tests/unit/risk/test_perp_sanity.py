"""RV-1: mark price and open interest inside their hour, only where a strategy uses them."""

import pytest

from services.risk.data_sanity import DataSanity
from services.risk.hour_range import BUCKET_NS, BUCKETS, HourRange
from services.risk.perp_sanity import PerpSanity
from services.risk.strategy_inputs import INPUTS, used_by
from shared.config import RecoverySettings
from shared.facts import PerpContext
from shared.identifiers import Asset, Component
from shared.topics import CARETAKER, MARKET_MAKING, STRATEGIES
from shared.units import NS_PER_MS, CoinsE8, MoneyE6, MonotonicNs, RateE12, ReferenceE18
from tests.builders.risk import instant

LIMITS = RecoverySettings()
MINUTE_MS = BUCKET_NS / NS_PER_MS


def context(mark: int = 100, interest: int = 100, source: str = "socket") -> PerpContext:
    return PerpContext(
        asset=Asset("btc"),
        mark_e18=ReferenceE18(mark * 10**18),
        oracle_e18=ReferenceE18(100 * 10**18),
        mid_e18=None,
        open_interest_e8=CoinsE8(interest * 10**8),
        funding_e12=RateE12(0),
        premium_e12=None,
        day_volume_e6=MoneyE6(0),
        source="rest" if source == "rest" else "socket",
        received_ns=MonotonicNs(0),
    )


def told(*contexts: PerpContext) -> PerpSanity:
    """Return what has heard one context a minute."""
    sanity = PerpSanity()
    for minute, one in enumerate(contexts):
        sanity.take(one, instant(minute * MINUTE_MS))
    return sanity


@pytest.mark.req("RV-1")
@pytest.mark.parametrize(("mark", "is_out"), [(110, False), (111, True), (90, False), (89, True)])
def test_mark_price_is_out_of_its_range_just_above_the_limit(mark: int, is_out: bool) -> None:
    sanity = told(context(), context(mark=mark))
    assert bool(sanity.out_of_range(LIMITS, "mark price")) is is_out
    assert not sanity.out_of_range(LIMITS, "open interest")


@pytest.mark.req("RV-1")
@pytest.mark.parametrize(
    ("interest", "is_out"), [(150, False), (151, True), (50, False), (49, True)]
)
def test_open_interest_is_out_of_its_range_just_above_the_limit(
    interest: int, is_out: bool
) -> None:
    sanity = told(context(), context(interest=interest))
    assert bool(sanity.out_of_range(LIMITS, "open interest")) is is_out


def test_read_of_the_same_is_no_history() -> None:
    assert not told(context(), context(mark=200, source="rest")).out_of_range(LIMITS, "mark price")


def test_range_is_one_of_an_hour() -> None:
    hour = HourRange(100)
    hour.take(100, instant(0))
    for minute in range(1, BUCKETS):
        hour.take(200, instant(minute * MINUTE_MS))
    assert not hour.is_outside(10)
    hour.take(100, instant(BUCKETS * MINUTE_MS))
    assert hour.is_outside(10)


@pytest.mark.req("RV-1")
def test_only_what_the_strategies_use_is_looked_at() -> None:
    assert INPUTS.keys() == set(STRATEGIES)
    assert used_by((MARKET_MAKING, CARETAKER)) == {"settlement price"}
    assert "open interest" in used_by((Component("one that nobody describes"),))
    sanity = DataSanity()
    for minute, mark in enumerate((100, 200)):
        sanity.perps.take(context(mark=mark), instant(minute * MINUTE_MS))
    assert sanity.out_of_range(LIMITS, used=used_by(STRATEGIES)) == ""
    assert sanity.out_of_range(LIMITS, used=frozenset({"mark price"})) == "btc mark price"
