"""Risk's line to its supervisord: what runs, what became of it, and what it is asked to do.

Impure. One thread asks each second what runs, reads the file of ends a few times a second, and
passes on what the loop asks for; a supervisord that is stopped holds up this thread alone. What it
cannot find out it tells as not known. Source of the calls: http://supervisord.org/api.html, 4.3.0.
"""

import os
import queue
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from bus import clock, supervision
from bus.edge import Edge
from services.risk.messages import (
    AskSupervisor,
    NoteProgram,
    ProgramRow,
    ProgramsSeen,
    ProgramsTold,
    SupervisorSilent,
)
from shared.effects import Effect, Message
from shared.program_events import EVENTS_FILE, decode_event, encode_event
from shared.units import NS_PER_S, BootNs, Instant

LOOK_EVERY_S: Final = 0.2
"""Between two looks at the file: far below the clean time that a crashed strategy waits for."""

ASK_EVERY_NS: Final = NS_PER_S
"""Between two questions: supervisord itself looks at its programs once a second."""

READ_BYTES_MAX: Final = 256 * 1024
TOLD_MAX: Final = 1_000
"""Messages that wait for a loop that does not turn; the thread then waits too."""

CLOSE_S: Final = 1.0

POLLIN: Final = 1
"""ZeroMQ's flag for a descriptor that can be read."""


class SupervisorLine(Edge):
    """Carries out `AskSupervisor` and `NoteProgram`."""

    handles = (AskSupervisor, NoteProgram)

    def __init__(self, run_directory: Path, *, acts: bool = True) -> None:
        """Start the thread.

        Args:
            run_directory: Of the group: supervisord's socket and the file of ends.
            acts: False asks and tells, and stops, starts and kills nothing.
        """
        self._run = run_directory
        self._acts = acts
        self._ends = EndsFile(run_directory / EVENTS_FILE)
        self._asked: queue.SimpleQueue[Effect | None] = queue.SimpleQueue()
        self._told: deque[Message] = deque()
        self._asked_ns = BootNs(0)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._work, name="supervisor-line", daemon=True)
        self._thread.start()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand an effect to the thread."""
        assert isinstance(effect, AskSupervisor | NoteProgram), f"not of this edge: {effect}"
        self._asked.put(effect)
        return []

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return the descriptor by which the thread wakes the loop."""
        return ((self._wake, POLLIN),)

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Return what the thread has found."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        told = []
        while self._told:
            told.append(self._told.popleft())
        return told

    def on_tick(self, now: Instant) -> list[Message]:
        """See that the thread lives: without it nobody would say that nothing is known."""
        assert self._thread.is_alive(), "the thread of the line to supervisord has died"
        return []

    def close(self) -> None:
        """End the thread after what it is at, or after a while without it."""
        self._asked.put(None)
        self._thread.join(CLOSE_S)
        if not self._thread.is_alive():
            os.close(self._wake)

    def _work(self) -> None:
        while True:
            try:
                effect = self._asked.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                self._look()
                continue
            if effect is None:
                return
            self._carry_out(effect)

    def _look(self) -> None:
        """Read what became of programs, and ask what runs when it is time."""
        if len(self._told) >= TOLD_MAX:
            return
        for told in self._ends.read():
            self._tell(told)
        now = clock.read()
        if now.boot_ns < self._asked_ns + ASK_EVERY_NS:
            return
        self._asked_ns = now.boot_ns
        found = supervision.processes(self._run, supervision.SHORT_ANSWER_S)
        if isinstance(found, supervision.Unreachable):
            self._tell(SupervisorSilent(found.why))
            return
        self._tell(ProgramsSeen(tuple(ProgramRow(row.name, row.state, row.pid) for row in found)))

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, NoteProgram):
            self._ends.append(encode_event(effect.event))
            return
        assert isinstance(effect, AskSupervisor)
        if not self._acts:
            return
        ask = {
            "stop": supervision.stop,
            "start": supervision.start,
            "kill": supervision.kill,
        }[effect.verb]
        answer = ask(self._run, effect.program, supervision.SHORT_ANSWER_S)
        if answer is not None:
            self._tell(SupervisorSilent(f"{effect.verb} {effect.program}: {answer.why}"))

    def _tell(self, message: Message) -> None:
        self._told.append(message)
        os.eventfd_write(self._wake, 1)


class EndsFile:
    """The file of ends: read from where the last look stopped, and appended to."""

    def __init__(self, path: Path) -> None:
        """Everything that stands in it now is the past."""
        self._path = path
        self._inode, self._offset = 0, 0
        self._past_bytes = path.stat().st_size if path.exists() else 0
        self._rest = b""

    def append(self, line: bytes) -> None:
        """Append one line; a file that takes none costs the next risk its memory of it."""
        with suppress(OSError), self._path.open("ab", buffering=0) as file:
            file.write(line)

    def read(self) -> list[ProgramsTold]:
        """Return the events of the whole lines that are new, the past ones first."""
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                if found.st_ino != self._inode or found.st_size < self._offset:
                    self._begin(found.st_ino)
                file.seek(self._offset)
                chunk = file.read(READ_BYTES_MAX)
        except OSError:
            return []
        if not chunk:
            return []
        is_past = self._offset < self._past_bytes
        if is_past:
            chunk = chunk[: self._past_bytes - self._offset]
        self._offset += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        events = [decode_event(line) for line in lines if line]
        known = tuple(event for event in events if event is not None)
        return [ProgramsTold(known, is_past, len(events) - len(known))] if events else []

    def _begin(self, inode: int) -> None:
        """Begin at the start of another file; only the first one has a past."""
        if self._inode:
            self._past_bytes = 0
        self._inode, self._offset, self._rest = inode, 0, b""
