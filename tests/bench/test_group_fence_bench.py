"""The benchmark of a whole group's fences, one round of each: that it measures, not how fast."""

import psutil
import pytest

from ops.bench import group_fence
from ops.bench.results import BenchFailed, TooBusy

BUSY_PERCENT_MAX = 30.0
"""The benchmark's own group takes three quarters of two cores."""

LOOK_S = 2.0


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.req("TST-10")
def test_each_way_of_stopping_a_group_at_twice_the_peak_is_measured() -> None:
    busy_percent = psutil.cpu_percent(LOOK_S)
    try:
        results = group_fence.measure(group_fence.NAMES, lambda words: None, rounds=1)
    except TooBusy as busy:
        pytest.skip(f"this machine has no room for the rate now: {busy}")
    except BenchFailed as failed:
        # A group that other work has fenced already is not fenced for what the benchmark does.
        if busy_percent <= BUSY_PERCENT_MAX:
            raise
        pytest.skip(f"the machine is busy with other work ({busy_percent:.0f} %): {failed}")
    assert [result.name for result in results] == list(group_fence.NAMES)
    for result in results:
        assert result.samples == 1
        assert result.median_ns > 0
        assert result.floor_median_ns > 0
        assert result.bound_ns == group_fence.BOUNDS_NS[result.name]
