"""Thousands of orders under all faults at once, and execution killed again and again meanwhile.

A bounded run in every change; ten thousand orders and fifty kills by `make torture`.
"""

import os
import sys
from collections.abc import Iterator

import pytest

from bus import clock
from shared.units import NS_PER_S
from tests.processes.agreement import duplicates, orphans, unexplained
from tests.processes.group import GroupUnderTest
from tests.processes.torture import Torture, torture_group

ORDERS = int(os.environ.get("INTERLOCK_TORTURE_ORDERS", "250"))
KILLS = int(os.environ.get("INTERLOCK_TORTURE_KILLS", "3"))
SEED = int(os.environ.get("INTERLOCK_TORTURE_SEED", "20261121"))
SECONDS_A_KILL = 15
ORDERS_A_SECOND = 5
"""Slower than ever seen, for the time-out alone."""


@pytest.fixture
def tortured() -> Iterator[GroupUnderTest]:
    """A group of this test alone with many markets, not started yet."""
    group = torture_group(SEED)
    try:
        yield group
    finally:
        group.close()


@pytest.mark.req("TST-3", "INV-2", "INV-5", "INV-6", "INV-7", "INV-8", "OP-13", "EX-6", "EX-9")
@pytest.mark.timeout(240 + ORDERS // ORDERS_A_SECOND + KILLS * SECONDS_A_KILL)
def test_ledger_and_venue_agree_after_faults_and_kills(tortured: GroupUnderTest) -> None:
    """Lost answers, errors, bursts of 429, cut streams, kills: nothing twice, nothing lost."""
    group = tortured
    began_ns = clock.read().boot_ns
    assert group.up().status == 0
    group.wait_until_trading()
    run = Torture(group, SEED)
    run.break_things()
    run.run(ORDERS, KILLS)
    assert not run.found, report(run, run.found)
    group.venue.clear_faults()
    group.wait_until_trading()
    halted = group.command("halt", "--reason", "torture")
    assert halted.status == 0, repr(halted)
    halted_ns = clock.read().boot_ns
    left = run.settle()
    run.figures.settled_s = (clock.read().boot_ns - halted_ns) / NS_PER_S
    run.figures.counts = run.count()
    run.figures.recovered_s = run.recoveries_s()
    assert not left, report(run, left)
    ledger = run.read_ledger()
    twice = duplicates(run.venue, ledger)
    assert not twice, report(run, twice)
    ended = group.command("down")
    assert ended.status == 0, repr(ended)
    run.look()
    assert not run.found, report(run, run.found)
    after = run.read_ledger()
    assert not unexplained(run.venue, after)
    assert run.open_ids() == set()
    assert orphans(after, run.open_ids()) == []
    assert run.figures.counts["lose reply"] > 0
    took_s = (clock.read().boot_ns - began_ns) / NS_PER_S
    sys.stdout.write(f"{took_s:.1f} s {run.figures}\n")


def report(run: Torture, found: list[str]) -> str:
    """Return what a person needs to find the fault."""
    shown = "\n".join(found[:20])
    return f"{len(found)} findings, seed {SEED}, {run.figures}\n{shown}\n{run.group.log_tails()}"
