"""Appends to the ledger: one event, its rows, its link of the chain.

Impure: SQL on a connection that is inside a transaction; begins and commits nothing, so that
the writer decides what is durable together. An anchor is appended now and then, so that a start
has little to verify; it rides on a commit that is made anyway.
"""

import sqlite3
from typing import Final

from bus.ledger_projection import project, working_state
from shared.ledger_chain import CHAIN_START, event_hash, pack_state, unpack_state
from shared.ledger_schema import AnchorRecord, AnyRecord, encode_record
from shared.ledger_tables import META_ANCHOR, SCHEMA_VERSION
from shared.units import NS_PER_S, Instant, WallNs

RECENT_NS: Final = 2 * 86_400 * NS_PER_S
"""Terminal orders, closed positions and payouts are worked with for so long: late reports."""

ORDERS_RECENT_MAX: Final = 20_000
"""Newest orders that stay: what execution remembers, which no start needs to exceed."""

ANCHOR_EVENTS: Final = 256
"""A start verifies so many events more or less: a few milliseconds."""

RETIRED_MAX: Final = 256
"""Rows that one anchor retires: more than become old meanwhile, a few milliseconds too."""

_NEWEST: Final = "SELECT sequence, hash, state FROM events ORDER BY sequence DESC LIMIT 1"

_INSERT: Final = (
    "INSERT INTO events (sequence, wall_ns, body, previous, hash, version, state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)

_NTH_NEWEST: Final = (
    "SELECT created_wall_ns FROM orders INDEXED BY orders_working WHERE retired = 0"
    " ORDER BY created_wall_ns DESC LIMIT 1 OFFSET ?"
)


class Appender:
    """The end of the chain, and the way to put something after it.

    Attributes:
        sequence: Of the newest event, 0 without one.
        anchor: Sequence of the newest anchor, 0 without one.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        """Begin after what the database holds."""
        self._database = database
        self.sequence = self.anchor = 0
        self._previous, self._state = CHAIN_START, 0
        self.reload()

    def reload(self) -> None:
        """Go on from what the database holds, as after a transaction that was rolled back."""
        row = self._database.execute(_NEWEST).fetchone()
        self.sequence, self._previous, state = (0, CHAIN_START, b"") if row is None else row
        self._state = unpack_state(state) if state else working_state(self._database)
        anchor = self._database.execute(
            "SELECT value FROM meta WHERE name = ?", (META_ANCHOR,)
        ).fetchone()
        self.anchor = 0 if anchor is None else int(anchor[0])

    def append(self, record: AnyRecord, now: Instant) -> None:
        """Chain one event and project it.

        Raises:
            sqlite3.Error: The database does not take it.
        """
        body = encode_record(record)
        sequence = self.sequence + 1
        self._state += project(self._database, record, sequence)
        state = pack_state(self._state)
        digest = event_hash(self._previous, sequence, now.wall_ns, body, SCHEMA_VERSION, state)
        self._database.execute(
            _INSERT,
            (sequence, now.wall_ns, body, self._previous, digest, SCHEMA_VERSION, state),
        )
        self.sequence, self._previous = sequence, digest
        if isinstance(record, AnchorRecord):
            self.anchor = sequence

    @property
    def events_since_anchor(self) -> int:
        """How many events stand after the newest anchor."""
        return self.sequence - self.anchor

    def append_anchor(self, now: Instant, rows_max: int = RETIRED_MAX) -> None:
        """Append an anchor that retires what is old, or beyond what is kept.

        Raises:
            sqlite3.Error: The database does not take it.
        """
        since_ns = now.wall_ns - RECENT_NS
        nth = self._database.execute(_NTH_NEWEST, (ORDERS_RECENT_MAX - 1,)).fetchone()
        orders_ns = since_ns if nth is None else max(since_ns, nth[0])
        self.append(AnchorRecord(WallNs(orders_ns), WallNs(since_ns), rows_max), now)
