"""The audit names what was written and the first thing that is not; it harms no live ledger."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from bus import ledger_proof
from bus.audit import LedgerAudit, NotProven, RiskTrail, TrailProven
from bus.ledger_proof import Proven
from bus.ledger_reader import Unreadable
from ops.cli.__main__ import main
from services.execution.ledger.checkpoints import fold
from services.execution.ledger.ledger import Ledger
from services.risk.risk_file import RiskFile
from shared.identifiers import OrderHash
from shared.ledger_schema import LEDGER_FILE, EpochRecord, IdentityRecord, Journal
from shared.risk_schema import CHAIN_START, RISK_FILE, AuditEntry, AuditRow, chain
from shared.units import WallNs
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.ledger_versions import write_version_2
from tests.builders.markets import instant

NOW = instant()
IDENTITY = IdentityRecord("main", "0x1", "key")
TRAIL_ROWS = 3


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a ledger of six events and a trail of three rows."""
    ledger = Ledger(tmp_path / LEDGER_FILE, NOW)
    for records in (
        (IDENTITY, EpochRecord(7), build_order_record(), build_fill_record()),
        (build_order_record(state="FILLED"), EpochRecord(8)),
    ):
        ledger.apply(Journal(records), NOW)
        ledger.commit(NOW)
    ledger.close()
    risk = RiskFile(tmp_path, "main")
    previous = CHAIN_START
    for number in range(1, TRAIL_ROWS + 1):
        entry = AuditEntry(
            "operator", "0:1", "manual_halt", "global", "", "set", f"reason {number}"
        )
        row: AuditRow = chain(number, WallNs(NOW.wall_ns + number), entry, previous)
        risk.write((row,))
        previous = row.hash
    risk.close()
    return tmp_path


def harm(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        assert database.execute(statement).rowcount


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["audit", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.mark.req("OP-12")
def test_sound_files_are_proven_with_what_was_looked_at(data: Path) -> None:
    status, text = run("verify", "--data-directory", str(data), "--json")
    told = json.loads(text)
    assert (status, told["ok"]) == (0, True)
    assert told["ledger"]["events"] == 6
    assert told["ledger"]["rows"] == {"orders": 1, "fills": 1, "payouts": 0}
    assert len(told["ledger"]["first_hash"]) == len(told["risk"]["last_hash"]) == 64
    assert told["risk"]["rows"] == TRAIL_ROWS


@pytest.mark.parametrize(
    ("statement", "sequence"),
    [
        ("UPDATE events SET wall_ns = wall_ns + 1 WHERE sequence = 4", 4),
        ("UPDATE events SET body = CAST(replace(body, '4900', '4800') AS BLOB)", 3),
        ("DELETE FROM events WHERE sequence = 2", 3),
        ("UPDATE events SET version = 2, state = x'' WHERE sequence = 5", 5),
        ("UPDATE orders SET reason = 'x'", 0),
        ("UPDATE orders SET retired = 1", 0),
        ("DELETE FROM fills", 0),
        ("INSERT INTO payouts VALUES ('0xn', '2', 's', 'main', 1, 1, 1, 1, 1, 1, 1)", 0),
        ("UPDATE meta SET value = '9' WHERE name = 'epoch'", 0),
        ("DELETE FROM events WHERE sequence = 6", 0),
    ],
)  # fmt: skip
def test_first_thing_that_breaks_is_named(data: Path, statement: str, sequence: int) -> None:
    harm(data / LEDGER_FILE, statement)
    found = LedgerAudit(data / LEDGER_FILE).prove()
    assert isinstance(found, NotProven)
    assert found.sequence == sequence
    assert bool(found.says) == bool(sequence)
    status, text = run("verify", "--data-directory", str(data))
    assert status == 1
    assert "NOT PROVEN" in text
    assert f"risk: proven: {TRAIL_ROWS} rows" in text


def test_row_of_the_trail_that_was_changed_is_named(data: Path) -> None:
    harm(data / RISK_FILE, "UPDATE audit SET cause = 'another' WHERE sequence = 2")
    found = RiskTrail(data / RISK_FILE).prove()
    assert isinstance(found, NotProven)
    assert (found.sequence, "another" in found.says) == (2, True)
    assert run("verify", "--data-directory", str(data))[0] == 1


@pytest.mark.parametrize("missing", [LEDGER_FILE, RISK_FILE])
def test_file_that_is_missing_is_not_proven(data: Path, missing: str) -> None:
    (data / missing).unlink()
    status, text = run("verify", "--data-directory", str(data))
    assert (status, "unknown: missing" in text) == (1, True)
    status, text = run("--data-directory", str(data))
    assert (status, "unknown: missing" in text) == (1, True)


@pytest.mark.parametrize("version", [2, 4])
def test_ledger_of_another_version_is_unknown_and_says_why(tmp_path: Path, version: int) -> None:
    path = tmp_path / LEDGER_FILE
    write_version_2(path, ((IDENTITY,),))
    harm(path, f"UPDATE meta SET value = '{version}' WHERE name = 'schema_version'")
    found = LedgerAudit(path).prove()
    assert isinstance(found, Unreadable)
    assert (found.why, f"version {version}" in found.detail) == ("schema", True)


def test_newest_entries_of_both_are_told_by_age(data: Path) -> None:
    status, text = run("--data-directory", str(data), "--rows", "5", "--json")
    entries = json.loads(text)["entries"]
    assert status == 0
    assert [(entry["source"], entry["sequence"]) for entry in entries] == [
        ("ledger", 5), ("ledger", 6), ("risk", 1), ("risk", 2), ("risk", 3)
    ]  # fmt: skip
    assert entries[0]["what"].endswith("FILLED BUY 6 at 0.49, filled 0")
    status, text = run("--data-directory", str(data))
    assert (status, "reason 3" in text, "ago" in text) == (0, True, False)


def test_ledger_is_proven_while_it_is_written_and_folded(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two slices there are commits, and the log can be folded to its end."""
    monkeypatch.setattr(ledger_proof, "EVENTS_SLICE", 50)
    monkeypatch.setattr(ledger_proof, "ROWS_SLICE", 20)
    ledger = Ledger(data / LEDGER_FILE, NOW)
    folder = sqlite3.connect(data / LEDGER_FILE, isolation_level=None, timeout=0)

    def write(number: int) -> None:
        order_id = OrderHash(f"0x{number * 0x9E3779B97F4A7C15 % 2**64:064x}")
        for state in ("INTENDED", "CANCELED"):
            record = build_order_record(order_id=order_id, state=state)
            ledger.apply(Journal((record,)), NOW)
            ledger.commit(NOW)

    for number in range(150):
        write(number)
    slices: list[int] = []

    def write_between(sequence: int) -> None:
        slices.append(sequence)
        write(1_000 + sequence)
        write(sequence % 150)
        fold(folder)
        left = folder.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert left == (0, 0, 0), "a reader holds the log"

    found = LedgerAudit(data / LEDGER_FILE).prove(write_between)
    assert isinstance(found, Proven)
    assert len(slices) >= 6
    assert found.rows["orders"] >= 150 + len(slices)
    folder.close()
    ledger.close()


def test_long_trail_is_proven_in_slices(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.audit.ROWS_SLICE", 1)
    found = RiskTrail(data / RISK_FILE).prove()
    assert isinstance(found, TrailProven)
    assert found.rows == TRAIL_ROWS


def test_proof_changes_no_byte(data: Path) -> None:
    before = (data / LEDGER_FILE).read_bytes()
    LedgerAudit(data / LEDGER_FILE).prove()
    assert (data / LEDGER_FILE).read_bytes() == before
