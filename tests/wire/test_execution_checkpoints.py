"""The ledger's log is folded into its file beside the loop, and nobody waits for it."""

import sqlite3
from pathlib import Path

from ops.waiting import wait_for
from services.execution.ledger.checkpoints import Checkpoints, fold
from services.execution.ledger.ledger import Ledger
from shared.ledger_schema import EpochRecord, Journal
from tests.builders.markets import instant

NOW = instant()
FOLDS_WITHIN_S = 60.0


def written(path: Path, epoch: int) -> Ledger:
    ledger = Ledger(path, NOW)
    ledger.apply(Journal((EpochRecord(epoch),)), NOW)
    ledger.commit(NOW)
    return ledger


def epoch_in_file(path: Path) -> str | None:
    """Return the epoch that stands in the file alone, its log left out."""
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as database:
        tables = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        row = (
            database.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
            if tables
            else None
        )
    database.close()
    return None if row is None else str(row[0])


def test_log_is_folded_into_the_file_while_the_writer_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = written(path, 9)
    assert epoch_in_file(path) is None
    checkpoints = Checkpoints(path, every_s=0.01)
    assert wait_for(lambda: epoch_in_file(path), FOLDS_WITHIN_S) == "9"
    checkpoints.close()
    ledger.close()


def test_writer_commits_during_a_checkpoint_that_a_reader_holds_back(tmp_path: Path) -> None:
    """A reader keeps its view: the log behind it stays, and the writer does not notice."""
    path = tmp_path / "ledger.db"
    ledger = written(path, 9)
    folder = sqlite3.connect(path, timeout=0.0, isolation_level=None)
    assert fold(folder)
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    ledger.apply(Journal((EpochRecord(10),)), NOW)
    ledger.commit(NOW)
    assert fold(folder)
    ledger.apply(Journal((EpochRecord(11),)), NOW)
    ledger.commit(NOW)
    reader.close()
    assert fold(folder)
    assert epoch_in_file(path) == "11"
    folder.close()
    ledger.close()


def test_checkpoint_that_the_file_refuses_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    written(path, 9).close()
    path.write_bytes(b"no database at all, but long enough to be read as the head of one" * 4)
    folder = sqlite3.connect(path, timeout=0.0, isolation_level=None)
    assert not fold(folder)
    folder.close()
