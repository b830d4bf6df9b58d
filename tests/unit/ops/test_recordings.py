"""`interlock record`: what lies there, whether it is whole, and a part of it for other tools."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bus.locks import FileLock
from ops.cli.__main__ import main
from services.recorder.archiving import run_pass
from shared.recording import GapRecord, Record
from tests.builders.feeds import at
from tests.builders.segments import content, damage, fact, records, segment

OLD = "2026-09-21T13-0000000000000007-0000.ilr"
NEW = "2026-09-21T14-0000000000000007-0001.ilr"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a data directory with an archive and a segment, and nobody who records."""
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    segment(recordings, OLD, 1, 4)
    run_pass(recordings, "2026-09-21T14", "", 1)
    segment(recordings, NEW, 5, 3)
    return tmp_path


def run(place: Path, *words: str) -> tuple[int, str, str]:
    where = ("--data-directory", str(place), "--run-directory", str(place))
    result = CliRunner().invoke(main, ["record", *words, *where])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def shown(place: Path, *words: str) -> tuple[int, dict[str, Any]]:
    status, out, _ = run(place, *words, "--json")
    return status, json.loads(out)


def write(place: Path, name: str, some: list[Record], *, sealed: bool = True) -> Path:
    path = place / "recordings" / name
    path.write_bytes(content(some, sealed=sealed))
    return path


@pytest.mark.req("CP-4", "OP-1")
@pytest.mark.parametrize("word", ["ls", "verify"])
def test_files_are_listed_with_what_they_hold(place: Path, word: str) -> None:
    status, told = shown(place, word)
    assert status == 0
    assert [(one["state"], one["facts"], one["gaps"]) for one in told["files"]] == [
        ("archived", 4, 1),
        ("sealed", 3, 1),
    ]
    assert told["totals"]["facts"] == 7
    assert run(place, word)[0] == 0


@pytest.mark.req("CP-4", "OP-11")
def test_first_damage_is_named_whatever_comes_behind_it(place: Path) -> None:
    damage(place / "recordings" / NEW, 60)
    write(place, "2026-09-21T15-0000000000000007-0002.ilr", records(8, 2), sealed=False)
    status, told = shown(place, "verify")
    assert status == 1
    assert told["first_damage"]["file"] == NEW
    assert "checksum at 8" in told["first_damage"]["problem"]
    assert NEW in run(place, "verify")[2]


@pytest.mark.req("CP-4")
def test_damaged_archive_is_found(place: Path) -> None:
    path = place / "recordings" / "2026-09-21T13.parquet"
    damage(path, path.stat().st_size // 4, 64)
    assert shown(place, "verify")[0] == 1


@pytest.mark.req("DQ-2", "CP-4")
def test_loss_that_no_gap_tells_is_damage(place: Path) -> None:
    head = records(1, 1)[0]
    told_of = [head, fact(5), GapRecord(at(6).monotonic_ns, "state", "state.view", 2, "sequence")]
    write(place, NEW, [*told_of, fact(8)])
    assert shown(place, "verify")[0] == 0
    write(place, NEW, [*told_of, fact(9)])
    status, told = shown(place, "verify")
    assert status == 1
    assert told["first_damage"]["problem"] == "state state.view: 3 missing before 9, 2 told"


def test_file_that_is_being_written_may_end_in_the_middle_of_a_record(place: Path) -> None:
    path = write(place, NEW, records(5, 3), sealed=False)
    path.write_bytes(path.read_bytes()[:-3])
    assert shown(place, "verify")[0] == 1
    lock = FileLock(place / "recorder.lock", "recorder")
    status, told = shown(place, "verify")
    lock.close()
    assert status == 0
    assert told["files"][-1]["state"] == "open"


def test_no_recording_is_no_success(tmp_path: Path) -> None:
    for word in ("ls", "verify", "export"):
        assert run(tmp_path, word)[0] == 1


@pytest.mark.req("OP-1")
def test_export_writes_the_lines_of_a_span_and_of_topics(place: Path) -> None:
    status, out, _ = run(place, "export", "state.view")
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [line["sequence"] for line in lines if line["kind"] == "fact"] == [
        *range(1, 5),
        *range(5, 8),
    ]
    assert [line["missed"] for line in lines if line["kind"] == "gap"] == [2, 2]
    assert run(place, "export", "feed.price")[1].count('"kind":"fact"') == 0
    assert run(place, "export", "--from", "2026-09-22")[1] == ""
    assert run(place, "export", "nothing")[0] == 2


def test_export_as_parquet_has_the_columns_of_an_archive(place: Path) -> None:
    path = place / "out.parquet"
    assert run(place, "export", "--format", "parquet", "--output", str(path))[0] == 0
    assert pq.read_table(path).num_rows == 9
    assert run(place, "export", "--format", "parquet")[0] == 2


@pytest.mark.req("OP-11")
def test_export_of_a_damaged_span_says_so(place: Path) -> None:
    damage(place / "recordings" / NEW, (place / "recordings" / NEW).stat().st_size // 2)
    status, out, err = run(place, "export")
    assert status == 1
    assert NEW in err
    assert out.count('"kind":"fact"') >= 4


@pytest.mark.req("CP-4")
def test_archived_hour_is_unpacked_byte_for_byte(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    status, said, _ = run(place, "unpack", "2026-09-21T13", "--output", str(out))
    assert (status, said.split()) == (0, [str(out / OLD)])
    wanted = records(1, 4)
    assert (out / OLD).read_bytes() == content(wanted)
    assert run(place, "unpack", "2026-09-21T13", "--output", str(out))[0] == 1, "nothing is lost"
    assert run(place, "unpack", "2026-09-21T14", "--output", str(out))[0] == 1
