"""`interlock replay --decisions`: which files, which processes, which status."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from bus.recording_archive import archive
from ops.cli.__main__ import main
from ops.decisions import is_recording, recordings_in, unpacked
from services.state.core import StateCore
from shared.facts import StateView
from shared.recording import FactRecord, Seal, frame
from shared.topics import CARETAKER, MARKET_MAKING, STATE
from tests.builders.feeds import at, config
from tests.builders.recorded_life import RecordedLife
from tests.builders.segments import segment


def recorded(path: Path) -> RecordedLife:
    """Write a state builder's recording of some seconds."""
    life = RecordedLife(StateCore(config()), config(), at(0))
    for step in range(300):
        life.tick(at(step * 50))
    life.end(at(15_000))
    life.write(path)
    with path.open("ab") as file:
        file.write(frame(Seal(1 + len(life.records))))
    return life


def replay(*paths: Path) -> tuple[int, dict[str, object]]:
    ran = CliRunner().invoke(main, ["replay", "--decisions", "--json", *map(str, paths)])
    return ran.exit_code, json.loads(ran.output)


@pytest.mark.req("NET-3")
def test_command_decides_again_in_processes_and_says_what_it_could_not(tmp_path: Path) -> None:
    """Of the strategies nothing was recorded here, so that equal is not said of the whole."""
    path = tmp_path / "2026-01-01T00-a.ilr"
    life = recorded(path)
    status, outcome = replay(tmp_path)
    assert (status, outcome["is_equal"], outcome["differs"]) == (2, False, False)
    components = outcome["components"]
    assert isinstance(components, list)
    assert [one["component"] for one in components] == [STATE, MARKET_MAKING, CARETAKER]
    assert components[0]["summary"]["is_equal"]
    assert [one["reports"] for one in components[1:]] == [[], []]

    place = life.of("state.view")[-1]
    record = life.records[place]
    assert isinstance(record, FactRecord)
    assert msgspec.msgpack.decode(record.body, type=StateView) == StateView(())
    life.spoil(place, body=record.body + b"\x00")
    life.write(path)
    ran = CliRunner().invoke(main, ["replay", "--decisions", str(path)])
    assert ran.exit_code == 1
    assert "DIFFERS" in ran.output
    assert "seen     tick" in ran.output


def test_archived_hours_are_read_like_segments(tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.mkdir()
    path = held / "2026-01-01T00-a.ilr"
    recorded(path)
    archive([path], held / "2026-01-01T00.parquet")
    content = path.read_bytes()
    made = tmp_path / "made"
    made.mkdir()
    assert unpacked(recordings_in([held]), made) == [path], "one beside its archive is read once"
    path.unlink()
    (segment_made,) = unpacked(recordings_in([held]), made)
    assert segment_made.read_bytes() == content


def test_damaged_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "2026-01-01T00.parquet").write_bytes(b"PAR1 nothing PAR1")
    status, outcome = replay(tmp_path)
    assert (status, outcome["ok"]) == (2, False)


def test_recorded_books_and_recordings_are_not_mistaken_for_another(tmp_path: Path) -> None:
    books = tmp_path / "books.jsonl"
    books.write_text("{}\n")
    assert not is_recording(books)
    assert is_recording(segment(tmp_path, "2026-01-01T00-b.ilr"))
    for words in (
        [str(tmp_path)],
        [str(books), str(books)],
        [str(tmp_path / "2026-01-01T00-b.ilr")],
    ):
        assert CliRunner().invoke(main, ["replay", *words]).exit_code == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    assert replay(empty)[0] == 2
