"""The benchmark of a restart ends, and refuses to measure what is not equal."""

import pytest

from ops.bench import state_restart
from ops.bench.results import BenchFailed


@pytest.mark.req("CP-2")
def test_restart_is_measured_against_its_bound_and_its_floor() -> None:
    result = state_restart.measure(markets=1, seconds=13, restarts=3)
    assert (result.name, result.samples, result.bound_ns) == (
        state_restart.NAME,
        3,
        state_restart.BOUND_NS,
    )
    assert 0 < result.floor_median_ns <= result.median_ns


def test_rehearsal_that_tells_nothing_is_no_measurement() -> None:
    with pytest.raises(BenchFailed):
        state_restart.measure(markets=0)
