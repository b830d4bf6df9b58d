"""A ledger of an older release is proven, copied and migrated at once, or left as it was."""

import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from bus.ledger_proof import prove
from bus.ledger_reader import LedgerReader, Unreadable
from services.execution.ledger import migration
from services.execution.ledger.fault import LedgerFault
from services.execution.ledger.ledger import Ledger
from shared.identifiers import OrderHash, TradeId
from shared.ledger_schema import EpochRecord, IdentityRecord, Journal, OrderRecord
from shared.units import WallNs
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.ledger_versions import write_version_2
from tests.builders.markets import instant

NOW = instant()
IDENTITY = IdentityRecord("main", "0x1", "key")
LONG_AGO = WallNs(1_780_000_000 * 10**9)


def old_order() -> OrderRecord:
    return build_order_record(
        order_id=OrderHash("0x" + "cd" * 32), state="CANCELED", created_wall_ns=LONG_AGO
    )


def version_2(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    write_version_2(
        path,
        (
            (IDENTITY, EpochRecord(7), old_order()),
            (build_order_record(), build_fill_record()),
            (build_order_record(state="LIVE"), EpochRecord(8)),
        ),
    )
    return path


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def value(path: Path, query: str) -> object:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchone()[0]


@pytest.mark.req("OP-12")
def test_ledger_of_version_2_opens_with_all_that_it_held(tmp_path: Path) -> None:
    path = version_2(tmp_path)
    ledger = Ledger(path, NOW)
    opened = ledger.opened
    assert opened.identity == IDENTITY
    assert opened.epoch == 8
    assert opened.orders == (build_order_record(state="LIVE"),)
    assert opened.fills == (build_fill_record(),)
    ledger.apply(Journal((EpochRecord(9),)), NOW)
    ledger.commit(NOW)
    ledger.close()
    again = Ledger(path, NOW)
    assert again.opened.epoch == 9
    again.close()
    with closing(sqlite3.connect(path)) as database:
        proven = prove(lambda: nullcontext(database))
    assert (proven.events, proven.plain_events, proven.anchors) == (9, 7, 1)
    assert (proven.rows["orders"], proven.working["orders"]) == (2, 1)


def test_copy_of_the_old_ledger_is_whole_and_private(tmp_path: Path) -> None:
    path = version_2(tmp_path)
    before = dump(path)
    Ledger(path, NOW).close()
    copy = tmp_path / "ledger.db.v2-backup"
    assert dump(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part*"))


def test_old_events_stay_as_they_were_written(tmp_path: Path) -> None:
    path = version_2(tmp_path)
    query = "SELECT sequence, wall_ns, body, previous, hash FROM events WHERE sequence <= 7"
    with closing(sqlite3.connect(path)) as database:
        before = database.execute(query).fetchall()
    Ledger(path, NOW).close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(query).fetchall() == before


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE events SET wall_ns = wall_ns + 1 WHERE sequence = 2",
        "UPDATE orders SET reason = 'x' WHERE state = 'CANCELED'",
        "DELETE FROM fills",
    ],
)
def test_ledger_that_is_not_proven_is_not_migrated(tmp_path: Path, harm: str) -> None:
    path = version_2(tmp_path)
    with sqlite3.connect(path) as database:
        database.execute(harm)
    database.close()
    before = dump(path)
    with pytest.raises(LedgerFault, match="not proven"):
        Ledger(path, NOW)
    assert dump(path) == before


def test_migration_that_was_cut_off_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = version_2(tmp_path)

    def fail(path: Path) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(migration, "sync_file", fail)
        with pytest.raises(OSError, match="gone"):
            Ledger(path, NOW)
    assert value(path, "SELECT value FROM meta WHERE name = 'schema_version'") == "2"
    Ledger(path, NOW).close()
    assert value(path, "SELECT value FROM meta WHERE name = 'schema_version'") == "3"
    assert [found.name for found in tmp_path.glob("*backup*")] == ["ledger.db.v2-backup"]


def test_copy_of_another_ledger_is_never_written_over(tmp_path: Path) -> None:
    path = version_2(tmp_path)
    other = tmp_path / "ledger.db.v2-backup"
    write_version_2(other, ((IDENTITY, build_fill_record(trade_id=TradeId("t9"))),))
    before = dump(other)
    Ledger(path, NOW).close()
    assert dump(other) == before
    assert (tmp_path / "ledger.db.v2-backup-2").exists()


def test_reader_says_what_an_old_ledger_waits_for(tmp_path: Path) -> None:
    path = version_2(tmp_path)
    found = LedgerReader(path).orders()
    assert isinstance(found, Unreadable)
    assert (found.why, "migrates it to 3" in found.detail) == ("schema", True)
    Ledger(path, NOW).close()
    assert not isinstance(LedgerReader(path).orders(), Unreadable)


@pytest.mark.parametrize("version", ["1", "4", "x"])
def test_ledger_of_any_other_version_is_refused_as_it_is(tmp_path: Path, version: str) -> None:
    path = version_2(tmp_path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (version,))
    database.close()
    before = dump(path)
    with pytest.raises(LedgerFault, match="knows 2 to 3"):
        Ledger(path, NOW)
    assert dump(path) == before
