"""The ledger's file format: its tables, their versions, and the way from one to the next.

Text only; opens no file.

    meta      name and value: `schema_version`, `anchor` (sequence of the newest anchor), and the
              account, wallet, api_key_id and epoch that the newest records of them said
    events    the truth, append-only: sequence from 1 without a hole, wall time of the writing,
              body (a record as JSON), `previous` and `hash` (the chain, `ledger_chain.py`), the
              schema version under which the body was written, and `state`
    orders, fills, payouts
              projections: the newest record of each key, written in the transaction of its event,
              so that a reader needs no replay

`state` is a digest over meta and all rows of the projections with `retired = 0`, the working
set, as they are after the event. It is chained with the event. So a start verifies the chain from
the newest anchor on and the rows that it works with, however long the history is; retired rows
are proven by `interlock audit verify`, which replays everything.

A file is never changed in place but by appending and by its projections. Version 2 had neither
version, state nor retired; its events stay as they were written, under its form of the hash.
"""

from typing import Final

SCHEMA_VERSION: Final = 3
"""Grows with every release that changes a table. Older ledgers that `MIGRATIONS` knows are
migrated when execution opens them; every other version is refused."""

META_SCHEMA: Final = "schema_version"
META_ACCOUNT: Final = "account"
META_WALLET: Final = "wallet"
META_API_KEY: Final = "api_key_id"
META_EPOCH: Final = "epoch"
META_ANCHOR: Final = "anchor"

UNPROJECTED: Final = (META_SCHEMA, META_ANCHOR)
"""Rows of `meta` that no record says; every other one is part of the state."""

TABLES: Final = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    body BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    version INTEGER NOT NULL DEFAULT 2,
    state BLOB NOT NULL DEFAULT x''
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
    updated_wall_ns INTEGER NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_by_state ON orders (state);
CREATE INDEX orders_by_time ON orders (created_wall_ns);
CREATE INDEX orders_working ON orders (retired, created_wall_ns) WHERE retired = 0;
CREATE INDEX orders_unfilled ON orders (created_wall_ns) WHERE retired = 0 AND filled_e6 = 0;

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
    retired INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (trade_id, order_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX fills_by_market ON fills (market);
CREATE INDEX fills_by_time ON fills (match_ms);
CREATE INDEX fills_by_order ON fills (order_id);
CREATE INDEX fills_working ON fills (updated_wall_ns) WHERE retired = 0;

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
    retired INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (market, token, strategy)
) STRICT, WITHOUT ROWID;

CREATE INDEX payouts_working ON payouts (updated_wall_ns) WHERE retired = 0;
"""
"""Every table. A projection's columns are the fields of its record, and `retired`."""

MIGRATIONS: Final[dict[int, tuple[str, ...]]] = {
    2: (
        "ALTER TABLE events ADD COLUMN version INTEGER NOT NULL DEFAULT 2",
        "ALTER TABLE events ADD COLUMN state BLOB NOT NULL DEFAULT x''",
        "ALTER TABLE orders ADD COLUMN retired INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE fills ADD COLUMN retired INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE payouts ADD COLUMN retired INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX orders_working ON orders (retired, created_wall_ns) WHERE retired = 0",
        "CREATE INDEX orders_unfilled ON orders (created_wall_ns)"
        " WHERE retired = 0 AND filled_e6 = 0",
        "CREATE INDEX fills_by_order ON fills (order_id)",
        "CREATE INDEX fills_working ON fills (updated_wall_ns) WHERE retired = 0",
        "CREATE INDEX payouts_working ON payouts (updated_wall_ns) WHERE retired = 0",
    ),
}
"""By version: what makes its tables those of the next. All steps are one transaction."""
