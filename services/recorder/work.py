"""What the recorder's core asks of the disk, and what the disk answers."""

import msgspec

from shared.effects import Effect, Message


class OpenSegment(Effect, frozen=True):
    """Begin a file; the one before, if any, is sealed and closed.

    Attributes:
        name: File name inside the recordings directory.
        head: First bytes of it.
        seal: Last bytes of the file before; empty when there is none.
    """

    name: str
    head: bytes
    seal: bytes


class AppendRecords(Effect, frozen=True):
    """Write whole records to the open file, have them on the disk, and read them back.

    Attributes:
        batch: Number of the batch; comes back.
    """

    batch: int
    content: bytes


class CloseSegment(Effect, frozen=True):
    """Seal and close the open file."""

    seal: bytes


class Keep(Effect, frozen=True):
    """Check what lies there and archive what is over: one pass beside the loop.

    Attributes:
        before: Hours before this one are archived.
        spared: Name of the open file, which is left alone.
        turn: Number of the pass: which of the older archives is read again.
        wall_ns: Present wall clock, by which backups are named.
        kept: How many of them are kept.
    """

    before: str
    spared: str
    turn: int
    wall_ns: int = 0
    kept: int = 0


class HoldKeeping(Effect, frozen=True):
    """Stop the pass that is under way where it is, or let it go on."""

    held: bool


class MakeRoom(Effect, frozen=True):
    """Delete the oldest closed hours until the disk is used by less.

    Attributes:
        below_percent: Of the file system, 1..100.
    """

    below_percent: int


class CleanLogs(Effect, frozen=True):
    """Delete the logs of the group that were rotated away."""


class Written(Message, frozen=True):
    """A batch is on the disk."""

    batch: int


class WriteFailed(Message, frozen=True):
    """A batch, or a file, could not be written; the file is closed and a new one is needed."""

    batch: int
    reason: str


class Checked(Message, frozen=True):
    """Files of earlier runs have been checked at the start.

    Attributes:
        torn: Files with a damaged end, which was cut into a side file of the suffix `.torn`.
        problem: Why the check could not be finished; empty when it was.
    """

    files: int
    torn: tuple[str, ...]
    problem: str


class Pass(msgspec.Struct, frozen=True):
    """What a pass over the recordings did and found.

    Attributes:
        files: Checked from their first byte to the last.
        archived: Hours that are Parquet now.
        freed_bytes: Of their segments, less the archives.
        backup: Name of the backup of the databases that was made; empty for none.
        damaged: Files that are not what was written, each with what is wrong. They are left
            where they are, and their hours are not archived.
        problem: Why the pass could not be finished; empty when it was.
    """

    files: int = 0
    archived: tuple[str, ...] = ()
    freed_bytes: int = 0
    backup: str = ""
    damaged: tuple[str, ...] = ()
    problem: str = ""


class Kept(Message, frozen=True):
    """A pass is over."""

    found: Pass


class RoomMade(Message, frozen=True):
    """The oldest hours are gone.

    Attributes:
        deleted: Names of the files, oldest first.
        problem: Why no more could be; empty for nothing.
    """

    deleted: tuple[str, ...]
    freed_bytes: int
    problem: str


class LogsCleaned(Message, frozen=True):
    """Rotated logs are gone."""

    files: int
    freed_bytes: int
