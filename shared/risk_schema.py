"""Risk's database: reserved epochs, latches, and the chained audit trail.

Holds the tables, the records that risk writes, and the hash that chains the audit; opens no
file (`services/risk/store.py` writes, the command reads). The audit is append-only: each row
is hashed over the one before, so that a row changed or taken out later shows. Taking off
the newest rows cannot show in the chain itself; the epoch reserved beside it, which a
restart must never see go back, covers that.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from shared.control import ScopeKind
from shared.units import WallNs

SCHEMA_VERSION: Final = 1
"""Grows with every change of a table; a database of another version is refused."""

CHAIN_START: Final = bytes(32)
"""What the first audit row names as the one before it."""

RISK_FILE: Final = "risk.db"
"""Name inside the data directory."""

MARKER_FILE: Final = "account.json"
"""Written beside the database when it is first made. Marker without database: it was lost."""

PANIC_FILE: Final = "PANIC"
"""Latch file of the panic command, inside the data directory."""

ALERTS_FILE: Final = "alerts.jsonl"
"""Alerts of what stands outside the bus, one JSON object a line, inside the data directory."""


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row."""


class LatchRow(_Row, frozen=True):
    """One latch. Setting it again, for whatever reason, makes a new version.

    Attributes:
        name: Of the switch table.
        version: Grows over all latches of the account, so a version names one setting of one.
        wall_ns: When it was set.
        evidence: What was seen, for people.
    """

    name: str
    scope: ScopeKind
    scope_id: str
    version: int
    wall_ns: WallNs
    reason: str
    evidence: str


class AuditEntry(_Row, frozen=True):
    """What happened, before it has its place in the chain.

    Attributes:
        kind: `transition`, `operator` or `fence`.
        actor: `risk`, or `uid:pid` of the operator's end of the control socket.
        what: Subject: a switch, a component, `trading_state`, a request.
        before: State before, empty when there is none.
        cause: Why.
    """

    kind: str
    actor: str
    what: str
    scope: str
    before: str
    after: str
    cause: str


class AuditRow(_Row, frozen=True):
    """One link of the chain; sequence counts from 1 without a hole."""

    sequence: int
    wall_ns: WallNs
    entry: AuditEntry
    previous: bytes
    hash: bytes


class EpochReserved(_Row, frozen=True):
    """Epochs up to this one may be used without a further write."""

    reserved: int


class LatchCleared(_Row, frozen=True):
    """An operator has cleared exactly this version of a latch."""

    name: str
    scope: ScopeKind
    scope_id: str
    version: int


class CapitalSet(_Row, frozen=True):
    """An operator has set the step of the capital (ST-8).

    Attributes:
        usd: One of 50, 100, 500.
    """

    usd: int


class Kept(_Row, frozen=True):
    """What a source of samples keeps for its next run; each replaces the one of its name.

    Attributes:
        name: Of the source.
        text: JSON of its own.
    """

    name: str
    text: str


class KeyUsed(_Row, frozen=True):
    """From now on orders of this API key may be in the market, and of no other.

    Attributes:
        api_key: Public id of the key; `ANY_KEY` while those of more than one may be.
    """

    api_key: str


ANY_KEY: Final = ""
"""Whose orders are in the market is not known: the key was changed, or never written down."""

META_API_KEY: Final = "api_key"
"""Name among the rows of `meta`."""

KEPT_PREFIX: Final = "kept:"
"""Before the name of what is kept, among the rows of `meta`."""

RiskRecord = EpochReserved | LatchRow | LatchCleared | CapitalSet | Kept | KeyUsed | AuditRow

TABLES: Final = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE latches (
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (name, scope, scope_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    wall_ns INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    scope TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    cause TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
"""


def audit_hash(sequence: int, wall_ns: WallNs, entry: AuditEntry, previous: bytes) -> bytes:
    """Return the hash of an audit row: 32 bytes over its place, its content and its forerunner."""
    content = msgspec.json.encode((sequence, wall_ns, msgspec.structs.astuple(entry)))
    return hashlib.sha256(previous + content).digest()


def chain(sequence: int, wall_ns: WallNs, entry: AuditEntry, previous: bytes) -> AuditRow:
    """Return an entry as the next link after a row."""
    return AuditRow(
        sequence, wall_ns, entry, previous, audit_hash(sequence, wall_ns, entry, previous)
    )


def first_broken(rows: Iterable[AuditRow], previous: AuditRow | None = None) -> int | None:
    """Return the sequence of the first row that does not follow from the one before it.

    Args:
        rows: In order of sequence.
        previous: Row before the first of them; None when they start the chain.

    Returns:
        None when all of them hold.
    """
    sequence = previous.sequence if previous else 0
    tip = previous.hash if previous else CHAIN_START
    for row in rows:
        wanted = audit_hash(row.sequence, row.wall_ns, row.entry, row.previous)
        if row.sequence != sequence + 1 or row.previous != tip or row.hash != wanted:
            return row.sequence
        sequence, tip = row.sequence, row.hash
    return None
