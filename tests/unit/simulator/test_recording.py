from datetime import UTC, datetime
from typing import Any

import pytest

from services.simulator.oracles.prices_file import Unreadable
from services.simulator.oracles.recording import Playback, parse_moment
from tests.builders.recordings import START_S, market_row, prices, recording, waving

START_MS = START_S * 1000
WALL_MS = 1_800_000_037_000


def fault_of(*rows: str, **terms: Any) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        recording(waving(900), *rows, **terms)
    return caught.value.where, caught.value.what


def test_all_whole_windows_are_played_from_the_first() -> None:
    played = recording(waving(905))
    assert list(played.starts()) == [START_MS, START_MS + 300_000, START_MS + 600_000]
    late = recording(prices((3, 100), (600, 101)))
    assert list(late.starts()) == [START_MS + 300_000], "the first began before there was a price"


def test_last_window_may_lack_its_last_seconds() -> None:
    assert recording(prices((0, 100), (296, 100))).window_count == 1


@pytest.mark.parametrize("begin", ["00:07", f"{START_S + 420}", "2026-07-24T00:07:00Z"])
def test_recording_begins_with_the_window_of_a_moment(begin: str) -> None:
    played = recording(waving(900), begin=begin, windows=1)
    assert list(played.starts()) == [START_MS + 300_000]


def test_moments_are_utc_however_they_are_written() -> None:
    wanted = datetime(2026, 7, 24, 13, 5, tzinfo=UTC).timestamp() * 1000
    for text in ("13:05", "13:05:00", "2026-07-24T13:05", "2026-07-24T15:05+02:00"):
        assert parse_moment(text, START_MS) == wanted
    with pytest.raises(Unreadable, match="neither 13:05"):
        parse_moment("noon", START_MS)


def test_what_does_not_fit_is_found_with_its_setting() -> None:
    where, what = fault_of(market_row(), interval_s=60, speed=4.0)
    assert where == "markets.interval_s"
    assert "lasted 300 s" in what
    assert "is 240" in what
    assert fault_of(interval_s=10, speed=0.15)[0] == "simulator.prices_speed"
    assert fault_of(market_row(slug=f"eth-updown-5m-{START_S}"))[0] == "simulator.markets_file"
    assert fault_of(begin="2026-07-25T00:00Z")[0] == "simulator.prices_from"
    where, what = fault_of(interval_s=3_600)
    assert where == "simulator.prices_file"
    assert what.endswith("holds no whole window of 3600 s to play")


def test_recorded_time_is_shown_faster_with_windows_that_shrink_alike() -> None:
    playback = Playback(recording(waving(900), market_row(), interval_s=60, speed=5.0))
    assert playback.interval_ms == 60_000
    playback.begin(WALL_MS)
    base_ms = WALL_MS - WALL_MS % 60_000
    assert playback.wall_of(START_MS) == base_ms
    assert playback.wall_of(START_MS + 10_000) == base_ms + 2_000
    assert playback.recorded_of(base_ms + 60_000) == START_MS + 300_000
    assert [playback.plays(base_ms + 60_000 * number) for number in (-1, 0, 2, 3)] == [
        False,
        True,
        True,
        False,
    ]
    first = playback.market(base_ms)
    assert first is not None
    assert first.start_ms == START_MS
    assert playback.market(base_ms + 60_000) is None


def test_two_ways_to_play_have_two_names() -> None:
    played = waving(900)
    names = {
        recording(played).name,
        recording(played, windows=1).name,
        recording(played, begin="00:05").name,
        recording(played, interval_s=60, speed=5.0).name,
        recording(played, market_row()).name,
        recording(waving(901)).name,
    }
    assert len(names) == 5, "only how many windows are played makes no other recording"
