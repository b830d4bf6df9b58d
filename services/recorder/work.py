"""What the recorder's core asks of the disk, and what the disk answers."""

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
    """Write whole records to the open file, and have them on the disk.

    Attributes:
        batch: Number of the batch; comes back.
    """

    batch: int
    content: bytes


class CloseSegment(Effect, frozen=True):
    """Seal and close the open file."""

    seal: bytes


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
