"""DQ-5: the share of refused frames is one of the last seconds."""

import pytest

from services.feed.frame_window import WINDOW_S, FrameWindow
from tests.builders.feeds import at


@pytest.mark.req("DQ-5")
def test_frames_and_refusals_of_the_window_are_counted() -> None:
    window = FrameWindow()
    for step in range(20):
        window.frame(at(step * 100))
    window.reject(at(500))
    assert window.counts(at(2_000)) == (20, 1)


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(("ms", "counted"), [(9_999, (1, 1)), (10_000, (0, 0))])
def test_what_is_older_than_the_window_is_forgotten(ms: float, counted: tuple[int, int]) -> None:
    window = FrameWindow()
    window.frame(at(0))
    window.reject(at(0))
    assert WINDOW_S == 10
    assert window.counts(at(ms)) == counted


def test_refusals_are_never_more_than_the_frames() -> None:
    window = FrameWindow()
    window.frame(at(0))
    window.reject(at(0))
    window.reject(at(0))
    assert window.counts(at(0)) == (1, 1)
