"""The recorder's disk: writes batches in a thread, so that no slow disk holds the loop.

Impure. A batch counts as written after fdatasync, once it has been read back. Files that were
not sealed, by earlier runs or because a write failed, are mended: a torn end is cut off into a
side file, so that what is whole stays readable and nothing is thrown away.
"""

import errno
import os
import threading
from collections import deque
from pathlib import Path
from queue import SimpleQueue

from bus.edge import Edge
from bus.recording_files import create, is_sealed, mend, write_all
from services.recorder.work import (
    AppendRecords,
    Checked,
    CloseSegment,
    OpenSegment,
    WriteFailed,
    Written,
)
from shared.effects import Effect, Message
from shared.recording import NAME_SUFFIX
from shared.units import Instant

CLOSE_S_MAX = 5.0
"""For the thread at the end of the process; a disk that hangs longer keeps what it has."""

Task = OpenSegment | AppendRecords | CloseSegment | None


class Segments(Edge):
    """The recordings directory and the one open file."""

    handles = (OpenSegment, AppendRecords, CloseSegment)

    def __init__(self, directory: Path) -> None:
        """Start the thread; its first work is the check of what earlier runs left."""
        self._directory = directory
        self._tasks: SimpleQueue[Task] = SimpleQueue()
        self._answers: deque[Message] = deque()
        self._descriptor: int | None = None
        self._is_unsealed = False
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
                if self._is_unsealed:
                    self._is_unsealed = False
                    self._answers.append(self._check())
                self._descriptor = create(self._directory / task.name)
                write_all(self._descriptor, task.head)
            case AppendRecords():
                if self._descriptor is None:
                    self._answers.append(WriteFailed(task.batch, "no file is open"))
                    return
                _append(self._descriptor, task.content)
                self._answers.append(Written(task.batch))
            case CloseSegment():
                self._seal(task.seal)

    def _seal(self, seal: bytes) -> None:
        if self._descriptor is None:
            return
        write_all(self._descriptor, seal)
        os.fdatasync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = None

    def _abandon(self) -> None:
        """Close the open file as it is; the next one begins with its mending."""
        if self._descriptor is not None:
            self._is_unsealed = True
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


def _append(descriptor: int, content: bytes) -> None:
    """Write, have it on the disk, and compare what the disk gives back.

    Raises:
        OSError: It is not there as it was written.
    """
    offset = os.lseek(descriptor, 0, os.SEEK_CUR)
    write_all(descriptor, content)
    os.fdatasync(descriptor)
    # Without its pages in memory the read is the device's answer and not our own echo.
    os.posix_fadvise(descriptor, offset, len(content), os.POSIX_FADV_DONTNEED)
    if os.pread(descriptor, len(content), offset) != content:
        raise OSError(errno.EIO, "reads back otherwise than it was written")
