"""Every value on its way into the view: what is used, what stops an asset, and until when."""

import pytest

from services.state.quality.findings import FINDINGS_MAX
from services.state.quality.second_sources import STREAMS_MAX
from shared.facts import FeedStatus, QualityFinding
from shared.identifiers import Asset
from shared.topics import FEED_PRICE
from shared.units import MonotonicNs
from tests.builders.feeds import at
from tests.builders.quality import SECOND, Inspected, tick

S = 1_000


def calm(until_s: int = 5) -> Inspected:
    """Return an inspector that has heard both sources agree, a tick a second."""
    rig = Inspected()
    for second in range(until_s):
        assert rig.both(100 + second / 100, second * S)
    return rig


def only(rig: Inspected, ms: float) -> QualityFinding:
    (found,) = rig.findings(ms)
    return found


def test_agreeing_sources_are_used_and_nothing_is_wrong() -> None:
    rig = calm()
    assert rig.findings(5 * S) == ()
    told = rig.inspector.told()
    assert (told.streams, told.refused, told.suspect) == (2, 0, 0)


@pytest.mark.req("DQ-6")
def test_unreal_jump_is_refused_and_stops_the_asset_until_three_good_updates() -> None:
    rig = calm()
    rig.price(100, 5 * S, SECOND)
    assert not rig.price(126, 5 * S)
    found = only(rig, 5 * S)
    assert (found.check, found.verdict, found.blocks, found.count) == ("jump", "refused", True, 1)
    assert "pyth says 100" in found.second
    for second in (6, 7):
        assert rig.both(100, second * S), "what is right is used at once"
        assert rig.blocks(second * S)
    assert rig.both(100, 8 * S)
    assert not rig.blocks(8 * S)


@pytest.mark.req("DQ-6")
def test_real_jump_is_used_once_the_second_source_tells_it_too() -> None:
    rig = calm()
    assert not rig.price(126, 5 * S), "the other one has not moved yet"
    rig.price(126, 5 * S + 100, SECOND)
    assert rig.price(126.5, 6 * S)
    for second in (7, 8):
        assert rig.both(126.5, second * S)
    assert not rig.blocks(8 * S)


@pytest.mark.req("DQ-6")
def test_jump_that_nobody_confirms_stays_refused_however_long_it_lasts() -> None:
    rig = Inspected()
    rig.price(100, 0)
    for second in range(1, 60):
        assert not rig.price(126 + second / 100, second * S)
    found = only(rig, 59 * S)
    assert (found.verdict, found.count, found.blocks) == ("unknown", 59, True)


@pytest.mark.req("DQ-6")
def test_second_source_that_has_fallen_silent_confirms_nothing() -> None:
    rig = calm()
    rig.price(126, 5 * S, SECOND)
    assert not rig.price(126, 10 * S)
    verdicts = {one.stream: one.verdict for one in rig.findings(10 * S - 1)}
    assert verdicts["btc chainlink price"] == "unknown"


@pytest.mark.req("DQ-6")
def test_wrong_price_of_the_second_source_stops_nothing() -> None:
    rig = calm()
    assert not rig.price(126, 5 * S, SECOND)
    assert not rig.blocks(5 * S)
    assert rig.inspector.told().refused == 1


@pytest.mark.req("DQ-1")
def test_silence_stops_the_asset_until_three_updates_in_a_row() -> None:
    rig = calm()
    assert not rig.blocks(6_999)
    assert rig.blocks(7_000)
    (since_ns,) = [one.since_ns for one in rig.findings(7_500) if one.blocks]
    assert since_ns == at(4_000).monotonic_ns
    for number in range(3):
        assert rig.blocks(8 * S + number * S - 1)
        rig.both(100 + number / 10, 8 * S + number * S)
    assert not rig.blocks(10 * S)


@pytest.mark.req("DQ-1")
def test_silence_within_the_recovery_begins_it_anew() -> None:
    rig = calm()
    assert rig.blocks(7 * S)
    for ms in (8_000, 9_000):
        rig.both(101 + ms / 10**5, ms)
    assert rig.blocks(12_500)
    for number, ms in enumerate((13_000, 14_000)):
        rig.both(102 + number / 10, ms)
        assert rig.blocks(ms)
    rig.both(103, 15_000)
    assert not rig.blocks(15_000)


