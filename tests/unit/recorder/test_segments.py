"""The recorder's disk: written means on the disk, torn ends are cut off and kept aside."""

import contextlib
import os
import threading
from pathlib import Path

import pytest

from bus.recording_files import TORN_SUFFIX, is_sealed, mend, verify
from services.recorder.segments import Segments
from services.recorder.work import (
    AppendRecords,
    Checked,
    CloseSegment,
    OpenSegment,
    WriteFailed,
    Written,
)
from shared.effects import Message
from shared.recording import MAGIC, FactRecord, GapRecord, Head, Seal, frame
from shared.units import MonotonicNs
from tests.builders.feeds import at

HEAD = MAGIC + frame(Head(1, 7, 2, MonotonicNs(3)))
FACT = frame(FactRecord(MonotonicNs(4), "feed.price", b"header", b"body"))
GAP = frame(GapRecord(MonotonicNs(5), "state", "", -1, "pause"))
WHOLE = HEAD + FACT + GAP


def wait_for(segments: Segments, kind: type[Message]) -> Message:
    """Poll the edge until it has a message of a kind, for a bounded time."""
    pause = threading.Event()
    for _ in range(1_000):
        for message in segments.on_tick(at(0)):
            if isinstance(message, kind):
                return message
        pause.wait(0.005)
    raise AssertionError(f"no {kind.__name__}")


@pytest.mark.req("CP-4")
def test_file_torn_at_every_byte_is_mended_and_loses_nothing_whole(tmp_path: Path) -> None:
    for length in range(len(MAGIC), len(WHOLE) + 1):
        path = tmp_path / f"{length}.ilr"
        path.write_bytes(WHOLE[:length])
        before = verify(path)
        torn = mend(path)
        after = verify(path)
        assert torn == before.torn_bytes
        assert (after.facts, after.gaps) == (before.facts, before.gaps)
        assert (after.sealed, after.torn_bytes, after.problem) == (True, 0, "")
        side = path.with_name(path.name + TORN_SUFFIX)
        kept = side.read_bytes() if side.exists() else b""
        assert kept == WHOLE[before.whole_bytes : length]


@pytest.mark.parametrize("length", range(len(MAGIC)))
def test_file_torn_inside_its_first_bytes_is_emptied_and_kept_aside(
    tmp_path: Path, length: int
) -> None:
    path = tmp_path / "a.ilr"
    path.write_bytes(WHOLE[:length])
    mend(path)
    assert path.read_bytes() == b""
    side = path.with_name(path.name + TORN_SUFFIX)
    assert (side.read_bytes() if side.exists() else b"") == WHOLE[:length]


def test_sealed_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.ilr"
    content = WHOLE + frame(Seal(3))
    path.write_bytes(content)
    assert is_sealed(path)
    assert mend(path) == 0
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", MAGIC, HEAD, WHOLE, WHOLE + frame(Seal(3))[:-1]])
def test_file_without_its_seal_is_not_sealed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.ilr"
    path.write_bytes(content)
    assert not is_sealed(path)


def test_seal_with_a_wrong_count_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.ilr"
    path.write_bytes(WHOLE + frame(Seal(5)))
    found = verify(path)
    assert not found.sealed
    assert found.problem == "seal counts 5, found 3"


def test_verification_counts_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.ilr"
    path.write_bytes(WHOLE + FACT + frame(Seal(4)) + b"")
    found = verify(path)
    assert (found.facts, found.gaps, found.sealed, found.problem) == (2, 1, True, "")


def test_batches_are_on_the_disk_when_they_are_said_to_be(tmp_path: Path) -> None:
    segments = Segments(tmp_path / "recordings")
    segments.apply(OpenSegment("a.ilr", HEAD, b""), at(0))
    segments.apply(AppendRecords(1, FACT), at(0))
    assert wait_for(segments, Written) == Written(1)
    path = tmp_path / "recordings" / "a.ilr"
    assert path.read_bytes() == HEAD + FACT
    assert path.stat().st_mode & 0o777 == 0o600
    segments.apply(OpenSegment("b.ilr", HEAD, frame(Seal(2))), at(0))
    segments.apply(CloseSegment(frame(Seal(1))), at(0))
    segments.close()
    assert verify(path).sealed
    assert verify(tmp_path / "recordings" / "b.ilr").sealed


