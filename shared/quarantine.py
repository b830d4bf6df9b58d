"""Frames that were refused, as they are kept on disk for people: one JSON line each.

A frame is kept whole up to a bound, with who refused it and why; secrets are blotted out before it
leaves the process that read it. Each feed has two files, of which the older one is dropped when
the newer one is full: what is kept is bounded by count and by bytes, through every restart.
"""

from typing import Final

import msgspec

DIRECTORY: Final = "quarantine"
"""Below the data directory, mode 0700."""

SUFFIX: Final = ".jsonl"
OLDER_SUFFIX: Final = ".older.jsonl"

RAW_CHARS_MAX: Final = 16_384
"""Of one frame; a book of a thousand levels is longer, and its beginning shows what is wrong."""

FILE_FRAMES_MAX: Final = 500
FILE_BYTES_MAX: Final = 2 * 1024 * 1024
"""Of one file, whichever comes first."""


class QuarantinedFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One frame that was refused.

    Attributes:
        reference: Names it in the log too; wall milliseconds and a count of this run.
        feed: Component that refused it.
        origin: Where it came from: `socket` or `read`.
        why: Reason of the refusal.
        raw: Its text, blotted and cut.
        characters: How long it was.
    """

    reference: str
    feed: str
    origin: str
    why: str
    raw: str
    characters: int
    wall_ns: int
