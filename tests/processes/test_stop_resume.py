"""A process stopped and resumed at any moment: no order under an old epoch or after its lease.

A few stops in every run; all four times hundred by `make endurance`.
"""

import os
import random
import signal
import threading
from collections.abc import Iterator

import pytest

from shared.topics import EXECUTION, RISK
from tests.processes.doorway import Doorway
from tests.processes.group import GroupUnderTest
from tests.processes.guarded_venue import guarded_group
from tests.processes.leases import faults_of

STOPS = int(os.environ.get("INTERLOCK_STOPS", "4"))
"""Of each of the four cases: 5 make the twenty that a change waits for, 100 what is promised."""

STOPPED_MS = (50, 900)
AFTER_ORDER_S_MAX = 0.02
"""From an order to the stop: the loop that has placed one is placing others."""

NEXT_ORDER_WITHIN_S = 2.0
SEED = 20_261_120
SECONDS_A_STOP = 30


@pytest.fixture
def guarded() -> Iterator[tuple[GroupUnderTest, Doorway]]:
    """A group of this test alone with its doorway, not started yet."""
    group, doorway = guarded_group()
    try:
        yield group, doorway
    finally:
        group.close()
        doorway.close()


def durations_ms(chance: random.Random) -> list[int]:
    """Return how long each stop lasts, in a random order.

    One is drawn from each of as many equal parts of the range, so that a few stops too are
    some that a lease outlives and some that it does not.
    """
    least, most = STOPPED_MS
    width = (most - least) / STOPS
    found = [int(least + (part + chance.random()) * width) for part in range(STOPS)]
    chance.shuffle(found)
    return found


def stop_for(group: GroupUnderTest, component: str, stopped_ms: int) -> None:
    """Stop a process and let the same one go on, unless it was killed meanwhile."""
    pid = group.pid(component)
    group.signal(component, signal.SIGSTOP)
    threading.Event().wait(stopped_ms / 1_000)
    if group.pid(component) == pid:
        group.signal(component, signal.SIGCONT)


@pytest.mark.req("INV-3", "KS-7", "TST-3")
@pytest.mark.timeout(240 + STOPS * SECONDS_A_STOP)
@pytest.mark.parametrize("kills", ["yes", "no"])
@pytest.mark.parametrize("component", [EXECUTION, RISK])
def test_no_order_comes_after_its_lease_or_epoch_when_a_process_was_stopped(
    guarded: tuple[GroupUnderTest, Doorway], component: str, kills: str
) -> None:
    """Stopped directly after an order or at any moment, with and without risk's kill."""
    group, doorway = guarded
    group.environment["INTERLOCK_RISK_KILLS"] = kills
    assert group.up().status == 0
    chance = random.Random(f"{SEED} {component} {kills}")
    for number, stopped_ms in enumerate(durations_ms(chance)):
        group.wait_until_trading()
        if number % 2:
            doorway.wait_for_order(NEXT_ORDER_WITHIN_S)
        threading.Event().wait(chance.uniform(0, AFTER_ORDER_S_MAX))
        stop_for(group, component, stopped_ms)
        group.wait_until_trading()
        faults = faults_of(doorway.orders(), group.data)
        assert not faults, f"stop {number}, for {stopped_ms} ms: {faults}\n{group.log_tails()}"
    assert len(doorway.orders()) > STOPS, "it traded between the stops"