@pytest.mark.req("CP-4")
def test_start_checks_what_earlier_runs_left(tmp_path: Path) -> None:
    (tmp_path / "torn.ilr").write_bytes(WHOLE[:-3])
    (tmp_path / "unsealed.ilr").write_bytes(WHOLE)
    (tmp_path / "sealed.ilr").write_bytes(WHOLE + frame(Seal(3)))
    segments = Segments(tmp_path)
    assert wait_for(segments, Checked) == Checked(3, ("torn.ilr",), "")
    segments.close()
    assert all(verify(path).sealed for path in tmp_path.glob("*.ilr"))


@pytest.mark.req("CP-4")
def test_file_that_cannot_be_made_is_a_message_and_the_next_one_works(tmp_path: Path) -> None:
    place = tmp_path / "recordings"
    place.write_bytes(b"in the way")
    segments = Segments(place)
    segments.apply(OpenSegment("a.ilr", HEAD, b""), at(0))
    segments.apply(AppendRecords(1, FACT), at(0))
    wait_for(segments, WriteFailed)
    place.unlink()
    segments.apply(OpenSegment("b.ilr", HEAD, b""), at(0))
    segments.apply(AppendRecords(2, FACT), at(0))
    assert wait_for(segments, Written) == Written(2)
    segments.close()


def test_existing_file_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.ilr").write_bytes(WHOLE + frame(Seal(3)))
    segments = Segments(tmp_path)
    segments.apply(OpenSegment("a.ilr", HEAD, b""), at(0))
    assert isinstance(wait_for(segments, WriteFailed), WriteFailed)
    segments.close()
    assert verify(tmp_path / "a.ilr").facts == 1


def test_closing_ends_the_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    Segments(tmp_path).close()
    assert threading.active_count() == before


@pytest.mark.req("CP-4", "OP-12")
@pytest.mark.parametrize("call", ["open", "write", "fsync", "ftruncate"])
def test_mending_that_is_cut_at_any_step_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The power goes at the n-th call; what is whole and what was torn are there afterwards."""
    for number in range(6):
        path = tmp_path / f"{number}.ilr"
        path.write_bytes(WHOLE[:-3])
        calls = 0
        real = getattr(os, call)

        def failing(*arguments: object, limit: int = number, real: object = real) -> object:
            nonlocal calls
            calls += 1
            if calls > limit:
                raise OSError(5, "the power went")
            return real(*arguments)  # type: ignore[operator]

        with monkeypatch.context() as spoilt:
            spoilt.setattr(os, call, failing)
            with contextlib.suppress(OSError):
                mend(path)
        mend(path)
        assert verify(path).sealed
        assert verify(path).facts == 1
        torn = WHOLE[:-3][len(HEAD + FACT) :]
        sides = [side.read_bytes() for side in tmp_path.glob(f"{number}.ilr.torn*")]
        assert torn in sides


@pytest.mark.req("CP-4")
def test_write_that_reads_back_otherwise_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pread", lambda *_: b"other")
    segments = Segments(tmp_path)
    segments.apply(OpenSegment("a.ilr", HEAD, b""), at(0))
    segments.apply(AppendRecords(1, FACT), at(0))
    failed = wait_for(segments, WriteFailed)
    assert isinstance(failed, WriteFailed)
    assert "reads back" in failed.reason
    segments.close()


@pytest.mark.req("CP-4")
def test_file_of_a_failed_write_is_mended_when_the_next_begins(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    wait_for(segments, Checked)
    segments.apply(OpenSegment("a.ilr", HEAD, b""), at(0))
    segments.apply(OpenSegment("a.ilr", HEAD, frame(Seal(1))), at(0))
    wait_for(segments, WriteFailed)
    (tmp_path / "b.ilr").write_bytes(WHOLE[:-3])
    segments.apply(OpenSegment("c.ilr", HEAD, b""), at(0))
    segments.apply(AppendRecords(1, b"cut"), at(0))
    wait_for(segments, Written)
    segments._abandon()
    segments.apply(OpenSegment("d.ilr", HEAD, b""), at(0))
    assert wait_for(segments, Checked) == Checked(3, ("b.ilr", "c.ilr"), "")
    segments.close()
