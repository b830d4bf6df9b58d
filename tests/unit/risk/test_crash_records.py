"""What is kept of a strategy's crash; what is unknown is null."""

from typing import Any

import msgspec
import pytest

from services.risk.crash_records import CrashRecords
from services.risk.messages import ProgramsTold, SaveCrash
from services.risk.source import Notice
from shared.effects import ControlReceived, Received
from shared.facts import Positions, StateView, StrategyStatus
from shared.identifiers import Component, Incarnation, StrategyName
from shared.program_events import EventKind, ProgramEvent
from shared.topics import EXECUTION, MARKET_MAKING, STATE
from tests.builders.markets import market_view
from tests.builders.risk import MARKET, World, instant
from tests.unit.risk.test_handover import held

NOW = instant(5_000)
VIEW = msgspec.structs.replace(market_view(NOW), market=MARKET)
PONG = World().pong(MARKET_MAKING, None)


def received(component: Component, body: Any) -> Received:
    return Received(component, Incarnation(1), "t", 1, NOW.monotonic_ns, NOW.monotonic_ns, 0, body)


def crash(source: CrashRecords, program: str, kind: EventKind, pid: int) -> list[SaveCrash]:
    event = ProgramEvent(NOW.boot_ns, NOW.wall_ns, program, kind, pid)
    source.hear(ProgramsTold((event,), False), NOW)
    return [one for one in source.data(NOW) if isinstance(one, SaveCrash)]


@pytest.mark.req("CP-3")
@pytest.mark.parametrize(("kind", "pid"), [("exited", PONG.pid), ("backoff", 0)])
def test_record_has_the_run_its_status_its_inputs_and_its_position(
    kind: EventKind, pid: int
) -> None:
    source = CrashRecords()
    source.hear(ControlReceived(PONG), NOW)
    status = StrategyStatus(StrategyName(MARKET_MAKING), "active", "quoting", (MARKET,))
    source.hear(received(MARKET_MAKING, status), NOW)
    source.hear(received(STATE, StateView((VIEW,))), NOW)
    others = held(7, owner=StrategyName("adopted"))
    source.hear(received(EXECUTION, Positions((*held(5), *others))), NOW)
    (record,) = crash(source, MARKET_MAKING, kind, pid)
    facts = record.facts
    assert (record.program, record.wall_ns) == (MARKET_MAKING, NOW.wall_ns)
    assert facts["run"].config_hash == "c"
    assert facts["status"].markets == (MARKET,)
    assert [one.market for one in facts["inputs"]] == [MARKET]
    assert [one.matched for one in facts["positions"]] == [5]


def test_what_nobody_told_is_null_and_not_empty() -> None:
    (record,) = crash(CrashRecords(), MARKET_MAKING, "exited", 1)
    assert record.facts["run"] is None
    assert record.facts["status"] is None
    assert record.facts["positions"] is None


def test_crash_is_told_to_people_and_one_of_an_earlier_risk_is_not() -> None:
    source = CrashRecords()
    event = ProgramEvent(NOW.boot_ns, NOW.wall_ns, MARKET_MAKING, "exited", 1)
    for is_past, told in ((True, 0), (False, 1)):
        source.hear(ProgramsTold((event,), is_past), NOW)
        assert sum(isinstance(one, Notice) for one in source.data(NOW)) == told


def test_ordinary_end_is_no_crash() -> None:
    source = CrashRecords()
    event = ProgramEvent(NOW.boot_ns, NOW.wall_ns, MARKET_MAKING, "exited", 1, expected=True)
    source.hear(ProgramsTold((event,), False), NOW)
    assert list(source.data(NOW)) == []


def test_run_that_has_taken_the_place_of_the_crashed_one_is_not_taken_for_it() -> None:
    source = CrashRecords()
    source.hear(ControlReceived(PONG), NOW)
    (record,) = crash(source, MARKET_MAKING, "exited", PONG.pid + 1)
    assert record.facts["run"] is None


@pytest.mark.parametrize(
    ("program", "kind"), [(MARKET_MAKING, "stopped"), (STATE, "exited"), (MARKET_MAKING, "killed")]
)
def test_other_ends_are_no_crash_of_a_strategy(program: str, kind: EventKind) -> None:
    assert crash(CrashRecords(), program, kind, 1) == []
