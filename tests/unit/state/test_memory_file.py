"""Memories on a real disk: found, refused, replaced whole, and continued from the recording."""

from pathlib import Path

import pytest

from bus import clock
from services.state.memory import KeepMemory, Memory, NotRemembered, Remembered
from services.state.memory_file import BEFORE, DIRECTORY, NEWEST, TRIED, MemoryFile
from services.state.rehearsal import PROVEN_S, rehearse
from shared.identifiers import Incarnation
from tests.builders.feeds import config


def opened(path: Path) -> MemoryFile:
    return MemoryFile(path, config(), Incarnation(5))


def found(edge: MemoryFile) -> Remembered | NotRemembered:
    ((descriptor, events),) = edge.sockets()
    (message,) = edge.on_ready(descriptor, events, clock.read())
    assert list(edge.sockets()) == []
    assert isinstance(message, Remembered | NotRemembered)
    return message


def keep(edge: MemoryFile) -> Memory:
    memory = Memory(clock.read(), (), (), (), ())
    edge.apply(KeepMemory(memory), clock.read())
    edge.wait()
    return memory


def test_first_start_remembers_nothing(tmp_path: Path) -> None:
    edge = opened(tmp_path)
    assert found(edge) == NotRemembered(())
    edge.close()


@pytest.mark.req("CP-2")
def test_newest_memory_is_found_and_a_damaged_one_leaves_the_one_before(tmp_path: Path) -> None:
    edge = opened(tmp_path)
    first, second = keep(edge), keep(edge)
    edge.close()
    newest = tmp_path / DIRECTORY / NEWEST
    edge = opened(tmp_path)
    again = found(edge)
    assert isinstance(again, Remembered)
    assert (again.memory, again.problems, again.where) == (second, (), str(newest))
    edge.close()
    (tmp_path / DIRECTORY / TRIED).rename(newest)

    content = bytearray(newest.read_bytes())
    content[-3] ^= 1
    newest.write_bytes(content)
    edge = opened(tmp_path)
    again = found(edge)
    assert isinstance(again, Remembered)
    assert (again.memory, again.problems) == (first, (f"{newest}: checksum",))
    edge.close()

    newest.write_bytes(content)
    (tmp_path / DIRECTORY / BEFORE).write_bytes(b"")
    edge = opened(tmp_path)
    refused = found(edge)
    assert isinstance(refused, NotRemembered)
    assert len(refused.problems) == 2
    edge.close()


@pytest.mark.req("CP-2")
def test_memory_that_kills_its_reader_is_not_tried_for_ever(tmp_path: Path) -> None:
    edge = opened(tmp_path)
    first, second = keep(edge), keep(edge)
    edge.close()
    tried: list[Memory | None] = []
    for _ in range(4):
        edge = opened(tmp_path)
        again = found(edge)
        tried.append(again.memory if isinstance(again, Remembered) else None)
        edge.close()
    assert tried == [second, second, first, None]


def test_memory_that_was_tried_is_the_one_before_the_next(tmp_path: Path) -> None:
    edge = opened(tmp_path)
    first = keep(edge)
    edge.close()
    edge = opened(tmp_path)
    keep(edge)
    edge.close()
    names = sorted(path.name for path in (tmp_path / DIRECTORY).iterdir())
    assert names == [BEFORE, NEWEST]
    (tmp_path / DIRECTORY / NEWEST).unlink()
    edge = opened(tmp_path)
    again = found(edge)
    assert isinstance(again, Remembered)
    assert again.memory == first
    edge.close()


def test_disk_that_takes_nothing_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / DIRECTORY).write_bytes(b"a file where the directory should be")
    edge = opened(tmp_path)
    assert isinstance(found(edge), NotRemembered)
    keep(edge)
    edge.close()


@pytest.mark.req("CP-2")
def test_restart_over_a_recording_shows_what_its_twin_shows(tmp_path: Path) -> None:
    """The whole way: memory, recording behind it, the feeds' snapshots, live proof."""
    done = rehearse(tmp_path, config(), markets=2, seconds=PROVEN_S + 20)
    assert done.problem == ""
    assert done.is_equal
    assert 0 < done.facts < 60


def test_twin_is_not_met_without_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.state.memory_file.NEWEST", "elsewhere.ils")
    monkeypatch.setattr(MemoryFile, "_write", lambda self, content: None)
    done = rehearse(tmp_path, config(), markets=1, seconds=PROVEN_S)
    assert (done.is_equal, done.problem) == (False, "nothing was remembered")
