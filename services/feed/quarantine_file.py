"""The edge that keeps refused frames on disk, in a thread, so that no slow disk holds a feed.

Impure. Nothing rests on what it keeps: a frame that finds no room or no disk is lost and counted,
and the feed goes on.
"""

import os
import threading
from pathlib import Path
from queue import Full, Queue

import msgspec

from bus.edge import Edge
from services.feed.messages import KeepFrame
from shared.effects import Effect, Message
from shared.identifiers import Component
from shared.quarantine import (
    DIRECTORY,
    FILE_BYTES_MAX,
    FILE_FRAMES_MAX,
    OLDER_SUFFIX,
    SUFFIX,
    QuarantinedFrame,
)
from shared.units import Instant

WAITING_MAX = 64
"""Frames on their way to the disk: six seconds of as many as are kept."""

CLOSE_S_MAX = 1.0


class QuarantineFile(Edge):
    """The two files of one feed.

    Attributes:
        lost: Frames that could not be kept.
    """

    handles: tuple[type[Effect], ...] = (KeepFrame,)

    def __init__(
        self,
        data_directory: Path,
        feed: Component,
        frames_max: int = FILE_FRAMES_MAX,
        bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        """Start the thread; the directory is made with the first frame."""
        directory = data_directory / DIRECTORY
        self._path = directory / f"{feed}{SUFFIX}"
        self._older = directory / f"{feed}{OLDER_SUFFIX}"
        self._frames_max = frames_max
        self._bytes_max = bytes_max
        self._waiting: Queue[QuarantinedFrame | None] = Queue(WAITING_MAX)
        self._frames: int | None = None
        self.lost = 0
        self._thread = threading.Thread(target=self._work, name="quarantine", daemon=True)
        self._thread.start()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand a frame to the thread."""
        assert isinstance(effect, KeepFrame)
        try:
            self._waiting.put_nowait(effect.frame)
        except Full:
            self.lost += 1
        return []

    def close(self) -> None:
        """Let the thread write what it was given, for a bounded time."""
        try:
            self._waiting.put(None, timeout=CLOSE_S_MAX)
        except Full:
            return
        self._thread.join(CLOSE_S_MAX)

    def _work(self) -> None:
        while (frame := self._waiting.get()) is not None:
            try:
                self._keep(frame)
            except OSError:
                self.lost += 1
                self._frames = None

    def _keep(self, frame: QuarantinedFrame) -> None:
        line = msgspec.json.encode(frame) + b"\n"
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = self._open()
        try:
            size = os.fstat(descriptor).st_size
            if self._frames is None:
                kept = self._path.read_bytes()
                self._frames = kept.count(b"\n")
                # A power cut may leave half a line, which shall not spoil the next one.
                line = b"\n" + line if kept and not kept.endswith(b"\n") else line
            if self._frames >= self._frames_max or (size and size + len(line) > self._bytes_max):
                os.replace(self._path, self._older)
                os.close(descriptor)
                self._frames = 0
                descriptor = self._open()
            os.write(descriptor, line)
            self._frames += 1
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
