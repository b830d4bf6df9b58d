"""What was written, newest last, and whether all of it is what was written.

Reads the ledger of execution and the audit trail of risk, both chained, without ever holding a
live file up: every read is a short transaction on a connection of its own. What cannot be
read is `Unreadable`, never an empty answer, and what is not proven is `NotProven`.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from bus.ledger_proof import Broken, Event, Proven, check_form, decoded, prove
from bus.ledger_reader import Unreadable, read_file, read_ledger, read_transaction
from shared.ledger_schema import (
    AnchorRecord,
    AnyRecord,
    EpochRecord,
    FillRecord,
    IdentityRecord,
    OrderRecord,
)
from shared.risk_schema import SCHEMA_VERSION as RISK_VERSION
from shared.risk_schema import AuditEntry, AuditRow, first_broken
from shared.units import WallNs

ROWS_SLICE: Final = 2_000
"""Rows of risk's trail in one read transaction."""

_TRAIL: Final = (
    "SELECT sequence, wall_ns, kind, actor, what, scope, before, after, cause, previous, hash"
    " FROM audit"
)


class Entry(msgspec.Struct, frozen=True):
    """One thing that was written.

    Attributes:
        source: `ledger` or `risk`.
        sequence: Its number there, from 1.
        kind: Of the ledger order, fill, payout, epoch, identity or anchor; of risk as it says.
        what: In words, without secrets.
    """

    source: str
    sequence: int
    wall_ns: WallNs
    kind: str
    what: str


class NotProven(msgspec.Struct, frozen=True):
    """The first thing that does not hold.

    Attributes:
        what: How it shows.
        sequence: Of the first event or row that breaks; 0 when a projection's row does.
        says: What that event or row says.
    """

    what: str
    sequence: int
    says: str


class TrailProven(msgspec.Struct, frozen=True):
    """Risk's trail, proven from its first row on.

    Attributes:
        rows: All of them chained.
        first_hash: Of the first, in hex; empty without one; last_hash likewise.
        last_wall_ns: When the newest was written, 0 without one.
    """

    rows: int
    first_hash: str
    last_hash: str
    last_wall_ns: WallNs


