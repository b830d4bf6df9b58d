"""What recordings hold and whether they are whole: for `interlock record`.

Reads segments and archives alike, beside a recorder that goes on writing. A file is right when
every record of it is, when it was closed in order, and when each number that a publisher has
skipped is told by a gap: what is missing without being said is damage too.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from bus.envelope import Corrupt, decode_header
from bus.locks import AlreadyRunning, FileLock
from bus.recording_archive import NotTheSame, read_archive, summary_of, verify_archive
from bus.recording_files import Found, files_in, is_sealed
from shared.recording import Damage, FactRecord, GapRecord, Head, Record, Seal, read
from shared.topics import RECORDER

State = Literal["archived", "sealed", "open", "unsealed", "torn", "damaged"]

BAD: Final[frozenset[State]] = frozenset({"unsealed", "damaged"})
"""A torn end that was cut off is kept for people to look at, and nothing that is whole lacks it."""


class Held(msgspec.Struct, frozen=True):
    """One file, and what was found in it.

    Attributes:
        gaps: Losses that the recorder noticed and wrote down.
        problem: The first thing that is wrong; empty for nothing.
    """

    file: str
    hour: str
    state: State
    bytes: int
    facts: int = 0
    gaps: int = 0
    problem: str = ""


class Continuity:
    """Compares the numbers of facts with the gaps that were told, for one run of the recorder.

    Attributes:
        hidden: What is missing and was not told, in words; empty for nothing.
    """

    def __init__(self) -> None:
        """Know nothing: what comes first is no gap."""
        self._newest: dict[tuple[int, str], int] = {}
        self._told: dict[tuple[str, str], int] = {}
        self.hidden = ""

    def take(self, record: Record) -> None:
        """Take the next record in."""
        match record:
            case FactRecord():
                self._take_fact(record)
            case GapRecord() if record.component == RECORDER or not record.topic:
                self._newest.clear()  # of whom something is missing, and how much, is unknown
                self._told.clear()
            case GapRecord():
                key = (record.component, record.topic)
                self._told[key] = self._told.get(key, 0) + record.missed
            case _:
                pass

    def _take_fact(self, record: FactRecord) -> None:
        header = decode_header((record.topic.encode(), record.header, record.body))
        if isinstance(header, Corrupt):
            return
        key = (header.incarnation, header.topic)
        last = self._newest.get(key)
        self._newest[key] = header.sequence
        told = self._told.pop((header.component, header.topic), 0)
        if last is None or self.hidden:
            return
        missing = header.sequence - last - 1
        if missing > told:
            run = f"{header.component} {header.topic}"
            self.hidden = f"{run}: {missing} missing before {header.sequence}, {told} told"


def files_of(data_directory: Path, run_directory: Path, directory: str) -> list[tuple[Found, bool]]:
    """Return all files of a group's recording, each with whether it is being written.

    Raises:
        OSError: The directory cannot be read.
    """
    files = files_in(data_directory / directory)
    open_file = None
    if _is_recording(run_directory):
        unsealed = [one for one in files if one.kind == "segment" and not _is_closed(one.path)]
        open_file = max(unsealed, key=lambda one: one.path.stat().st_mtime_ns, default=None)
    return [(one, one is open_file) for one in files]


def list_file(one: Found, *, is_open: bool) -> Held:
    """Return what a file holds without proving it: an archive's footer is believed."""
    if one.kind != "archive":
        return examine(one, {}, is_open=is_open)
    try:
        summary = summary_of(one.path)
    except NotTheSame as fault:
        return Held(one.path.name, one.hour, "damaged", one.bytes, problem=str(fault))
    return Held(one.path.name, one.hour, "archived", one.bytes, summary.facts, summary.gaps)


def examine(one: Found, runs: dict[int, Continuity], *, is_open: bool) -> Held:
    """Read a whole file and judge it.

    Args:
        one: The file.
        runs: Continuity of each run of the recorder so far; the file's own is added.
        is_open: Whether the recorder is writing it now.
    """
    name = one.path.name
    if one.kind == "torn":
        return Held(name, one.hour, "torn", one.bytes)
    try:
        if one.kind == "archive":
            return _examine_archive(one, runs)
        return _examine_segment(one, runs, is_open=is_open)
    except FileNotFoundError:
        return Held(name, one.hour, "archived", 0)  # since it was listed
    except (NotTheSame, OSError) as fault:
        return Held(name, one.hour, "damaged", one.bytes, problem=str(fault))


def records_of(one: Found) -> Iterator[tuple[str, int, Record]]:
    """Yield segment, place and record of a file, up to its first damage.

    Raises:
        NotTheSame: There is damage, and this is it.
        OSError: It cannot be read.
    """
    if one.kind == "archive":
        number, last = 0, ""
        for segment, record in read_archive(one.path):
            number = number + 1 if segment == last else 0
            last = segment
            yield segment, number, record
        return
    for number, found in enumerate(read(one.path.read_bytes())):
        if isinstance(found, Damage):
            raise NotTheSame(f"{one.path.name}: {found.why} at {found.offset}")
        yield one.path.name, number, found[1]


def _examine_archive(one: Found, runs: dict[int, Continuity]) -> Held:
    summary = verify_archive(one.path)
    hidden = ""
    continuity = Continuity()
    for _, _, record in records_of(one):
        if isinstance(record, Head):
            continuity = runs.setdefault(record.incarnation, Continuity())
        continuity.take(record)
        hidden, continuity.hidden = hidden or continuity.hidden, ""
    state: State = "damaged" if hidden else "archived"
    name = one.path.name
    return Held(name, one.hour, state, one.bytes, summary.facts, summary.gaps, hidden)


def _examine_segment(one: Found, runs: dict[int, Continuity], *, is_open: bool) -> Held:
    facts = gaps = 0
    state: State = "open" if is_open else "unsealed"
    problem = "" if is_open else "not sealed: the recorder mends it at its next start"
    continuity = Continuity()
    for count, found in enumerate(read(one.path.read_bytes())):
        if isinstance(found, Damage):
            # The end of a file that is being written may be on its way.
            is_end = is_open and "cut short" in found.why
            if not is_end:
                state, problem = "damaged", f"{found.why} at {found.offset}"
            break
        record = found[1]
        if isinstance(record, Head):
            continuity = runs.setdefault(record.incarnation, Continuity())
        continuity.take(record)
        facts += isinstance(record, FactRecord)
        gaps += isinstance(record, GapRecord)
        if isinstance(record, Seal):
            is_right = record.records == count
            state = "sealed" if is_right else "damaged"
            problem = "" if is_right else f"seal counts {record.records}, found {count}"
    if continuity.hidden:
        state, problem = "damaged", problem or continuity.hidden
        continuity.hidden = ""
    return Held(one.path.name, one.hour, state, one.bytes, facts, gaps, problem)


def _is_closed(path: Path) -> bool:
    try:
        return is_sealed(path)
    except FileNotFoundError:
        return True


def _is_recording(run_directory: Path) -> bool:
    """Tell whether a recorder runs there."""
    path = run_directory / f"{RECORDER}.lock"
    if not path.exists():
        return False
    try:
        FileLock(path, RECORDER).close()
    except AlreadyRunning:
        return True
    return False
