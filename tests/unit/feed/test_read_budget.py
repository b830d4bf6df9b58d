"""NET-8: budgets set ahead, urgency, halving by a 429, recovery in five clean minutes, evidence."""

import pytest

from services.feed.read_budget import (
    FAMILIES,
    HALVED_EVERY_NS,
    LATENCIES_MIN,
    MARKETS,
    PACE_MIN,
    PAUSE_JITTER_NS,
    PAUSE_NS,
    RECOVERS_NS,
    REFUSALS_MAX,
    SLOW_FLOOR_NS,
    WHOLE,
    ReadBudget,
    ReadBudgets,
    Urgency,
    retry_after_s,
)
from services.simulator.windows import LIMITS
from shared.units import NS_PER_MS
from tests.builders.feeds import at

pytestmark = pytest.mark.req("NET-8")

HALVED_EVERY_MS = HALVED_EVERY_NS // NS_PER_MS
RECOVERS_MS = RECOVERS_NS // NS_PER_MS
SECOND_MS = 1_000


def budget() -> ReadBudget:
    return ReadBudget(MARKETS, seed=1)


def taken(of: ReadBudget, from_ms: int, to_ms: int, urgency: Urgency = "critical") -> int:
    """Return how many reads fit into a time."""
    return sum(of.take(urgency, at(moment)) for moment in range(from_ms, to_ms, 10))


def test_budget_is_a_burst_and_then_its_pace() -> None:
    one = budget()
    assert sum(one.take("critical", at(0)) for _ in range(100)) == MARKETS.burst
    assert taken(one, 0, 10_000) == pytest.approx(10 * MARKETS.per_s, abs=1)


def test_budgets_stay_below_the_venues_limits() -> None:
    """Ten seconds and a burst, within each limit that counts the family."""
    for family in FAMILIES:
        most = 10 * family.per_s + family.burst
        for limit in LIMITS:
            counted = any(path.rstrip("*") in family.prefixes for path in limit.paths)
            assert not counted or most < limit.requests


def test_what_can_wait_leaves_reads_for_what_cannot() -> None:
    one = budget()
    assert sum(one.take("history", at(0)) for _ in range(100)) == 4
    assert sum(one.take("usual", at(0)) for _ in range(100)) == 3
    assert sum(one.take("critical", at(0)) for _ in range(100)) == 3


def test_429_holds_all_reads_for_a_moment_and_halves_the_pace_once() -> None:
    one = budget()
    one.refused(at(0))
    one.refused(at(HALVED_EVERY_MS - 1))
    assert one.pace(at(HALVED_EVERY_MS)) == pytest.approx(WHOLE // 2, abs=5)
    longest_ms = HALVED_EVERY_MS + (PAUSE_NS + PAUSE_JITTER_NS) // NS_PER_MS
    assert not one.take("critical", at(HALVED_EVERY_MS - 1 + PAUSE_NS // NS_PER_MS - 1))
    assert one.take("critical", at(longest_ms))
    assert taken(one, longest_ms + 2_000, longest_ms + 12_000) < 10 * MARKETS.per_s * 0.6


def test_venue_says_how_long_to_wait() -> None:
    one = budget()
    one.refused(at(0), 7)
    assert not one.take("critical", at(6_999))
    assert one.take("critical", at(7_000 + PAUSE_JITTER_NS // NS_PER_MS))


def test_jitter_differs_from_seed_to_seed() -> None:
    ends = set()
    for seed in range(8):
        one = ReadBudget(MARKETS, seed)
        one.refused(at(0))
        ends.add(next(moment for moment in range(3_000) if one.take("critical", at(moment))))
    assert len(ends) > 4


def test_pace_never_falls_to_nothing() -> None:
    one = budget()
    for number in range(20):
        one.refused(at(number * HALVED_EVERY_MS))
    assert one.pace(at(19 * HALVED_EVERY_MS)) == PACE_MIN


def test_pace_grows_evenly_and_is_whole_after_five_clean_minutes() -> None:
    one = budget()
    one.refused(at(0))
    paces = [one.pace(at(moment)) for moment in range(0, RECOVERS_MS + 1, RECOVERS_MS // 10)]
    assert paces == sorted(paces)
    assert paces[5] == WHOLE * 3 // 4
    assert one.pace(at(RECOVERS_MS - 1)) < WHOLE
    assert one.strain(at(RECOVERS_MS - 1))
    assert one.pace(at(RECOVERS_MS)) == WHOLE
    assert one.strain(at(RECOVERS_MS)) == ""


def test_polling_is_as_much_slower_as_the_pace() -> None:
    one = budget()
    assert one.stretched(1_000, at(0)) == 1_000
    one.refused(at(0))
    assert one.stretched(1_000, at(0)) == 2_000


def test_answers_that_get_slow_are_evidence() -> None:
    one = budget()
    for _ in range(LATENCIES_MIN):
        one.answered(20 * NS_PER_MS)
    assert one.strain(at(0)) == ""
    for _ in range(40):
        one.answered(SLOW_FLOOR_NS)
    assert "answers in 500 ms" in one.strain(at(SECOND_MS))


def test_answers_that_were_always_slow_are_none() -> None:
    one = budget()
    for _ in range(40):
        one.answered(SLOW_FLOOR_NS)
    assert one.strain(at(0)) == ""


def test_failures_in_a_row_are_evidence_that_passes() -> None:
    one = budget()
    for number in range(REFUSALS_MAX):
        assert one.strain(at(number)) == ""
        one.failed(at(number))
    assert "refused or unanswered" in one.strain(at(REFUSALS_MAX))
    assert one.strained_for_ns(at(1_000 + REFUSALS_MAX)) == SECOND_MS * NS_PER_MS
    assert one.strain(at(11_000)) == ""
    assert one.strained_for_ns(at(12_000)) == 0


def test_every_path_has_a_family_of_its_own() -> None:
    budgets = ReadBudgets(FAMILIES, 1)
    budgets.of("/events/slug/x").refused(at(0))
    assert budgets.of("/markets/slug/x").pace(at(0)) == WHOLE
    assert budgets.strain(at(0))[0].startswith("events at 50 %")
    with pytest.raises(AssertionError):
        budgets.of("/book")


@pytest.mark.parametrize(
    ("text", "seconds"), [("3", 3), ("", None), ("soon", None), ("9" * 10, None)]
)
def test_retry_after_is_read_where_it_is_a_number(text: str, seconds: int | None) -> None:
    assert retry_after_s({"retry-after": text} if text else {}) == seconds
