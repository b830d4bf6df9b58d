"""Brings a ledger of an older version to the newest, or leaves it as it was.

Impure. In order: a copy of the file beside it (`ledger.db.v2-backup`, 0600), synced and
compared row by row; then, in one transaction, the steps of the tables, the whole proof of the old
events and their rows, an anchor that retires what is old, and the new version. Nothing is
migrated that is not proven, and a migration that was cut off is begun anew at the next start.
Events are never rewritten.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from itertools import zip_longest
from pathlib import Path
from typing import Final

from bus.ledger_proof import Broken, prove
from services.execution.ledger.appending import Appender
from services.execution.ledger.fault import LedgerFault
from shared.ledger_tables import META_SCHEMA, MIGRATIONS, SCHEMA_VERSION
from shared.units import Instant

BACKUPS_MAX: Final = 9
"""Copies of one version that differ from one another; more of them need a look by people."""

ALL_ROWS: Final = 2**62
"""A migration retires all that is old at once: nobody waits for its commit."""

COPIED: Final = (
    "SELECT * FROM meta ORDER BY name",
    "SELECT * FROM events ORDER BY sequence",
    "SELECT * FROM orders ORDER BY order_id",
    "SELECT * FROM fills ORDER BY trade_id, order_id",
    "SELECT * FROM payouts ORDER BY market, token, strategy",
)

Connect = Callable[[Path], sqlite3.Connection]
"""Opens a database file."""


def migrate(
    database: sqlite3.Connection, path: Path, version: int, now: Instant, connect: Connect
) -> None:
    """Bring a ledger to the newest version.

    Args:
        database: Open on `path`, outside a transaction.
        path: Of the ledger; the copy comes beside it.
        version: It has, one of `MIGRATIONS`.
        now: Stands in the anchor.
        connect: Opens the copy.

    Raises:
        LedgerFault: It is not proven, or the copy is not it.
        sqlite3.Error: It could not be done; the file is as it was.
        OSError: The copy could not be made durable.
    """
    back_up(database, path, version, connect)
    database.execute("BEGIN IMMEDIATE")
    try:
        for step in range(version, SCHEMA_VERSION):
            for statement in MIGRATIONS[step]:
                database.execute(statement)
        prove(lambda: nullcontext(database))
        Appender(database).append_anchor(now, ALL_ROWS)
        database.execute(
            "UPDATE meta SET value = ? WHERE name = ?", (str(SCHEMA_VERSION), META_SCHEMA)
        )
        database.execute("COMMIT")
    except Broken as broken:
        database.execute("ROLLBACK")
        raise LedgerFault(f"not migrated, since it is not proven: {broken}") from broken
    except sqlite3.Error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def back_up(database: sqlite3.Connection, path: Path, version: int, connect: Connect) -> Path:
    """Copy a ledger beside itself, unless such a copy is there; return where it is.

    Raises:
        LedgerFault: Too many copies are there, or the new one is not the same.
    """
    for number in range(1, BACKUPS_MAX + 1):
        suffix = f".v{version}-backup" + (f"-{number}" if number > 1 else "")
        final = path.with_name(path.name + suffix)
        if not final.exists():
            break
        if _is_same(database, final, connect):
            return final
    else:
        raise LedgerFault(f"{BACKUPS_MAX} copies of version {version} stand beside {path}")
    part = final.with_name(final.name + ".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    database.execute("VACUUM INTO ?", (str(part),))
    if not _is_same(database, part, connect):
        raise LedgerFault(f"the copy {part} is not the ledger")
    sync_file(part)
    put_in_place(part, final)
    return final


def sync_file(path: Path) -> None:
    """Put a file's content on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(part: Path, final: Path) -> None:
    """Give a synced file its name, for good."""
    part.rename(final)
    sync_file(final.parent)


def _is_same(database: sqlite3.Connection, copy: Path, connect: Connect) -> bool:
    """Whether a copy holds the very rows of the ledger, and is sound itself."""
    try:
        with closing(connect(copy)) as other:
            if other.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
                return False
            return all(
                row == theirs
                for query in COPIED
                for row, theirs in zip_longest(database.execute(query), other.execute(query))
            )
    except sqlite3.DatabaseError:
        return False
