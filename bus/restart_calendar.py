"""The venue's weekly restart as moments in time: a wall clock in New York, summer time included.

Impure: zones are files of the system, or of the package tzdata where the system has none. So the
moments are computed once, at the start of a process, far longer ahead than it will run.
Source of the schedule: https://docs.polymarket.com/trading/matching-engine, as it stood until
summer 2026 (Tuesday, 07:00 in New York, about 90 s); the page of 2026-09-28 promises only
announcements beforehand, which is why every part of it is a setting.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.config import VenueSettings
from shared.units import NS_PER_S, WallNs
from shared.venue.planned_restarts import PlannedRestarts

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

WEEKS_AHEAD: Final = 520
"""Ten years: no process runs so long."""


class UnknownZone(Exception):
    """Local fault: nobody here knows the time zone's rules."""


def planned_restarts(venue: VenueSettings, now_wall_ns: int) -> tuple[WallNs, ...]:
    """Return the venue's planned restarts, from a week ago on; none when none is planned.

    Raises:
        UnknownZone: The system does not know the zone.
    """
    zone = find_zone(venue.restart_zone)
    if venue.restart_weekday == "never":
        return ()
    hour, minute = (int(part) for part in venue.restart_time.split(":"))
    local = datetime.fromtimestamp(now_wall_ns // NS_PER_S, UTC).astimezone(zone)
    days = WEEKDAYS.index(venue.restart_weekday) - local.weekday() - 7
    first = local.date() + timedelta(days=days)
    moments: list[WallNs] = []
    for week in range(WEEKS_AHEAD):
        day = first + timedelta(weeks=week)
        moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
        moments.append(WallNs(int(moment.timestamp()) * NS_PER_S))
    return tuple(moments)


def plan_restarts(venue: VenueSettings, now_wall_ns: int) -> PlannedRestarts:
    """Return the planned restarts with their times before and after, as the settings say.

    Raises:
        UnknownZone: The system does not know the zone; the settings were checked for that.
    """
    lead_ns, lasts_ns = venue.restart_lead_s * NS_PER_S, venue.restart_lasts_s * NS_PER_S
    return PlannedRestarts(planned_restarts(venue, now_wall_ns), lead_ns, lasts_ns)


def find_zone(name: str) -> ZoneInfo:
    """Return a time zone.

    Raises:
        UnknownZone: There is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(f"no time zone {name!r}: {error}") from error
