"""The venue's weekly restart: seven in the morning in New York, summer and winter."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from bus.restart_calendar import WEEKS_AHEAD, UnknownZone, find_zone, planned_restarts
from shared.config import VenueSettings
from shared.units import NS_PER_S
from tests.builders.execution_config import build_config


def venue(**spoil: Any) -> VenueSettings:
    return msgspec.structs.replace(build_config().venue, **spoil)


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS_PER_S


@pytest.mark.req("VEN-1")
@pytest.mark.parametrize(
    ("now", "following"),
    [
        ("2026-11-21T00:00", "2026-11-24T12:00"),
        ("2026-07-22T00:00", "2026-07-28T11:00"),
        # The last restart of summer time, and the first after the clocks go back.
        ("2026-10-26T00:00", "2026-10-27T11:00"),
        ("2026-10-28T00:00", "2026-11-03T12:00"),
        # And forward, five days after a Tuesday.
        ("2027-03-10T00:00", "2027-03-16T11:00"),
    ],
)
def test_restart_follows_the_clocks_of_new_york(now: str, following: str) -> None:
    moments = planned_restarts(venue(), utc(now))
    assert next(moment for moment in moments if moment > utc(now)) == utc(following)
    assert moments[0] <= utc(now), "one that has just begun is known too"


def test_restarts_are_known_for_years_and_a_week_apart() -> None:
    moments = planned_restarts(venue(restart_zone="UTC"), utc("2026-11-21T00:00"))
    assert len(moments) == WEEKS_AHEAD
    gaps = {later - earlier for earlier, later in pairwise(moments)}
    assert gaps == {7 * 86_400 * NS_PER_S}


def test_nothing_is_planned_when_the_settings_say_so() -> None:
    assert planned_restarts(venue(restart_weekday="never"), utc("2026-11-21T00:00")) == ()


@pytest.mark.parametrize("name", ["America/Atlantis", "", "../etc/passwd"])
def test_zone_that_nobody_knows_is_told(name: str) -> None:
    with pytest.raises(UnknownZone):
        find_zone(name)
