"""The only reading of clocks, and the only chance, of the whole system.

CLOCK_BOOTTIME goes on through a suspend, so leases are judged by it; CLOCK_MONOTONIC is
comparable between processes of one host; wall time is for people and signatures.
"""

import mmap
import os
import secrets
import struct
import time
from pathlib import Path

from shared.identifiers import Incarnation
from shared.units import BootNs, Instant, MonotonicNs, WallNs

INCARNATION_BITS = 63
"""One bit less than a word, so that SQLite's signed integers hold it."""


WRONG_CLOCK_VARIABLE = "INTERLOCK_WRONG_CLOCK"
"""Names a file of eight bytes, little-endian: by how many ns the wall clock is wrong. Read at each
reading, so that it changes under running processes; in mode simulation only."""

_OFFSET = struct.Struct("<q")


class _WrongClock:
    """An injected error of the wall clock; none until a simulation asks for one."""

    def __init__(self) -> None:
        self._file: mmap.mmap | None = None

    def follow(self, path: Path) -> None:
        """Be wrong by what a file says from now on.

        Raises:
            OSError: There is no such file.
            ValueError: It is empty.
        """
        with path.open("rb") as file:
            self._file = mmap.mmap(file.fileno(), _OFFSET.size, access=mmap.ACCESS_READ)

    def offset_ns(self) -> int:
        """Return by how much the wall clock is wrong."""
        return 0 if self._file is None else int(_OFFSET.unpack_from(self._file)[0])


_wrong = _WrongClock()


def may_be_wrong(mode: str) -> None:
    """Let the wall clock of this process be wrong, when a simulation asks for it.

    Raises:
        OSError: The file that is named cannot be read.
        ValueError: It is empty.
    """
    named = os.environ.get(WRONG_CLOCK_VARIABLE, "")
    if named and mode == "simulation":
        _wrong.follow(Path(named))


def read() -> Instant:
    """Return one reading of all three clocks."""
    return Instant(
        BootNs(time.clock_gettime_ns(time.CLOCK_BOOTTIME)),
        MonotonicNs(time.monotonic_ns()),
        WallNs(time.time_ns() + _wrong.offset_ns()),
    )


def be_wrong_by(path: Path, offset_ns: int) -> None:
    """Write by how much the clocks that follow a file are wrong; makes the file."""
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.write(_OFFSET.pack(offset_ns))


def draw_incarnation() -> Incarnation:
    """Draw the identity of this run of a process, never 0."""
    return Incarnation(secrets.randbelow((1 << INCARNATION_BITS) - 1) + 1)
