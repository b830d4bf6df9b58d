"""A clean run is what the trail says: time traded since the last thing that spoils one."""

import pytest

from shared.clean_run import RISK_STARTED, CleanRun
from shared.risk_schema import AuditEntry
from shared.units import NS_PER_S, WallNs


def _entry(what: str, after: str, *, kind: str = "transition", cause: str = "") -> AuditEntry:
    return AuditEntry(kind, "risk", what, "account", "", after, cause)


ACTIVE = _entry("trading_state", "ACTIVE")
FENCE = _entry("fence", "epoch 7", kind="fence")
START = _entry("fence", "epoch 9", kind="fence", cause=RISK_STARTED)


def _run(*rows: tuple[int, AuditEntry]) -> CleanRun:
    run = CleanRun()
    for at_s, entry in rows:
        run = run.after(entry, WallNs(at_s * NS_PER_S))
    return run


def _traded_s(run: CleanRun, at_s: int) -> int:
    return run.so_far_ns(WallNs(at_s * NS_PER_S)) // NS_PER_S


@pytest.mark.req("ST-8")
def test_time_counts_from_active_to_the_fence_and_from_the_next_active_on() -> None:
    run = _run((10, ACTIVE), (40, FENCE), (100, ACTIVE))
    assert _traded_s(run, 105) == 35


def test_nothing_counts_before_trading_began() -> None:
    assert _traded_s(_run((10, FENCE)), 1_000) == 0


@pytest.mark.req("ST-8")
@pytest.mark.parametrize("name", ["loss_limit", "panic", "clock_off", "strategy_disabled"])
def test_latch_that_nobody_asked_for_begins_the_run_anew(name: str) -> None:
    run = _run((10, ACTIVE), (40, _entry(name, "latched", cause="seen")), (41, FENCE))
    assert _traded_s(run, 100) == 1
    assert run.spoiled_by == f"{name} latched: seen"


@pytest.mark.parametrize("name", ["operator_halt", "operator_flatten"])
def test_latch_that_an_operator_wanted_ends_trading_and_spoils_nothing(name: str) -> None:
    run = _run((10, ACTIVE), (40, _entry(name, "latched")), (40, FENCE), (90, ACTIVE))
    assert _traded_s(run, 100) == 40
    assert run.spoiled_by == ""


def test_process_that_was_killed_spoils_the_run() -> None:
    run = _run((10, ACTIVE), (20, _entry("execution", "killed")), (30, FENCE))
    assert _traded_s(run, 99) == 10


def test_stretch_cut_off_by_a_kill_counts_to_the_last_row_before_the_start() -> None:
    run = _run((10, ACTIVE), (15, _entry("strategy", "heard")), (5_000, START))
    assert _traded_s(run, 6_000) == 5


def test_start_that_names_its_mode_first_counts_no_downtime_either() -> None:
    mode = _entry("mode", "paper", cause=RISK_STARTED)
    run = _run((0, mode), (10, ACTIVE), (15, ACTIVE), (5_000, mode), (5_000, START))
    assert _traded_s(run, 6_000) == 5
    assert run.mode == "paper"


def test_other_mode_begins_a_new_run() -> None:
    run = _run(
        (0, _entry("mode", "simulation")), (10, ACTIVE), (90, FENCE), (95, _entry("mode", "paper"))
    )
    assert _traded_s(run, 99) == 0
    assert run.mode == "paper"


def test_new_step_begins_a_new_run_without_a_fault() -> None:
    step = _entry("capital", "100 USD", kind="operator")
    run = _run((10, ACTIVE), (40, step))
    assert _traded_s(run, 45) == 5
    assert run.spoiled_by == ""


def test_clock_that_went_back_adds_nothing() -> None:
    assert _traded_s(_run((100, ACTIVE), (40, FENCE)), 200) == 0
