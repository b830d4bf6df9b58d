"""What risk's own edge reads of the host: processor, memory, disks. Pure words."""

import msgspec

from shared.effects import Message


class DiskReading(msgspec.Struct, frozen=True):
    """One file system.

    Attributes:
        name: `data` or `run`, the directory that lies on it.
        used_percent: 0..100 of what this user may use.
        free_mib: What this user may still write.
    """

    name: str
    used_percent: float
    free_mib: int


class HostReading(msgspec.Struct, frozen=True):
    """One look at the host; None and absent disks mean that it could not be read.

    Attributes:
        cpu_percent: Since the look before, of the host or of the container's share, 0..100.
        memory_percent: Of the host or of the container, whichever is fuller, 0..100.
        trouble: What could not be read, in words; empty for nothing.
    """

    cpu_percent: float | None
    memory_percent: float | None
    disks: tuple[DiskReading, ...]
    trouble: str = ""


class HostRead(Message, frozen=True):
    """The host was looked at."""

    reading: HostReading
