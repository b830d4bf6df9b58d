"""A process that hangs before its first word is killed through supervisord; nobody else is."""

from typing import Any

import pytest

from services.risk.first_word import LOOKS_MAX
from services.risk.messages import AskSupervisor, NoteProgram, ProgramRow, ProgramsSeen
from services.risk.restarts import Restarts
from services.risk.source import Notice
from shared.config import ComponentsSettings
from shared.effects import ControlReceived
from shared.topics import EXECUTION, RISK
from tests.builders.risk import World, instant

PID = 4_242


class Desk:
    """The source of restarts, with a look of supervisord a second."""

    def __init__(self) -> None:
        self.source = Restarts(ComponentsSettings())
        self.ms = 0.0

    def looks(
        self, count: int, *, program: str = EXECUTION, pid: int = PID, state: str = "RUNNING"
    ) -> list[Any]:
        found: list[Any] = []
        for _ in range(count):
            self.ms += 1_000
            now = instant(self.ms)
            self.source.hear(ProgramsSeen((ProgramRow(program, state, pid),)), now)
            found += self.source.data(now)
        return found

    def speak(self) -> None:
        self.source.hear(ControlReceived(World().pong(EXECUTION, None)), instant(self.ms))


def kills(found: list[Any]) -> list[tuple[str, str]]:
    return [(one.verb, one.program) for one in found if isinstance(one, AskSupervisor)]


@pytest.mark.req("CP-7")
def test_process_without_a_first_word_is_killed_told_of_and_counted() -> None:
    desk = Desk()
    assert desk.looks(LOOKS_MAX - 1) == []
    found = desk.looks(1)
    assert kills(found) == [("kill", EXECUTION)]
    assert [one.event.kind for one in found if isinstance(one, NoteProgram)] == ["killed"]
    assert [one.name for one in found if isinstance(one, Notice)] == [f"killed {EXECUTION}"]


@pytest.mark.req("CP-7")
def test_kill_that_ended_nothing_is_repeated_after_as_many_looks() -> None:
    desk = Desk()
    assert kills(desk.looks(2 * LOOKS_MAX)) == [("kill", EXECUTION)] * 2


def test_next_process_gets_its_own_time() -> None:
    desk = Desk()
    desk.looks(LOOKS_MAX - 1)
    assert kills(desk.looks(LOOKS_MAX - 1, pid=PID + 1)) == []
    assert kills(desk.looks(1, pid=PID + 1)) == [("kill", EXECUTION)]


def test_one_that_has_spoken_once_is_left_to_those_who_count_silence() -> None:
    desk = Desk()
    desk.looks(LOOKS_MAX - 1)
    desk.speak()
    assert kills(desk.looks(3 * LOOKS_MAX)) == []


@pytest.mark.parametrize(("program", "state"), [(RISK, "RUNNING"), (EXECUTION, "STARTING")])
def test_risk_itself_and_what_does_not_run_yet_are_not_killed(program: str, state: str) -> None:
    assert kills(Desk().looks(2 * LOOKS_MAX, program=program, state=state)) == []
