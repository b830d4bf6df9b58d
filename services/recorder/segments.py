"""The recorder's disk: writes batches in a thread, so that no slow disk holds the loop.

Impure. A batch counts as written after fdatasync. At the start the files that earlier runs
did not seal are checked; a torn end is cut off into a side file, so that what is whole
stays readable and nothing is thrown away.
"""

import os
import threading
from collections import deque
from pathlib import Path
from queue import SimpleQueue

import msgspec

from bus.edge import Edge
from services.recorder.work import (
    AppendRecords,
    Checked,
    CloseSegment,
    OpenSegment,
    WriteFailed,
    Written,
)
from shared.effects import Effect, Message
from shared.recording import (
    FRAME_BYTES,
    MAGIC,
    NAME_SUFFIX,
    Damage,
    FactRecord,
    GapRecord,
    Seal,
    frame,
    read,
)
from shared.units import Instant

FILE_MODE = 0o600
TORN_SUFFIX = ".torn"

SEAL_BYTES_MAX = 64
"""A seal is smaller; so much of a file's end is looked at to find one."""

CLOSE_S_MAX = 5.0
"""For the thread at the end of the process; a disk that hangs longer keeps what it has."""

Task = OpenSegment | AppendRecords | CloseSegment | None


class Verification(msgspec.Struct, frozen=True):
    """What a file holds.

    Attributes:
        whole_bytes: Up to there everything is right.
        torn_bytes: Behind it.
        sealed: Whether it was closed in order, with the right count.
        problem: What is wrong, empty for nothing.
    """

    facts: int
    gaps: int
    whole_bytes: int
    torn_bytes: int
    sealed: bool
    problem: str


def verify(path: Path) -> Verification:
    """Read a whole recording and check every record of it.

    Raises:
        OSError: It cannot be read.
    """
    content = path.read_bytes()
    facts = gaps = 0
    whole = len(MAGIC)
    sealed = False
    problem = ""
    for records, found in enumerate(read(content)):
        if isinstance(found, Damage):
            whole = found.offset
            problem = found.why
            break
        whole, record = found
        facts += isinstance(record, FactRecord)
        gaps += isinstance(record, GapRecord)
        if isinstance(record, Seal):
            sealed = record.records == records
            problem = "" if sealed else f"seal counts {record.records}, found {records}"
    return Verification(facts, gaps, whole, len(content) - whole, sealed, problem)


def mend(path: Path) -> int:
    """Cut a torn end off into a side file and seal the rest; return the bytes cut off.

    The side file is on the disk before the original is shortened.

    Raises:
        OSError: It cannot be read or written; nothing is lost.
    """
    found = verify(path)
    if found.sealed:
        return 0
    if found.torn_bytes:
        content = path.read_bytes()
        _write_new(path.with_name(path.name + TORN_SUFFIX), content[found.whole_bytes :])
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(descriptor, found.whole_bytes)
        os.lseek(descriptor, 0, os.SEEK_END)
        if found.whole_bytes >= len(MAGIC):
            records = sum(not isinstance(item, Damage) for item in read(path.read_bytes()))
            _write_all(descriptor, frame(Seal(records)))
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    return found.torn_bytes


def is_sealed(path: Path) -> bool:
    """Tell, by its end alone, whether a file was closed in order.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - SEAL_BYTES_MAX))
        end = file.read(SEAL_BYTES_MAX)
    return any(_is_seal(end[start:]) for start in range(len(end) - FRAME_BYTES))


def _is_seal(content: bytes) -> bool:
    found = list(read(MAGIC + content))
    return len(found) == 1 and not isinstance(found[0], Damage) and isinstance(found[0][1], Seal)


class Segments(Edge):
    """The recordings directory and the one open file."""

    handles = (OpenSegment, AppendRecords, CloseSegment)

    def __init__(self, directory: Path) -> None:
        """Start the thread; its first work is the check of what earlier runs left."""
        self._directory = directory
        self._tasks: SimpleQueue[Task] = SimpleQueue()
        self._answers: deque[Message] = deque()
        self._descriptor: int | None = None
        self._thread = threading.Thread(target=self._work, name="segments", daemon=True)
        self._thread.start()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand the work to the thread; the core keeps at most one batch under way."""
        assert isinstance(effect, OpenSegment | AppendRecords | CloseSegment)
        self._tasks.put(effect)
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Return what the thread has finished."""
        finished: list[Message] = []
        while self._answers:
            finished.append(self._answers.popleft())
        return finished

    def close(self) -> None:
        """Let the thread finish what it was given, for a bounded time."""
        self._tasks.put(None)
        self._thread.join(CLOSE_S_MAX)

    def _work(self) -> None:
        self._answers.append(self._check())
        while (task := self._tasks.get()) is not None:
            try:
                self._carry_out(task)
            except OSError as error:
                self._abandon()
                batch = task.batch if isinstance(task, AppendRecords) else 0
                self._answers.append(WriteFailed(batch, f"{type(task).__name__}: {error.strerror}"))

    def _carry_out(self, task: OpenSegment | AppendRecords | CloseSegment) -> None:
        match task:
            case OpenSegment():
                self._seal(task.seal)
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._descriptor = _create(self._directory / task.name)
                _write_all(self._descriptor, task.head)
            case AppendRecords():
                if self._descriptor is None:
                    self._answers.append(WriteFailed(task.batch, "no file is open"))
                    return
                _write_all(self._descriptor, task.content)
                os.fdatasync(self._descriptor)
                self._answers.append(Written(task.batch))
            case CloseSegment():
                self._seal(task.seal)

    def _seal(self, seal: bytes) -> None:
        if self._descriptor is None:
            return
        _write_all(self._descriptor, seal)
        os.fdatasync(self._descriptor)
        self._abandon()

    def _abandon(self) -> None:
        """Close the open file as it is; the next start's check seals it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _check(self) -> Checked:
        files = 0
        torn: list[str] = []
        try:
            for path in sorted(self._directory.glob(f"*{NAME_SUFFIX}")):
                files += 1
                if not is_sealed(path) and mend(path):
                    torn.append(path.name)
        except OSError as error:
            return Checked(files, tuple(torn), f"{error.filename}: {error.strerror}")
        return Checked(files, tuple(torn), "")


def _create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.open(path, flags, FILE_MODE)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _write_new(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
