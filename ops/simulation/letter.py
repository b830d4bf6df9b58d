"""A fact on its way to several readers: encoded once, and read once for all of them.

Every reader of the real bus decodes for itself. Here all of them are in one process, what is
read is frozen, and reading it anew for each was a tenth of a run.
"""

from collections.abc import Sequence

from bus.envelope import Corrupt, Header, decode_body, decode_header
from shared.effects import Received


class Letter(list[bytes]):
    """The frames of one fact, and what its first reader made of them."""

    __slots__ = ("header", "received")

    def __init__(self, frames: Sequence[bytes]) -> None:
        """Take the frames; nothing is read yet."""
        super().__init__(frames)
        self.header: Header | Corrupt | None = None
        self.received: Received | Corrupt | None = None


class SharedReading:
    """Reads a letter when its first reader wants it (`bus.intake.Opener`)."""

    def header(self, frames: Sequence[bytes]) -> Header | Corrupt:
        """Return the header of a letter."""
        assert isinstance(frames, Letter)
        if frames.header is None:
            frames.header = decode_header(frames)
        return frames.header

    def body(self, header: Header, frames: Sequence[bytes]) -> Received | Corrupt:
        """Return the payload of a letter."""
        assert isinstance(frames, Letter)
        if frames.received is None:
            frames.received = decode_body(header, frames)
        return frames.received


SHARED_READING = SharedReading()