class LedgerAudit:
    """The events of one ledger file, which need not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self, rows_max: int) -> tuple[Entry, ...] | Unreadable:
        """Return the newest events, oldest first."""

        def ask(connection: sqlite3.Connection) -> tuple[Entry, ...]:
            found = connection.execute(
                "SELECT sequence, wall_ns, body, previous, hash, version, state FROM events"
                " ORDER BY sequence DESC LIMIT ?",
                (rows_max,),
            ).fetchall()
            return tuple(_event_entry(event) for event in reversed(found))

        try:
            return read_ledger(self._path, ask)
        except Broken as broken:
            return Unreadable("corrupt", f"event {broken.sequence}: {broken}")

    def prove(
        self, told: Callable[[int], None] = lambda sequence: None
    ) -> Proven | NotProven | Unreadable:
        """Prove the whole ledger: chain, states, and every row against its events.

        Args:
            told: Told the number of the event reached, now and then.
        """
        known = read_ledger(self._path, lambda connection: None)
        if known is not None:
            return known
        try:
            return prove(lambda: read_transaction(self._path), told)
        except Broken as broken:
            return NotProven(str(broken), broken.sequence, broken.says)
        except sqlite3.DatabaseError as error:
            return Unreadable("corrupt", str(error))


class RiskTrail:
    """The audit trail of one risk database, which need not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(self, rows_max: int) -> tuple[Entry, ...] | Unreadable:
        """Return the newest rows, oldest first."""
        found = self._rows(f"{_TRAIL} ORDER BY sequence DESC LIMIT ?", (rows_max,))
        if isinstance(found, Unreadable):
            return found
        return tuple(_trail_entry(row) for row in reversed(found))

    def newest_of(
        self, what: str, after: tuple[str, ...], rows_max: int
    ) -> tuple[AuditRow, ...] | Unreadable:
        """Return the newest rows of one subject that ended so, oldest first."""
        marks = ", ".join("?" for _ in after)
        query = f"{_TRAIL} WHERE what = ? AND after IN ({marks}) ORDER BY sequence DESC LIMIT ?"
        found = self._rows(query, (what, *after, rows_max))
        return found if isinstance(found, Unreadable) else tuple(reversed(found))

    def prove(
        self, told: Callable[[AuditRow], None] = lambda row: None
    ) -> TrailProven | NotProven | Unreadable:
        """Prove the chain of the whole trail.

        Args:
            told: Told every row in its order; what it makes of them counts only when all
                of it is proven.
        """
        first: AuditRow | None = None
        newest: AuditRow | None = None
        while True:
            after = newest.sequence if newest is not None else 0
            rows = self._rows(
                f"{_TRAIL} WHERE sequence > ? ORDER BY sequence LIMIT ?", (after, ROWS_SLICE)
            )
            if isinstance(rows, Unreadable):
                return rows
            broken = first_broken(rows, newest)
            if broken is not None:
                row = next(row for row in rows if row.sequence == broken)
                return NotProven("it does not follow from the one before", broken, _words(row))
            for row in rows:
                told(row)
            if rows:
                first, newest = first or rows[0], rows[-1]
            if len(rows) < ROWS_SLICE:
                break
        if first is None or newest is None:
            return TrailProven(0, "", "", WallNs(0))
        return TrailProven(
            newest.sequence, first.hash.hex(), newest.hash.hex(), WallNs(newest.wall_ns)
        )

    def _rows(self, query: str, values: tuple[int | str, ...]) -> list[AuditRow] | Unreadable:
        def ask(connection: sqlite3.Connection) -> list[AuditRow] | Unreadable:
            meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
            if meta.get("schema") != str(RISK_VERSION):
                found = meta.get("schema", "none")
                return Unreadable("schema", f"version {found}, this program reads {RISK_VERSION}")
            return [
                AuditRow(row[0], row[1], AuditEntry(*row[2:9]), row[9], row[10])
                for row in connection.execute(query, values)
            ]

        return read_file(self._path, ask)


def _event_entry(event: Event) -> Entry:
    check_form(event)
    sequence, wall_ns, body, _, _, version, _ = event
    kind, what = _told(decoded(sequence, body, version))
    return Entry("ledger", sequence, WallNs(wall_ns), kind, what)


def _told(record: AnyRecord) -> tuple[str, str]:
    """Return what kind of record it is, and what it says in words."""
    match record:
        case IdentityRecord():
            return "identity", f"{record.account} {record.wallet}"
        case EpochRecord():
            return "epoch", str(record.epoch)
        case AnchorRecord():
            return "anchor", f"retires at most {record.rows_max} orders and payouts"
        case OrderRecord():
            size, filled = record.size_e6 / 1e6, record.filled_e6 / 1e6
            offer = f"{record.side} {size:g} at {record.price_e4 / 1e4:g}"
            words = f"{record.order_id} {record.state} {offer}, filled {filled:g}"
            return "order", words + (f": {record.reason}" if record.reason else "")
        case FillRecord():
            offer = f"{record.side} {record.size_e6 / 1e6:g} at {record.price_e4 / 1e4:g}"
            return "fill", f"{record.trade_id} {record.settlement} {offer} of {record.order_id}"
        case _:
            paid = f"{record.amount_e6 / 1e6:g} USD, made {record.realised_e6 / 1e6:g}"
            return "payout", f"{record.market} {record.strategy} {paid}"


def _trail_entry(row: AuditRow) -> Entry:
    return Entry("risk", row.sequence, row.wall_ns, row.entry.kind, _words(row))


def _words(row: AuditRow) -> str:
    entry = row.entry
    change = f"{entry.before or 'nothing'} to {entry.after}"
    cause = f": {entry.cause}" if entry.cause else ""
    return f"{entry.what} {entry.scope} {change} by {entry.actor}{cause}"
