"""The one reader of the ledger for everybody but execution, which writes it.

Each read is one short transaction on a connection of its own: an idle reader would keep the
write-ahead log from shrinking (100 MB were measured). Every answer says as of when it
holds; a ledger that cannot be read is a value, `Unreadable`, never an empty list.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Generic, Literal, TypeVar

import msgspec

from shared.ledger_schema import (
    PROJECTIONS,
    FillRecord,
    OrderRecord,
    PayoutRecord,
    Record,
    columns,
)
from shared.ledger_tables import (
    META_ACCOUNT,
    META_API_KEY,
    META_EPOCH,
    META_SCHEMA,
    META_WALLET,
    MIGRATIONS,
    SCHEMA_VERSION,
)
from shared.units import WallNs

PRIMARY_CODE = 0xFF
"""Part of an extended result code of SQLite that names the primary one."""

BUSY_S_MAX = 0.25
"""A write-ahead log lets readers through; only a recovery or a restore locks them out."""

ROWS_MAX = 100_000
"""The newest rows of one answer; a ledger of months has more, nobody reads them at once."""

RowT = TypeVar("RowT", bound=Record)
T = TypeVar("T")


class Unreadable(msgspec.Struct, frozen=True):
    """The ledger told nothing; what it holds is unknown."""

    why: Literal["missing", "locked", "corrupt", "schema"]
    detail: str


class Rows(msgspec.Struct, Generic[RowT], frozen=True):
    """Rows of one table, oldest first.

    Attributes:
        as_of_wall_ns: When the newest event was written; 0 for a ledger without events.
        is_cut: Whether older rows were left out.
    """

    rows: tuple[RowT, ...]
    as_of_wall_ns: WallNs
    is_cut: bool


class LedgerSummary(msgspec.Struct, frozen=True):
    """Whose ledger it is and how far it has come.

    Attributes:
        account: Empty, like wallet and api_key_id, before execution has written them.
        epoch: Newest that execution has seen, 0 before the first.
        events: Rows of the journal.
    """

    account: str
    wallet: str
    api_key_id: str
    epoch: int
    events: int
    as_of_wall_ns: WallNs


class LedgerReader:
    """Reads one ledger file, which need not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def summary(self) -> LedgerSummary | Unreadable:
        """Return whose ledger it is, its epoch, and its size."""
        return self._read(_summary)

    def orders(
        self, *, states: tuple[str, ...] = (), since_wall_ns: int = 0, rows_max: int = ROWS_MAX
    ) -> Rows[OrderRecord] | Unreadable:
        """Return orders by time of creation.

        Args:
            states: Only these; empty for all.
            since_wall_ns: Only those created then or later.
            rows_max: The newest so many.
        """
        places = ",".join("?" * len(states))
        condition = f"created_wall_ns >= ?{f' AND state IN ({places})' if states else ''}"
        values = (since_wall_ns, *states)
        return self._read(
            lambda open_: _select(
                open_, OrderRecord, condition, values, "created_wall_ns", rows_max
            )
        )

    def fills(
        self, *, since_ms: int = 0, rows_max: int = ROWS_MAX
    ) -> Rows[FillRecord] | Unreadable:
        """Return fills by the venue's time of the match, from a moment on."""
        return self._read(
            lambda open_: _select(
                open_, FillRecord, "match_ms >= ?", (since_ms,), "match_ms", rows_max
            )
        )

    def payouts(self, *, rows_max: int = ROWS_MAX) -> Rows[PayoutRecord] | Unreadable:
        """Return what resolved markets paid, by the time of writing."""
        return self._read(
            lambda open_: _select(open_, PayoutRecord, "1", (), "updated_wall_ns", rows_max)
        )

    def _read(self, ask: Callable[[sqlite3.Connection], T]) -> T | Unreadable:
        return read_ledger(self._path, ask)


