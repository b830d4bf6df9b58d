"""Risk's database file: opened, judged and written, in this one place.

Impure: SQLite with a write-ahead log and full sync. Opening finds out whether what is there can
be trusted, and says so; it never repairs. A broken file is set aside, never overwritten.

How a first start is told from a loss: the marker `account.json` is made together with the
database, and names the epochs reserved, the newest latch version and the API key. Neither of the
two is a first start; a marker without its database, a database that is broken, of another
account or older than its marker is trouble, which the core turns into a latch.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

import msgspec

from bus.credentials import write_private
from services.risk.epoch import RESERVE
from services.risk.messages import StoredState
from shared.clean_run import CAPITAL, CleanRun
from shared.risk_schema import (
    ANY_KEY,
    CHAIN_START,
    KEPT_PREFIX,
    MARKER_FILE,
    META_API_KEY,
    RISK_FILE,
    SCHEMA_VERSION,
    TABLES,
    AuditEntry,
    AuditRow,
    CapitalSet,
    EpochReserved,
    Kept,
    KeyUsed,
    LatchCleared,
    LatchRow,
    RiskRecord,
    first_broken,
)
from shared.units import WallNs

AUDIT_CHECKED_ROWS = 10_000
"""Newest rows of the trail whose chain is checked at every start; the command checks all."""

FILE_MODE = 0o600

Reached = Callable[[str], None]
"""Told the name of each crash point: `before_commit`, `after_commit`, `after_marker`."""


class Marker(msgspec.Struct, frozen=True):
    """What stands beside the database, so that its loss shows."""

    account: str
    reserved: int
    latch_version: int
    api_key: str = ANY_KEY


class Untrusted(Exception):
    """Local fault: the database is there and cannot be believed."""


class RiskFile:
    """The database, open for one writer.

    Attributes:
        stored: What it held when it was opened, and whether that can be trusted.
    """

    def __init__(
        self, directory: Path, account: str, reached: Reached = lambda point: None
    ) -> None:
        """Open the database of a data directory, or say in `stored` why it cannot be used."""
        self._path = directory / RISK_FILE
        self._marker_path = directory / MARKER_FILE
        self._account = account
        self._reached = reached
        self._connection: sqlite3.Connection | None = None
        self._refusal = ""
        self.stored = self._open()

    def write(self, records: tuple[RiskRecord, ...]) -> None:
        """Put records on disk in one transaction, and bring the marker up to date.

        Raises:
            sqlite3.Error: They are not there.
            OSError: They may be there, but the marker is not up to date.
        """
        if self._connection is None:
            raise OSError(self._refusal)
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            for record in records:
                _write_one(connection, record)
            self._reached("before_commit")
        self._reached("after_commit")
        if any(isinstance(record, LatchRow | EpochReserved | KeyUsed) for record in records):
            self._write_marker()
            self._reached("after_marker")

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> StoredState:
        """Return what is there; create what is not."""
        marker, unreadable = None, ""
        try:
            marker = _read_marker(self._marker_path)
        except Untrusted as fault:
            unreadable = str(fault)
        if not self._path.exists():
            missing = "" if marker is None else "the risk database is missing"
            return self._refuse_or_create(unreadable or missing, marker)
        try:
            connection = _connect(self._path)
        except (sqlite3.Error, OSError) as error:
            return self._set_aside(f"cannot be opened: {error}", marker)
        try:
            state = _load(connection, self._account, marker)
        except (Untrusted, sqlite3.Error, msgspec.MsgspecError) as fault:
            connection.close()
            return self._set_aside(str(fault), marker)
        except (KeyError, TypeError, ValueError) as fault:
            # Rows whose types are not those of the tables: SQLite's own check lets them pass.
            connection.close()
            return self._set_aside(f"the risk database says what it cannot: {fault}", marker)
        if unreadable:
            state = msgspec.structs.replace(state, fresh=False, trouble=unreadable)
        return self._reserve(connection, state)

    def _set_aside(self, trouble: str, marker: Marker | None) -> StoredState:
        """Keep a file that cannot be believed under another name, and begin a new one."""
        number = 1
        while (aside := self._path.with_name(f"{RISK_FILE}.broken-{number}")).exists():
            number += 1
        try:
            self._path.rename(aside)
            for suffix in ("-wal", "-shm"):
                beside = self._path.with_name(RISK_FILE + suffix)
                if beside.exists():
                    beside.rename(aside.with_name(aside.name + suffix))
        except OSError as error:
            return self._refuse(f"{trouble}; it cannot be set aside: {error}", marker)
        return self._refuse_or_create(f"{trouble}; kept as {aside.name}", marker)

    def _refuse_or_create(self, trouble: str, marker: Marker | None) -> StoredState:
        """Create a database; epochs go on above what the marker knows."""
        used_max = 0 if marker is None else marker.reserved
        version = 0 if marker is None else marker.latch_version
        try:
            connection = _connect(self._path)
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                for statement in TABLES.split(";"):
                    connection.execute(statement)
                _set_meta(connection, "schema", str(SCHEMA_VERSION))
                _set_meta(connection, "account", self._account)
                _set_meta(connection, "reserved", str(used_max))
                _set_meta(connection, "latch_version", str(version))
        except (sqlite3.Error, OSError) as error:
            return self._refuse(f"{trouble} cannot be created: {error}".strip(), marker)
        fresh = marker is None and not trouble
        key = None if fresh else _known_key(marker, None)
        state = StoredState(
            used_max=used_max, latch_version=version, fresh=fresh, trouble=trouble, api_key=key
        )
        return self._reserve(connection, state)

    def _reserve(self, connection: sqlite3.Connection, state: StoredState) -> StoredState:
        """Reserve the epochs of this run; without that it may fence but not grant."""
        self._connection = connection
        reserved = state.used_max + RESERVE
        try:
            # What was found of the key is the marker's too from now on, or the next start
            # would believe a database that was restored.
            key = () if state.api_key is None else (KeyUsed(state.api_key),)
            self.write((EpochReserved(reserved), *key))
        except (sqlite3.Error, OSError) as error:
            trouble = f"{state.trouble} cannot be written: {error}".strip()
            return msgspec.structs.replace(state, reserved=state.used_max, trouble=trouble)
        return msgspec.structs.replace(state, reserved=reserved)

    def _refuse(self, trouble: str, marker: Marker | None) -> StoredState:
        """Go on without a database: every write fails, so nothing will ever be granted."""
        self._refusal = trouble
        used_max = 0 if marker is None else marker.reserved
        key = _known_key(marker, None)
        return StoredState(used_max=used_max, reserved=used_max, trouble=trouble, api_key=key)

    def _write_marker(self) -> None:
        """Write the marker after the commit: older than the database is right, newer is a loss."""
        assert self._connection is not None, "a marker belongs to a database"
        meta = dict(self._connection.execute("SELECT name, value FROM meta"))
        marker = Marker(
            self._account,
            int(meta["reserved"]),
            int(meta["latch_version"]),
            meta.get(META_API_KEY, ANY_KEY),
        )
        write_private(self._marker_path, msgspec.json.encode(marker))


def _read_marker(path: Path) -> Marker | None:
    """Return the marker, None when there is none.

    Raises:
        Untrusted: It is there and says nothing.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Marker)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Untrusted(f"the marker beside the risk database cannot be read: {error}") from None


