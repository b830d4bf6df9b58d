"""The ledger's file: SQLite in WAL mode with full sync, one transaction for each turn.

An edge that takes `Journal` effects and puts them on disk before anything that rests on
them is sent. Events are hash-chained and projected in the same transaction. At start the
chain is verified and the projections are compared with it; a ledger that does not agree
with itself is not traded on. Checkpoints are made beside the loop (`checkpoints.py`).

    LedgerFault(Exception)  local: the file is of another schema, damaged, or held by another
    CommitFailed            (of the bus) local: a turn's records are not on disk
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from bus.edge import CommitFailed, Edge
from services.execution.startup import OpenedLedger
from shared.effects import Effect, Message
from shared.identifiers import OrderHash
from shared.ledger_schema import (
    CHAIN_START,
    META_SCHEMA,
    PROJECTIONS,
    SCHEMA_VERSION,
    TABLES,
    AnyRecord,
    EpochRecord,
    FillRecord,
    IdentityRecord,
    Journal,
    OrderRecord,
    PayoutRecord,
    columns,
    decode_record,
    encode_record,
    event_hash,
    meta_values,
    row_values,
)
from shared.orders import TERMINAL
from shared.units import NS_PER_S, Instant

BUSY_MS: Final = 200
"""Wait for a reader's lock at a backup; a writer never shares the file."""

RECENT_NS: Final = 2 * 86_400 * NS_PER_S
"""Terminal orders, closed positions and payouts read back: two days of late reports."""

FILE_MODE: Final = 0o600

Row = TypeVar("Row", OrderRecord, FillRecord, PayoutRecord)


class LedgerFault(Exception):
    """The ledger cannot be used; people have to look at it."""


class Ledger(Edge):
    """Writes the ledger.

    Attributes:
        opened: What it said when it was opened.
    """

    handles = (Journal,)

    def __init__(self, path: Path, now: Instant) -> None:
        """Open or create the file, and verify it.

        Raises:
            LedgerFault: Of another schema, damaged, or held by another process.
            OSError: The directory takes no file.
        """
        self._path = path
        path.touch(mode=FILE_MODE)
        try:
            self._database = _open(path)
            self._sequence, self._previous = verify(self._database)
            self.opened = _read(self._database, now)
        except sqlite3.Error as error:
            raise LedgerFault(f"{path}: {error}") from error
        self._is_begun = False

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Write a journal's records into the open transaction of this turn."""
        assert isinstance(effect, Journal), f"not of this edge: {effect}"
        try:
            if not self._is_begun:
                self._database.execute("BEGIN IMMEDIATE")
                self._is_begun = True
            for record in effect.records:
                self._append(record, now)
        except sqlite3.Error as error:
            self._abandon()
            raise CommitFailed(f"ledger: {error}") from error
        return []

    def commit(self, now: Instant) -> None:
        """Put this turn's records on disk.

        Raises:
            CommitFailed: They are not there; the transaction is rolled back.
        """
        if not self._is_begun:
            return
        try:
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._abandon()
            raise CommitFailed(f"ledger: {error}") from error
        self._is_begun = False

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._database.close()

    def _append(self, record: AnyRecord, now: Instant) -> None:
        """Chain one event and project it."""
        body = encode_record(record)
        sequence = self._sequence + 1
        digest = event_hash(self._previous, sequence, now.wall_ns, body)
        self._database.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
            (sequence, now.wall_ns, body, self._previous, digest),
        )
        project(self._database, record)
        self._sequence, self._previous = sequence, digest

    def _abandon(self) -> None:
        """Roll back, and go on from what is on disk."""
        self._is_begun = False
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        self._sequence, self._previous = _newest(self._database)


class NoLedger(Edge):
    """Stands where a ledger cannot be used: every commit fails, so nothing is ever placed.

    Attributes:
        opened: A ledger with nothing but its fault.
    """

    handles = (Journal,)

    def __init__(self, fault: str) -> None:
        """Take why there is none."""
        self.opened = OpenedLedger(fault=fault)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Refuse.

        Raises:
            CommitFailed: Always.
        """
        raise CommitFailed(self.opened.fault)


def project(database: sqlite3.Connection, record: AnyRecord) -> None:
    """Write a record's row into its projection: the last one of a key wins."""
    if isinstance(record, IdentityRecord | EpochRecord):
        database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta_values(record))
        return
    table = PROJECTIONS[type(record)]
    values = row_values(record)
    marks = ",".join("?" * len(values))
    database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values)  # noqa: S608


