"""DQ-4: stamps of the future, backward stamps, history, and what is told twice."""

import pytest

from services.state.quality.stamps import SEEN_MAX, Stamped, Stamps
from shared.units import WallMs
from tests.builders.feeds import WALL_START_MS, at
from tests.builders.quality import reading

FUTURE_MS = 5_000


@pytest.mark.req("DQ-4")
@pytest.mark.parametrize(
    ("ahead_ms", "stamped"), [(4_999, "new"), (5_000, "new"), (5_001, "future")]
)
def test_stamp_of_the_future_is_refused_just_above_its_limit(
    ahead_ms: int, stamped: Stamped
) -> None:
    stamps = Stamps(FUTURE_MS)
    assert stamps.judge(reading(1, venue_ms=WallMs(WALL_START_MS + ahead_ms)), at(0)) == stamped


@pytest.mark.req("DQ-4")
def test_refused_stamp_of_the_future_makes_nothing_after_it_old() -> None:
    stamps = Stamps(FUTURE_MS)
    stamps.judge(reading(1, venue_ms=WallMs(WALL_START_MS + 60_000)), at(0))
    assert stamps.judge(reading(1, 10), at(10)) == "new"


@pytest.mark.req("DQ-4")
@pytest.mark.parametrize(("step_ms", "stamped"), [(1, "new"), (0, "new"), (-1, "backwards")])
def test_stamp_goes_backwards_just_below_the_last_one(step_ms: int, stamped: Stamped) -> None:
    stamps = Stamps(FUTURE_MS)
    stamps.judge(reading(1, 100), at(100))
    assert stamps.judge(reading(2, 100 + step_ms), at(101)) == stamped


def test_older_stamp_of_a_history_is_no_step_backwards() -> None:
    stamps = Stamps(FUTURE_MS)
    stamps.judge(reading(1, 100), at(100))
    assert stamps.judge(reading(2, 50, is_history=True), at(101)) == "history"


def test_tick_that_is_told_again_says_nothing_new_however_late() -> None:
    stamps = Stamps(FUTURE_MS)
    first = reading(1, 100)
    stamps.judge(first, at(100))
    stamps.judge(reading(2, 200), at(200))
    assert stamps.judge(first, at(300)) == "seen"
    assert stamps.judge(reading(3, 100), at(300)) == "backwards", "another value is no repetition"


def test_ticks_are_remembered_within_a_bound() -> None:
    stamps = Stamps(FUTURE_MS)
    first = reading(1, 0)
    stamps.judge(first, at(0))
    for step in range(1, SEEN_MAX + 1):
        stamps.judge(reading(1, step), at(step))
    assert stamps.judge(first, at(SEEN_MAX)) == "backwards"


def test_stream_without_stamps_is_always_new() -> None:
    stamps = Stamps(FUTURE_MS)
    assert [stamps.judge(reading(1, venue_ms=None), at(0)) for _ in range(2)] == ["new", "new"]
