"""Is there enough of the host: CB-5 for processor, memory and loops, CP-5 for disks. Pure.

What is short pauses background work, by a row that stops nothing else: recorder and dashboard obey
risk's status. Free space below the ledger's reserve is another matter: what cannot be written
down may not be placed, and space that nobody could read counts as none.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from services.risk.host_readings import DiskReading, HostRead, HostReading
from services.risk.loop_latency import LoopLatency
from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from shared.config import ResourceSettings
from shared.control import Pong
from shared.effects import ControlReceived, Message
from shared.switches import DISK_LOW, LEDGER_SPACE, RESOURCES
from shared.topics import DASHBOARD, RECORDER
from shared.units import NS_PER_MS, BootNs, Instant

LEDGER_DISK: Final = "data"
"""The file system of the ledger and of risk's database."""

UNHURRIED: Final = frozenset({RECORDER, DASHBOARD})
"""Nobody waits for their loops: they are slow because they are made to be."""


class ResourceSource:
    """Draws CB-5 and CP-5 from what is read of the host and from the pongs."""

    def __init__(self, settings: ResourceSettings) -> None:
        """Know nothing yet."""
        self._settings = settings
        self._cpu: deque[tuple[BootNs, float]] = deque(maxlen=1_024)
        self._reading: HostReading | None = None
        self._began_ns: BootNs | None = None
        self._disks: dict[str, tuple[DiskReading, BootNs]] = {}
        self._loops: dict[str, LoopLatency] = {}
        self._trouble = ""

    def hear(self, message: Message, now: Instant) -> None:
        """Take a reading of the host, or a pong."""
        if isinstance(message, HostRead):
            self._take(message.reading, now)
        elif isinstance(message, ControlReceived) and isinstance(message.body, Pong):
            pong = message.body
            if pong.component not in UNHURRIED and pong.ping_id:
                known = self._loops.get(pong.component)
                if known is None:
                    floor_ns = self._settings.latency_ms_min * NS_PER_MS
                    known = LoopLatency(self._settings.latency_factor, floor_ns)
                    self._loops[pong.component] = known
                known.add(pong.loop_lag_ns)

    def data(self, now: Instant) -> Iterator[Sample | Notice]:
        """Yield what is short, and what is not."""
        if self._began_ns is None:
            self._began_ns = now.boot_ns
        if self._trouble:
            yield Notice("warning", "resources_unknown", self._trouble, RESOURCES.runbook)
        yield self._processor(now)
        yield self._memory()
        yield self._latency()
        for level in ("warn", "critical", "full"):
            yield self._space(level)
        yield self._reserve(now)

    def _take(self, reading: HostReading, now: Instant) -> None:
        self._reading = reading
        self._trouble = reading.trouble
        if reading.cpu_percent is not None:
            self._cpu.append((now.boot_ns, reading.cpu_percent))
        for disk in reading.disks:
            self._disks[disk.name] = (disk, now.boot_ns)

    def _processor(self, now: Instant) -> Sample:
        """CB-5: the mean over its time; one that is not full yet says nothing."""
        settings = self._settings
        since = now.boot_ns - settings.cpu_ms * NS_PER_MS
        while len(self._cpu) > 1 and self._cpu[1][0] <= since:
            self._cpu.popleft()
        if not self._cpu or self._cpu[0][0] > since:
            return Sample(RESOURCES, "cpu", ACCOUNT, False, "not long enough read")
        inside = [percent for at_ns, percent in self._cpu if at_ns > since]
        mean = sum(inside) / len(inside) if inside else 0.0
        why = f"processor {mean:.0f} % over {settings.cpu_ms // 1_000} s"
        return Sample(RESOURCES, "cpu", ACCOUNT, mean > settings.cpu_percent_max, why)

    def _memory(self) -> Sample:
        reading = self._reading
        percent = None if reading is None else reading.memory_percent
        if percent is None:
            return Sample(RESOURCES, "memory", ACCOUNT, False, "not read")
        bad = percent > self._settings.memory_percent_max
        return Sample(RESOURCES, "memory", ACCOUNT, bad, f"memory {percent:.0f} %")

    def _latency(self) -> Sample:
        slow = [
            f"{name} {one.p99_ns() // NS_PER_MS} ms, usually {usual // NS_PER_MS} ms"
            for name, one in self._loops.items()
            for usual in [one.baseline_ns() or 0]
            if one.is_slow()
        ]
        return Sample(RESOURCES, "latency", ACCOUNT, bool(slow), f"p99 of {'; '.join(slow)}")

    def _space(self, level: str) -> Sample:
        """CP-5: one condition a level; the recorder obeys the upper two."""
        settings = self._settings
        limit = {
            "warn": settings.disk_warn_percent,
            "critical": settings.disk_critical_percent,
            "full": settings.disk_full_percent,
        }[level]
        over = [
            f"{disk.name} {disk.used_percent:.0f} %"
            for disk, _ in self._disks.values()
            if disk.used_percent >= limit
        ]
        return Sample(DISK_LOW, level, ACCOUNT, bool(over), f"disk used: {', '.join(over)}")

    def _reserve(self, now: Instant) -> Sample:
        """CP-5: what is left for the ledger; unknown is none."""
        assert self._began_ns is not None
        known = self._disks.get(LEDGER_DISK)
        age_ns = now.boot_ns - (self._began_ns if known is None else known[1])
        if age_ns > self._settings.unread_ms * NS_PER_MS:
            why = f"free space not read for {age_ns // NS_PER_MS} ms"
            return Sample(LEDGER_SPACE, "", ACCOUNT, True, why)
        if known is None:
            return Sample(LEDGER_SPACE, "", ACCOUNT, False, "not read yet")
        free, reserve = known[0].free_mib, self._settings.ledger_reserve_mib
        why = f"{free} MiB free, {reserve} MiB are the ledger's"
        return Sample(LEDGER_SPACE, "", ACCOUNT, free < reserve, why)
