"""Execution's core and the venue's matching core under any interleaving that hypothesis thinks of.

The rules are the actions of a machine. What is found is shrunk by hypothesis, which prints the
blob that replays it; a walk over the same actions prints its seed and a list to play.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ops.simulation.machine.__main__ import walk_once
from ops.simulation.machine.actions import MOVES, NUMBER_MAX, Action, do, draw
from ops.simulation.machine.machine import Account, Machine
from ops.simulation.machine.walk import (
    ACTIONS_A_MACHINE,
    Found,
    Prepared,
    play,
    report,
    shrink,
    walk,
)
from services.execution.core import ExecutionCore
from services.simulator.chance import stream
from tests.properties.spoiled_cores import FOUND_BY, SPOILED, FillsTwice

STEPS_IN_CI = 16_000
WALKS_TO_FIND = 20
EXAMPLES = 20
STEPS_AN_EXAMPLE = 60
WALKS = 8
"""Seeds of the long walk: each is a process's whole work."""

NUMBERS = st.integers(0, NUMBER_MAX)
SEED = 20_261_121


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """Key and credentials for all machines of this module."""
    with Prepared() as prepared:
        yield prepared


class ExecutionMachine(RuleBasedStateMachine):
    """Every action is a rule; what was found is the invariant."""

    account: Account

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine(self.account)

    @rule(name=st.sampled_from(sorted(MOVES)), a=NUMBERS, b=NUMBERS)
    def act(self, name: str, a: int, b: int) -> None:
        do(self.machine, Action(name, a, b))

    @rule(milliseconds=st.integers(1, 60))
    def let_time_pass(self, milliseconds: int) -> None:
        self.machine.linger(50 * milliseconds)

    @invariant()
    def nothing_is_seen_that_must_never_be(self) -> None:
        assert self.machine.violations == []

    def teardown(self) -> None:
        do(self.machine, Action("calm"))
        assert self.machine.violations == []


@pytest.mark.req("INV-2", "INV-3", "INV-5", "INV-6", "INV-7", "INV-8", "EX-1", "EX-8", "EX-9")
def test_nothing_that_must_never_happen_does_in_any_order_hypothesis_tries(
    account: Account,
) -> None:
    kind = type("OfThisModule", (ExecutionMachine,), {"account": account})
    run_state_machine_as_test(
        kind,
        settings=settings(
            deadline=None,
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_AN_EXAMPLE,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.req("INV-2", "INV-3", "INV-5", "INV-6", "INV-7", "INV-8", "EX-6", "EX-9", "TST-1")
def test_a_walk_of_thousands_of_actions_finds_nothing(account: Account) -> None:
    walked = walk(SEED, STEPS_IN_CI, account)
    assert walked.found is None, "\n".join(report(shrink(walked.found, account)))
    # A walk that never trades would find nothing either.
    assert walked.posts > STEPS_IN_CI // 40
    assert walked.legs > STEPS_IN_CI // 200
    assert walked.starts > STEPS_IN_CI // 1_000
    assert walked.failed > 0


@pytest.mark.req("TST-7")
def test_the_same_seed_walks_the_same_way(account: Account) -> None:
    first, second = (walk(7, 1_500, account) for _ in range(2))
    assert (first.posts, first.legs, first.starts) == (second.posts, second.legs, second.starts)


def test_actions_replay_from_their_list(account: Account) -> None:
    chance = stream(3, "machine", "0")
    actions = [draw(chance) for _ in range(200)]
    assert play(actions, account) is None


@pytest.mark.skipif("INTERLOCK_MACHINE_STEPS" not in os.environ, reason="long: make machine")
@pytest.mark.timeout(7_200)
@pytest.mark.req("INV-2", "INV-3", "INV-5", "INV-6", "INV-7", "INV-8", "TST-1")
def test_a_million_actions_find_nothing() -> None:
    steps = int(os.environ["INTERLOCK_MACHINE_STEPS"])
    first = int(os.environ.get("INTERLOCK_MACHINE_SEED", str(SEED)))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        seeds = range(first, first + WALKS)
        walks = list(pool.map(walk_once, seeds, [-(-steps // WALKS)] * WALKS))
    for walked in walks:
        counts = (walked.steps, walked.posts, walked.starts, walked.legs, walked.failed)
        sys.stdout.write(f"seed {walked.seed}: steps, posts, starts, legs, failed {counts}\n")
        assert walked.found is None, "\n".join((f"seed {walked.seed}", *report(walked.found)))
    assert sum(walked.steps for walked in walks) >= steps


@pytest.mark.req("TST-1", "TST-2")
@pytest.mark.parametrize("spoiled", list(SPOILED), ids=lambda kind: kind.__name__)
def test_a_core_with_one_bug_is_found(spoiled: type[ExecutionCore], account: Account) -> None:
    found = find(spoiled, account)
    assert found.violation.rule in SPOILED[spoiled], found.violation


def test_what_is_found_shrinks_to_a_list_that_still_finds_it(account: Account) -> None:
    found = find(FillsTwice, account)
    few = shrink(found, account, FillsTwice)
    assert len(few.actions) < len(found.actions)
    assert play(few.actions, account, FillsTwice) == few.violation
    assert play(few.actions, account) is None


def find(spoiled: type[ExecutionCore], account: Account) -> Found:
    """Return what the first walks find, from one that has found this bug before."""
    first = FOUND_BY.get(spoiled, 1)
    for seed in range(first, first + WALKS_TO_FIND):
        walked = walk(seed, ACTIONS_A_MACHINE, account, spoiled)
        if walked.found is not None:
            return walked.found
    pytest.fail(f"{WALKS_TO_FIND} walks have not found: {spoiled.__doc__}")
