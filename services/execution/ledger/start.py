"""What a start verifies of the ledger, and what it reads: both bounded, however long it is.

Impure: SQL. Verified are the chain from the newest anchor on, the newest record of each key in it
against its row, and the whole working set against the state that the newest event is chained
with. That finds torn or changed pages where a start works, rows that differ from the events,
events missing at the end, and an anchor that is none. Retired rows are read by nobody
here; `interlock audit verify` proves them (`bus/ledger_proof.py`).
"""

import sqlite3
from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from bus.ledger_projection import meta_state, working_rows
from bus.ledger_proof import Broken, check_form, decoded
from services.execution.ledger.appending import RECENT_NS
from services.execution.startup import OpenedLedger
from shared.ledger_chain import CHAIN_START, event_hash, pack_state, row_digest
from shared.ledger_schema import (
    KEYS,
    PROJECTIONS,
    AnchorRecord,
    AnyRecord,
    FillRecord,
    IdentityRecord,
    OrderRecord,
    PayoutRecord,
    Record,
    columns,
    row_values,
)
from shared.ledger_tables import META_ACCOUNT, META_ANCHOR, META_API_KEY, META_EPOCH, META_WALLET
from shared.orders import TERMINAL
from shared.units import Instant

_TAIL: Final = (
    "SELECT sequence, wall_ns, body, previous, hash, version, state FROM events"
    " WHERE sequence >= ? ORDER BY sequence"
)

SEQUENCE_DIGITS_MAX: Final = 18
"""More than any ledger has events."""

Row = tuple[str | int, ...]
RowT = TypeVar("RowT", bound=Record)


def open_verified(database: sqlite3.Connection, now: Instant) -> OpenedLedger:
    """Verify what a start rests on, in one view of it, and return it.

    Raises:
        Broken: The ledger does not agree with itself.
        sqlite3.Error: It cannot be read.
    """
    database.execute("BEGIN")
    try:
        return _verified(database, now)
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")


def _verified(database: sqlite3.Connection, now: Instant) -> OpenedLedger:
    meta = dict(database.execute("SELECT name, value FROM meta"))
    records, state = _verify_chain(database, _anchor_of(meta))
    orders = _Working(database, OrderRecord)
    fills = _Working(database, FillRecord)
    payouts = _Working(database, PayoutRecord)
    for working in (orders, fills, payouts):
        working.check(records)
    total = meta_state(database) + orders.digest + fills.digest + payouts.digest
    if pack_state(total) != (state or pack_state(0)):
        raise Broken(
            "the rows differ from the state that is chained with the newest event;"
            " `interlock audit verify` names the first difference"
        )
    return _opened(meta, orders.records(), fills.records(), payouts.records(), now)


def _anchor_of(meta: dict[str, str]) -> int:
    """Return the sequence of the newest anchor, 0 when there is none yet.

    Raises:
        Broken: It is no number.
    """
    text = meta.get(META_ANCHOR, "0")
    if not text.isdecimal() or len(text) > SEQUENCE_DIGITS_MAX:
        raise Broken(f"{text!r} is the number of no anchor")
    return int(text)


def _verify_chain(database: sqlite3.Connection, anchor: int) -> tuple[list[AnyRecord], bytes]:
    """Verify the events from an anchor on; return their records, and the state after them.

    Args:
        database: Of the newest version.
        anchor: Sequence of the newest anchor, 0 when there is none yet.

    Raises:
        Broken: An event was changed, lost or added, or the anchor is none.
    """
    records: list[AnyRecord] = []
    sequence, tip, newest = max(anchor - 1, 0), CHAIN_START, b""
    for event in database.execute(_TAIL, (anchor,)):
        check_form(event)
        number, wall_ns, body, previous, digest, version, state = event
        is_trusted = number == anchor and anchor > 1
        sequence += 1
        if number != sequence or (previous != tip and not is_trusted):
            raise Broken(f"the chain breaks at event {number}", number)
        if digest != event_hash(previous, number, wall_ns, body, version, state):
            raise Broken(f"event {number} is not what was written", number)
        records.append(decoded(number, body, version))
        tip, newest = digest, state
    if anchor and not (records and isinstance(records[0], AnchorRecord)):
        raise Broken(f"event {anchor} should be the newest anchor, and is not", anchor)
    return records, newest


class _Working:
    """The working set of one projection.

    Attributes:
        digest: What its rows add to the state.
    """

    def __init__(self, database: sqlite3.Connection, kind: type[Record]) -> None:
        self._kind = kind
        self._names = columns(kind)
        places = [self._names.index(name) for name in KEYS[kind]]
        self._rows: dict[Row, Row] = {}
        self.digest = 0
        for row in working_rows(database, kind):
            self._rows[tuple(row[place] for place in places)] = row
            self.digest += row_digest(PROJECTIONS[kind], row)

    def check(self, records: Iterable[AnyRecord]) -> None:
        """Compare the newest record of each key with its row.

        Raises:
            Broken: They differ.
        """
        newest = {
            tuple(getattr(record, name) for name in KEYS[self._kind]): record
            for record in records
            if isinstance(record, self._kind)
        }
        for key, record in newest.items():
            if self._rows.get(key) != row_values(record):
                raise Broken(f"row {key} of {PROJECTIONS[self._kind]} differs from its event")

    def records(self) -> list[dict[str, str | int]]:
        """Return the rows, by the names of their columns."""
        return [dict(zip(self._names, row, strict=True)) for row in self._rows.values()]


def _opened(
    meta: dict[str, str],
    order_rows: list[dict[str, str | int]],
    fill_rows: list[dict[str, str | int]],
    payout_rows: list[dict[str, str | int]],
    now: Instant,
) -> OpenedLedger:
    """Return what the core needs of the working set: it may hold more until the next anchor."""
    since_ns = now.wall_ns - RECENT_NS
    payouts = _as_records(payout_rows, PayoutRecord)
    paid = {_position(payout) for payout in payouts}
    fills = [
        fill
        for fill in _as_records(fill_rows, FillRecord)
        if fill.updated_wall_ns > since_ns or _position(fill) not in paid
    ]
    held = {_position(fill) for fill in fills}
    filled = {fill.order_id for fill in fills}
    orders = [
        order
        for order in _as_records(order_rows, OrderRecord)
        if order.state not in TERMINAL
        or order.created_wall_ns > since_ns
        or order.order_id in filled
    ]
    return OpenedLedger(
        identity=(
            IdentityRecord(meta[META_ACCOUNT], meta[META_WALLET], meta[META_API_KEY])
            if META_ACCOUNT in meta
            else None
        ),
        epoch=int(meta.get(META_EPOCH, "0")),
        orders=tuple(sorted(orders, key=lambda one: (one.created_wall_ns, one.order_id))),
        fills=tuple(sorted(fills, key=lambda one: (one.match_ms, one.trade_id, one.order_id))),
        payouts=tuple(
            payout
            for payout in sorted(payouts, key=lambda one: one.updated_wall_ns)
            if payout.updated_wall_ns > since_ns or _position(payout) in held
        ),
    )


def _position(record: FillRecord | PayoutRecord) -> tuple[str, str, str]:
    return (record.market, record.token, record.strategy)


def _as_records(rows: list[dict[str, str | int]], kind: type[RowT]) -> list[RowT]:
    """Return rows as records; SQLite has no flags, so they are converted from numbers."""
    return [msgspec.convert({"type": kind.__name__, **row}, kind, strict=False) for row in rows]
