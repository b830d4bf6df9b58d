"""Every benchmark runs to its end and measures; how fast is for people, not for a test."""

import pytest

from ops.bench import NAMES, run


@pytest.mark.processes
@pytest.mark.slow
def test_every_benchmark_measures_itself_and_its_floor() -> None:
    results = run(NAMES)
    assert [result.name for result in results] == list(NAMES)
    for result in results:
        assert result.samples > 0
        assert 0 < result.median_ns <= result.p99_ns <= result.max_ns
        assert result.floor_median_ns > 0


def test_unknown_benchmark_is_refused_before_anything_is_measured() -> None:
    with pytest.raises(ValueError, match="no benchmark warp"):
        run(["hop", "warp"])
