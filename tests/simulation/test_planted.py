"""What the seeds are worth: each bug that was planted is found by them, and by its own rule."""

import pytest

from ops.simulation.run import run
from tests.simulation.planted import BREAKS, FOUND_BY, PLANTED

SEEDS_MAX = 25
"""Bound of the search; most bugs are found by the first few seeds."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.req("TST-2")
@pytest.mark.parametrize("bug", list(PLANTED))
def test_planted_bug_is_found_by_the_seeds(bug: str) -> None:
    first = FOUND_BY[bug]
    for seed in range(first, first + SEEDS_MAX):
        outcome = run(seed, builders=PLANTED[bug]())
        if outcome.violations:
            assert outcome.violations[0].rule in BREAKS[bug], outcome.violations
            return
    pytest.fail(f"{SEEDS_MAX} seeds have not found: {bug}")
