"""A slow disk under the whole system: nothing is lost but time."""

import pytest

from ops.simulation.faults import AT_ONCE, Fault, Kind, Plan, Rates
from ops.simulation.run import Outcome, report, run
from shared.topics import EXECUTION
from shared.units import NS_PER_MS, NS_PER_S

SECONDS = 30
BEGINS_NS = 12 * NS_PER_S
LASTS_NS = 5 * NS_PER_S


def fault(kind: Kind, after_ms: int = 0, lasts_ns: int = LASTS_NS, mode: str = "") -> Fault:
    return Fault(BEGINS_NS + after_ms * NS_PER_MS, kind, EXECUTION, lasts_ns, mode=mode)


def run_with(*faults: Fault) -> Outcome:
    outcome = run(1, SECONDS, plan=Plan(Rates(), faults, BEGINS_NS + LASTS_NS))
    assert outcome.violations == (), report(outcome)
    return outcome


def told_from(moment_ns: int, outcome: Outcome) -> set[str]:
    return {name for told_ns, _, name, _ in outcome.told if told_ns >= moment_ns}


@pytest.mark.req("INV-2", "INV-4")
def test_disk_that_is_slow_for_seconds_costs_neither_lease_nor_process() -> None:
    outcome = run_with(fault("disk_slow"))
    assert outcome.ended == {}
    assert outcome.cleared == {}
    assert "alert.fence" not in told_from(BEGINS_NS, outcome)
    assert outcome.posts > 10


@pytest.mark.req("OP-12")
def test_execution_that_dies_in_a_slow_commit_comes_back_to_trading() -> None:
    kills = [fault("kill", after_ms, 0, AT_ONCE) for after_ms in (150, 2_600)]
    outcome = run_with(fault("disk_slow"), *kills)
    assert outcome.ended == {EXECUTION: 2}


@pytest.mark.req("INV-2")
def test_commits_that_take_long_and_then_fail_place_nothing_without_its_record() -> None:
    outcome = run_with(fault("disk_slow"), fault("disk_fails", 500, 1_500 * NS_PER_MS))
    assert outcome.ended == {}
    assert "alert.ledger_failed" in told_from(BEGINS_NS, outcome)
