"""Starts of execution in the whole system: killed at each stage, and with another API key."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bus.credentials import write_credentials
from ops.simulation import faults
from ops.simulation.components import BUILDERS
from ops.simulation.run import draw_config
from ops.simulation.whole import Whole
from services.execution.core import ExecutionCore
from services.execution.lifecycle import Order
from services.simulator.chance import stream
from services.simulator.faults.orders import FaultOrder
from services.simulator.keys import Keys
from shared.config import Config
from shared.facts import ExecutionStatus
from shared.topics import EXECUTION, FEED_USER, RISK
from shared.units import NS_PER_MS, NS_PER_S

SEED = 4
STEP_NS = 20 * NS_PER_MS
KILLS = 2
"""With the first kill as many as an execution may crash in ten minutes before it is stopped."""
SLOW = FaultOrder("refuse", path="/balance-allowance", status=500, text="no", duration_ms=15_000)
"""Balances are read while zero is being proven; unless they fail, nothing waits for them."""


def calm_config() -> Config:
    config = draw_config(stream(SEED, "config"))
    return msgspec.structs.replace(
        config, markets=msgspec.structs.replace(config.markets, interval_s=900)
    )


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    """A calm system that trades."""
    made = Whole(SEED, calm_config(), faults.no_faults(), tmp_path, BUILDERS)
    try:
        made.start()
        made.run_for(12)
        assert state(made) == "ACTIVE"
        yield made
    finally:
        made.close()


def state(whole: Whole) -> str:
    found = whole.world.watch.risk_status
    return "" if found is None else found.trading_state


def execution(whole: Whole) -> ExecutionCore | None:
    process = whole.processes.get(EXECUTION)
    if process is None or not process.alive:
        return None
    assert isinstance(process.core, ExecutionCore)
    return process.core


def waits_at(whole: Whole) -> str:
    """Return the stage at which execution's start waits; empty when it is not there or done."""
    core = execution(whole)
    if core is None:
        return ""
    fact = core._conditions.status_fact(whole.world.scheduler.instant()).body
    assert isinstance(fact, ExecutionStatus)
    return next((stage.name for stage in fact.start if stage.state == "waits"), "")


def step(whole: Whole) -> None:
    scheduler = whole.world.scheduler
    scheduler.run_until(scheduler.now_ns + STEP_NS)
    whole.world.watch.look(scheduler.now_ns, scheduler.instant())


def pass_time(whole: Whole, seconds: int) -> None:
    """Let time pass, whatever the checkers find."""
    for _ in range(seconds * NS_PER_S // STEP_NS):
        step(whole)


def until(whole: Whole, wanted: str, seconds: int) -> None:
    for _ in range(seconds):
        if state(whole) == wanted:
            return
        pass_time(whole, 1)
    core = execution(whole)
    pytest.fail(f"never {wanted}: {None if core is None else core.health()}")


@pytest.mark.req("EX-5", "EX-6", "OP-13", "INV-7")
@pytest.mark.parametrize("stage", ["zero", "trades", "positions"])
def test_start_that_is_killed_at_a_stage_is_begun_again_and_ends(whole: Whole, stage: str) -> None:
    if stage == "positions":
        core = whole.world.venue.core
        assert core.faults.set(SLOW, whole.world.scheduler.instant().monotonic_ns) is not None
    whole.processes[EXECUTION].kill("test")
    for _ in range(KILLS):
        for _ in range(1_000):
            step(whole)
            if waits_at(whole) == stage:
                break
        else:
            pytest.fail(f"no start waits at {stage}")
        whole.processes[EXECUTION].kill(f"at {stage}")
    until(whole, "ACTIVE", 40)
    whole.run_for(3)
    assert whole.kills[EXECUTION] == KILLS + 1
    assert whole.findings.violations == []


@pytest.mark.req("EX-5")
def test_other_key_places_nothing_before_the_orders_of_the_old_one_are_dead(whole: Whole) -> None:
    whole.world.venue.still()
    for _ in range(500):
        if whole.world.venue.open_ids():
            break
        step(whole)
    left = whole.world.venue.open_ids()
    assert left
    made_ns = max(row.record.created_wall_ns for row in _exposed(whole))
    switch_key(whole)
    posts = whole.world.watch.posts
    pass_time(whole, 20)
    core = execution(whole)
    assert core is not None
    assert "of another API key have not expired" in core.health()[1]
    assert not set(left) & set(whole.world.venue.open_ids()), "the dead-man ended them"
    until(whole, "ACTIVE", 140)
    assert whole.world.scheduler.instant().wall_ns - made_ns > 120_000 * NS_PER_MS
    pass_time(whole, 5)
    assert whole.world.watch.posts > posts
    assert [one for one in whole.findings.violations if one.rule != "INV-4"] == []


def _exposed(whole: Whole) -> tuple[Order, ...]:
    core = execution(whole)
    assert core is not None
    return core._parts.register.exposed()


def switch_key(whole: Whole) -> None:
    """End all who hold the key, and leave another key of the same wallet in its file."""
    world = whole.world
    simulator = world.settings.config.simulator
    keys = Keys(simulator.seed, simulator.clock_window_s)
    other = keys.derive(world.credentials.address, 1)
    assert other.api_key != world.credentials.api_key
    write_credentials(world.settings.credentials_file, other)
    world.credentials = other
    for component in (RISK, EXECUTION, FEED_USER):
        whole.processes[component].kill("test")
