"""Reads processor, memory and disks of the host and of the container, in a thread.

Impure. A container's own limits count beside the host's: whoever is nearer to its limit. In mode
simulation a file may say what is read instead (`INTERLOCK_HOST_READINGS`), so that shortage can be
tried without making any.

Source: cgroups(7); https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max, memory.current,
cpu.max, cpu.stat) and the controllers of version 1.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import psutil

from services.risk.asking_thread import AskingThread, Round
from services.risk.host_readings import DiskReading, HostRead, HostReading
from shared.units import NS_PER_MS

READINGS_VARIABLE = "INTERLOCK_HOST_READINGS"
"""Names a JSON file with fields of `HostReading` that are told instead of what is read."""

CGROUPS = Path("/sys/fs/cgroup")
UNLIMITED_BYTES = 1 << 60
"""Version 1 writes no limit as a number near 2**63."""

MIB = 1 << 20


class HostWatch(AskingThread):
    """Looks at the host again and again."""

    def __init__(self, places: Mapping[str, Path], every_ms: int, mode: str) -> None:
        """Begin to look.

        Args:
            places: Directories whose file systems are read, by the names that are told.
            every_ms: Between two looks.
            mode: Of the run: only a simulation may be told something else.
        """
        self._places = dict(places)
        self._every_ns = every_ms * NS_PER_MS
        named = os.environ.get(READINGS_VARIABLE, "")
        self._instead = Path(named) if named and mode == "simulation" else None
        self._container = Container(CGROUPS)
        psutil.cpu_percent()  # the first answer counts from here
        super().__init__("host", self._look)

    def _look(self) -> Round:
        trouble: list[str] = []
        disks = []
        for name, place in self._places.items():
            try:
                used = psutil.disk_usage(str(place))
            except OSError as error:
                trouble.append(f"{name}: {error.strerror}")
                continue
            disks.append(DiskReading(name, used.percent, used.free // MIB))
        shares = (psutil.cpu_percent(), self._container.cpu_percent())
        fills = (psutil.virtual_memory().percent, self._container.memory_percent())
        reading = HostReading(
            cpu_percent=max(one for one in shares if one is not None),
            memory_percent=max(one for one in fills if one is not None),
            disks=tuple(disks),
            trouble="; ".join(trouble),
        )
        return (HostRead(self._told_instead(reading)),), self._every_ns

    def _told_instead(self, reading: HostReading) -> HostReading:
        """Return a reading with what the drill's file says of it."""
        if self._instead is None:
            return reading
        try:
            fields = msgspec.json.decode(self._instead.read_bytes(), type=dict[str, object])
            known = {**msgspec.to_builtins(reading), **fields}
            return msgspec.convert(known, HostReading)
        except FileNotFoundError:
            return reading
        except (OSError, msgspec.MsgspecError) as error:
            # A file that is being written; whoever drills sees why nothing happens.
            return msgspec.structs.replace(reading, trouble=f"{self._instead}: {error}")


class Container:
    """The limits of the control group that this process is in, version 2 or 1; none means None."""

    def __init__(self, root: Path) -> None:
        """Find the group.

        Args:
            root: Where control groups are mounted.
        """
        groups = _groups(Path("/proc/self/cgroup"))
        self._memory = _first(root, groups.get("memory", ""), "memory.max", "memory")
        self._cpu = _first(root, groups.get("cpu", ""), "cpu.max", "cpu")
        self._used_ns: int | None = None
        self._looked_ns = 0

    def memory_percent(self) -> float | None:
        """Return the part of its limit that cannot be given back, None without a limit."""
        if self._memory is None:
            return None
        modern = (self._memory / "memory.max").exists()
        limit = _number(self._memory / ("memory.max" if modern else "memory.limit_in_bytes"))
        usage = _number(self._memory / ("memory.current" if modern else "memory.usage_in_bytes"))
        if limit is None or usage is None or limit >= UNLIMITED_BYTES:
            return None
        cache = _field(
            self._memory / "memory.stat", "inactive_file" if modern else "total_inactive_file"
        )
        return 100 * max(0, usage - (cache or 0)) / limit

    def cpu_percent(self) -> float | None:
        """Return the part of its processor time since the last look, None without a limit."""
        if self._cpu is None:
            return None
        cores, used_ns = self._cores(), self._used()
        looked_ns = time.monotonic_ns()
        before, self._used_ns = self._used_ns, used_ns
        elapsed_ns, self._looked_ns = looked_ns - self._looked_ns, looked_ns
        if cores is None or used_ns is None or before is None or elapsed_ns <= 0:
            return None
        return min(100.0, 100 * (used_ns - before) / (elapsed_ns * cores))

    def _cores(self) -> float | None:
        """Return how many processors' time it may use, None without a limit."""
        assert self._cpu is not None
        try:
            quota, period = (self._cpu / "cpu.max").read_text().split()
            return None if quota == "max" else int(quota) / int(period)
        except (OSError, ValueError):
            former = _number(self._cpu / "cpu.cfs_quota_us")
            every = _number(self._cpu / "cpu.cfs_period_us")
            return former / every if former is not None and every and former > 0 else None

    def _used(self) -> int | None:
        assert self._cpu is not None
        used_us = _field(self._cpu / "cpu.stat", "usage_usec")
        if used_us is not None:
            return used_us * 1_000
        return _number(self._cpu / "cpuacct.usage")


def _groups(path: Path) -> dict[str, str]:
    """Return the group by controller; version 2 has one for all, under the empty name."""
    found: dict[str, str] = {}
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(",") if controllers else ("memory", "cpu"):
            if controllers or controller not in found:
                found[controller] = group
    return found


def _first(root: Path, group: str, modern: str, controller: str) -> Path | None:
    """Return the directory of a group; inside a namespace its path is that of the root."""
    inside = group.lstrip("/")
    for place in (root / inside, root):
        if (place / modern).exists():
            return place
    for place in (root / controller / inside, root / controller):
        if place.is_dir():
            return place
    return None


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.lstrip("-").isdigit() else None


def _field(path: Path, name: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition(" ")
        if key == name and value.isdigit():
            return int(value)
    return None
