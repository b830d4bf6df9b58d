"""Is the host's clock right: KS-9 when it is not, CK-1 when nobody can say. Pure.

The newest reading of every source counts while it is fresh. A majority of the NTP sources says how
far off we are; the venue's own time, which comes in whole seconds, counts by what is certain of it,
and decides between NTP sources that disagree. Off by too much against either is off.

Nobody answering is not fine, it is unknown: it is told at once, and pauses after
`clock.unknown_ms`, or at once after a step of the clock, until somebody vouches for it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from services.risk.time_readings import Agreement, TimeReading, TimeSilent, TimeTold, agree
from shared.config import ClockSettings
from shared.effects import ClockStepped, Message
from shared.switches import CLOCK_OFF, CLOCK_UNKNOWN
from shared.units import NS_PER_MS, BootNs, Instant

FRESH_PERIODS: Final = 3
"""A reading counts for so many periods: two questions may be lost."""


class ClockState(msgspec.Struct, frozen=True):
    """What is known of the clock at a moment.

    Attributes:
        off_ns: True time minus ours, as far as it counts; None when nobody can say.
        text: For people.
        outsiders: Sources that contradict what is believed.
    """

    off_ns: int | None
    text: str
    outsiders: tuple[str, ...] = ()


def judge(readings: tuple[TimeReading, ...]) -> ClockState:
    """Return what fresh readings say together."""
    told = tuple(one for one in readings if not one.is_venue)
    venue = next((one for one in readings if one.is_venue), None)
    found = agree(told)
    if found is None and told and venue is not None:
        found = agree((*told, venue))
    if found is None and told:
        return ClockState(None, f"{_names(told)} contradict one another")
    by_venue = _certain_ns(venue)
    if found is None:
        if venue is None or by_venue is None:
            return ClockState(None, "no source of time answers")
        return ClockState(by_venue, f"{_way(by_venue)} by the venue's time alone")
    if by_venue is not None and abs(by_venue) > abs(found.offset_ns):
        return ClockState(by_venue, f"{_way(by_venue)} by the venue's time", found.outsiders)
    return ClockState(found.offset_ns, _by_servers(found, told), found.outsiders)


class ClockSource:
    """Draws KS-9 and CK-1 from what the sources of time say."""

    def __init__(self, settings: ClockSettings) -> None:
        """Know nothing: until somebody has vouched for the clock nothing may trade."""
        self._alert_ns = settings.alert_ms * NS_PER_MS
        self._halt_ns = settings.halt_ms * NS_PER_MS
        self._unknown_ns = settings.unknown_ms * NS_PER_MS
        self._fresh_ns = FRESH_PERIODS * settings.measure_every_ms * NS_PER_MS
        self._readings: dict[str, tuple[TimeReading, BootNs]] = {}
        self._silent: dict[str, str] = {}
        self._vouched_ns: BootNs | None = None
        self._judged: list[ClockState] = []
        self._notices: list[Notice] = []

    def hear(self, message: Message, now: Instant) -> None:
        """Take an answer, a silence, or a step of the clock."""
        match message:
            case TimeTold(reading=reading):
                self._silent.pop(reading.source, None)
                self._readings[reading.source] = (reading, now.boot_ns)
                state = judge(self._fresh(now))
                if state.off_ns is not None:
                    self._vouched_ns = now.boot_ns
                self._judged.append(state)
            case TimeSilent():
                self._be_silent(message)
            case ClockStepped(by_ns=by_ns):
                # What was said before was said of another clock.
                self._readings.clear()
                self._vouched_ns = None
                text = f"the clock was set by {by_ns / 1e9:+.3f} s"
                self._notices.append(Notice("warning", "clock_stepped", text, CLOCK_OFF.runbook))
            case _:
                pass

    def data(self, now: Instant) -> Iterator[Sample | Notice]:
        """Yield one sample of KS-9 for every answer, and one of CK-1 for every ping."""
        notices, self._notices = self._notices, []
        yield from notices
        judged, self._judged = self._judged, []
        for state in judged:
            yield from self._offset(state)
        yield self._unknown(now)

    def _offset(self, state: ClockState) -> Iterator[Sample | Notice]:
        if state.outsiders:
            text = f"{', '.join(state.outsiders)} contradict the majority"
            yield Notice("warning", "clock_outsider", text, CLOCK_UNKNOWN.runbook)
        if state.off_ns is None:
            yield Notice("warning", "clock_unknown", state.text, CLOCK_UNKNOWN.runbook)
            return
        off_ns = abs(state.off_ns)
        yield Sample(CLOCK_OFF, "", ACCOUNT, off_ns > self._halt_ns, state.text)
        if off_ns > self._alert_ns:
            yield Notice("warning", "clock_drifts", state.text, CLOCK_OFF.runbook)

    def _unknown(self, now: Instant) -> Sample:
        if self._vouched_ns is None:
            return Sample(CLOCK_UNKNOWN, "", ACCOUNT, True, f"not measured yet{self._why()}")
        age_ns = now.boot_ns - self._vouched_ns
        why = f"nobody has vouched for the clock for {age_ns // NS_PER_MS} ms{self._why()}"
        return Sample(CLOCK_UNKNOWN, "", ACCOUNT, age_ns > self._unknown_ns, why)

    def _be_silent(self, message: TimeSilent) -> None:
        """Note a silence; it is told at once when no server is left that answers."""
        self._silent[message.source] = message.why
        if message.is_venue or any(
            not reading.is_venue and source not in self._silent
            for source, (reading, _) in self._readings.items()
        ):
            return
        text = f"no time server answers{self._why()}"
        self._notices.append(Notice("warning", "clock_unknown", text, CLOCK_UNKNOWN.runbook))

    def _why(self) -> str:
        said = "; ".join(f"{source}: {why}" for source, why in self._silent.items())
        return f" ({said})" if said else ""

    def _fresh(self, now: Instant) -> tuple[TimeReading, ...]:
        """Return the readings that still count, and forget the others."""
        since = now.boot_ns - self._fresh_ns
        self._readings = {name: one for name, one in self._readings.items() if one[1] >= since}
        return tuple(reading for reading, _ in self._readings.values())


def _certain_ns(venue: TimeReading | None) -> int | None:
    """Return what is certain of the offset from the venue's time: 0 inside its second."""
    if venue is None:
        return None
    return max(0, venue.low_ns) or min(0, venue.high_ns)


def _by_servers(found: Agreement, told: tuple[TimeReading, ...]) -> str:
    agreeing = len(told) - len(found.outsiders)
    return f"{_way(found.offset_ns)} by {max(1, agreeing)} of {len(told)} time servers"


def _way(off_ns: int) -> str:
    """Return an offset in words: which way our clock is wrong."""
    way = "behind" if off_ns > 0 else "ahead"
    return f"the host's clock is {abs(off_ns) / 1e9:.3f} s {way}"


def _names(readings: tuple[TimeReading, ...]) -> str:
    return ", ".join(one.source for one in readings)
