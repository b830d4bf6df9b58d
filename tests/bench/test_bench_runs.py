"""Every benchmark runs to its end and measures; how fast is for people, not for a test."""

import pytest

from ops.bench import NAMES, cancel, feed, fence, group_fence, run, state_restart
from ops.bench.results import TooBusy

FENCES = (fence.BLOCKED, fence.CANCEL)
"""Measured in one go."""

OTHERS = (cancel.NAME, *feed.NAMES, state_restart.NAME, *group_fence.NAMES)
"""They have tests of their own, of one round or of few samples."""

GOES = [FENCES, *((name,) for name in NAMES if name not in (*FENCES, *OTHERS))]


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.parametrize("names", GOES, ids="+".join)
def test_every_benchmark_measures_itself_and_its_floor(names: tuple[str, ...]) -> None:
    try:
        results = run(names)
    except TooBusy as busy:
        pytest.skip(f"this machine has no room for the rate now: {busy}")
    assert [result.name for result in results] == list(names)
    for result in results:
        assert result.samples > 0
        assert 0 < result.median_ns <= result.p99_ns <= result.max_ns
        assert result.floor_median_ns > 0


def test_unknown_benchmark_is_refused_before_anything_is_measured() -> None:
    with pytest.raises(ValueError, match="no benchmark warp"):
        run(["hop", "warp"])