@pytest.mark.req("DQ-1")
def test_hanging_price_stops_the_asset_while_the_second_source_goes_on() -> None:
    rig = Inspected()
    for second in range(11):
        rig.price(100, second * S)
        rig.price(100 + second / 10, second * S, SECOND)
        assert rig.blocks(second * S) is (second == 10)
    assert rig.checks(10 * S) == ["unchanged"]


@pytest.mark.req("DQ-4")
def test_stamp_of_the_future_is_refused_and_stops_nothing_by_itself() -> None:
    rig = calm()
    assert not rig.price(100, 5 * S, venue_ms=at(5 * S + 5_001).wall_ms)
    found = only(rig, 5 * S)
    assert (found.check, found.verdict, found.blocks) == ("future", "refused", False)


@pytest.mark.req("DQ-4")
def test_backward_stamp_is_used_by_our_own_time_and_flagged_for_a_while() -> None:
    rig = calm()
    judged = rig.inspector.price(tick(100, 5 * S, venue_ms=at(0).wall_ms), at(5 * S))
    assert judged.is_used
    assert judged.is_suspect
    assert only(rig, 5 * S).check == "backwards"
    for second in range(5, 66):
        rig.both(100 + second / 100, second * S)
    assert rig.checks(65 * S - 1) == ["backwards"]
    assert rig.checks(65 * S) == []


def test_history_that_is_right_is_used_and_wrong_history_stops_nothing() -> None:
    rig = calm()
    old_ms = at(-60 * S).wall_ms
    assert rig.price(99, 5 * S, venue_ms=old_ms, is_history=True)
    assert not rig.price(126, 5 * S, venue_ms=old_ms, is_history=True)
    assert rig.findings(5 * S) == ()


def test_tick_told_again_after_a_doubt_is_judged_anew() -> None:
    rig = Inspected()
    first = tick(100, 0)
    assert rig.inspector.price(first, at(0)).is_used
    assert not rig.inspector.price(first, at(1)).is_used
    rig.inspector.retell(Asset("btc"))
    assert rig.inspector.price(first, at(2)).is_used


def test_new_findings_are_handed_out_once() -> None:
    rig = calm()
    rig.price(126, 5 * S)
    rig.price(127, 5 * S + 1)
    assert [one.check for one in rig.inspector.take_new()] == ["jump"]
    assert rig.inspector.take_new() == ()


def test_streams_and_findings_are_bounded_and_what_is_beyond_is_not_used() -> None:
    rig = Inspected()
    for number in range(STREAMS_MAX):
        assert rig.price(100, 0, f"source {number}")
        rig.price(100, 0, f"source {number}", venue_ms=at(60 * S).wall_ms)
    assert not rig.price(100, 0, "one more")
    told = rig.inspector.told()
    assert told.streams == STREAMS_MAX
    assert len(told.findings) == FINDINGS_MAX


def status(rejected: int, frames: int, future: int = 0) -> FeedStatus:
    return FeedStatus(
        FEED_PRICE,
        connected=True,
        since_ns=MonotonicNs(0),
        cause="",
        session=1,
        evidence=(),
        window_frames=frames,
        window_rejected=rejected,
        future_stamps=future,
    )


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    ("rejected", "frames", "is_degraded"),
    [(5, 100, False), (6, 100, True), (9, 9, False), (1, 10, True), (0, 0, False)],
)
def test_feed_is_degraded_above_its_share_of_refused_frames(
    rejected: int, frames: int, is_degraded: bool
) -> None:
    rig = Inspected()
    rig.inspector.feed(status(rejected, frames), at(0))
    assert [one.verdict for one in rig.findings(0)] == (["degraded"] if is_degraded else [])
    rig.inspector.feed(status(0, 100), at(1))
    assert rig.findings(1) == ()


@pytest.mark.req("DQ-4")
def test_stamps_of_the_future_that_a_feed_refused_are_told_as_they_grow() -> None:
    rig = Inspected()
    for number, future in enumerate((7, 7, 8, 9)):
        rig.inspector.feed(status(0, 100, future), at(number))
    found = only(rig, 4)
    assert (found.stream, found.check, found.count) == (FEED_PRICE, "future", 2)
    rig.inspector.feed(status(0, 100, 1), at(5))
    assert only(rig, 5).count == 2, "a feed that was started again has refused nothing new"
