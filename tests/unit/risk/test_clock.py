"""KS-9 and CK-1: what trips at which offset, and what nobody answering does."""

import pytest

from services.risk.clock import ClockSource, judge
from services.risk.samples import Sample
from services.risk.source import Notice
from services.risk.time_readings import TimeReading, TimeSilent, TimeTold
from shared.config import ClockSettings
from shared.effects import ClockStepped
from shared.switches import CLOCK_OFF, CLOCK_UNKNOWN
from shared.units import NS_PER_MS, NS_PER_S
from tests.builders.risk import instant

SETTINGS = ClockSettings()


def told(off_ms: float, source: str = "a") -> TimeTold:
    off_ns = round(off_ms * NS_PER_MS)
    return TimeTold(TimeReading(source, off_ns, off_ns))


def venue(low_ms: int) -> TimeReading:
    return TimeReading("venue", low_ms * NS_PER_MS, low_ms * NS_PER_MS + NS_PER_S, is_venue=True)


def seen(source: ClockSource, ms: float) -> list[Sample | Notice]:
    return list(source.data(instant(ms)))


def offset_samples(found: list[Sample | Notice]) -> list[bool]:
    return [one.bad for one in found if isinstance(one, Sample) and one.switch is CLOCK_OFF]


def unknown(found: list[Sample | Notice]) -> bool:
    (only,) = [one for one in found if isinstance(one, Sample) and one.switch is CLOCK_UNKNOWN]
    return only.bad


def names(found: list[Sample | Notice]) -> list[str]:
    return [one.name for one in found if isinstance(one, Notice)]


@pytest.mark.req("KS-9")
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("off_ms", "alerts", "bad"),
    [
        (0, [], False),
        (1_000, [], False),
        (1_000.001, ["clock_drifts"], False),
        (4_999.999, ["clock_drifts"], False),
        (5_000, ["clock_drifts"], False),
        (5_000.001, ["clock_drifts"], True),
    ],
)
def test_limits_are_passed_just_above_them(
    sign: int, off_ms: float, alerts: list[str], bad: bool
) -> None:
    source = ClockSource(SETTINGS)
    source.hear(told(sign * off_ms), instant(0))
    found = seen(source, 1)
    assert offset_samples(found) == [bad]
    assert names(found) == alerts
    assert not unknown(found)


@pytest.mark.req("KS-9")
def test_each_answer_is_one_sample_and_a_ping_without_answer_none() -> None:
    source = ClockSource(SETTINGS)
    source.hear(told(6_000), instant(0))
    assert offset_samples(seen(source, 1)) == [True]
    assert offset_samples(seen(source, 101)) == []
    source.hear(told(6_000), instant(150))
    source.hear(told(0), instant(160))
    assert offset_samples(seen(source, 201)) == [True, False]


@pytest.mark.req("CK-1")
def test_nobody_answering_from_the_start_is_unknown_at_once() -> None:
    source = ClockSource(SETTINGS)
    assert unknown(seen(source, 0))
    source.hear(TimeSilent("a", "no answer in time"), instant(1))
    found = seen(source, 2)
    assert unknown(found)
    assert names(found) == ["clock_unknown"]


@pytest.mark.req("CK-1")
def test_silence_is_told_at_once_and_pauses_after_its_age() -> None:
    source = ClockSource(SETTINGS)
    source.hear(told(0), instant(0))
    source.hear(TimeSilent("a", "no answer in time"), instant(10))
    found = seen(source, 10)
    assert names(found) == ["clock_unknown"]
    assert not unknown(found)
    assert not unknown(seen(source, SETTINGS.unknown_ms))
    assert unknown(seen(source, SETTINGS.unknown_ms + 1))
    source.hear(told(0), instant(SETTINGS.unknown_ms + 2))
    assert not unknown(seen(source, SETTINGS.unknown_ms + 3))


@pytest.mark.req("CK-1")
def test_one_good_source_is_enough() -> None:
    source = ClockSource(SETTINGS)
    source.hear(told(0, "a"), instant(0))
    source.hear(TimeSilent("b", "no answer in time"), instant(1))
    source.hear(TimeSilent("venue", "status 503", is_venue=True), instant(2))
    assert names(seen(source, 3)) == []


@pytest.mark.req("CK-2")
def test_step_of_the_clock_makes_all_that_was_said_before_worth_nothing() -> None:
    source = ClockSource(SETTINGS)
    source.hear(told(0), instant(0))
    source.hear(ClockStepped(6 * NS_PER_S), instant(1))
    found = seen(source, 2)
    assert unknown(found)
    assert names(found) == ["clock_stepped"]
    source.hear(told(-6_000), instant(3))
    found = seen(source, 4)
    assert not unknown(found)
    assert offset_samples(found) == [True]


@pytest.mark.req("CK-1")
def test_old_reading_counts_no_more() -> None:
    source = ClockSource(SETTINGS)
    source.hear(told(6_000, "a"), instant(0))
    later = 3 * SETTINGS.measure_every_ms
    source.hear(told(0, "b"), instant(later + 1))
    assert offset_samples(seen(source, later + 2)) == [True, False]


@pytest.mark.req("CK-1")
def test_servers_that_contradict_one_another_are_unknown_unless_the_venue_decides() -> None:
    one, other = told(0, "a").reading, told(6_000, "b").reading
    assert judge((one, other)).off_ns is None
    decided = judge((one, other, venue(-500)))
    assert decided.off_ns == 0
    assert decided.outsiders == ("b",)


@pytest.mark.req("CK-1")
@pytest.mark.parametrize(
    ("low_ms", "off_ms"), [(-1_000, 0), (0, 0), (5_000, 5_000), (5_001, 5_001), (-6_001, -5_001)]
)
def test_venues_whole_second_counts_by_what_is_certain(low_ms: int, off_ms: int) -> None:
    assert judge((venue(low_ms),)).off_ns == off_ms * NS_PER_MS
    assert judge((venue(low_ms), told(0).reading)).off_ns == off_ms * NS_PER_MS


@pytest.mark.req("KS-9")
def test_words_say_which_way_our_clock_is_wrong() -> None:
    assert judge((told(6_000).reading,)).text.startswith("the host's clock is 6.000 s behind")
    assert judge((told(-6_000).reading,)).text.startswith("the host's clock is 6.000 s ahead")
