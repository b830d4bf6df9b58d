"""Backups: taken beside a live writer, opened before they count, and never all gone."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from bus import backup
from bus.audit import LedgerAudit
from bus.backup import DIRECTORY, KEPT_MIN, BackupFailed, back_up, look_at, names_in, prove
from bus.ledger_proof import Proven
from ops.cli.__main__ import main
from services.execution.ledger.ledger import Ledger
from services.recorder.archiving import AGAIN_S, with_backup
from services.recorder.work import Pass
from shared.ledger_schema import LEDGER_FILE, AnyRecord, EpochRecord, IdentityRecord, Journal
from shared.units import NS_PER_S
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.markets import instant

NOW = instant()
IDENTITY = IdentityRecord("main", "0x1", "key")


def commit(ledger: Ledger, number: int, *records: AnyRecord) -> None:
    ledger.apply(Journal(records, number=number), NOW)
    ledger.commit(NOW)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger that stays open, as execution's does, with an order and a fill."""
    made = Ledger(tmp_path / LEDGER_FILE, NOW)
    commit(made, 1, IDENTITY, EpochRecord(7), build_order_record(), build_fill_record())
    yield made
    made.close()


def moment(seconds: int) -> int:
    return NOW.wall_ns + seconds * NS_PER_S


@pytest.mark.req("CP-6")
def test_backup_beside_a_live_writer_holds_everything_committed(
    ledger: Ledger, tmp_path: Path
) -> None:
    made = back_up(tmp_path, moment(0), 5)
    assert (made.epoch, made.events, made.problem) == (7, 4, "")
    place = tmp_path / DIRECTORY / made.name
    assert sorted(path.name for path in place.iterdir()) == [LEDGER_FILE], "no log beside it"
    assert (place / LEDGER_FILE).stat().st_mode & 0o777 == 0o600
    commit(ledger, 2, EpochRecord(8))
    assert prove(place, made.name).problem == ""
    assert isinstance(LedgerAudit(place / LEDGER_FILE).prove(), Proven)


@pytest.mark.req("CP-6")
def test_newest_backups_are_kept_and_at_least_a_few(ledger: Ledger, tmp_path: Path) -> None:
    made = [back_up(tmp_path, moment(number), 5).name for number in range(7)]
    assert names_in(tmp_path) == made[-5:]
    last = back_up(tmp_path, moment(7), 1).name
    assert names_in(tmp_path) == [*made[-KEPT_MIN + 1 :], last]


@pytest.mark.req("CP-6")
def test_recorder_that_starts_again_and_again_drives_no_older_backup_out(
    ledger: Ledger, tmp_path: Path
) -> None:
    first = with_backup(Pass(), tmp_path, moment(0), 3).backup
    assert first
    assert with_backup(Pass(), tmp_path, moment(AGAIN_S - 1), 3) == Pass()
    assert with_backup(Pass(), tmp_path, moment(AGAIN_S), 3).backup > first


@pytest.mark.req("CP-6", "OP-11")
def test_copy_that_does_not_hold_is_no_backup_and_touches_no_other(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = back_up(tmp_path, moment(0), 3)
    monkeypatch.setattr(backup, "_damage", lambda path: f"{path.name}: a page is torn")
    with pytest.raises(BackupFailed, match="a page is torn"):
        back_up(tmp_path, moment(1), 3)
    assert [path.name for path in (tmp_path / DIRECTORY).iterdir()] == [first.name]
    found = with_backup(Pass(), tmp_path, moment(AGAIN_S), 3)
    assert found.problem == f"no backup: {LEDGER_FILE}: a page is torn"


@pytest.mark.req("CP-6")
def test_damaged_backup_is_found_when_it_is_opened(ledger: Ledger, tmp_path: Path) -> None:
    made = back_up(tmp_path, moment(0), 3)
    path = tmp_path / DIRECTORY / made.name / LEDGER_FILE
    content = bytearray(path.read_bytes())
    content[4096:12288] = bytes(8192)
    path.write_bytes(content)
    assert look_at(path.parent, made.name).problem


@pytest.mark.req("CP-6")
def test_row_that_was_changed_in_a_backup_is_found_by_its_proof(
    ledger: Ledger, tmp_path: Path
) -> None:
    made = back_up(tmp_path, moment(0), 3)
    path = tmp_path / DIRECTORY / made.name / LEDGER_FILE
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE fills SET size_e6 = size_e6 + 1")
        database.commit()
    assert look_at(path.parent, made.name).problem == ""
    assert "not proven" in prove(path.parent, made.name).problem


def test_nothing_to_copy_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed):
        back_up(tmp_path, moment(0), 3)
    assert names_in(tmp_path) == []
    (tmp_path / LEDGER_FILE).touch()
    assert with_backup(Pass(), tmp_path, moment(0), 3) == Pass(), "it is being made"


@pytest.mark.req("CP-6", "OP-12")
def test_backup_that_was_cut_off_is_swept_and_none(ledger: Ledger, tmp_path: Path) -> None:
    left = tmp_path / DIRECTORY / "2026-01-01T00-00-00.part"
    left.mkdir(parents=True)
    assert names_in(tmp_path) == []
    back_up(tmp_path, moment(0), 3)
    assert not left.exists()


@pytest.mark.req("CP-6", "OP-1")
def test_command_makes_lists_and_proves_backups(ledger: Ledger, tmp_path: Path) -> None:
    where = ("--data-directory", str(tmp_path), "--run-directory", str(tmp_path), "--json")
    told = {}
    for words in ((), ("ls",), ("verify",)):
        result = CliRunner().invoke(main, ["backup", *words, *where])
        assert result.exit_code == 0, result.output
        told[words] = json.loads(result.stdout)["backups"]
    assert told[("ls",)] == told[("verify",)] == told[()]
    assert CliRunner().invoke(main, ["backup", "verify", "none", *where]).exit_code == 1
