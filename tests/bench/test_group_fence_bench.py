"""The benchmark of a whole group's fences, one round of each: that it measures, not how fast."""

import pytest

from ops.bench import group_fence
from ops.bench.results import TooBusy


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.req("TST-10")
def test_each_way_of_stopping_a_group_at_twice_the_peak_is_measured() -> None:
    try:
        results = group_fence.measure(group_fence.NAMES, lambda words: None, rounds=1)
    except TooBusy as busy:
        pytest.skip(f"this machine has no room for the rate now: {busy}")
    assert [result.name for result in results] == list(group_fence.NAMES)
    for result in results:
        assert result.samples == 1
        assert result.median_ns > 0
        assert result.floor_median_ns > 0
        assert result.bound_ns == group_fence.BOUNDS_NS[result.name]
