"""The state builder's memory on the disk: found and read at the start, written beside the loop.

Impure. A start reads the newest file that is not refused, and the facts that were recorded since,
within bounds of time and bytes; the core hears of both before anything else. A write goes to a
file of its own, is synced, and then takes the name; the file before it is kept, so that one that is
damaged costs some seconds. No write holds the loop, and none that fails stops anything.

A memory is used up by being read, since one that killed its reader would do so for ever: the newest
is tried twice, the one before it once, and then a start is cold.
"""

import contextlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from queue import Empty, Full, Queue

from bus import clock
from bus.edge import Edge
from bus.recording_files import DIRECTORY as RECORDINGS
from bus.recording_files import sync_directory, write_all
from services.state.memory import (
    SCHEMA,
    KeepMemory,
    Memory,
    NotRemembered,
    Place,
    Refused,
    Remembered,
    Stored,
    read,
    settings_digest,
    write,
)
from services.state.recorded_since import facts_since
from shared.config import Config
from shared.effects import Effect, Message
from shared.identifiers import Incarnation
from shared.recording import NAME_SUFFIX
from shared.units import Instant

DIRECTORY = "state"
"""Inside the data directory."""

NEWEST = "memory.ils"
TRIED = "memory.tried.ils"
BEFORE = "memory.before.ils"
PART = "memory.part"
FILE_MODE = 0o600

POLLIN = 1
"""As ZeroMQ's poll names a descriptor that can be read."""

CLOSE_S_MAX = 2.0
"""For the thread at the end of the process: what it has not written by then is not needed."""


class MemoryFile(Edge):
    """Reads what is remembered once, and writes what is to be."""

    handles = (KeepMemory,)

    def __init__(self, data_directory: Path, config: Config, incarnation: Incarnation) -> None:
        """Start the thread that writes."""
        self._directory = data_directory / DIRECTORY
        self._recordings = data_directory / RECORDINGS
        self._config = config
        self._incarnation = incarnation
        # Readable from the start: the loop asks edges before it takes facts in.
        self._ready: int | None = os.eventfd(1, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._found = self._find(clock.read())
        self._writes: Queue[Memory | None] = Queue(maxsize=1)
        self._places: tuple[tuple[Place, ...], int] = ((), 0)
        self._thread = threading.Thread(target=self._work, name="memory", daemon=True)
        self._thread.start()

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Be ready once."""
        return () if self._ready is None else ((self._ready, POLLIN),)

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Tell what was found."""
        assert descriptor == self._ready
        os.close(descriptor)
        self._ready = None
        return [self._found]

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand a memory to the thread, in place of one that it has not begun with."""
        assert isinstance(effect, KeepMemory)
        with contextlib.suppress(Empty):
            self._writes.get_nowait()
            self._writes.task_done()
        self._writes.put_nowait(effect.memory)
        return []

    def wait(self) -> None:
        """Wait until what was handed over is written or has failed; for rehearsals."""
        self._writes.join()

    def close(self) -> None:
        """Let the thread finish what it has begun, for a bounded time."""
        with contextlib.suppress(Full):  # of a disk that hangs, the thread ends with the process
            self._writes.put(None, timeout=CLOSE_S_MAX)
            self._thread.join(CLOSE_S_MAX)
        if self._ready is not None:
            os.close(self._ready)
            self._ready = None

    def _find(self, now: Instant) -> Remembered | NotRemembered:
        """Return the newest memory that is not refused, with what was recorded since."""
        problems: list[str] = []
        for name in (NEWEST, TRIED, BEFORE):
            path = self._directory / name
            try:
                stored = read(path.read_bytes(), self._config, now)
                self._use_up(path)
            except FileNotFoundError:
                continue
            except (OSError, Refused) as refused:
                problems.append(f"{path}: {refused}")
                continue
            since = facts_since(self._recordings, stored)
            took_ns = clock.read().boot_ns - now.boot_ns
            problems += since.problems
            return Remembered(stored.memory, since.facts, str(path), tuple(problems), took_ns)
        return NotRemembered(tuple(problems))

    def _use_up(self, path: Path) -> None:
        """Mark a file as tried.

        Raises:
            OSError: It cannot be marked, and so shall not be tried.
        """
        if path.name == NEWEST:
            path.replace(self._directory / TRIED)
        else:
            path.unlink()

    def _work(self) -> None:
        while (memory := self._writes.get()) is not None:
            before, self._places = self._places, self._look()
            # What the recorder had written by the memory before this one was heard before this one.
            places, wall_ns = before
            stored = Stored(
                SCHEMA,
                self._incarnation,
                settings_digest(self._config),
                places,
                wall_ns,
                memory,
            )
            # One that fails is followed by another in some seconds; without any, a start is colder.
            with contextlib.suppress(OSError):
                self._write(write(stored))
            self._writes.task_done()

    def _write(self, content: bytes) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._directory / PART
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(part, flags, FILE_MODE)
        try:
            write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        newest = self._directory / NEWEST
        for former in (self._directory / TRIED, newest):
            if former.exists():
                former.replace(self._directory / BEFORE)
        part.replace(newest)
        sync_directory(self._directory)

    def _look(self) -> tuple[tuple[Place, ...], int]:
        """Return how far the recording goes now."""
        wall_ns = clock.read().wall_ns
        try:
            paths = sorted(self._recordings.glob(f"*{NAME_SUFFIX}"))
            places = tuple(Place(path.name, path.stat().st_size) for path in paths)
        except OSError:
            return (), 0
        return places, wall_ns
