"""Archives: an hour becomes one Parquet file that gives every byte back, or nothing changes."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bus import recording_archive
from bus.recording_archive import (
    NotTheSame,
    archive,
    read_archive,
    summary_of,
    verify_archive,
)
from bus.recording_files import files_in
from services.recorder.archiving import run_pass
from shared.recording import MAGIC, frame
from tests.builders.segments import content, damage, records, segment

FIRST = "2026-09-21T14-0000000000000007-0000.ilr"
SECOND = "2026-09-21T14-0000000000000007-0001.ilr"
NEXT_HOUR = "2026-09-21T15-0000000000000007-0002.ilr"
HOUR = "2026-09-21T15"


def rebuilt(path: Path) -> dict[str, bytes]:
    """Return the segments that an archive gives back."""
    made: dict[str, bytes] = {}
    for name, record in read_archive(path):
        made[name] = made.get(name, MAGIC) + frame(record)
    return made


@pytest.mark.req("CP-5")
def test_closed_hour_becomes_one_archive_that_gives_back_every_byte(tmp_path: Path) -> None:
    for name, first in ((FIRST, 1), (SECOND, 50), (NEXT_HOUR, 90)):
        segment(tmp_path, name, first)
    before = {name: (tmp_path / name).read_bytes() for name in (FIRST, SECOND)}
    found = run_pass(tmp_path, HOUR, "", 1)
    assert (found.archived, found.damaged, found.problem) == (("2026-09-21T14",), (), "")
    assert [one.path.name for one in files_in(tmp_path)] == ["2026-09-21T14.parquet", NEXT_HOUR]
    assert rebuilt(tmp_path / "2026-09-21T14.parquet") == before
    assert (tmp_path / "2026-09-21T14.parquet").stat().st_mode & 0o777 == 0o600


def test_archive_is_read_by_its_columns_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    archive([segment(tmp_path, FIRST, 4, 2)], path)
    rows = pq.read_table(path).to_pylist()
    assert [row["kind"] for row in rows] == ["head", "fact", "gap", "fact", "seal"]
    facts = [row for row in rows if row["kind"] == "fact"]
    assert [row["sequence"] for row in facts] == [4, 5]
    assert {(row["component"], row["topic"], row["incarnation"]) for row in facts} == {
        ("state", "state.view", 7)
    }
    assert facts[0]["body_json"].startswith("{")
    assert (rows[2]["missed"], rows[2]["cause"]) == (2, "sequence")
    summary = summary_of(path)
    assert (summary.facts, summary.gaps, list(summary.segments)) == (2, 1, [FIRST])


def test_hour_with_an_open_or_unsealed_file_is_left_alone(tmp_path: Path) -> None:
    segment(tmp_path, FIRST)
    (tmp_path / SECOND).write_bytes(content(records(9, 2), sealed=False))
    assert run_pass(tmp_path, HOUR, "", 1).archived == ()
    assert (tmp_path / FIRST).exists()


def test_file_that_is_being_written_is_spared(tmp_path: Path) -> None:
    segment(tmp_path, FIRST)
    open_file = segment(tmp_path, SECOND)
    run_pass(tmp_path, HOUR, SECOND, 1)
    assert open_file.exists()


@pytest.mark.req("CP-4")
def test_damaged_segment_is_named_kept_and_not_archived(tmp_path: Path) -> None:
    path = segment(tmp_path, FIRST)
    damage(path, 40)
    before = path.read_bytes()
    found = run_pass(tmp_path, HOUR, "", 1)
    assert found.archived == ()
    assert found.damaged[0].startswith(f"{FIRST}: ")
    assert path.read_bytes() == before


@pytest.mark.req("CP-4")
def test_damaged_archive_is_named(tmp_path: Path) -> None:
    segment(tmp_path, FIRST, 1, 40)
    run_pass(tmp_path, HOUR, "", 1)
    path = tmp_path / "2026-09-21T14.parquet"
    damage(path, path.stat().st_size // 4, 64)
    assert run_pass(tmp_path, HOUR, "", 2).damaged[0].startswith(path.name)
    with pytest.raises(NotTheSame):
        verify_archive(path)


@pytest.mark.req("CP-4")
def test_archive_with_a_bit_turned_anywhere_is_refused_or_says_the_same(tmp_path: Path) -> None:
    """Only what neither records nor columns are made of may differ: padding and statistics."""
    path = tmp_path / "a.parquet"
    archive([segment(tmp_path, FIRST, 1, 4)], path)
    whole, before = path.read_bytes(), rebuilt(path)
    refused = 0
    for at_byte in range(0, len(whole), 7):
        path.write_bytes(whole)
        damage(path, at_byte)
        try:
            verify_archive(path)
        except NotTheSame:
            refused += 1
        else:
            assert rebuilt(path) == before
    assert refused > len(whole) // 7 // 2


@pytest.mark.req("OP-12")
def test_archive_that_does_not_give_the_bytes_back_is_dropped_and_the_segments_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = segment(tmp_path, FIRST)
    real = recording_archive.row_of

    def forgetful(name: str, number: int, record: object) -> recording_archive.Row:
        row = real(name, number, record)  # type: ignore[arg-type]
        return row | {"received_ns": 1} if row["kind"] == "fact" else row

    monkeypatch.setattr(recording_archive, "row_of", forgetful)
    found = run_pass(tmp_path, HOUR, "", 1)
    assert "differs" in found.damaged[0]
    assert [one.path for one in files_in(tmp_path)] == [path]


@pytest.mark.req("OP-12")
def test_pass_that_was_killed_at_any_step_is_finished_by_the_next(tmp_path: Path) -> None:
    """Its steps leave a part, an archive beside all segments, or beside some of them."""
    contents = {}
    for name, first in ((FIRST, 1), (SECOND, 50)):
        contents[name] = segment(tmp_path, name, first).read_bytes()
    run_pass(tmp_path, HOUR, "", 1)
    whole = (tmp_path / "2026-09-21T14.parquet").read_bytes()
    for left in ((), (SECOND,), (FIRST, SECOND)):
        for name in left:
            (tmp_path / name).write_bytes(contents[name])
        (tmp_path / "2026-09-21T14.parquet.part").write_bytes(whole[:100])
        run_pass(tmp_path, HOUR, "", 1)
        assert [one.name for one in tmp_path.iterdir()] == ["2026-09-21T14.parquet"]
        assert rebuilt(tmp_path / "2026-09-21T14.parquet") == contents


def test_segment_that_comes_after_its_hours_archive_gets_another_one(tmp_path: Path) -> None:
    segment(tmp_path, FIRST)
    run_pass(tmp_path, HOUR, "", 1)
    late = segment(tmp_path, SECOND, 70).read_bytes()
    (tmp_path / NEXT_HOUR).write_bytes(b"")
    run_pass(tmp_path, HOUR, NEXT_HOUR, 2)
    assert rebuilt(tmp_path / "2026-09-21T14-2.parquet") == {SECOND: late}


def test_directory_that_is_not_there_has_nothing_to_keep(tmp_path: Path) -> None:
    assert run_pass(tmp_path / "none", HOUR, "", 1).problem == ""
