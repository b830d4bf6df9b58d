"""Refused frames on a real disk: kept in order, bounded by count and bytes, through a restart."""

import stat
from pathlib import Path

import msgspec
import pytest

from ops.quarantine import read_frames
from services.feed.messages import KeepFrame
from services.feed.quarantine_file import WAITING_MAX, QuarantineFile
from shared.quarantine import DIRECTORY, QuarantinedFrame
from shared.topics import FEED_PRICE, FEED_USER
from tests.builders.feeds import at


def frame(number: int, raw: str = "{", feed: str = FEED_PRICE) -> QuarantinedFrame:
    return QuarantinedFrame(f"1-{number}", feed, "socket", "no JSON", raw, len(raw), number)


def keep(directory: Path, *frames: QuarantinedFrame, frames_max: int = 500) -> QuarantineFile:
    """Keep frames by an edge of its own, which is closed again."""
    edge = QuarantineFile(directory, FEED_PRICE, frames_max=frames_max, bytes_max=10_000)
    for one in frames:
        edge.apply(KeepFrame(one), at(0))
    edge.close()
    return edge


def numbers(directory: Path) -> list[int]:
    return [one.wall_ns for one in read_frames(directory).frames]


@pytest.mark.req("DQ-5")
def test_frame_is_kept_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    odd = frame(1, 'a "quoted"\nline \u0000 and \U0001f600')
    keep(tmp_path, odd)
    assert read_frames(tmp_path).frames == (odd,)
    directory = tmp_path / DIRECTORY
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    (path,) = directory.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.req("DQ-5")
def test_frames_are_bounded_by_count_through_restarts(tmp_path: Path) -> None:
    for start in range(0, 35, 5):
        keep(tmp_path, *(frame(start + step) for step in range(5)), frames_max=10)
    assert numbers(tmp_path) == list(range(20, 35)), "the older file full, the newer one not yet"


@pytest.mark.req("DQ-5")
def test_frames_are_bounded_by_bytes(tmp_path: Path) -> None:
    keep(tmp_path, *(frame(number, "x" * 3_000) for number in range(9)))
    sizes = [path.stat().st_size for path in (tmp_path / DIRECTORY).iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 10_000
    assert numbers(tmp_path)[-1] == 8


def test_feed_goes_on_when_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / DIRECTORY).write_text("a file where the directory should be")
    assert keep(tmp_path, frame(1)).lost == 1


def test_torn_line_is_passed_over_and_counted(tmp_path: Path) -> None:
    keep(tmp_path, frame(1), frame(2))
    (path,) = (tmp_path / DIRECTORY).iterdir()
    path.write_bytes(path.read_bytes()[:-10])
    keep(tmp_path, frame(3))
    found = read_frames(tmp_path)
    assert [one.wall_ns for one in found.frames] == [1, 3]
    assert found.unreadable == 1


def test_nothing_kept_is_empty(tmp_path: Path) -> None:
    assert read_frames(tmp_path).frames == ()


def test_directory_that_is_not_there_is_no_empty_quarantine(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_frames(tmp_path / "mistyped")
    (tmp_path / DIRECTORY).write_text("a file where the directory should be")
    with pytest.raises(NotADirectoryError):
        read_frames(tmp_path)


def test_frames_of_one_feed_are_told_apart(tmp_path: Path) -> None:
    keep(tmp_path, frame(1))
    edge = QuarantineFile(tmp_path, FEED_USER)
    edge.apply(KeepFrame(frame(2, feed=FEED_USER)), at(0))
    edge.close()
    assert [one.feed for one in read_frames(tmp_path, FEED_USER).frames] == [FEED_USER]
    assert len(read_frames(tmp_path).frames) == 2


def test_every_line_is_an_object_of_its_own(tmp_path: Path) -> None:
    keep(tmp_path, *(frame(number) for number in range(WAITING_MAX // 2)))
    (path,) = (tmp_path / DIRECTORY).iterdir()
    for line in path.read_bytes().splitlines():
        assert msgspec.json.decode(line)["why"] == "no JSON"
