"""Backups of the databases (CP-6): copies made beside live writers, opened before they count.

Impure. A copy is taken by SQLite's own online backup in one read transaction, which holds no writer
up, is turned into a file without a log of its own, checked whole, read by this program's own
readers, and synced. All databases of a moment lie in one directory, which appears under its name
when everything in it has been checked. Old ones go only behind a new one that holds.

Keys are not copied. Source: https://sqlite.org/backup.html, read 2026-11-21.
"""

import os
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from bus.audit import LedgerAudit, NotProven, RiskTrail
from bus.ledger_reader import LedgerReader, Unreadable
from bus.recording_files import sync_directory
from shared.ledger_schema import LEDGER_FILE
from shared.risk_schema import MARKER_FILE, RISK_FILE
from shared.units import NS_PER_S

DIRECTORY: Final = "backups"
"""Inside the data directory."""

DATABASES: Final = (LEDGER_FILE, RISK_FILE)
PLAIN_FILES: Final = (MARKER_FILE,)

PART_SUFFIX: Final = ".part"
KEPT_MIN: Final = 3
"""So many are kept whatever is asked for: the newest may hold what one comes back from."""

FORMAT: Final = "%Y-%m-%dT%H-%M-%S"
NAME: Final = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}$")
BUSY_S_MAX: Final = 5.0
"""A recovery of the log after a kill holds it for a moment."""


class BackupFailed(Exception):
    """No backup was made, and none that there is was touched; the text says why."""


class NothingThere(BackupFailed):
    """There is no database yet, or none with anything in it."""


class Backup(msgspec.Struct, frozen=True):
    """One backup.

    Attributes:
        name: Of its directory: when it was begun, UTC.
        files: Bytes of each file.
        epoch: Newest epoch that the ledger's copy holds.
        events: How many events it holds.
        problem: What is wrong with it; empty for nothing.
    """

    name: str
    files: dict[str, int]
    epoch: int = 0
    events: int = 0
    problem: str = ""


def back_up(data_directory: Path, wall_ns: int, kept: int) -> Backup:
    """Copy the databases that there are, check the copies, and let the oldest backups go.

    Args:
        data_directory: Of the group, which may run.
        wall_ns: Present wall clock, for the name.
        kept: How many backups are kept, at least `KEPT_MIN`.

    Raises:
        BackupFailed: A copy does not hold, or there is nothing to copy.
        OSError: A file cannot be read or written.
    """
    name = datetime.fromtimestamp(wall_ns // NS_PER_S, UTC).strftime(FORMAT)
    place = data_directory / DIRECTORY
    place.mkdir(mode=0o700, exist_ok=True)
    _sweep(place)
    part = place / (name + PART_SUFFIX)
    part.mkdir(mode=0o700)
    try:
        made = [one for one in DATABASES if _copy(data_directory / one, part / one)]
        if not made:
            raise NothingThere(f"no database in {data_directory}")
        for plain in PLAIN_FILES:
            if (data_directory / plain).exists():
                _write(part / plain, (data_directory / plain).read_bytes())
        found = look_at(part, name)
        if found.problem:
            raise BackupFailed(found.problem)
        sync_directory(part)
        part.rename(place / name)
    except sqlite3.Error as error:
        raise BackupFailed(f"{type(error).__name__}: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    sync_directory(place)
    for old in names_in(data_directory)[: -max(kept, KEPT_MIN)]:
        shutil.rmtree(place / old)
    return found


def names_in(data_directory: Path) -> list[str]:
    """Return the names of the finished backups, oldest first."""
    try:
        entries = os.listdir(data_directory / DIRECTORY)
    except FileNotFoundError:
        return []
    return sorted(entry for entry in entries if NAME.match(entry))


def moment_of(name: str) -> int:
    """Return when a backup was begun, in seconds of the wall clock."""
    return int(datetime.strptime(name, FORMAT).replace(tzinfo=UTC).timestamp())


def look_at(place: Path, name: str) -> Backup:
    """Open a backup and check every page of every database in it."""
    files = {path.name: path.stat().st_size for path in sorted(place.iterdir())}
    problems = [_damage(place / one) for one in DATABASES if one in files]
    epoch = events = 0
    if LEDGER_FILE in files:
        summary = LedgerReader(place / LEDGER_FILE).summary()
        if isinstance(summary, Unreadable):
            problems.append(f"{LEDGER_FILE}: {summary.why}: {summary.detail}")
        else:
            epoch, events = summary.epoch, summary.events
    problem = next((one for one in problems if one), "")
    return Backup(name, files, epoch, events, problem or ("" if files else "it is empty"))


def prove(place: Path, name: str) -> Backup:
    """Do so, and prove ledger and trail from their first row on."""
    found = look_at(place, name)
    proofs: Sequence[object] = ()
    if not found.problem:
        ledger = [LedgerAudit(place / LEDGER_FILE).prove()] if LEDGER_FILE in found.files else []
        trail = [RiskTrail(place / RISK_FILE).prove()] if RISK_FILE in found.files else []
        proofs = (*ledger, *trail)
    for proof in proofs:
        if isinstance(proof, NotProven):
            return msgspec.structs.replace(found, problem=f"not proven: {proof.what}")
        if isinstance(proof, Unreadable):
            return msgspec.structs.replace(found, problem=f"{proof.why}: {proof.detail}")
    return found


def _copy(source: Path, target: Path) -> bool:
    """Copy one database; False when there is none, or when it is being made."""
    if not source.exists():
        return False
    if not _has_tables(source):
        return False
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    location = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(location, uri=True, timeout=BUSY_S_MAX)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy)
        # A copy that brings no log of its own is one file, whoever moves it.
        copy.execute("PRAGMA journal_mode = DELETE")
    descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def _has_tables(path: Path) -> bool:
    location = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(location, uri=True, timeout=BUSY_S_MAX)) as live:
        return live.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _damage(path: Path) -> str:
    """Return what SQLite finds wrong with a database, empty for nothing."""
    location = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(location, uri=True)) as copy:
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        return f"{path.name}: {error}"
    return "" if found == ("ok",) else f"{path.name}: {found[0]}"


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sweep(place: Path) -> None:
    """Remove what a backup that did not end has left."""
    for path in place.glob(f"*{PART_SUFFIX}"):
        shutil.rmtree(path, ignore_errors=True)
