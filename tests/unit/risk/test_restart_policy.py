"""How often a program may end: just below, at and above its limit, and what weighs how much."""

import pytest

from services.risk.restart_policy import Ends, Limit
from shared.program_events import EventKind, ProgramEvent
from shared.units import NS_PER_S, BootNs, WallNs

WINDOW_S = 600
MAX = 3
START_NS = 10_000 * NS_PER_S


def ends() -> Ends:
    return Ends(Limit(MAX, WINDOW_S * NS_PER_S))


def at(seconds: float) -> BootNs:
    return BootNs(START_NS + int(seconds * NS_PER_S))


def event(seconds: float, kind: EventKind = "exited", **more: object) -> ProgramEvent:
    return ProgramEvent(at(seconds), WallNs(0), "state", kind, **more)  # type: ignore[arg-type]


@pytest.mark.req("CP-1", "CP-3")
@pytest.mark.parametrize(("crashes", "over"), [(MAX - 1, False), (MAX, False), (MAX + 1, True)])
@pytest.mark.parametrize("kind", ["exited", "backoff"])
def test_crashes_are_too_many_above_the_limit(crashes: int, over: bool, kind: EventKind) -> None:
    counted = ends()
    for number in range(crashes):
        counted.take(event(number, kind))
    assert counted.is_over(at(crashes)) is over


@pytest.mark.parametrize(("kills", "over"), [(2 * MAX, False), (2 * MAX + 1, True)])
def test_kills_of_a_hung_program_count_half(kills: int, over: bool) -> None:
    counted = ends()
    for number in range(kills):
        counted.take(event(number, "killed", pid=100 + number))
        counted.take(event(number, pid=100 + number))
    assert counted.is_over(at(kills)) is over


@pytest.mark.parametrize(("clean", "over"), [(2 * MAX, False), (2 * MAX + 1, True)])
def test_ends_with_status_zero_that_nobody_asked_for_count_half(clean: int, over: bool) -> None:
    counted = ends()
    for number in range(clean):
        counted.take(event(number, pid=number, expected=True))
    assert counted.is_over(at(clean)) is over


def test_kill_excuses_the_end_of_its_own_run_alone() -> None:
    counted = ends()
    counted.take(event(0, "killed", pid=7))
    counted.take(event(1, pid=8))
    counted.take(event(2, pid=7))
    counted.take(event(3, pid=7))
    assert counted.weight(at(4)) == 2 + 1 + 2


def test_end_that_supervisord_was_asked_for_weighs_nothing() -> None:
    counted = ends()
    for number in range(50):
        counted.take(event(number, "stopped", pid=number))
    assert counted.weight(at(60)) == 0


@pytest.mark.parametrize(("passed_s", "over"), [(-0.001, True), (0, False), (0.001, False)])
def test_crash_counts_for_the_length_of_the_window(passed_s: float, over: bool) -> None:
    counted = ends()
    for number in range(MAX + 1):
        counted.take(event(number))
    assert counted.is_over(at(WINDOW_S + passed_s)) is over


def test_stamp_that_lies_ahead_is_of_an_earlier_life_of_the_machine() -> None:
    counted = ends()
    for _ in range(MAX + 1):
        counted.take(event(5_000))
    assert not counted.is_over(at(0))


@pytest.mark.req("CP-1")
def test_finding_stays_until_it_is_cleared_and_is_down_once_stopped() -> None:
    counted = ends()
    counted.take(event(0, "stopped"))
    counted.take(event(1, "flapping"))
    assert (counted.is_flapping, counted.is_down) == (True, False)
    counted.take(event(2, "stopped"))
    assert (counted.is_flapping, counted.is_down) == (True, True)
    counted.take(event(3))
    counted.take(event(4, "cleared"))
    assert (counted.is_flapping, counted.is_down) == (False, False)
    assert counted.weight(at(5)) == 0


def test_words_tell_crashes_and_milder_ends() -> None:
    counted = ends()
    counted.take(event(0))
    counted.take(event(1, pid=1, expected=True))
    assert counted.words(at(2)) == "1 crashes and 1 milder ends in 600 s"
