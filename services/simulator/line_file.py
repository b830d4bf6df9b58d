"""A file of lines on disk: appended to, mended after a kill, replaced as a whole.

Impure. What is written is in the page cache when a call returns: it outlives the process
however that ends, though not the machine. A process killed within a write leaves a line
without its end; that line was never told to anybody, and opening the file cuts it off.
"""

import os
from collections.abc import Iterable
from pathlib import Path

FILE_MODE = 0o600
BLOCK_BYTES = 65_536


class LineFile:
    """One open file of complete lines; one writer at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the file, and cut off a last line without its end."""
        self._path = path
        self._file = self._open(path)
        kept = _end_of_lines(self._file, 0)
        if kept < os.fstat(self._file).st_size:
            os.ftruncate(self._file, kept)

    @staticmethod
    def _open(path: Path, flags: int = 0) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | flags, FILE_MODE)

    def read(self) -> list[bytes]:
        """Return all lines without their ends."""
        return self._path.read_bytes().splitlines()

    def last(self) -> bytes | None:
        """Return the last line without its end, None of an empty file."""
        end = os.fstat(self._file).st_size
        if end == 0:
            return None
        start = _end_of_lines(self._file, 1)
        return os.pread(self._file, end - start, start).removesuffix(b"\n")

    def append(self, lines: Iterable[bytes]) -> None:
        """Write lines at the end."""
        _write(self._file, b"".join(line + b"\n" for line in lines))

    def replace(self, line: bytes) -> None:
        """Let one line take the place of all, at once or not at all."""
        fresh = self._path.with_name(self._path.name + ".new")
        file = self._open(fresh, os.O_TRUNC)
        _write(file, line + b"\n")
        fresh.replace(self._path)
        os.close(self._file)
        self._file = file

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def _end_of_lines(file: int, spare_bytes: int) -> int:
    """Return the position after the last line end that is before the last spare bytes."""
    end = os.fstat(file).st_size - spare_bytes
    while end > 0:
        start = max(0, end - BLOCK_BYTES)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _write(file: int, text: bytes) -> None:
    left = memoryview(text)
    while left:
        left = left[os.write(file, left) :]
