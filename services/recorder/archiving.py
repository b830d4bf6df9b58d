"""One pass: check recordings, archive what is over, back up the databases. A process of its own.

Impure. It begins with lowest priority for processor and disk and is killed with the recorder; at
whatever step that happens, every record is in a segment, in an archive, or in both, and
the next pass goes on. A segment is deleted after its bytes were made anew from the archive.
"""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

from bus.backup import BackupFailed, NothingThere, back_up, moment_of, names_in
from bus.recording_archive import NotTheSame, archive, archive_name, is_within, verify_archive
from bus.recording_files import (
    ARCHIVE_SUFFIX,
    PART_SUFFIX,
    Found,
    files_in,
    is_sealed,
    sync_directory,
    verify,
)
from services.recorder.work import Pass
from shared.units import NS_PER_S

NICE = 19

AGAIN_S = 1_800
"""Between two backups: a recorder that starts again and again would drive out the older."""

PR_SET_PDEATHSIG = 1
"""Source: linux/prctl.h."""


def give_way() -> None:
    """Let everybody else go first, and end with the parent, even while being stopped."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    with contextlib.suppress(OSError, psutil.Error):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)


def run_pass(directory: Path, before: str, spared: str, turn: int) -> Pass:
    """Carry out one pass; what goes wrong is part of the answer.

    Args:
        directory: Of the recordings.
        before: Hours before this one are archived.
        spared: Name of the file that is being written.
        turn: Number of the pass.
    """
    found = Pass()
    try:
        _sweep(directory)
        files = [one for one in files_in(directory) if one.path.name != spared]
        segments = [one for one in files if one.kind == "segment"]
        found = _check_segments(segments)
        is_damaged = {one.partition(":")[0] for one in found.damaged}
        for hour in sorted({one.hour for one in segments if one.hour < before}):
            mine = [one.path for one in segments if one.hour == hour]
            if not any(path.name in is_damaged for path in mine) and all(map(_is_over, mine)):
                found = _archive_hour(directory, hour, mine, found)
        found = _check_archives(directory, turn, found)
    except OSError as error:
        found = msgspec.structs.replace(found, problem=f"{error.filename}: {error.strerror}")
    return found


def with_backup(found: Pass, data_directory: Path, wall_ns: int, kept: int) -> Pass:
    """Back the databases up, and return the pass with what came of it (CP-6)."""
    newest = names_in(data_directory)[-1:]
    if newest and abs(wall_ns // NS_PER_S - moment_of(newest[0])) < AGAIN_S:
        return found
    try:
        made = back_up(data_directory, wall_ns, kept)
    except NothingThere:
        return found
    except BackupFailed as fault:
        problem = f"no backup: {fault}"
    except OSError as error:
        problem = f"no backup: {error.filename}: {error.strerror}"
    else:
        return msgspec.structs.replace(found, backup=made.name)
    said = "; ".join(text for text in (found.problem, problem) if text)
    return msgspec.structs.replace(found, problem=said)


def _sweep(directory: Path) -> None:
    """Remove what a pass that did not end has left: an archive that nobody has proven."""
    for path in directory.glob(f"*{ARCHIVE_SUFFIX}{PART_SUFFIX}"):
        path.unlink()


def _is_over(path: Path) -> bool:
    """Tell whether nothing more will be written to a file."""
    return path.stat().st_size == 0 or is_sealed(path)


def _check_segments(segments: Sequence[Found]) -> Pass:
    """Read every sealed segment whole; those that are not sealed are the recorder's to mend."""
    damaged = []
    checked = 0
    for one in segments:
        if not one.bytes or not is_sealed(one.path):
            continue
        checked += 1
        problem = verify(one.path).problem
        if problem:
            damaged.append(f"{one.path.name}: {problem}")
    return Pass(files=checked, damaged=tuple(damaged))


def _archive_hour(directory: Path, hour: str, segments: Sequence[Path], found: Pass) -> Pass:
    """Archive an hour, prove it, and delete its segments."""
    known = sorted(directory.glob(f"{hour}*{ARCHIVE_SUFFIX}"))
    before_bytes = sum(path.stat().st_size for path in segments)
    empty = [path for path in segments if not path.stat().st_size]
    new = [path for path in segments if path not in empty and not _is_known(path, known)]
    try:
        if new:
            target = archive_name(directory, hour)
            archive(new, target)
            before_bytes -= target.stat().st_size
    except NotTheSame as fault:
        damaged = (*found.damaged, f"{hour}: {fault}")
        return msgspec.structs.replace(found, damaged=damaged)
    for path in segments:
        path.unlink()
    sync_directory(directory)
    return msgspec.structs.replace(
        found,
        archived=(*found.archived, hour),
        freed_bytes=found.freed_bytes + before_bytes,
    )


def _is_known(segment: Path, archives: Sequence[Path]) -> bool:
    for path in archives:
        with contextlib.suppress(NotTheSame):
            if is_within(segment, path):
                return True
    return False


def _check_archives(directory: Path, turn: int, found: Pass) -> Pass:
    """Read the newest archive whole, and one of the older ones, another in each pass."""
    archives = [one.path for one in files_in(directory) if one.kind == "archive"]
    older = archives[:-1]
    chosen = [*archives[-1:], *([older[turn % len(older)]] if older else [])]
    damaged = list(found.damaged)
    for path in chosen:
        try:
            verify_archive(path)
        except NotTheSame as fault:
            damaged.append(f"{path.name}: {fault}")
    return msgspec.structs.replace(found, files=found.files + len(chosen), damaged=tuple(damaged))


def main(arguments: list[str]) -> int:
    """Carry out one pass and write what it found as one JSON line.

    Args:
        arguments: Directory, hour before which is archived, open file, number of the pass, wall
            clock in ns, and how many backups are kept.
    """
    directory, before, spared, turn, wall_ns, kept = arguments
    give_way()
    found = run_pass(Path(directory), before, spared, int(turn))
    found = with_backup(found, Path(directory).parent, int(wall_ns), int(kept))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
