"""SQLite over a disk that writes down every operation: the library's own files underneath.

The standard module knows no file systems of one's own, so that this one is the SQLite of `apsw`;
it is asked by the same statements, through a connection that looks like the standard one.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import apsw
import msgspec

NAME: Final = "recording"


class Op(msgspec.Struct, frozen=True):
    """One operation on one file.

    Attributes:
        kind: write, truncate, sync, create, delete, or rename.
        name: Of the file inside its directory.
        offset: Of a write; of a truncate the new size.
        data: Of a write.
        renamed: New name, of a rename.
        is_durable: Of a delete, whether the directory was synced with it.
    """

    kind: str
    name: str
    offset: int = 0
    data: bytes = b""
    renamed: str = ""
    is_durable: bool = False


class RecordingDisk(apsw.VFS):
    """Passes everything on to the system's files, and keeps what changed them.

    Attributes:
        ops: In their order.
    """

    def __init__(self) -> None:
        """Register under a name that the connections ask for."""
        super().__init__(NAME, "")
        self.ops: list[Op] = []

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        """Open a file; temporary ones, which have no name, are not recorded."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or str(path).endswith("-shm"):
            return apsw.VFSFile("", name, flags)
        if not Path(path).exists():
            self.ops.append(Op("create", Path(path).name))
        return RecordedFile(self, name, Path(path).name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """Delete a file."""
        super().xDelete(filename, syncdir)
        if not filename.endswith("-shm"):
            self.ops.append(Op("delete", Path(filename).name, is_durable=syncdir))


class RecordedFile(apsw.VFSFile):
    """One open file of the disk."""

    def __init__(self, disk: RecordingDisk, opened: Any, name: str, flags: list[int]) -> None:
        super().__init__("", opened, flags)
        self._disk = disk
        self._name = name

    def xWrite(self, data: Any, offset: int) -> None:
        """Write, and keep what was written."""
        super().xWrite(data, offset)
        self._disk.ops.append(Op("write", self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        """Cut the file."""
        super().xTruncate(newsize)
        self._disk.ops.append(Op("truncate", self._name, newsize))

    def xSync(self, flags: int) -> None:
        """Note the sync; the test's own directory need not survive a power cut."""
        self._disk.ops.append(Op("sync", self._name))


class _Rows:
    """What a statement returned, read to its end, so that nothing stays open."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


class _Connection:
    """The part of the standard connection that the ledger uses."""

    def __init__(self, path: Path, replaced: dict[str, str]) -> None:
        self._database = apsw.Connection(str(path), vfs=NAME)
        self._replaced = replaced

    def execute(self, statement: str, values: Sequence[Any] = ()) -> _Rows:
        statement = self._replaced.get(statement, statement)
        return _Rows(cast("list[tuple[Any, ...]]", list(self._database.execute(statement, values))))

    def executescript(self, script: str) -> _Rows:
        return self.execute(script)

    @property
    def in_transaction(self) -> bool:
        return bool(self._database.in_transaction)

    def close(self) -> None:
        self._database.close()


def connect_recorded(path: Path, replaced: dict[str, str] | None = None) -> sqlite3.Connection:
    """Open a database whose file operations are recorded.

    Args:
        path: Of the file.
        replaced: Statements that are carried out as another: how a test plants a fault.
    """
    return cast("sqlite3.Connection", _Connection(path, replaced or {}))
