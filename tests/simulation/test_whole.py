"""Every real core in one process: nothing that must never happen does, whatever goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops.simulation import faults
from ops.simulation.run import report, run
from tests.simulation.seeds import FINISH_S_MAX, LAST, Seeds

FRAMES_PER_S_MIN = 20.0
ORDERS_PER_S_MIN = 1.0
"""In a run in which nothing goes wrong."""

ORDERS_PER_S_MEAN_MIN = 2.0
"""Over all seeds; one that is halted or latched for most of its minute has few."""

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.req("TST-2")
def test_calm_run_trades_without_a_halt_or_a_lost_process() -> None:
    outcome = run(1, 30, plan=faults.no_faults())
    assert outcome.violations == (), report(outcome)
    assert outcome.frames_per_market_s >= FRAMES_PER_S_MIN
    assert outcome.orders_per_market_s >= ORDERS_PER_S_MIN
    assert outcome.fills > 0
    assert outcome.ended == {}
    assert outcome.cleared == {}


@pytest.mark.req("TST-7")
def test_same_seed_gives_the_same_trace_under_any_hash_seed() -> None:
    first, second = (trace_of(5, hash_seed) for hash_seed in ("0", "4242"))
    assert "trace" in first
    assert first == second


def trace_of(seed: int, hash_seed: str) -> str:
    command = [sys.executable, "-m", "ops.simulation", str(seed), "30"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    return ended.stdout.decode()


def test_other_seed_gives_another_trace() -> None:
    assert run(5, 10).hash != run(6, 10).hash


@pytest.mark.slow
@pytest.mark.seeds
@pytest.mark.timeout(FINISH_S_MAX + 300)
@pytest.mark.req("INV-2", "INV-3", "INV-4", "INV-5", "INV-6", "INV-7", "INV-8", "INV-9", "TST-2")
def test_seeds_find_nothing_that_must_never_happen(seeds: Seeds) -> None:
    outcomes = seeds.outcomes()
    assert len(outcomes) == LAST
    found = [line for outcome in outcomes if outcome.violations for line in report(outcome)]
    assert not found, "\n".join(found)
    assert min(outcome.frames_per_market_s for outcome in outcomes) >= FRAMES_PER_S_MIN
    # What stands latched at the end has stood there for some of the time.
    trading = [outcome.orders_per_market_s for outcome in outcomes if not outcome.held]
    assert len(trading) * 2 > len(outcomes)
    assert sum(trading) / len(trading) >= ORDERS_PER_S_MEAN_MIN
    assert min(trading) > 0
