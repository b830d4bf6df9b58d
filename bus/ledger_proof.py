"""The whole proof of a ledger: every event, every state, every row, from the first on.

Reads a ledger of the newest version, in slices, so that a live one is never held up: each slice
is one short read transaction. What the events say is replayed into a database of its own, which
lives in a temporary file; memory does not grow with the ledger. Nothing is changed or repaired.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from typing import Final

import msgspec

from bus.ledger_projection import project
from shared.ledger_chain import (
    CHAIN_START,
    PLAIN_VERSION,
    event_hash,
    pack_state,
)
from shared.ledger_schema import (
    KEYS,
    PROJECTIONS,
    AnchorRecord,
    AnyRecord,
    Record,
    columns,
    decode_record,
)
from shared.ledger_tables import META_ANCHOR, META_SCHEMA, SCHEMA_VERSION, TABLES

EVENTS_SLICE: Final = 2_000
"""Events of one read transaction: a few milliseconds, some megabytes."""

CACHE_KIB: Final = 65_536
"""Of the replay; what does not fit is in its temporary file."""

UNUSED_INDEXES: Final = ("orders_by_state", "orders_by_time", "fills_by_time")
"""Those of readers: a replay of a million orders takes half the time without them."""

ROWS_SLICE: Final = 2_000
"""Rows of a projection that are compared in one read transaction."""

EVENTS: Final = (
    "SELECT sequence, wall_ns, body, previous, hash, version, state FROM events"
    " WHERE sequence > ? ORDER BY sequence LIMIT ?"
)

Row = tuple[str | int, ...]
Event = tuple[int, int, bytes, bytes, bytes, int, bytes]

Reading = Callable[[], AbstractContextManager[sqlite3.Connection]]
"""Opens the ledger for one short read."""


class Broken(Exception):
    """The ledger does not agree with itself.

    Attributes:
        sequence: Of the first event that breaks, 0 when it is no event but a row.
        says: What that event says, as far as it can be read; empty for a row.
    """

    def __init__(self, what: str, sequence: int = 0, says: str = "") -> None:
        """Take what is wrong."""
        super().__init__(what)
        self.sequence = sequence
        self.says = says


class Proven(msgspec.Struct, frozen=True):
    """What a whole proof has covered.

    Attributes:
        events: From the first on, all of them chained.
        plain_events: Those of versions that kept no state; their rows are proven by replay.
        anchors: Among the events.
        first_hash: Of the first event, in hex; empty without one; last_hash likewise.
        last_wall_ns: When the newest was written.
        rows: Compared with the replay, by table.
        working: Of them those that a start works with, by table.
    """

    events: int
    plain_events: int
    anchors: int
    first_hash: str
    last_hash: str
    last_wall_ns: int
    rows: dict[str, int]
    working: dict[str, int]


class Replay:
    """What the events seen so far say; a database in a temporary file.

    Attributes:
        sequence: Of the newest event taken.
        anchor: Of the newest anchor taken, 0 for none.
    """

    def __init__(self) -> None:
        """Begin before the first event."""
        self.database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            self.database.execute(f"PRAGMA {pragma}")
        self.database.executescript(TABLES)
        for index in UNUSED_INDEXES:
            self.database.execute(f"DROP INDEX {index}")
        self.sequence = 0
        self.anchor = 0
        self._anchors = self._plain = self._version = self._wall_ns = self._state = 0
        self._previous = self._first = CHAIN_START

    def close(self) -> None:
        """Let go of the temporary file."""
        self.database.close()

    def take_all(self, events: list[Event]) -> None:
        """Take events in one transaction: many small ones would write the replay many times.

        Raises:
            Broken: One of them does not hold.
        """
        self.database.execute("BEGIN")
        for event in events:
            self.take(event)
        self.database.execute("COMMIT")

    def take(self, event: Event) -> None:
        """Check one event against the one before, and project it.

        Raises:
            Broken: It does not follow, is not what was written, or its state is not that of
                the rows.
        """
        check_form(event)
        number, wall_ns, body, _, digest, version, state = event
        fault = self._fault_of(event)
        if fault:
            raise Broken(fault, number, says(body))
        record = decoded(number, body, version)
        self._state += project(self.database, record, number)
        if version > PLAIN_VERSION and state != pack_state(self._state):
            raise Broken("the state after it is not that of the rows", number, says(body))
        self._plain += version <= PLAIN_VERSION
        if isinstance(record, AnchorRecord):
            self.anchor, self._anchors = number, self._anchors + 1
        if number == 1:
            self._first = digest
        self.sequence, self._previous, self._version = number, digest, version
        self._wall_ns = wall_ns

    def proven(self, rows: dict[str, int], working: dict[str, int]) -> Proven:
        """Return the summary, with the rows that were compared."""
        has_events = self.sequence > 0
        return Proven(
            events=self.sequence,
            plain_events=self._plain,
            anchors=self._anchors,
            first_hash=self._first.hex() if has_events else "",
            last_hash=self._previous.hex() if has_events else "",
            last_wall_ns=self._wall_ns,
            rows=rows,
            working=working,
        )

    @property
    def tip(self) -> tuple[int, bytes, int]:
        """Sequence, hash and state sum after the newest event taken."""
        return self.sequence, self._previous, self._state

    def _fault_of(self, event: Event) -> str:
        number, wall_ns, body, previous, digest, version, state = event
        if number != self.sequence + 1:
            return f"it follows event {self.sequence}: some are missing"
        if previous != self._previous:
            return "it names another event before it"
        if not self._version <= version <= SCHEMA_VERSION:
            return f"its version is {version}, after one of {self._version}"
        if digest != event_hash(previous, number, wall_ns, body, version, state):
            return "it is not what was written"
        return ""


def prove(reading: Reading, told: Callable[[int], None] = lambda sequence: None) -> Proven:
    """Prove a whole ledger, which may be written meanwhile.

    Args:
        reading: Opens it for each slice.
        told: Told the sequence reached, now and then.

    Raises:
        Broken: It is not proven.
        sqlite3.Error: It cannot be read.
    """
    with closing(Replay()) as replay:
        while take_slice(reading, replay):
            told(replay.sequence)
        _compare_meta(reading, replay)
        counted = {kind: _compare(reading, replay, kind) for kind in PROJECTIONS}
        return replay.proven(
            {PROJECTIONS[kind]: rows for kind, (rows, _) in counted.items()},
            {PROJECTIONS[kind]: working for kind, (_, working) in counted.items()},
        )


def take_slice(reading: Reading, replay: Replay) -> bool:
    """Replay the next events; return whether there may be more.

    Raises:
        Broken: One of them does not hold.
    """
    with reading() as database:
        events = _next_events(database, replay)
    replay.take_all(events)
    return len(events) == EVENTS_SLICE


def decoded(number: int, body: bytes, version: int) -> AnyRecord:
    """Return the record of an event.

    Raises:
        Broken: It is none of its version.
    """
    try:
        return decode_record(body, version)
    except msgspec.MsgspecError as error:
        raise Broken(f"it cannot be read: {error}", number, says(body)) from error


def check_form(event: Sequence[object]) -> None:
    """See that a row of the events is one: a torn page gives values of any kind.

    Raises:
        Broken: It is none.
    """
    number, wall_ns, body, previous, digest, version, state = event
    ends = ((number, NUMBER_END), (wall_ns, NUMBER_END), (version, VERSION_END))
    if not (
        all(isinstance(one, int) and 0 <= one < end for one, end in ends)
        and all(isinstance(one, bytes) for one in (body, previous, digest, state))
    ):
        raise Broken(
            "it is no event", number if isinstance(number, int) else 0, f"{event!r}"[:SAYS_MAX]
        )


def says(body: bytes) -> str:
    """Return what an event says, short enough for a line."""
    text = body.decode(errors="backslashreplace")
    return text if len(text) <= SAYS_MAX else f"{text[:SAYS_MAX]}…"


NUMBER_END: Final = 1 << 63
VERSION_END: Final = 1 << 31
"""Beyond what the hash has room for."""

SAYS_MAX: Final = 2_000
"""Characters of a body that are shown: a whole order has about 900."""


def _next_events(database: sqlite3.Connection, replay: Replay) -> list[Event]:
    return database.execute(EVENTS, (replay.sequence, EVENTS_SLICE)).fetchall()


def _compare_meta(reading: Reading, replay: Replay) -> None:
    """Compare what `meta` says with the events up to that moment.

    Raises:
        Broken: They differ.
    """
    query = "SELECT name, value FROM meta WHERE name <> ? ORDER BY name"
    with reading() as database:
        events = _next_events(database, replay)
        theirs = database.execute(query, (META_SCHEMA,)).fetchall()
    replay.take_all(events)
    ours = replay.database.execute(query, (META_SCHEMA,)).fetchall()
    if theirs != ours:
        raise Broken(f"meta says {dict(theirs)}, the events say {dict(ours)}")
    assert (META_ANCHOR, str(replay.anchor)) in ours or not replay.anchor, "projected above"


def _compare(reading: Reading, replay: Replay, kind: type[Record]) -> tuple[int, int]:
    """Compare a projection with the events, a slice at a time; return rows and working rows.

    A row that changes after its slice is written by the same transaction as its event; the
    slices together cover every row that was there when they began.

    Raises:
        Broken: A row differs, is missing, or has no event.
    """
    rows = working = 0
    after: Row | None = None
    while True:
        with reading() as database:
            events = _next_events(database, replay)
            theirs = _slice(database, kind, after, None)
        replay.take_all(events)
        last = _key_of(kind, theirs[-1]) if len(theirs) == ROWS_SLICE else None
        ours = _slice(replay.database, kind, after, last)
        for one, other in _pairs(theirs, ours):
            if one != other:
                raise Broken(_difference(kind, one, other))
        rows += len(theirs)
        working += sum(1 for row in theirs if not row[-1])
        if last is None:
            return rows, working
        after = last


def _slice(
    database: sqlite3.Connection, kind: type[Record], after: Row | None, last: Row | None
) -> list[Row]:
    """Return rows by key: those after one, up to another or to the end of a slice."""
    names, key = columns(kind), ", ".join(KEYS[kind])
    marks = ", ".join("?" * len(KEYS[kind]))
    conditions, values = ["1"], list[str | int]()
    if after is not None:
        conditions.append(f"({key}) > ({marks})")
        values += after
    if last is not None:
        conditions.append(f"({key}) <= ({marks})")
        values += last
    query = (
        f"SELECT {', '.join(names)}, retired FROM {PROJECTIONS[kind]}"  # noqa: S608
        f" WHERE {' AND '.join(conditions)} ORDER BY {key}"
    )
    if last is None:
        query += " LIMIT ?"
        values.append(ROWS_SLICE)
    return database.execute(query, values).fetchall()


def _pairs(theirs: list[Row], ours: list[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """Pair two lists by place; None stands where one has ended."""
    for index in range(max(len(theirs), len(ours))):
        yield (
            theirs[index] if index < len(theirs) else None,
            ours[index] if index < len(ours) else None,
        )


def _difference(kind: type[Record], one: Row | None, other: Row | None) -> str:
    """Say how a row and its replay differ."""
    table = PROJECTIONS[kind]
    if one is None or other is None or _key_of(kind, one) != _key_of(kind, other):
        keys = [_key_of(kind, row) for row in (one, other) if row is not None]
        named = min(keys, key=repr)
        is_extra = one is not None and _key_of(kind, one) == named
        return f"{table} {'has' if is_extra else 'lacks'} row {named}, against the events"
    names = (*columns(kind), "retired")
    parts = [
        f"{name} is {ours!r}, the events say {theirs!r}"
        for name, ours, theirs in zip(names, one, other, strict=True)
        if ours != theirs
    ]
    return f"row {_key_of(kind, one)} of {table}: {'; '.join(parts)}"


def _key_of(kind: type[Record], row: Row) -> Row:
    names = columns(kind)
    return tuple(row[names.index(name)] for name in KEYS[kind])
