"""Files of the recording: what lies in its directory, whether a file is whole, and its mending.

Impure. A segment (`.ilr`) holds records as they came; an archive (`.parquet`) holds the segments
of one hour. A torn end is cut off into a side file before the segment is shortened, so that a
crash at any step leaves every byte in one of the two, and mending again ends well. A sealed file
that is damaged is left as it is: no power cut did that, and it is evidence.

The recorder writes these files; others read them through here and `shared/recording.py`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

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

DIRECTORY = "recordings"
"""Inside the data directory."""

ARCHIVE_SUFFIX = ".parquet"
TORN_SUFFIX = ".torn"
PART_SUFFIX = ".part"
"""Of an archive that is not proven yet; one that is left over is worth nothing."""

FILE_MODE = 0o600

SEAL_BYTES_MAX = 64
"""A seal is smaller; so much of a file's end is looked at to find one."""

SIDE_FILES_MAX = 1_000
"""Of one segment: each mending that finds something new makes one."""

HOUR = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}")
"""How every name begins: the hour of the wall clock, UTC."""

Kind = Literal["segment", "archive", "torn"]


class Found(msgspec.Struct, frozen=True):
    """One file of the directory."""

    path: Path
    hour: str
    kind: Kind
    bytes: int


class Verification(msgspec.Struct, frozen=True):
    """What a segment holds.

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


def files_in(directory: Path) -> list[Found]:
    """Return the recording's files, oldest hour first; other files are passed over.

    Raises:
        OSError: The directory cannot be read; one that is not there has no files.
    """
    found = []
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    for entry in entries:
        kind = kind_of(entry.name)
        hour = HOUR.match(entry.name)
        if kind is None or hour is None:
            continue
        try:
            size = entry.stat().st_size
        except FileNotFoundError:
            continue  # archived since it was listed
        found.append(Found(Path(entry.path), hour.group(), kind, size))
    return found


def kind_of(name: str) -> Kind | None:
    """Return what a file is by its name; None for no file of the recording."""
    if name.endswith(NAME_SUFFIX):
        return "segment"
    if name.endswith(ARCHIVE_SUFFIX):
        return "archive"
    return "torn" if f"{NAME_SUFFIX}{TORN_SUFFIX}" in name else None


def verify(path: Path) -> Verification:
    """Read a whole segment and check every record of it.

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
            sealed = False
            break
        whole, record = found
        if sealed:
            sealed, problem = False, "records behind the seal"
            break
        facts += isinstance(record, FactRecord)
        gaps += isinstance(record, GapRecord)
        if isinstance(record, Seal):
            sealed = record.records == records
            problem = "" if sealed else f"seal counts {record.records}, found {records}"
    return Verification(facts, gaps, whole, len(content) - whole, sealed, problem)


def mend(path: Path) -> int:
    """Cut a torn end off into a side file and seal the rest; return the bytes cut off.

    Raises:
        OSError: It cannot be read or written; nothing is lost.
    """
    found = verify(path)
    if found.sealed:
        return 0
    if found.torn_bytes:
        _keep_aside(path, path.read_bytes()[found.whole_bytes :])
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(descriptor, found.whole_bytes)
        os.lseek(descriptor, 0, os.SEEK_END)
        if found.whole_bytes >= len(MAGIC):
            records = sum(not isinstance(item, Damage) for item in read(path.read_bytes()))
            write_all(descriptor, frame(Seal(records)))
        os.fsync(descriptor)
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


def create(path: Path) -> int:
    """Make a file that was not there, for reading and writing, and have its name on the disk.

    Raises:
        OSError: It is there already, or cannot be made.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        sync_directory(path.parent)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def sync_directory(directory: Path) -> None:
    """Have the names of a directory on the disk.

    Raises:
        OSError: They are not.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything, in as many writes as the system makes of it.

    Raises:
        OSError: Part of it is not written.
    """
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _is_seal(content: bytes) -> bool:
    found = list(read(MAGIC + content))
    return len(found) == 1 and not isinstance(found[0], Damage) and isinstance(found[0][1], Seal)


def _keep_aside(path: Path, torn: bytes) -> None:
    """Write a torn end beside its segment, unless a mending before this one already has."""
    for side in _side_names(path):
        try:
            if side.read_bytes() == torn:
                return
        except FileNotFoundError:
            descriptor = create(side)
            try:
                write_all(descriptor, torn)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            return
    raise OSError(f"{path.name} has {SIDE_FILES_MAX} side files")


def _side_names(path: Path) -> Iterator[Path]:
    yield path.with_name(path.name + TORN_SUFFIX)
    for number in range(2, SIDE_FILES_MAX + 1):
        yield path.with_name(f"{path.name}{TORN_SUFFIX}-{number}")
