"""Opens the ledger's file for its one writer: created, migrated or refused.

Impure: SQLite with a write-ahead log and full sync, so that a commit that has returned survives
a power cut. A ledger of an older version that we know is proven as a whole, copied beside, and
migrated in one transaction; one of any other version is refused as it is.
"""

import sqlite3
from pathlib import Path
from typing import Final

from services.execution.ledger.fault import LedgerFault
from services.execution.ledger.migration import Connect, migrate
from shared.ledger_tables import META_SCHEMA, MIGRATIONS, SCHEMA_VERSION, TABLES
from shared.units import Instant

BUSY_MS: Final = 200
"""Wait for a reader's lock at a backup; a writer never shares the file."""

CACHE_KIB: Final = 32_768
"""Of pages: those of recent orders and the upper parts of the indexes."""

FILE_MODE: Final = 0o600


def connect_file(path: Path) -> sqlite3.Connection:
    """Open a database file whose transactions are begun and ended by statements alone.

    Opened in the loop's thread and used by the writer's, one after the other (`bus/writer.py`).
    """
    return sqlite3.connect(
        path, timeout=BUSY_MS / 1_000, isolation_level=None, check_same_thread=False
    )


def open_file(path: Path, now: Instant, connect: Connect) -> sqlite3.Connection:
    """Open or create the file, with the tables of the newest version.

    Raises:
        LedgerFault: It is of an unknown version, or cannot be migrated.
        sqlite3.Error: It is damaged, or held by another process.
        OSError: The directory takes no file.
    """
    path.touch(mode=FILE_MODE)
    database = connect(path)
    try:
        _configure(database, path)
        _bring_up(database, path, now, connect)
    except (LedgerFault, OSError, sqlite3.Error):
        database.close()
        raise
    return database


def _configure(database: sqlite3.Connection, path: Path) -> None:
    """Set what makes a commit durable.

    Raises:
        LedgerFault: The file system has no shared memory for a write-ahead log.
    """
    mode = database.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise LedgerFault(f"{path} is on a file system without write-ahead log")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA wal_autocheckpoint = 0")
    database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _bring_up(database: sqlite3.Connection, path: Path, now: Instant, connect: Connect) -> None:
    """Create the tables, or migrate them.

    Raises:
        LedgerFault: The file is of an unknown version.
    """
    if database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
        insert = f"INSERT INTO meta VALUES ('{META_SCHEMA}', '{SCHEMA_VERSION}');"  # noqa: S608
        database.executescript(f"BEGIN IMMEDIATE; {TABLES} {insert} COMMIT;")
        return
    version = _version(database)
    if version == SCHEMA_VERSION:
        return
    if version not in MIGRATIONS:
        raise LedgerFault(_refusal(path, version))
    migrate(database, path, version, now, connect)


def _version(database: sqlite3.Connection) -> int:
    """Return the version that the file names; 0 when it names none."""
    row = database.execute("SELECT value FROM meta WHERE name = ?", (META_SCHEMA,)).fetchone()
    return int(row[0]) if row is not None and row[0].isdecimal() else 0


def _refusal(path: Path, version: int) -> str:
    known = f"this program knows {min(MIGRATIONS)} to {SCHEMA_VERSION}"
    if version > SCHEMA_VERSION:
        return f"{path} is of schema {version}, of a newer program: {known}"
    return f"{path} is of schema {version or 'unknown'}: {known}"
