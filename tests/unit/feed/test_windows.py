import pytest

from services.feed.windows import ENDED_TRACKED, running_start_s, windows_around
from tests.builders.feeds import WALL_START_MS, at

START_S = WALL_START_MS // 1_000


@pytest.mark.parametrize(("milliseconds", "start"), [(-1, -60), (0, 0), (59_999, 0), (60_000, 60)])
def test_window_runs_from_its_first_moment_to_the_next_one(milliseconds: int, start: int) -> None:
    assert running_start_s(60, at(milliseconds)) == START_S + start


def test_windows_are_ended_running_and_ahead_oldest_first() -> None:
    found = windows_around(("btc", "eth"), 60, 2, at(0))
    assert len(found) == 2 * (ENDED_TRACKED + 1 + 2)
    assert [window.start_ms for window in found] == sorted(window.start_ms for window in found)
    assert found[-1].start_ms == WALL_START_MS + 120_000
    assert found[-1].end_ms == WALL_START_MS + 180_000


@pytest.mark.parametrize(
    ("interval_s", "label"), [(300, "5m"), (900, "15m"), (14_400, "4h"), (60, "60s")]
)
def test_slug_is_the_one_that_the_venue_writes(interval_s: int, label: str) -> None:
    found = windows_around(("btc",), interval_s, 1, at(0))
    start = START_S - START_S % interval_s
    assert f"btc-updown-{label}-{start}" in [window.slug for window in found]
