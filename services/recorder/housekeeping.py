"""What is done beside the recording: passes, room on the disk, old logs. Impure, never waits.

A pass is a process of its own (`archiving.py`), since making Parquet takes seconds of a processor
that the loop and its disk thread need. It is stopped and continued by signals, and its only
answer is one JSON line. Deleting is a thread's work: a disk that is full is slow too.
"""

import contextlib
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import msgspec
import psutil

from bus.edge import Edge
from bus.recording_files import files_in, sync_directory
from services.recorder.work import (
    CleanLogs,
    HoldKeeping,
    Keep,
    Kept,
    LogsCleaned,
    MakeRoom,
    Pass,
    RoomMade,
)
from shared.effects import Effect, Message
from shared.units import Instant

ROTATED: Final = re.compile(r"\.log\.\d+$")
"""How supervisord names what it has rotated away."""

DELETED_A_ROUND_MAX: Final = 100
"""Files; the next round goes on."""

CLOSE_S_MAX: Final = 2.0

Task = MakeRoom | CleanLogs | None


class Housekeeping(Edge):
    """Carries out what `keeping.py` decides."""

    handles = (Keep, HoldKeeping, MakeRoom, CleanLogs)

    def __init__(self, recordings: Path, logs: Path) -> None:
        """Start the thread.

        Args:
            recordings: Directory of the recordings.
            logs: Directory of the group's logs.
        """
        self._recordings = recordings
        self._logs = logs
        self._pass: subprocess.Popen[bytes] | None = None
        self._tasks: SimpleQueue[Task] = SimpleQueue()
        self._answers: deque[Message] = deque()
        self._thread = threading.Thread(target=self._work, name="housekeeping", daemon=True)
        self._thread.start()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Begin what is asked."""
        match effect:
            case Keep():
                return self._begin(effect)
            case HoldKeeping(held=held):
                if self._pass is not None:
                    self._pass.send_signal(signal.SIGSTOP if held else signal.SIGCONT)
            case MakeRoom() | CleanLogs():
                self._tasks.put(effect)
            case _:
                assert False, effect  # noqa: B011, PT015
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Return what is over."""
        finished: list[Message] = []
        while self._answers:
            finished.append(self._answers.popleft())
        if self._pass is not None and self._pass.poll() is not None:
            finished.append(Kept(_answer_of(self._pass)))
            self._pass = None
        return finished

    def close(self) -> None:
        """End the pass where it is, and the thread after what it is at."""
        if self._pass is not None:
            self._pass.kill()
            self._pass.communicate()
        self._tasks.put(None)
        self._thread.join(CLOSE_S_MAX)

    def _begin(self, keep: Keep) -> list[Message]:
        assert self._pass is None, "one pass at a time"
        numbers = (str(keep.turn), str(keep.wall_ns), str(keep.kept))
        words = (str(self._recordings), keep.before, keep.spared, *numbers)
        try:
            # Its one line is far below what a pipe holds: nobody has to read meanwhile.
            self._pass = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "services.recorder.archiving", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            return [Kept(Pass(problem=f"no process for a pass: {error.strerror}"))]
        return []

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            match task:
                case MakeRoom(below_percent=percent):
                    self._answers.append(make_room(self._recordings, percent))
                case CleanLogs():
                    self._answers.append(clean_logs(self._logs))


def make_room(directory: Path, below_percent: int) -> RoomMade:
    """Delete closed files, the oldest hour first, until the disk is used by less.

    What is being written is not sealed and belongs to the newest hour: it stays.
    """
    deleted: list[str] = []
    freed = 0
    try:
        files = files_in(directory)
        newest = max((one.hour for one in files), default="")
        for one in files:
            if one.hour == newest or len(deleted) >= DELETED_A_ROUND_MAX:
                break
            if psutil.disk_usage(str(directory)).percent < below_percent:
                break
            one.path.unlink()
            deleted.append(one.path.name)
            freed += one.bytes
        if deleted:
            sync_directory(directory)
    except OSError as error:
        return RoomMade(tuple(deleted), freed, f"{error.filename}: {error.strerror}")
    return RoomMade(tuple(deleted), freed, "")


def clean_logs(directory: Path) -> LogsCleaned:
    """Delete logs that were rotated away; one that is in use has no number at its end."""
    files = freed = 0
    for path in sorted(directory.glob("*.log.*")):
        if ROTATED.search(path.name):
            # Supervisord renames them meanwhile; what is gone needs no deleting.
            with contextlib.suppress(OSError):
                size = path.stat().st_size
                path.unlink()
                files += 1
                freed += size
    return LogsCleaned(files, freed)


def _answer_of(ended: subprocess.Popen[bytes]) -> Pass:
    """Return what a pass has said, or that it has not."""
    assert ended.stdout is not None
    said = ended.stdout.read()
    ended.stdout.close()
    try:
        return msgspec.json.decode(said, type=Pass)
    except msgspec.DecodeError:
        return Pass(problem=f"a pass ended with status {ended.returncode} and said nothing")
