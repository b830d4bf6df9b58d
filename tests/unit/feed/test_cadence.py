"""How often streams are proven, against the setting that calls them stale."""

import pytest

from services.feed.cadence import GAPS_MIN, JUDGE_EVERY_NS, Cadence
from shared.units import NS_PER_MS
from tests.builders.feeds import at

OVER_MS = JUDGE_EVERY_NS // NS_PER_MS


def judged(limit_ms: int, *gaps_ms: int) -> tuple[int, int] | None:
    cadence = Cadence(limit_ms * NS_PER_MS)
    cadence.judge(at(0))
    for gap_ms in gaps_ms:
        cadence.note(gap_ms * NS_PER_MS)
    found = cadence.judge(at(OVER_MS))
    return None if found is None else (found.stale_ppm, found.needed_ms)


@pytest.mark.req("KS-4")
def test_limit_that_the_rhythm_keeps_is_not_spoken_of() -> None:
    assert judged(2_000, *[750] * GAPS_MIN) == (0, 800)


@pytest.mark.req("KS-4")
def test_limit_below_the_rhythm_is_said_in_plain_words_with_what_it_should_be() -> None:
    cadence = Cadence(500 * NS_PER_MS)
    cadence.judge(at(0))
    for _ in range(GAPS_MIN):
        cadence.note(1_000 * NS_PER_MS)
    found = cadence.judge(at(OVER_MS))
    assert found is not None
    assert found.is_too_short
    words = found.words("timing.market_stale_ms", 500)
    assert "timing.market_stale_ms is 500 ms" in words
    assert "50.0 % of the time" in words
    assert f"at least {found.needed_ms} ms" in words
    assert 950 <= found.needed_ms <= 1_100


def test_short_gaps_of_a_lively_stream_do_not_hide_the_long_ones_of_a_quiet_one() -> None:
    found = judged(500, *[10] * 3_000, *[2_000] * 10)
    assert found is not None
    assert found[0] == pytest.approx(1_000_000 * 10 * 1_500 // (30_000 + 20_000), abs=1)


def test_few_gaps_are_not_judged_and_each_window_begins_anew() -> None:
    assert judged(500, *[2_000] * (GAPS_MIN - 1)) is None
    cadence = Cadence(500 * NS_PER_MS)
    for window in range(3):
        now = at(window * OVER_MS)
        found = cadence.judge(now)
        assert (found is None) == (window == 0)
        for _ in range(GAPS_MIN):
            cadence.note((2_000 if window == 0 else 100) * NS_PER_MS)
        if found is not None:
            assert found.is_too_short == (window == 1)


def test_window_is_judged_when_it_is_over_and_not_before() -> None:
    cadence = Cadence(500 * NS_PER_MS)
    assert cadence.judge(at(0)) is None
    for _ in range(GAPS_MIN):
        cadence.note(NS_PER_MS)
    assert cadence.judge(at(OVER_MS - 1)) is None
    assert cadence.judge(at(OVER_MS)) is not None
