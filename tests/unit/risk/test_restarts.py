"""What follows from ends that are too many: for what trading needs, a strategy, and the rest."""

from typing import Any

import pytest

from services.risk.messages import (
    AskSupervisor,
    LatchEnded,
    NoteProgram,
    ProcessKilled,
    ProgramRow,
    ProgramsSeen,
    ProgramsTold,
    StoredState,
    SupervisorSilent,
)
from services.risk.restarts import Restarts
from services.risk.samples import Sample
from services.risk.source import Notice
from shared.config import ComponentsSettings
from shared.identifiers import Component
from shared.operator import Resumed, ResumeRefused
from shared.program_events import EventKind, ProgramEvent
from shared.switches import FLAPPING, STRATEGY_DISABLED
from shared.topics import EXECUTION, FEED_USER, MARKET_MAKING, RECORDER, RISK, STATE
from tests.builders.risk import World, instant

NOW = instant(1_000_000)


def told(program: str, kind: EventKind, times: int = 1, *, is_past: bool = False) -> ProgramsTold:
    event = ProgramEvent(NOW.boot_ns, NOW.wall_ns, program, kind)
    return ProgramsTold((event,) * times, is_past)


def seen(program: str, state: str) -> ProgramsSeen:
    return ProgramsSeen((ProgramRow(program, state, 0),))


class Desk:
    """The source, and what it has yielded."""

    def __init__(self) -> None:
        self.source = Restarts(ComponentsSettings())

    def hear(self, message: Any) -> list[Any]:
        self.source.hear(message, NOW)
        return list(self.source.data(NOW))


def asked(yielded: list[Any]) -> list[tuple[str, str]]:
    return [(one.verb, one.program) for one in yielded if isinstance(one, AskSupervisor)]


def noted(yielded: list[Any]) -> list[tuple[str, str]]:
    return [(one.event.kind, one.event.program) for one in yielded if isinstance(one, NoteProgram)]


def samples(yielded: list[Any]) -> list[Sample]:
    return [one for one in yielded if isinstance(one, Sample)]


@pytest.mark.req("CP-1", "CP-3")
@pytest.mark.parametrize(
    ("program", "switch", "key"),
    [
        (STATE, FLAPPING, ("account", "")),
        (EXECUTION, FLAPPING, ("account", "")),
        (FEED_USER, FLAPPING, ("account", "")),
        (MARKET_MAKING, STRATEGY_DISABLED, ("strategy", MARKET_MAKING)),
    ],
)
def test_fourth_crash_trips_and_has_the_component_stopped(
    program: str, switch: Any, key: tuple[str, str]
) -> None:
    desk = Desk()
    assert desk.hear(told(program, "exited", 3)) == []
    yielded = desk.hear(told(program, "exited"))
    (sample,) = samples(yielded)
    assert (sample.switch, sample.key, sample.bad) == (switch, key, True)
    assert "4 crashes" in sample.why
    assert asked(yielded) == [("stop", program)]
    assert noted(yielded) == [("flapping", program)]


@pytest.mark.req("CP-4")
def test_recorder_that_crashes_too_often_is_stopped_and_told_and_trips_nothing() -> None:
    desk = Desk()
    yielded = desk.hear(told(RECORDER, "exited", 4))
    assert samples(yielded) == []
    assert asked(yielded) == [("stop", RECORDER)]
    (notice,) = [one for one in yielded if isinstance(one, Notice)]
    assert notice.severity == "critical"
    assert "interlock restart recorder" in notice.text


def test_recorder_that_somebody_starts_again_counts_anew() -> None:
    desk = Desk()
    desk.hear(told(RECORDER, "exited", 4))
    desk.hear(seen(RECORDER, "STOPPED"))
    assert asked(desk.hear(seen(RECORDER, "RUNNING"))) == []
    assert asked(desk.hear(told(RECORDER, "exited", 3))) == []


def test_stop_is_asked_again_until_it_shows_and_not_while_it_is_under_way() -> None:
    desk = Desk()
    desk.hear(told(STATE, "exited", 4))
    assert asked(desk.hear(seen(STATE, "RUNNING"))) == [("stop", STATE)]
    assert asked(desk.hear(seen(STATE, "STOPPING"))) == []
    yielded = desk.hear(seen(STATE, "STOPPED"))
    assert asked(yielded) == []
    assert [one.bad for one in samples(yielded)] == [False]


def test_component_that_an_operator_starts_during_the_latch_is_left_alone() -> None:
    desk = Desk()
    desk.hear(told(STATE, "exited", 4))
    desk.hear(told(STATE, "stopped"))
    assert asked(desk.hear(seen(STATE, "RUNNING"))) == []


@pytest.mark.req("INV-9")
def test_end_of_the_latch_starts_it_again_until_that_shows_and_counts_anew() -> None:
    desk = Desk()
    desk.hear(told(STATE, "exited", 4))
    desk.hear(seen(STATE, "STOPPED"))
    yielded = desk.hear(LatchEnded(FLAPPING.name, "account", ""))
    assert ("start", STATE) in asked(yielded)
    assert ("cleared", STATE) in noted(yielded)
    assert asked(desk.hear(seen(STATE, "STOPPED"))) == [("start", STATE)]
    assert asked(desk.hear(seen(STATE, "STARTING"))) == []
    assert asked(desk.hear(seen(STATE, "STOPPED"))) == []
    assert samples(desk.hear(told(STATE, "exited", 3))) == []