def _connect(path: Path) -> sqlite3.Connection:
    """Return a connection whose commits are on disk when they return."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
    try:
        path.chmod(FILE_MODE)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except (sqlite3.Error, OSError):
        connection.close()
        raise
    return connection


def _load(connection: sqlite3.Connection, account: str, marker: Marker | None) -> StoredState:
    """Return what a database holds.

    Raises:
        Untrusted: It is damaged, another's, or older than its marker.
        sqlite3.Error: It cannot be read.
    """
    verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise Untrusted(f"the risk database is damaged: {verdict}")
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    if meta.get("schema") != str(SCHEMA_VERSION):
        raise Untrusted(f"the risk database has schema {meta.get('schema')}")
    if meta.get("account") != account:
        raise Untrusted(f"the risk database belongs to account {meta.get('account')}")
    reserved, version = int(meta["reserved"]), int(meta["latch_version"])
    tip = _check_trail(connection)
    trouble = ""
    if marker is None and (tip is not None or version or reserved > RESERVE):
        # A first start that was cut off before its marker has written nothing else.
        trouble = "the marker beside the risk database is missing"
    elif marker is not None and (marker.reserved > reserved or marker.latch_version > version):
        trouble = "the risk database is older than its marker: it was restored"
        reserved = max(reserved, marker.reserved)
        version = max(version, marker.latch_version)
    latches = tuple(
        LatchRow(*row)
        for row in connection.execute(
            "SELECT name, scope, scope_id, version, wall_ns, reason, evidence FROM latches"
        )
    )
    fresh = marker is None and not trouble
    return StoredState(
        used_max=reserved,
        latch_version=version,
        latches=latches,
        capital_usd=int(meta["capital_usd"]) if "capital_usd" in meta else None,
        kept={
            name.removeprefix(KEPT_PREFIX): text
            for name, text in meta.items()
            if name.startswith(KEPT_PREFIX)
        },
        clean_run=_clean_run(connection),
        audit_sequence=tip.sequence if tip else 0,
        audit_hash=tip.hash if tip else CHAIN_START,
        fresh=fresh,
        api_key=None if fresh else _known_key(marker, meta.get(META_API_KEY, ANY_KEY)),
        trouble=trouble,
    )


def _known_key(marker: Marker | None, stored: str | None) -> str:
    """Return the API key by what there is of marker and database; `ANY_KEY` where they differ."""
    said = {key for key in (marker.api_key if marker else None, stored) if key is not None}
    return said.pop() if len(said) == 1 else ANY_KEY


def _check_trail(connection: sqlite3.Connection) -> AuditRow | None:
    """Return the newest row of the trail after checking the newest part of the chain.

    Raises:
        Untrusted: The chain is broken.
    """
    rows = [
        AuditRow(row[0], row[1], AuditEntry(*row[2:9]), row[9], row[10])
        for row in connection.execute(
            "SELECT sequence, wall_ns, kind, actor, what, scope, before, after, cause,"
            " previous, hash FROM audit ORDER BY sequence DESC LIMIT ?",
            (AUDIT_CHECKED_ROWS + 1,),
        )
    ]
    rows.reverse()
    if not rows:
        return None
    previous = rows.pop(0) if len(rows) > AUDIT_CHECKED_ROWS else None
    broken = first_broken(rows, previous)
    if broken is not None:
        raise Untrusted(f"the audit trail is broken at row {broken}")
    return rows[-1]


def _clean_run(connection: sqlite3.Connection) -> CleanRun:
    """Return what the trail says since the capital's newest step."""
    step = connection.execute(
        "SELECT coalesce(max(sequence), 0) FROM audit WHERE what = ? AND after <> ''", (CAPITAL,)
    ).fetchone()
    run = CleanRun()
    for row in connection.execute(
        "SELECT wall_ns, kind, actor, what, scope, before, after, cause FROM audit"
        " WHERE sequence >= ? ORDER BY sequence",
        step,
    ):
        run = run.after(AuditEntry(*row[1:]), WallNs(row[0]))
    return run