def verify(database: sqlite3.Connection) -> tuple[int, bytes]:
    """Check chain and projections; return the newest sequence and hash.

    Raises:
        LedgerFault: An event was changed, lost or added, or a projection differs from them.
    """
    sequence, previous = 0, CHAIN_START
    replayed = sqlite3.connect(":memory:")
    try:
        replayed.executescript(TABLES)
        for number, wall_ns, body, before, digest in database.execute(
            "SELECT sequence, wall_ns, body, previous, hash FROM events ORDER BY sequence"
        ):
            sequence += 1
            if number != sequence or before != previous:
                raise LedgerFault(f"the chain breaks at event {number}")
            if digest != event_hash(previous, number, wall_ns, body):
                raise LedgerFault(f"event {number} is not what was written")
            previous = digest
            project(replayed, _decode(number, body))
        _compare(database, replayed, "SELECT * FROM meta WHERE name <> 'schema_version' ORDER BY 1")
        for table in PROJECTIONS.values():
            _compare(database, replayed, f"SELECT * FROM {table} ORDER BY 1, 2, 3")  # noqa: S608
    finally:
        replayed.close()
    return sequence, previous


def _decode(number: int, body: bytes) -> AnyRecord:
    """Return the record of an event.

    Raises:
        LedgerFault: It is none of this schema.
    """
    try:
        return decode_record(body)
    except msgspec.MsgspecError as error:
        raise LedgerFault(f"event {number} cannot be read: {error}") from error


def _compare(database: sqlite3.Connection, replayed: sqlite3.Connection, query: str) -> None:
    """Compare a projection with its replay, row by row.

    Raises:
        LedgerFault: They differ.
    """
    theirs = replayed.execute(query)
    for row in database.execute(query):
        if row != theirs.fetchone():
            raise LedgerFault(f"a projection differs from the events: {query}")
    if theirs.fetchone() is not None:
        raise LedgerFault(f"a projection lacks rows of the events: {query}")


def _open(path: Path) -> sqlite3.Connection:
    """Open the file for one writer, with tables of this schema.

    Raises:
        LedgerFault: It is of another schema.
        sqlite3.Error: It is damaged, or held by another process.
    """
    database = sqlite3.connect(path, timeout=BUSY_MS / 1_000, isolation_level=None)
    mode = database.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise LedgerFault(f"{path} is on a file system without write-ahead log")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA wal_autocheckpoint = 0")
    tables = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables == 0:
        database.executescript(f"BEGIN; {TABLES} COMMIT;")
        database.execute("INSERT INTO meta VALUES (?, ?)", (META_SCHEMA, str(SCHEMA_VERSION)))
    row = database.execute("SELECT value FROM meta WHERE name = ?", (META_SCHEMA,)).fetchone()
    if row is None or row[0] != str(SCHEMA_VERSION):
        raise LedgerFault(f"{path} is of schema {row and row[0]}, not {SCHEMA_VERSION}")
    return database


def _newest(database: sqlite3.Connection) -> tuple[int, bytes]:
    """Return the newest sequence and hash on disk."""
    row = database.execute(
        "SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    return (0, CHAIN_START) if row is None else (row[0], row[1])


def _read(database: sqlite3.Connection, now: Instant) -> OpenedLedger:
    """Return what the core needs of a verified ledger."""
    meta = dict(database.execute("SELECT name, value FROM meta").fetchall())
    identity = None
    if "account" in meta:
        identity = IdentityRecord(meta["account"], meta["wallet"], meta["api_key_id"])
    since_ns = now.wall_ns - RECENT_NS
    marks = ",".join("?" * len(TERMINAL))
    orders = _rows(
        database,
        OrderRecord,
        f"WHERE state NOT IN ({marks}) OR created_wall_ns > ? ORDER BY created_wall_ns",
        (*sorted(TERMINAL), since_ns),
    )
    known = {record.order_id for record in orders}
    fills = tuple(
        _rows(
            database,
            FillRecord,
            "WHERE updated_wall_ns > ? OR NOT EXISTS (SELECT 1 FROM payouts AS paid WHERE"
            " paid.market = fills.market AND paid.token = fills.token"
            " AND paid.strategy = fills.strategy) ORDER BY match_ms",
            (since_ns,),
        )
    )
    missing = {fill.order_id for fill in fills} - known
    older = tuple(_orders_named(database, missing))
    payouts = tuple(_rows(database, PayoutRecord, "WHERE updated_wall_ns > ?", (since_ns,)))
    return OpenedLedger(
        identity=identity,
        epoch=int(meta.get("epoch", "0")),
        orders=(*older, *orders),
        fills=fills,
        payouts=payouts,
    )


def _orders_named(database: sqlite3.Connection, order_ids: set[OrderHash]) -> Iterator[OrderRecord]:
    """Return the rows of some orders."""
    for order_id in sorted(order_ids):
        yield from _rows(database, OrderRecord, "WHERE order_id = ?", (order_id,))


def _rows(
    database: sqlite3.Connection, kind: type[Row], where: str, values: tuple[str | int, ...]
) -> list[Row]:
    """Return the records of a projection's rows."""
    names = columns(kind)
    query = f"SELECT {', '.join(names)} FROM {PROJECTIONS[kind]} {where}"  # noqa: S608
    return [
        msgspec.convert(
            {"type": kind.__name__, **dict(zip(names, row, strict=True))}, kind, strict=False
        )
        for row in database.execute(query, values)
    ]
