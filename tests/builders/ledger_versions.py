"""Ledgers as older releases wrote them, written here by what their form says alone."""

import hashlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from shared.ledger_schema import (
    PROJECTIONS,
    AnchorRecord,
    AnyRecord,
    EpochRecord,
    IdentityRecord,
    encode_record,
    meta_values,
)

TABLES_2: Final = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    body BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    wallet TEXT NOT NULL,
    api_key_id TEXT NOT NULL,
    strategy TEXT NOT NULL,
    leg_group TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    incarnation TEXT NOT NULL,
    intent TEXT NOT NULL,
    purpose TEXT NOT NULL,
    market TEXT NOT NULL,
    token TEXT NOT NULL,
    side TEXT NOT NULL,
    level INTEGER NOT NULL,
    price_e4 INTEGER NOT NULL,
    size_e6 INTEGER NOT NULL,
    post_only INTEGER NOT NULL,
    reduce_only INTEGER NOT NULL,
    state TEXT NOT NULL,
    filled_e6 INTEGER NOT NULL,
    reason TEXT NOT NULL,
    salt INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    maker_e6 INTEGER NOT NULL,
    taker_e6 INTEGER NOT NULL,
    expiration_s INTEGER NOT NULL,
    lease_until_wall_ns INTEGER NOT NULL,
    deadline_wall_ns INTEGER NOT NULL,
    created_wall_ns INTEGER NOT NULL,
    sent_wall_ns INTEGER NOT NULL,
    updated_wall_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_by_state ON orders (state);
CREATE INDEX orders_by_time ON orders (created_wall_ns);

CREATE TABLE fills (
    trade_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    account TEXT NOT NULL,
    strategy TEXT NOT NULL,
    market TEXT NOT NULL,
    token TEXT NOT NULL,
    side TEXT NOT NULL,
    price_e4 INTEGER NOT NULL,
    size_e6 INTEGER NOT NULL,
    role TEXT NOT NULL,
    settlement TEXT NOT NULL,
    fee_e6 INTEGER NOT NULL,
    match_ms INTEGER NOT NULL,
    updated_wall_ns INTEGER NOT NULL,
    PRIMARY KEY (trade_id, order_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX fills_by_market ON fills (market);
CREATE INDEX fills_by_time ON fills (match_ms);

CREATE TABLE payouts (
    market TEXT NOT NULL,
    token TEXT NOT NULL,
    strategy TEXT NOT NULL,
    account TEXT NOT NULL,
    payout_e4 INTEGER NOT NULL,
    size_e6 INTEGER NOT NULL,
    amount_e6 INTEGER NOT NULL,
    cost_e6 INTEGER NOT NULL,
    realised_e6 INTEGER NOT NULL,
    updated_wall_ns INTEGER NOT NULL,
    PRIMARY KEY (market, token, strategy)
) STRICT, WITHOUT ROWID;
"""
"""As a release of version 2 made them."""


def write_version_2(
    path: Path, turns: Iterable[Iterable[AnyRecord]], wall_ns: int = 1_790_000_000 * 10**9
) -> None:
    """Write a ledger of version 2, or go on writing it: a transaction for each turn."""
    is_new = not path.exists()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    if is_new:
        database.executescript(TABLES_2)
        database.execute("INSERT INTO meta VALUES ('schema_version', '2')")
    for turn in turns:
        database.execute("BEGIN")
        for record in turn:
            _append(database, record, wall_ns)
        database.execute("COMMIT")
    database.close()


def _append(database: sqlite3.Connection, record: AnyRecord, wall_ns: int) -> None:
    assert not isinstance(record, AnchorRecord), "version 2 had none"
    fields = msgspec.json.decode(encode_record(record))
    if isinstance(record, IdentityRecord | EpochRecord):
        database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta_values(record))
    else:
        table = PROJECTIONS[type(record)]
        names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        fields = {"type": fields["type"], **{name: fields[name] for name in names}}
        marks = ",".join("?" * len(names))
        values = [
            int(value) if isinstance(value := fields[name], bool) else value for name in names
        ]
        database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values)
    row = database.execute(
        "SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    sequence, previous = (1, bytes(32)) if row is None else (row[0] + 1, row[1])
    body = msgspec.json.encode(fields)
    head = previous + sequence.to_bytes(8, "big") + wall_ns.to_bytes(8, "big")
    digest = hashlib.sha256(head + body).digest()
    database.execute(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?)", (sequence, wall_ns, body, previous, digest)
    )
