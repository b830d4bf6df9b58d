"""The benchmark of cancels runs, measures, and finds its cancels at the venue."""

import pytest

from ops.bench import cancel


@pytest.mark.req("INV-4")
@pytest.mark.processes
def test_cancels_reach_the_venue_beside_posts_that_are_backed_off_and_queued() -> None:
    """One round of it. How fast is for people on a calm machine; here a second is the bound."""
    result = cancel.measure(rounds=1)
    assert result.samples >= cancel.CANCELS_A_ROUND // 2
    assert 0 < result.median_ns <= result.p99_ns <= result.max_ns
    assert result.floor_median_ns > 0
    assert result.median_ns < 1_000_000_000