def test_end_of_another_latch_clears_nothing() -> None:
    desk = Desk()
    desk.hear(told(MARKET_MAKING, "exited", 4))
    desk.hear(told(MARKET_MAKING, "stopped"))
    for other in (
        LatchEnded(STRATEGY_DISABLED.name, "strategy", "caretaker"),
        LatchEnded(FLAPPING.name, "account", ""),
    ):
        assert ("start", MARKET_MAKING) not in asked(desk.hear(other))
    mine = LatchEnded(STRATEGY_DISABLED.name, "strategy", MARKET_MAKING)
    assert asked(desk.hear(mine)) == [("start", MARKET_MAKING)]


@pytest.mark.req("CP-9")
def test_new_risk_counts_what_was_written_before_it_its_own_crashes_included() -> None:
    desk = Desk()
    yielded = desk.hear(told(RISK, "exited", 4, is_past=True))
    assert [(one.switch, one.bad) for one in samples(yielded)] == [(FLAPPING, True)]
    assert asked(yielded) == []
    assert [one.bad for one in samples(list(desk.source.data(NOW)))] == [False]


@pytest.mark.req("CP-9", "INV-9")
@pytest.mark.parametrize("program", [RISK, STATE])
def test_finding_of_an_earlier_risk_does_not_hold_a_resume_up_for_ever(program: str) -> None:
    desk = Desk()
    yielded = desk.hear(told(program, "flapping", is_past=True))
    assert [one.bad for one in samples(yielded)] == [True]
    desk.hear(seen(program, "RUNNING" if program == RISK else "STOPPED"))
    assert [one.bad for one in samples(list(desk.source.data(NOW)))] == [False]


def test_new_risk_stops_what_the_one_before_it_found_and_did_not_stop() -> None:
    desk = Desk()
    desk.hear(told(STATE, "flapping", is_past=True))
    assert asked(desk.hear(seen(STATE, "RUNNING"))) == [("stop", STATE)]


def test_own_lines_that_are_read_back_change_nothing() -> None:
    desk = Desk()
    assert desk.hear(told(STATE, "flapping")) == []


def test_own_kill_is_written_down_and_weighs_less() -> None:
    desk = Desk()
    for pid in range(1, 7):
        assert noted(desk.hear(ProcessKilled(STATE, pid))) == [("killed", STATE)]
        event = ProgramEvent(NOW.boot_ns, NOW.wall_ns, STATE, "exited", pid)
        assert samples(desk.hear(ProgramsTold((event,), False))) == []


@pytest.mark.parametrize(
    "message", [SupervisorSilent("refused"), ProgramsTold((), False, unreadable=2)]
)
def test_what_cannot_be_found_out_is_told(message: Any) -> None:
    (notice,) = Desk().hear(message)
    assert isinstance(notice, Notice)


@pytest.mark.req("CP-1", "INV-9")
def test_flapping_is_a_latch_whose_resume_waits_for_the_stop() -> None:
    world = World()
    world.trade()
    crashes = ProgramEvent(world.now.boot_ns, world.now.wall_ns, STATE, "exited")
    world.tell(ProgramsTold((crashes,) * 4, False))
    world.run(200)
    assert world.status.trading_state == "HALTED"
    world.resume()
    refused = world.replies[-1][1]
    assert isinstance(refused, ResumeRefused)
    assert any("not stopped yet" in one for one in refused.blockers)
    world.run(10_000)
    world.tell(ProgramsTold((told(STATE, "stopped").events[0],), False))
    world.run(200)
    world.resume()
    world.run(100)
    assert isinstance(world.replies[-1][1], Resumed)
    world.trade()


@pytest.mark.req("CP-3")
def test_crashing_strategy_is_latched_alone_and_the_account_goes_on() -> None:
    world = World()
    world.trade()
    crash = ProgramEvent(world.now.boot_ns, world.now.wall_ns, MARKET_MAKING, "exited")
    world.tell(ProgramsTold((crash,) * 4, False))
    world.run(300)
    assert world.status.trading_state == "ACTIVE"
    latched = {one.name: one.scope_id for one in world.status.switches if one.kind == "latch"}
    assert latched == {STRATEGY_DISABLED.name: MARKET_MAKING}
    (held,) = world.leases()[-1].scopes
    assert (held.state, held.care) == ("REDUCING", True)


@pytest.mark.req("CP-7")
def test_run_that_a_kill_does_not_end_is_killed_by_supervisord_too() -> None:
    world = World(StoredState(used_max=1_000, reserved=2_000))
    world.trade()
    world.silent.add(Component(RECORDER))
    kill_ms = world.config.components.recorder.kill_ms
    world.run(kill_ms + 500)
    assert world.kills() == [RECORDER]
    assert not world.of(AskSupervisor)
    world.run(kill_ms)
    assert [(one.verb, one.program) for one in world.of(AskSupervisor)] == [("kill", RECORDER)]
