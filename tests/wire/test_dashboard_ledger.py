"""What the page's thread reads of a ledger that grows, changes, is missing and comes back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bus import clock
from ops.waiting import wait_for
from services.dashboard.ledger_watch import SETTLING_MS, LedgerWatch
from services.dashboard.messages import LedgerRead, LedgerUnread
from shared.effects import Message
from shared.identifiers import TradeId
from shared.ledger_schema import LEDGER_FILE, PROJECTIONS, FillRecord, columns, row_values
from shared.ledger_tables import META_SCHEMA, SCHEMA_VERSION, TABLES
from shared.units import WallMs
from tests.builders.ledger_rows import build_fill_record

NOON_MS = 1_790_000_000_000


class Writer:
    """The least of a ledger's writer: fills, and an event for each."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.executescript(TABLES)
        self.connection.execute(
            "INSERT INTO meta VALUES (?, ?)", (META_SCHEMA, str(SCHEMA_VERSION))
        )

    def put(self, fill: FillRecord) -> None:
        places = ",".join("?" * len(columns(FillRecord)))
        table = PROJECTIONS[FillRecord]
        names = ", ".join(columns(FillRecord))
        self.connection.execute(
            f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})", row_values(fill)
        )
        self.connection.execute(
            "INSERT INTO events (wall_ns, body, previous, hash) VALUES (7, x'', x'', x'')"
        )


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[LedgerWatch]:
    made = LedgerWatch(tmp_path / LEDGER_FILE, every_s=3_600)
    try:
        yield made
    finally:
        made.close()


def trade(number: int, match_ms: int = NOON_MS, **spoil: str) -> FillRecord:
    return build_fill_record(trade_id=TradeId(f"t{number}"), match_ms=WallMs(match_ms), **spoil)


def test_first_reading_is_whole_and_later_ones_repeat_what_may_still_change(
    tmp_path: Path, watch: LedgerWatch
) -> None:
    writer = Writer(tmp_path / LEDGER_FILE)
    with closing(writer.connection):
        writer.put(trade(1, NOON_MS - 2 * SETTLING_MS))
        writer.put(trade(2))
        first = watch.read()
        assert isinstance(first, LedgerRead)
        assert first.is_whole
        assert [row.trade_id for row in first.fills] == ["t1", "t2"]
        still = watch.read()
        assert isinstance(still, LedgerRead)
        assert (still.fills, still.is_whole, still.as_of_wall_ns) == ((), False, 7)
        writer.put(trade(2, settlement="CONFIRMED"))
        writer.put(trade(3))
        later = watch.read()
        assert isinstance(later, LedgerRead)
        assert not later.is_whole
        assert [(row.trade_id, row.settlement) for row in later.fills] == [
            ("t2", "CONFIRMED"),
            ("t3", "MATCHED"),
        ]


def test_missing_ledger_is_told_and_the_next_one_is_read_whole(
    tmp_path: Path, watch: LedgerWatch
) -> None:
    told: list[Message] = []

    def look() -> bool | None:
        told.extend(watch.on_tick(clock.read()))
        return True if told else None

    assert wait_for(look, 10)
    assert isinstance(told[0], LedgerUnread)
    assert told[0].why == "ledger missing"
    writer = Writer(tmp_path / LEDGER_FILE)
    with closing(writer.connection):
        writer.put(trade(1))
        found = watch.read()
        assert isinstance(found, LedgerRead)
        assert found.is_whole
