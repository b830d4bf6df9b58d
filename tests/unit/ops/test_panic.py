from pathlib import Path

import msgspec
import pytest

from bus.locks import FileLock
from ops.panic import HISTORY_FILE, Latch, clear_latch, kill_execution, write_latch


@pytest.mark.req("OP-12")
def test_latch_is_written_whole_and_remembered(tmp_path: Path) -> None:
    write_latch(tmp_path / "data", "smoke")
    latch = msgspec.json.decode((tmp_path / "data" / "PANIC").read_bytes(), type=Latch)
    assert latch.reason == "smoke"
    assert latch.by


def test_second_panic_keeps_the_first_latch(tmp_path: Path) -> None:
    write_latch(tmp_path, "first")
    write_latch(tmp_path, "second")
    assert msgspec.json.decode((tmp_path / "PANIC").read_bytes(), type=Latch).reason == "first"
    assert len((tmp_path / HISTORY_FILE).read_text().splitlines()) == 2


@pytest.mark.req("OP-15")
def test_clearing_leaves_who_and_why_in_the_history(tmp_path: Path) -> None:
    write_latch(tmp_path, "smoke")
    assert clear_latch(tmp_path, "no fire")
    assert not (tmp_path / "PANIC").exists()
    lines = (tmp_path / HISTORY_FILE).read_bytes().splitlines()
    rows = [msgspec.json.decode(line) for line in lines]
    assert [(row["what"], row["reason"]) for row in rows] == [
        ("panic", "smoke"),
        ("clear", "no fire"),
    ]


def test_clearing_what_does_not_stand_is_said(tmp_path: Path) -> None:
    assert not clear_latch(tmp_path, "nothing")


def test_no_execution_counts_as_dead(tmp_path: Path) -> None:
    assert kill_execution(tmp_path) == (0, True)


def test_lock_that_nobody_holds_is_no_execution(tmp_path: Path) -> None:
    FileLock(tmp_path / "execution.lock", "execution").close()
    assert kill_execution(tmp_path) == (0, True)
