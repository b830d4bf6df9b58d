"""A ledger that another connection holds at a start is waited for a while, then refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.execution.ledger.fault import LedgerFault, LedgerHeld
from services.execution.ledger.ledger import HELD_PAUSE_S, HELD_TRIES_MAX, Ledger, open_waiting
from services.execution.ledger.opening import connect_file
from shared.ledger_schema import IdentityRecord, Journal
from shared.ledger_tables import META_SCHEMA
from tests.builders.markets import instant

NOW = instant()
IDENTITY = IdentityRecord("main", "0x1", "key")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger that was closed in peace."""
    path = tmp_path / "ledger.db"
    ledger = Ledger(path, NOW)
    ledger.apply(Journal((IDENTITY,)), NOW)
    ledger.commit(NOW)
    ledger.close()
    return path


@pytest.fixture
def holder(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who holds the whole file, as whoever recovers its log does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        yield connection


@pytest.mark.req("EX-5", "EX-15", "OP-13")
def test_start_waits_for_a_ledger_that_is_held_for_a_moment(
    path: Path, holder: sqlite3.Connection
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            holder.close()

    with closing(open_waiting(path, NOW, pause)) as ledger:
        assert ledger.opened.identity == IDENTITY
    assert pauses == [HELD_PAUSE_S] * 2


@pytest.mark.usefixtures("holder")
def test_ledger_that_stays_held_is_refused_by_what_holds_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.execution.ledger.opening.BUSY_MS", 1)
    pauses: list[float] = []
    with pytest.raises(LedgerHeld, match="locked"):
        open_waiting(path, NOW, pauses.append)
    assert len(pauses) == HELD_TRIES_MAX - 1


def test_fault_that_stays_is_not_waited_for(path: Path) -> None:
    with closing(connect_file(path)) as database:
        database.execute("UPDATE meta SET value = '99' WHERE name = ?", (META_SCHEMA,))
    pauses: list[float] = []
    with pytest.raises(LedgerFault) as fault:
        open_waiting(path, NOW, pauses.append)
    assert not isinstance(fault.value, LedgerHeld)
    assert pauses == []