def read_ledger(path: Path, ask: Callable[[sqlite3.Connection], T]) -> T | Unreadable:
    """Ask a ledger of this program's version something, in one short transaction.

    Args:
        path: Of the file, which need not exist.
        ask: Reads; what it returns is returned.
    """

    def ask_known(connection: sqlite3.Connection) -> T | Unreadable:
        found = _version(connection)
        if found != str(SCHEMA_VERSION):
            return Unreadable("schema", version_words(found))
        return ask(connection)

    return read_file(path, ask_known)


def read_file(path: Path, ask: Callable[[sqlite3.Connection], T]) -> T | Unreadable:
    """Ask a database file something, in one short transaction."""
    if not path.exists():
        return Unreadable("missing", f"{path} does not exist")
    try:
        with read_transaction(path) as connection:
            return ask(connection)
    except sqlite3.OperationalError as error:
        return Unreadable("locked" if is_held(error) else "corrupt", str(error))
    except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
        return Unreadable("corrupt", str(error))


def is_held(error: sqlite3.Error) -> bool:
    """Whether an error says that another connection holds the file, for whatever reason.

    Whoever recovers the log after a kill holds it as SQLITE_BUSY_RECOVERY, one of the extended
    codes. Source: https://sqlite.org/rescode.html (2026-09-28).
    """
    primary = error.sqlite_errorcode & PRIMARY_CODE
    return primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@contextmanager
def read_transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """Open for reading, and close again whatever happens, so that the log can shrink."""
    location = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(location, uri=True, timeout=BUSY_S_MAX)) as connection:
        connection.isolation_level = None
        connection.execute("BEGIN")
        yield connection


def version_words(found: str) -> str:
    """Say what a ledger of another version than ours needs."""
    if found in map(str, MIGRATIONS):
        return f"version {found}; execution migrates it to {SCHEMA_VERSION} when it starts next"
    return f"version {found}, this program reads {SCHEMA_VERSION}"


def _version(connection: sqlite3.Connection) -> str:
    return _meta(connection).get(META_SCHEMA, "none")


def _meta(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM meta").fetchall())


def _as_of(connection: sqlite3.Connection) -> tuple[int, WallNs]:
    """Return the number of events and the time of the newest."""
    row = connection.execute(
        "SELECT sequence, wall_ns FROM events ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    return (0, WallNs(0)) if row is None else (int(row[0]), WallNs(int(row[1])))


def _summary(connection: sqlite3.Connection) -> LedgerSummary:
    meta = _meta(connection)
    events, as_of_wall_ns = _as_of(connection)
    return LedgerSummary(
        account=meta.get(META_ACCOUNT, ""),
        wallet=meta.get(META_WALLET, ""),
        api_key_id=meta.get(META_API_KEY, ""),
        epoch=int(meta.get(META_EPOCH, "0")),
        events=events,
        as_of_wall_ns=as_of_wall_ns,
    )


def _select(
    connection: sqlite3.Connection,
    kind: type[RowT],
    condition: str,
    values: tuple[object, ...],
    order: str,
    rows_max: int,
) -> Rows[RowT]:
    names = columns(kind)
    # Every part of the text is a constant of this program; values are bound.
    query = (
        f"SELECT {','.join(names)} FROM {PROJECTIONS[kind]} "  # noqa: S608
        f"WHERE {condition} ORDER BY {order} DESC LIMIT ?"
    )
    found = connection.execute(query, (*values, rows_max + 1)).fetchall()
    _, as_of_wall_ns = _as_of(connection)
    rows = [_row(kind, names, row) for row in reversed(found[:rows_max])]
    return Rows(tuple(rows), as_of_wall_ns, len(found) > rows_max)


def _row(kind: type[RowT], names: tuple[str, ...], row: tuple[object, ...]) -> RowT:
    flags = {field.name for field in msgspec.structs.fields(kind) if field.type is bool}
    fields = {
        name: bool(value) if name in flags else value
        for name, value in zip(names, row, strict=True)
    }
    return msgspec.convert(fields, kind)
