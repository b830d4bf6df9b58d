"""Reads the frames that feeds have refused and kept."""

from pathlib import Path

import msgspec

from shared.quarantine import DIRECTORY, OLDER_SUFFIX, SUFFIX, QuarantinedFrame


class KeptFrames(msgspec.Struct, frozen=True):
    """What is kept, oldest first.

    Attributes:
        unreadable: Lines that are no frame, as a power cut leaves one.
    """

    frames: tuple[QuarantinedFrame, ...]
    unreadable: int


def read_frames(data_directory: Path, feed: str = "") -> KeptFrames:
    """Return the frames of one feed or, with an empty name, of all.

    Raises:
        OSError: There is no such data directory, or what is kept cannot be read: that nothing
            was refused is not known then.
    """
    directory = data_directory / DIRECTORY
    if directory not in data_directory.iterdir():
        return KeptFrames((), 0)
    found: list[QuarantinedFrame] = []
    unreadable = 0
    for path in sorted(one for one in directory.iterdir() if one.match(f"*{SUFFIX}")):
        name = path.name.removesuffix(OLDER_SUFFIX).removesuffix(SUFFIX)
        if feed not in ("", name):
            continue
        for line in path.read_bytes().splitlines():
            try:
                found.append(msgspec.json.decode(line, type=QuarantinedFrame))
            except (msgspec.DecodeError, UnicodeDecodeError):
                unreadable += 1
    return KeptFrames(tuple(sorted(found, key=lambda one: one.wall_ns)), unreadable)
