"""The database file: what is a first start, what is a loss, and what a crash leaves."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from services.risk.epoch import RESERVE
from services.risk.risk_file import RiskFile
from shared.risk_schema import (
    ANY_KEY,
    CHAIN_START,
    MARKER_FILE,
    RISK_FILE,
    AuditEntry,
    AuditRow,
    CapitalSet,
    EpochReserved,
    KeyUsed,
    LatchCleared,
    LatchRow,
    chain,
)
from shared.units import WallNs

LATCH = LatchRow("operator_halt", "account", "", 4, WallNs(9), "why", "seen")
ENTRY = AuditEntry("transition", "risk", "fence", "account", "", "epoch 1", "why")


def rows(count: int) -> tuple[AuditRow, ...]:
    made: list[AuditRow] = []
    for number in range(1, count + 1):
        tip = made[-1].hash if made else CHAIN_START
        made.append(chain(number, WallNs(number), ENTRY, tip))
    return tuple(made)


def opened(directory: Path, account: str = "main") -> RiskFile:
    return RiskFile(directory, account)


def used(directory: Path) -> None:
    """Leave a database that has been used."""
    file = opened(directory)
    file.write((LATCH, *rows(3)))
    file.close()


def test_first_start_makes_database_and_marker_and_reserves(tmp_path: Path) -> None:
    file = opened(tmp_path)
    assert file.stored.fresh
    assert file.stored.trouble == ""
    assert (file.stored.used_max, file.stored.reserved) == (0, RESERVE)
    assert (tmp_path / MARKER_FILE).exists()
    assert (tmp_path / RISK_FILE).stat().st_mode & 0o077 == 0
    file.close()


@pytest.mark.req("INV-9")
def test_next_start_finds_latches_trail_and_epochs_above_those_reserved(tmp_path: Path) -> None:
    used(tmp_path)
    stored = opened(tmp_path).stored
    assert stored.latches == (LATCH,)
    assert (stored.used_max, stored.reserved) == (RESERVE, 2 * RESERVE)
    assert (stored.latch_version, stored.audit_sequence) == (4, 3)
    assert stored.audit_hash == rows(3)[-1].hash
    assert (stored.fresh, stored.trouble) == (False, "")


def test_exactly_the_version_named_is_cleared(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write((LATCH,))
    file.write((LatchCleared("operator_halt", "account", "", 3),))
    file.close()
    file = opened(tmp_path)
    assert file.stored.latches == (LATCH,)
    file.write((LatchCleared("operator_halt", "account", "", 4),))
    file.close()
    assert opened(tmp_path).stored.latches == ()


def lose_database(directory: Path) -> None:
    for path in directory.glob(f"{RISK_FILE}*"):
        path.unlink()


def lose_marker(directory: Path) -> None:
    (directory / MARKER_FILE).unlink()


def spoil_marker(directory: Path) -> None:
    (directory / MARKER_FILE).write_bytes(b"{")


def overwrite(directory: Path) -> None:
    lose_wal(directory)
    (directory / RISK_FILE).write_bytes(b"no database at all" * 100)


def empty(directory: Path) -> None:
    lose_wal(directory)
    (directory / RISK_FILE).write_bytes(b"")


def lose_wal(directory: Path) -> None:
    for suffix in ("-wal", "-shm"):
        (directory / f"{RISK_FILE}{suffix}").unlink(missing_ok=True)


def forge_trail(directory: Path) -> None:
    with sqlite3.connect(directory / RISK_FILE) as connection:
        connection.execute("UPDATE audit SET cause = 'nothing' WHERE sequence = 2")
    connection.close()


def cut_trail(directory: Path) -> None:
    with sqlite3.connect(directory / RISK_FILE) as connection:
        connection.execute("DELETE FROM audit WHERE sequence = 2")
    connection.close()


def age_schema(directory: Path) -> None:
    with sqlite3.connect(directory / RISK_FILE) as connection:
        connection.execute("UPDATE meta SET value = '0' WHERE name = 'schema'")
    connection.close()


def restore(directory: Path) -> None:
    """Put back a copy from before the newest latch."""
    with sqlite3.connect(directory / RISK_FILE) as connection:
        connection.execute("DELETE FROM latches")
        connection.execute("UPDATE meta SET value = '3' WHERE name = 'latch_version'")
    connection.close()


@pytest.mark.req("INV-9")
@pytest.mark.parametrize(
    "spoil",
    [
        lose_database,
        lose_marker,
        spoil_marker,
        overwrite,
        empty,
        forge_trail,
        cut_trail,
        age_schema,
        restore,
    ],
)
def test_whatever_is_lost_or_broken_is_trouble_and_epochs_still_grow(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    used(tmp_path)
    spoil(tmp_path)
    file = opened(tmp_path)
    assert file.stored.trouble
    assert not file.stored.fresh
    assert file.stored.used_max >= RESERVE
    file.write((LatchRow("operator_halt", "account", "", 9, WallNs(9), "why", ""),))
    file.close()


def test_broken_file_is_set_aside_and_never_overwritten(tmp_path: Path) -> None:
    used(tmp_path)
    overwrite(tmp_path)
    broken = (tmp_path / RISK_FILE).read_bytes()
    file = opened(tmp_path)
    assert (tmp_path / f"{RISK_FILE}.broken-1").read_bytes() == broken
    file.close()


def test_another_accounts_database_is_not_used(tmp_path: Path) -> None:
    used(tmp_path)
    assert "belongs to account main" in opened(tmp_path, "other").stored.trouble


def test_directory_that_takes_no_file_is_trouble_and_every_write_fails(tmp_path: Path) -> None:
    file = opened(tmp_path / "missing")
    assert file.stored.trouble
    assert file.stored.reserved == file.stored.used_max
    with pytest.raises(OSError, match="cannot be created"):
        file.write((LATCH,))


class Crash(Exception):
    """The process ends here."""


@pytest.mark.req("OP-12")
@pytest.mark.parametrize(
    ("point", "kept"), [("before_commit", False), ("after_commit", True), ("after_marker", True)]
)
def test_crash_at_each_point_leaves_the_old_or_the_new_state(
    tmp_path: Path, point: str, kept: bool
) -> None:
    opened(tmp_path).close()

    def reached(here: str) -> None:
        if here == point and armed:
            raise Crash

    armed: list[bool] = []
    file = RiskFile(tmp_path, "main", reached)
    armed.append(True)
    with pytest.raises(Crash):
        file.write((LATCH, *rows(2)))
    file.close()
    stored = opened(tmp_path).stored
    assert stored.trouble == ""
    assert (stored.latches == (LATCH,)) is kept
    assert stored.audit_sequence == (2 if kept else 0)


def test_first_start_cut_off_before_its_marker_is_still_a_first_start(tmp_path: Path) -> None:
    opened(tmp_path).close()
    lose_marker(tmp_path)
    stored = opened(tmp_path).stored
    assert (stored.fresh, stored.trouble) == (True, "")


def test_write_that_is_tried_again_after_its_commit_does_no_harm(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write((LATCH, *rows(2), EpochReserved(7_000)))
    file.write((LATCH, *rows(2), EpochReserved(7_000)))
    file.close()
    stored = opened(tmp_path).stored
    assert (stored.audit_sequence, stored.used_max) == (2, 7_000)


def test_other_row_in_a_place_of_the_trail_is_refused(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write(rows(2))
    other = chain(2, WallNs(99), ENTRY, rows(1)[0].hash)
    with pytest.raises(sqlite3.IntegrityError):
        file.write((other,))
    file.close()


@pytest.mark.req("ST-8")
def test_step_of_the_capital_and_the_run_since_then_survive_a_restart(tmp_path: Path) -> None:
    file = RiskFile(tmp_path, "main")
    assert file.stored.capital_usd is None
    step = AuditEntry("operator", "uid 0", "capital", "account", "50", "100", "asked")
    active = AuditEntry("transition", "risk", "trading_state", "account", "PAUSED", "ACTIVE", "")
    first = chain(1, WallNs(1_000), step, CHAIN_START)
    file.write((CapitalSet(100), first, chain(2, WallNs(2_000), active, first.hash)))
    file.close()
    stored = RiskFile(tmp_path, "main").stored
    assert stored.capital_usd == 100
    assert stored.clean_run.so_far_ns(WallNs(5_000)) == 3_000


def key_of_the_database(directory: Path, key: str) -> None:
    """Put back a copy of the database of a time when another key was used."""
    with sqlite3.connect(directory / RISK_FILE) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'api_key'", (key,))
    connection.close()


def test_first_start_knows_that_no_key_had_orders_and_the_next_one_which(tmp_path: Path) -> None:
    file = opened(tmp_path)
    assert file.stored.api_key is None
    file.write((KeyUsed("one"),))
    file.close()
    assert opened(tmp_path).stored.api_key == "one"


def test_key_that_was_never_written_down_is_unknown(tmp_path: Path) -> None:
    used(tmp_path)
    assert opened(tmp_path).stored.api_key == ANY_KEY


@pytest.mark.parametrize("spoil", [lose_database, lose_marker, overwrite])
def test_either_of_database_and_marker_still_knows_the_key(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    file = opened(tmp_path)
    file.write((KeyUsed("one"), *rows(1)))
    file.close()
    spoil(tmp_path)
    assert opened(tmp_path).stored.api_key == "one"


def test_key_is_unknown_from_then_on_when_database_and_marker_differ(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write((KeyUsed("one"), *rows(1)))
    file.close()
    key_of_the_database(tmp_path, "earlier")
    for _ in range(2):
        file = opened(tmp_path)
        assert file.stored.api_key == ANY_KEY
        file.close()
