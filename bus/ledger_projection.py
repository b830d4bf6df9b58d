"""How a record becomes rows, the same for who writes the ledger and for who proves it.

Takes an open database and changes its rows; begins and ends no transaction. Every change
returns what it adds to the state, the digest of the working set that is chained with each
event (`shared/ledger_chain.py`). The same records in the same order give the same rows and the
same state, wherever they are applied.
"""

import sqlite3
from typing import Final

from shared.ledger_chain import row_digest
from shared.ledger_schema import (
    KEYS,
    PROJECTIONS,
    AnchorRecord,
    AnyRecord,
    EpochRecord,
    FillRecord,
    IdentityRecord,
    OrderRecord,
    PayoutRecord,
    Record,
    columns,
    meta_values,
    row_values,
)
from shared.ledger_tables import META_ANCHOR, UNPROJECTED
from shared.orders import TERMINAL

CHUNK: Final = 500
"""Rows retired at a time: what is held in memory does not grow with what is retired."""

Key = tuple[str | int, ...]


class _Statements:
    """The SQL of one projection; every part of it is a constant of this program."""

    def __init__(self, kind: type[Record]) -> None:
        self.table = PROJECTIONS[kind]
        names = columns(kind)
        listed, marks = ", ".join(names), ", ".join("?" * len(names))
        where = " AND ".join(f"{name} = ?" for name in KEYS[kind])
        self.select = f"SELECT retired, {listed} FROM {self.table} WHERE {where}"  # noqa: S608
        self.put = (
            f"INSERT OR REPLACE INTO {self.table} ({listed}, retired)"  # noqa: S608
            f" VALUES ({marks}, 0)"
        )
        self.mark = f"UPDATE {self.table} SET retired = ? WHERE {where}"  # noqa: S608
        self.rows = f"SELECT {listed} FROM {self.table}"  # noqa: S608
        self.working = f"{self.rows} INDEXED BY {self.table}_working WHERE retired = 0"
        self.key_of = [names.index(name) for name in KEYS[kind]]


_STATEMENTS: Final = {kind: _Statements(kind) for kind in PROJECTIONS}

_ORDER_OF_FILL: Final = columns(FillRecord).index("order_id")
_STATE: Final = columns(OrderRecord).index("state")
_CREATED: Final = columns(OrderRecord).index("created_wall_ns")

_OLD_ORDERS: Final = (
    f"{_STATEMENTS[OrderRecord].rows}"  # noqa: S608
    " INDEXED BY orders_unfilled WHERE retired = 0 AND filled_e6 = 0"
    f" AND created_wall_ns < ? AND state IN ({', '.join('?' * len(TERMINAL))})"
    " AND NOT EXISTS (SELECT 1 FROM fills INDEXED BY fills_by_order"
    " WHERE fills.order_id = orders.order_id AND fills.retired = 0)"
    " ORDER BY created_wall_ns, order_id LIMIT ?"
)
_OLD_PAYOUTS: Final = (
    f"{_STATEMENTS[PayoutRecord].working}"  # noqa: S608
    " AND updated_wall_ns < ? AND NOT EXISTS (SELECT 1 FROM fills"
    " WHERE fills.market = payouts.market AND fills.token = payouts.token"
    " AND fills.strategy = payouts.strategy AND fills.retired = 0"
    " AND fills.updated_wall_ns >= ?)"
    " ORDER BY updated_wall_ns, market, token, strategy LIMIT ?"
)
_FILLS_OF: Final = (
    f"{_STATEMENTS[FillRecord].rows}"
    " INDEXED BY fills_by_market WHERE market = ? AND token = ? AND strategy = ? AND retired = 0"
)
_RETIRED_FILLS: Final = (
    f"{_STATEMENTS[FillRecord].rows} INDEXED BY fills_by_order WHERE order_id = ? AND retired = 1"
)


