"""Has every component that can be replayed decide a recording again, each in a process of its own.

Whoever decided a run decides it again: the components' own programs read the recording, with the
very cores that trade. What their edges hear besides is in no recording, so that feeds, execution
and risk are not among them: execution's inputs are the venue's answers and its ledger, whose chain
`interlock audit verify` proves.
"""

import hashlib
import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bus.decisions import Summary
from bus.lives import Report
from bus.recording_archive import read_archive
from bus.recording_files import ARCHIVE_SUFFIX, files_in
from bus.settings import SOURCE_ROOT
from shared.identifiers import Component
from shared.recording import MAGIC, frame
from shared.topics import REPLAYED, STATE, STRATEGIES

WITHIN_S: Final = 4 * 3_600.0
"""For one component; an hour's recording takes minutes."""


class Decided(msgspec.Struct, frozen=True):
    """What one component's process found.

    Attributes:
        summary: None when it found nothing to sum up.
        problem: Why not; empty otherwise.
    """

    component: str
    reports: tuple[Report, ...]
    summary: Summary | None
    problem: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What all of them found.

    Attributes:
        is_equal: Everything was compared and nothing differs.
        differs: Something was decided otherwise.
        hash: Over every decision of all components.
    """

    is_equal: bool
    differs: bool
    hash: str
    components: tuple[Decided, ...]


def recordings_in(paths: Sequence[Path]) -> list[Path]:
    """Return segments and archives that are named, and those in directories that are named.

    Raises:
        OSError: A path cannot be read.
    """
    found: list[Path] = []
    for path in paths:
        held = files_in(path) if path.is_dir() else ()
        found += [one.path for one in held if one.kind != "torn"]
        found += [] if path.is_dir() else [path]
    return found


def unpacked(paths: Sequence[Path], directory: Path) -> list[Path]:
    """Return segments for all recordings; what is archived is made anew in a directory.

    A segment that still lies beside its archive is read once.

    Raises:
        NotTheSame: An archive is damaged.
        OSError: Something cannot be read or written.
    """
    segments = [path for path in paths if path.suffix != ARCHIVE_SUFFIX]
    known = {path.name for path in segments}
    for archive in (path for path in paths if path.suffix == ARCHIVE_SUFFIX):
        made = (one for one in read_archive(archive) if one[0] not in known)
        for name, records in itertools.groupby(made, key=lambda one: one[0]):
            path = directory / name
            with path.open("xb") as file:
                file.write(MAGIC)
                file.writelines(frame(record) for _, record in records)
            segments.append(path)
    return segments


def is_recording(path: Path) -> bool:
    """Tell whether a file is a recording of the bus, by its first bytes.

    Raises:
        OSError: It cannot be read.
    """
    if path.is_dir() or path.suffix == ARCHIVE_SUFFIX:
        return True
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def decide_again(paths: Sequence[Path], components: Sequence[Component] = REPLAYED) -> Outcome:
    """Run every component's program on the recordings, at the same time."""
    running = [(component, _start(component, paths)) for component in components]
    found = tuple(_read(component, process) for component, process in running)
    told = "\n".join(f"{one.component} {one.summary.hash if one.summary else ''}" for one in found)
    return Outcome(
        all(one.summary is not None and one.summary.is_equal for one in found),
        any(report.difference is not None for one in found for report in one.reports),
        hashlib.blake2b(told.encode(), digest_size=16).hexdigest(),
        found,
    )


def _start(component: Component, paths: Sequence[Path]) -> subprocess.Popen[str]:
    name = ["services.state"] if component == STATE else ["services.strategy", str(component)]
    assert component == STATE or component in STRATEGIES
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", *name, "replay", *(str(path.absolute()) for path in paths)],
        cwd=SOURCE_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def _read(component: Component, process: subprocess.Popen[str]) -> Decided:
    try:
        out, _ = process.communicate(timeout=WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Decided(component, (), None, f"not done within {WITHIN_S / 3_600:.0f} hours")
    lines = out.splitlines()
    try:
        reports = tuple(msgspec.json.decode(line, type=Report) for line in lines[:-1])
        summary = msgspec.json.decode(lines[-1], type=Summary)
    except (IndexError, msgspec.DecodeError):
        told = lines[-1] if lines else f"ended with status {process.returncode}"
        return Decided(component, (), None, told)
    return Decided(component, reports, summary)
