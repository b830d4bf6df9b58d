"""The host of a run: its clock as sources of time see it, and what it is short of.

Stands where risk's threads ask time servers and measure the machine. The clock that the
simulated processes read stays as it is: what others say of it is enough to be judged by.
"""

import msgspec

from bus.edge import Edge
from ops.simulation.scheduler import Scheduler
from services.risk.host_readings import DiskReading, HostRead, HostReading
from services.risk.time_readings import TimeReading, TimeSilent, TimeTold
from shared.effects import Effect, Message
from shared.units import NS_PER_MS, Instant

SOURCE = "host"
CALM = HostReading(5.0, 20.0, (DiskReading("data", 10.0, 10_000),))

CLOCK_OFF_MS: dict[str, int] = {
    "clock-drifts": 2_000,
    "clock-ahead": -20_000,
    "clock-behind": 7_000,
}
"""True time minus ours: told of, and twice more than trading goes on with."""

CLOCK_SILENT = "clock-silent"

READINGS: dict[str, HostReading] = {
    "cpu-full": HostReading(99.5, 20.0, CALM.disks),
    "memory-full": HostReading(5.0, 97.0, CALM.disks),
    "disk-nearly-full": HostReading(5.0, 20.0, (DiskReading("data", 96.0, 400),)),
    "disk-full": HostReading(5.0, 20.0, (DiskReading("data", 99.5, 1),)),
    "host-unreadable": HostReading(None, None, (), "simulated"),
}

MODES = (*CLOCK_OFF_MS, CLOCK_SILENT, *READINGS)


class Host(msgspec.Struct):
    """What is wrong with the host, and until when in simulated time."""

    time_mode: str = ""
    time_until_ns: int = 0
    reading: HostReading = CALM
    reading_until_ns: int = 0

    def strike(self, mode: str, until_ns: int) -> None:
        """Let one of `MODES` be wrong for a while."""
        reading = READINGS.get(mode)
        if reading is not None:
            self.reading, self.reading_until_ns = reading, until_ns
        else:
            self.time_mode, self.time_until_ns = mode, until_ns


class HostEdge(Edge):
    """Tells risk of its host, each so often."""

    handles: tuple[type[Effect], ...] = ()

    def __init__(
        self, host: Host, scheduler: Scheduler, time_every_ns: int, reading_every_ns: int
    ) -> None:
        self._host = host
        self._scheduler = scheduler
        self._time_every_ns, self._reading_every_ns = time_every_ns, reading_every_ns
        self._time_due_ns = self._reading_due_ns = 0

    def on_tick(self, now: Instant) -> list[Message]:
        """Say it when it is time."""
        told: list[Message] = []
        if now.boot_ns >= self._time_due_ns:
            self._time_due_ns = now.boot_ns + self._time_every_ns
            told.append(self._time())
        if now.boot_ns >= self._reading_due_ns:
            self._reading_due_ns = now.boot_ns + self._reading_every_ns
            is_short = self._scheduler.now_ns < self._host.reading_until_ns
            told.append(HostRead(self._host.reading if is_short else CALM))
        return told

    def _time(self) -> Message:
        is_wrong = self._scheduler.now_ns < self._host.time_until_ns
        if is_wrong and self._host.time_mode == CLOCK_SILENT:
            return TimeSilent(SOURCE, "no answer")
        off_ns = CLOCK_OFF_MS[self._host.time_mode] * NS_PER_MS if is_wrong else 0
        return TimeTold(TimeReading(SOURCE, off_ns, off_ns))