def project(database: sqlite3.Connection, record: AnyRecord, sequence: int) -> int:
    """Write what a record says into the projections; return what it adds to the state.

    Args:
        database: Inside a transaction.
        record: Of the newest event.
        sequence: Of that event.

    Raises:
        sqlite3.Error: The database does not take it.
    """
    if isinstance(record, AnchorRecord):
        database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (META_ANCHOR, str(sequence)))
        return _retire(database, record)
    if isinstance(record, IdentityRecord | EpochRecord):
        return sum(_put_meta(database, name, value) for name, value in meta_values(record))
    values = row_values(record)
    statements = _STATEMENTS[type(record)]
    key = tuple(values[index] for index in statements.key_of)
    added = row_digest(statements.table, values)
    found = database.execute(statements.select, key).fetchone()
    if found is not None and not found[0]:
        added -= row_digest(statements.table, found[1:])
    database.execute(statements.put, values)
    # What is heard of late works again, and with it what it belongs to.
    if isinstance(record, OrderRecord) and found is not None and found[0]:
        for fill in database.execute(_RETIRED_FILLS, (record.order_id,)).fetchall():
            added += _recall(database, FillRecord, _key(FillRecord, fill))
            added += _recall(database, PayoutRecord, _position(record))
    if isinstance(record, FillRecord):
        added += _recall(database, OrderRecord, (record.order_id,))
        added += _recall(database, PayoutRecord, _position(record))
    return added


def working_rows(database: sqlite3.Connection, kind: type[Record]) -> sqlite3.Cursor:
    """Return the rows of one projection that belong to the working set, in no order."""
    return database.execute(_STATEMENTS[kind].working)


def meta_state(database: sqlite3.Connection) -> int:
    """Return what the rows of `meta` add to the state."""
    return sum(
        row_digest("meta", (name, value))
        for name, value in database.execute("SELECT name, value FROM meta")
        if name not in UNPROJECTED
    )


def working_state(database: sqlite3.Connection) -> int:
    """Return the state as the rows have it: what the newest event says, if nothing is wrong."""
    return meta_state(database) + sum(
        row_digest(PROJECTIONS[kind], row)
        for kind in PROJECTIONS
        for row in working_rows(database, kind)
    )


def _put_meta(database: sqlite3.Connection, name: str, value: str) -> int:
    """Set a row of `meta`."""
    found = database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
    before = 0 if found is None else row_digest("meta", (name, found[0]))
    return row_digest("meta", (name, value)) - before


def _recall(database: sqlite3.Connection, kind: type[Record], key: Key) -> int:
    """Bring a retired row back into the working set."""
    statements = _STATEMENTS[kind]
    found = database.execute(statements.select, key).fetchone()
    if found is None or not found[0]:
        return 0
    database.execute(statements.mark, (0, *key))
    return row_digest(statements.table, found[1:])


def _retire(database: sqlite3.Connection, anchor: AnchorRecord) -> int:
    """Take what an anchor names out of the working set."""
    payouts_ns, orders_ns = anchor.payouts_before_wall_ns, anchor.orders_before_wall_ns
    added, left = 0, anchor.rows_max
    while left > 0 and (rows := _some(database, _OLD_PAYOUTS, (payouts_ns, payouts_ns), left)):
        added += sum(_retire_market(database, row, payouts_ns) for row in rows)
        left -= len(rows)
    left = anchor.rows_max
    values = (orders_ns, *sorted(TERMINAL))
    while left > 0 and (rows := _some(database, _OLD_ORDERS, values, left)):
        added += sum(_retire_row(database, OrderRecord, row) for row in rows)
        left -= len(rows)
    return added


def _some(database: sqlite3.Connection, query: str, values: Key, rows_max: int) -> list[Key]:
    """Return the next rows to retire."""
    return database.execute(query, (*values, min(rows_max, CHUNK))).fetchall()


def _retire_market(database: sqlite3.Connection, payout: Key, before_ns: int) -> int:
    """Retire a payout, its fills, and their orders, which are over and as old as it is."""
    added = _retire_row(database, PayoutRecord, payout)
    for fill in database.execute(_FILLS_OF, _key(PayoutRecord, payout)).fetchall():
        added += _retire_row(database, FillRecord, fill)
        key = (fill[_ORDER_OF_FILL],)
        order = database.execute(_STATEMENTS[OrderRecord].select, key).fetchone()
        if order is None or order[0] or order[1 + _CREATED] >= before_ns:
            continue
        if order[1 + _STATE] in TERMINAL:
            added += _retire_row(database, OrderRecord, order[1:])
    return added


def _retire_row(database: sqlite3.Connection, kind: type[Record], row: Key) -> int:
    statements = _STATEMENTS[kind]
    database.execute(statements.mark, (1, *_key(kind, row)))
    return -row_digest(statements.table, row)


def _position(record: OrderRecord | FillRecord) -> Key:
    return (record.market, record.token, record.strategy)


def _key(kind: type[Record], row: Key) -> Key:
    return tuple(row[index] for index in _STATEMENTS[kind].key_of)
