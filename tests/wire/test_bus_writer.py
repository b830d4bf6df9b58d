"""The thread behind the loop: it commits, tells the loop, and ends with what it is at."""

import threading
from collections.abc import Iterator
from select import select

import pytest

from bus.clock import read
from bus.edge import CommitFailed, Edge
from bus.writer import Writer
from shared.effects import Durable, Effect, Message
from shared.units import Instant

WITHIN_S = 10.0


class Row(Durable, frozen=True):
    pass


class Disk(Edge):
    """A disk whose sync takes as long as the test likes."""

    handles = (Row,)

    def __init__(self) -> None:
        self.synced = threading.Event()
        self.rows: list[int] = []
        self.committed: list[int] = []
        self.threads: set[str] = set()
        self.failure = ""
        self.closed = threading.Event()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        assert isinstance(effect, Row)
        self.threads.add(threading.current_thread().name)
        self.rows.append(effect.number)
        return []

    def commit(self, now: Instant) -> None:
        assert self.synced.wait(WITHIN_S)
        rows, self.rows = self.rows, []
        if self.failure:
            raise CommitFailed(self.failure)
        self.committed += rows

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.synced.set()


def wait(writer: Writer) -> None:
    """Wait as the loop does: until the thread has something to tell."""
    descriptors = [descriptor for descriptor, _ in writer.sockets()]
    ready, _, _ = select(descriptors, [], [], WITHIN_S)
    assert ready == descriptors
    assert writer.on_ready(ready[0], 1, read()) == []


@pytest.mark.req("INV-2")
def test_commit_is_held_only_when_the_disk_has_it(disk: Disk) -> None:
    writer = Writer(disk)
    writer.apply(Row(number=1), read())
    writer.apply(Row(number=2), read())
    writer.commit(read())
    assert not writer.is_committed(read())
    assert disk.committed == []
    disk.synced.set()
    wait(writer)
    assert writer.is_committed(read())
    assert disk.committed == [1, 2]
    assert disk.threads == {"writer"}
    writer.close()


def test_commit_of_nothing_is_held_at_once(disk: Disk) -> None:
    writer = Writer(disk)
    writer.commit(read())
    assert writer.is_committed(read())
    writer.close()


@pytest.mark.req("INV-2")
def test_failure_is_told_once_and_the_next_commit_is_tried(disk: Disk) -> None:
    disk.synced.set()
    writer = Writer(disk)
    disk.failure = "disk full"
    writer.apply(Row(number=1), read())
    writer.commit(read())
    wait(writer)
    with pytest.raises(CommitFailed, match="disk full"):
        writer.is_committed(read())
    disk.failure = ""
    writer.apply(Row(number=2), read())
    writer.commit(read())
    wait(writer)
    assert writer.is_committed(read())
    assert disk.committed == [2]
    writer.close()


@pytest.mark.req("OP-12")
def test_end_waits_for_the_commit_under_way_and_closes_the_disk_in_its_thread(disk: Disk) -> None:
    writer = Writer(disk)
    writer.apply(Row(number=1), read())
    writer.commit(read())
    threading.Timer(0.05, disk.synced.set).start()
    writer.close()
    assert disk.committed == [1]
    assert disk.closed.is_set()


def test_end_does_not_wait_for_ever(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.writer.CLOSE_S", 0.05)
    writer = Writer(disk)
    writer.apply(Row(number=1), read())
    writer.commit(read())
    writer.close()
    assert not disk.closed.is_set()
    assert disk.committed == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_bug_in_the_thread_ends_the_process_instead_of_holding_it_up(disk: Disk) -> None:
    disk.rows = None  # type: ignore[assignment]
    writer = Writer(disk)
    writer.apply(Row(number=1), read())
    writer.commit(read())
    writer._thread.join(WITHIN_S)
    with pytest.raises(AssertionError, match="has died"):
        writer.is_committed(read())
    writer.close()
