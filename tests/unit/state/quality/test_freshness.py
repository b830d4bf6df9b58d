"""DQ-1: no update for too long, and a price that hangs while nobody is near it."""

import pytest

from services.state.quality.freshness import Freshness, Witness
from tests.builders.feeds import at
from tests.builders.quality import confirmed, contradicted, reading, unknown

STALE_MS = 3_000
UNCHANGED_MS = 10_000


def check(freshness: Freshness, witness: Witness, ms: float) -> str:
    complaint = freshness.judge(witness, at(ms))
    return "" if complaint is None else complaint.check


@pytest.mark.req("DQ-1")
@pytest.mark.parametrize(("ms", "said"), [(2_999, ""), (3_000, "stale"), (3_001, "stale")])
def test_stream_is_stale_at_its_limit(ms: float, said: str) -> None:
    freshness = Freshness(STALE_MS, UNCHANGED_MS)
    freshness.update(reading(100, 0))
    assert check(freshness, confirmed, ms) == said


@pytest.mark.req("DQ-1")
def test_staleness_is_counted_from_the_last_update() -> None:
    freshness = Freshness(STALE_MS, UNCHANGED_MS)
    freshness.update(reading(100, 500))
    complaint = freshness.judge(unknown, at(4_000))
    assert complaint is not None
    assert complaint.since_ns == at(500).monotonic_ns


@pytest.mark.req("DQ-1")
@pytest.mark.parametrize(("ms", "said"), [(9_999, ""), (10_000, "unchanged")])
@pytest.mark.parametrize("witness", [unknown, contradicted])
def test_price_that_stands_still_without_a_witness_is_doubted(
    ms: float, said: str, witness: Witness
) -> None:
    freshness = Freshness(STALE_MS, UNCHANGED_MS)
    for second in range(10):
        freshness.update(reading(100, second * 1_000))
    assert check(freshness, witness, ms) == said


@pytest.mark.req("DQ-1")
def test_price_that_stands_still_where_a_second_source_is_near_is_right() -> None:
    freshness = Freshness(STALE_MS, UNCHANGED_MS)
    for second in range(30):
        freshness.update(reading(100, second * 1_000))
    assert check(freshness, confirmed, 29_500) == ""


def test_what_may_stand_still_is_only_stale() -> None:
    freshness = Freshness(STALE_MS, 0)
    for second in range(30):
        freshness.update(reading(100, second * 1_000))
    assert check(freshness, unknown, 29_500) == ""
    assert check(freshness, unknown, 32_000) == "stale"


def test_stream_never_heard_of_is_not_stale() -> None:
    """The settlement oracle's own switch holds what was never evident."""
    assert check(Freshness(STALE_MS, UNCHANGED_MS), unknown, 10**6) == ""
