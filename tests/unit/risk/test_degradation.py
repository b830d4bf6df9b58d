"""DG-4: from conditions to one level, at the edges of its hysteresis."""

import pytest

from services.risk.degradation import Cause, Degradation
from services.risk.latency import NEWEST, USUAL_MIN, Latency
from shared.level import LEVELS, Level, size_at
from shared.units import NS_PER_MS, BootNs, SizeE6

WORSE_MS, BETTER_MS = 1_000, 10_000


def at(ms: float) -> BootNs:
    return BootNs(int(ms * NS_PER_MS))


def fresh() -> Degradation:
    return Degradation(WORSE_MS * NS_PER_MS, BETTER_MS * NS_PER_MS)


def cause(level: Level) -> tuple[Cause, ...]:
    return () if level == "NORMAL" else (Cause(level, "thing", "is so"),)


def drive(made: Degradation, *steps: tuple[float, Level]) -> Level:
    for ms, level in steps:
        made.judge(cause(level), at(ms))
    return made.level


@pytest.mark.req("DG-4")
@pytest.mark.parametrize("level", LEVELS[1:])
def test_level_follows_a_condition_that_has_held_for_its_time(level: Level) -> None:
    made = fresh()
    assert drive(made, (0, level), (WORSE_MS - 1, level)) == "NORMAL"
    shift = made.judge(cause(level), at(WORSE_MS))
    assert shift is not None
    assert (shift.before, shift.after, shift.cause) == ("NORMAL", level, "thing: is so")
    assert made.judge(cause(level), at(WORSE_MS + 1)) is None, "told once"


@pytest.mark.req("DG-4")
def test_condition_that_breaks_off_counts_anew() -> None:
    made = fresh()
    assert drive(made, (0, "REDUCED"), (999, "REDUCED"), (1_000, "NORMAL")) == "NORMAL"
    assert drive(made, (1_001, "REDUCED"), (2_000, "REDUCED")) == "NORMAL"
    assert drive(made, (2_001, "REDUCED")) == "REDUCED"


@pytest.mark.req("DG-4")
def test_level_is_left_once_nothing_has_held_for_its_time() -> None:
    made = fresh()
    drive(made, (0, "REDUCED"), (WORSE_MS, "REDUCED"))
    assert drive(made, (5_000, "NORMAL"), (5_000 + BETTER_MS - 1, "NORMAL")) == "REDUCED"
    shift = made.judge((), at(5_000 + BETTER_MS))
    assert shift is not None
    assert (shift.after, shift.cause) == ("NORMAL", "nothing holds any more")


@pytest.mark.req("DG-4")
def test_flapping_condition_keeps_the_level_and_changes_it_once() -> None:
    made = fresh()
    drive(made, (0, "REDUCED"), (WORSE_MS, "REDUCED"))
    shifts = [
        made.judge(cause("REDUCED" if step % 2 else "NORMAL"), at(2_000 + step * 4_900))
        for step in range(100)
    ]
    assert not any(shifts)
    assert made.level == "REDUCED"


@pytest.mark.req("DG-4", "DG-2")
def test_emergency_is_left_by_way_of_reduced_and_each_has_its_own_time() -> None:
    made = fresh()
    drive(made, (0, "EMERGENCY"), (WORSE_MS, "EMERGENCY"))
    assert made.level == "EMERGENCY"
    assert drive(made, (2_000, "REDUCED"), (2_000 + BETTER_MS - 1, "REDUCED")) == "EMERGENCY"
    assert drive(made, (2_000 + BETTER_MS, "REDUCED")) == "REDUCED"
    assert drive(made, (20_000, "NORMAL"), (20_000 + BETTER_MS, "NORMAL")) == "NORMAL"


@pytest.mark.req("DG-4")
def test_worse_level_is_reached_from_a_lower_one_by_its_own_condition() -> None:
    made = fresh()
    drive(made, (0, "REDUCED"), (WORSE_MS, "REDUCED"), (1_500, "EMERGENCY"))
    assert drive(made, (1_500 + WORSE_MS - 1, "EMERGENCY")) == "REDUCED"
    assert drive(made, (1_500 + WORSE_MS, "EMERGENCY")) == "EMERGENCY"


@pytest.mark.req("DG-3")
def test_shutdown_is_left_by_nobody() -> None:
    made = fresh()
    drive(made, (0, "SHUTDOWN"), (WORSE_MS, "SHUTDOWN"))
    assert drive(made, (10_000, "NORMAL"), (10_000_000, "NORMAL")) == "SHUTDOWN"


@pytest.mark.req("DG-1")
@pytest.mark.parametrize(
    ("level", "full", "expected"),
    [
        ("NORMAL", 10_000_000, 10_000_000),
        ("REDUCED", 20_000_000, 10_000_000),
        ("REDUCED", 10_000_000, 5_000_000),
        ("REDUCED", 11_010_000, 5_500_000),
        ("REDUCED", 7_000_000, 5_000_000),
        ("REDUCED", 4_000_000, 4_000_000),
        ("EMERGENCY", 10_000_000, 5_000_000),
    ],
)
def test_size_at_a_level_is_half_and_never_below_what_the_venue_takes(
    level: Level, full: int, expected: int
) -> None:
    assert size_at(level, SizeE6(full), SizeE6(5_000_000)) == expected


@pytest.mark.req("DG-1")
@pytest.mark.parametrize(("took_ms", "is_slow"), [(200, False), (201, True)])
def test_answers_are_slow_above_twice_what_is_usual(took_ms: int, is_slow: bool) -> None:
    made = Latency()
    for _ in range(USUAL_MIN + NEWEST):
        made.answered(100 * NS_PER_MS)
    for _ in range(NEWEST):
        assert made.slow(2, 0) is None or is_slow
        made.answered(took_ms * NS_PER_MS)
    assert (made.slow(2, 0) is not None) is is_slow
    assert made.slow(2, took_ms * NS_PER_MS) is None, "not above the floor"


@pytest.mark.req("DG-1")
def test_few_answers_are_no_baseline_and_one_slow_answer_is_none() -> None:
    made = Latency()
    for _ in range(USUAL_MIN):
        made.answered(NS_PER_MS)
    for _ in range(NEWEST - 1):
        made.answered(900 * NS_PER_MS)
    assert made.slow(2, 0) is None
    steady = Latency()
    for _ in range(USUAL_MIN + NEWEST):
        steady.answered(NS_PER_MS)
    steady.answered(900 * NS_PER_MS)
    assert steady.slow(2, 0) is None
