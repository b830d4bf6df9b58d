"""Witnesses that disagree: told after some looks in a row, and told again when they agree."""

from typing import Any

import pytest

from services.risk.contradictions import LOOKS, SILENT_NS, Contradictions
from services.risk.messages import (
    ProcessExited,
    ProgramRow,
    ProgramsSeen,
    ProgramsTold,
    SupervisorSilent,
)
from services.risk.source import Notice
from shared.effects import ControlReceived
from shared.program_events import ProgramEvent
from shared.topics import STATE
from shared.units import NS_PER_MS, BootNs, WallNs
from tests.builders.risk import World, instant

PONG = World().pong(STATE, None)


class Desk:
    """The source, with looks of supervisord a second apart."""

    def __init__(self) -> None:
        self.source = Contradictions()
        self.ms = 0.0

    def look(
        self, state: str, pid: int, *, answers: bool = True, program: str = STATE
    ) -> list[Any]:
        self.ms += 1_000
        now = instant(self.ms)
        if answers:
            self.source.hear(ControlReceived(PONG), now)
        self.source.hear(ProgramsSeen((ProgramRow(program, state, pid),)), now)
        return list(self.source.data(now))

    def looks(self, count: int, state: str, pid: int, **more: Any) -> list[Any]:
        return [one for _ in range(count) for one in self.look(state, pid, **more)]


@pytest.mark.req("CP-1")
@pytest.mark.parametrize(
    ("state", "pid", "words"),
    [
        ("RUNNING", PONG.pid + 1, "answers"),
        ("STOPPED", 0, "STOPPED"),
        ("BACKOFF", 0, "BACKOFF"),
        ("FATAL", 0, "FATAL"),
    ],
)
@pytest.mark.parametrize(("looks", "told"), [(LOOKS - 1, 0), (LOOKS, 1), (LOOKS + 1, 2)])
def test_answers_from_what_supervisord_does_not_run_are_told_after_some_looks(
    state: str, pid: int, words: str, looks: int, told: int
) -> None:
    found = Desk().looks(looks, state, pid)
    assert len(found) == told
    assert all(isinstance(one, Notice) and words in one.text for one in found)


def test_answers_of_what_supervisord_runs_contradict_nothing() -> None:
    assert Desk().looks(20, "RUNNING", PONG.pid) == []
    assert Desk().looks(20, "STARTING", PONG.pid) == []


@pytest.mark.req("CP-1")
def test_program_that_runs_and_never_answered_is_told_after_a_start() -> None:
    desk = Desk()
    looks = SILENT_NS // (1_000 * NS_PER_MS)
    assert desk.looks(looks + LOOKS - 1, "RUNNING", 42, answers=False) == []
    (told,) = desk.look("RUNNING", 42, answers=False)
    assert "never answered" in told.text


def test_silence_of_a_run_that_has_answered_is_a_hang_and_no_contradiction() -> None:
    desk = Desk()
    desk.look("RUNNING", PONG.pid)
    assert desk.looks(60, "RUNNING", PONG.pid, answers=False) == []


def test_run_that_has_exited_answers_no_more() -> None:
    desk = Desk()
    desk.look("RUNNING", PONG.pid)
    desk.source.hear(ProcessExited(STATE, PONG.incarnation), instant(desk.ms))
    assert desk.looks(10, "STOPPED", 0, answers=False) == []


def test_end_of_a_contradiction_is_told_once() -> None:
    desk = Desk()
    desk.looks(LOOKS, "STOPPED", 0)
    (agreed,) = desk.look("RUNNING", PONG.pid)
    assert agreed.severity == "info"
    assert desk.look("RUNNING", PONG.pid) == []


def test_look_that_was_not_answered_breaks_the_row() -> None:
    desk = Desk()
    desk.looks(LOOKS - 1, "STOPPED", 0)
    desk.source.hear(SupervisorSilent("refused"), instant(desk.ms))
    assert desk.looks(LOOKS - 1, "STOPPED", 0) == []


@pytest.mark.req("CP-1")
@pytest.mark.parametrize("pid", [PONG.pid, 0])
@pytest.mark.parametrize("told", ["before", "after", "never"])
def test_end_that_watch_does_not_tell_of_shows_that_it_hangs(told: str, pid: int) -> None:
    desk = Desk()
    end = ProgramsTold((ProgramEvent(BootNs(1), WallNs(1), STATE, "exited", pid),), False)
    desk.look("RUNNING", PONG.pid)
    if told == "before":
        desk.source.hear(end, instant(desk.ms))
    desk.look("RUNNING", PONG.pid + 1, answers=False)
    if told == "after":
        desk.source.hear(end, instant(desk.ms))
    found = desk.looks(LOOKS, "RUNNING", 9, program="watch", answers=False)
    assert [STATE in one.text for one in found] == ([True] if told == "never" else [])


def test_watch_that_does_not_run_is_told_since_nobody_counts() -> None:
    found = Desk().looks(LOOKS, "BACKOFF", 0, program="watch", answers=False)
    assert len(found) == 1
    assert "not counted" in found[0].text