def _write_one(connection: sqlite3.Connection, record: RiskRecord) -> None:
    """Write one record inside a transaction."""
    match record:
        case EpochReserved():
            _raise_meta(connection, "reserved", record.reserved)
        case LatchRow():
            connection.execute(
                "INSERT OR REPLACE INTO latches VALUES (?, ?, ?, ?, ?, ?, ?)",
                msgspec.structs.astuple(record),
            )
            _raise_meta(connection, "latch_version", record.version)
        case CapitalSet():
            _set_meta(connection, "capital_usd", str(record.usd))
        case KeyUsed():
            _set_meta(connection, META_API_KEY, record.api_key)
        case Kept():
            _set_meta(connection, KEPT_PREFIX + record.name, record.text)
        case LatchCleared():
            connection.execute(
                "DELETE FROM latches WHERE name = ? AND scope = ? AND scope_id = ? AND version = ?",
                msgspec.structs.astuple(record),
            )
        case AuditRow():
            entry = msgspec.structs.astuple(record.entry)
            connection.execute(
                "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (sequence) DO NOTHING",
                (record.sequence, record.wall_ns, *entry, record.previous, record.hash),
            )
            _check_written(connection, record)
        case _:
            assert_never(record)


def _check_written(connection: sqlite3.Connection, row: AuditRow) -> None:
    """See that the row that stands is this one: an attempt before may have got as far.

    Raises:
        sqlite3.IntegrityError: Another row has its place.
    """
    stands = connection.execute(
        "SELECT hash FROM audit WHERE sequence = ?", (row.sequence,)
    ).fetchone()
    if stands[0] != row.hash:
        raise sqlite3.IntegrityError(f"another audit row has number {row.sequence}")


def _set_meta(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _raise_meta(connection: sqlite3.Connection, name: str, value: int) -> None:
    """Set a number that only grows."""
    known = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if known is None or int(known[0]) < value:
        _set_meta(connection, name, str(value))
