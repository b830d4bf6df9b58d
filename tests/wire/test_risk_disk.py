"""Risk's database on disks that fail: full, read-only, damaged, not to be read at all.

Each fails closed, with the reason in plain words in what `interlock status` shows: by a real
small file system where one may be mounted, and by limits of SQLite itself anywhere.
"""

import contextlib
import ctypes
import ctypes.util
import os
import select
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bus import clock
from services.risk.epoch import RESERVE
from services.risk.messages import Persist, Persisted, PersistFailed
from services.risk.risk_file import RiskFile
from services.risk.store import RiskStore
from shared.effects import Message
from shared.operator import ResumeRefused
from shared.risk_schema import MARKER_FILE, RISK_FILE, LatchRow
from shared.units import WallNs
from tests.builders.risk import World

LATCH = LatchRow("operator_halt", "account", "", 4, WallNs(9), "why", "seen")
DISK_BYTES = 256 * 1024
WAIT_S = 30.0
MS_RDONLY = 1
MS_REMOUNT = 32
"""Source: mount(2)."""


class SmallDisk:
    """A file system of its own, some hundred kilobytes large."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._libc = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True)
        if self._mount(0, f"size={DISK_BYTES}"):
            pytest.skip(f"may not mount: {os.strerror(ctypes.get_errno())}")

    def fill(self) -> None:
        """Leave no room."""
        with (self.path / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4_096)
            except OSError:
                return

    def empty(self) -> None:
        """Give the room back."""
        (self.path / "filler").unlink()

    def set_read_only(self, *, wanted: bool) -> None:
        """Refuse writes, or take them again; waits for nobody who has a file open."""
        flags = MS_REMOUNT | (MS_RDONLY if wanted else 0)
        assert self._mount(flags, f"size={DISK_BYTES}") == 0, os.strerror(ctypes.get_errno())

    def close(self) -> None:
        """Take the file system away."""
        assert self._libc.umount2(os.fsencode(self.path), 2) == 0

    def _mount(self, flags: int, options: str) -> int:
        kind, place = b"tmpfs", os.fsencode(self.path)
        return int(self._libc.mount(kind, place, kind, flags, options.encode()))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    path = tmp_path / "disk"
    path.mkdir()
    made = SmallDisk(path)
    yield made
    made.close()


def answers(store: RiskStore) -> list[Message]:
    """Return what the store's thread tells next."""
    ((descriptor, events),) = store.sockets()
    found: list[Message] = []
    while not found:
        ready, _, _ = select.select([descriptor], [], [], WAIT_S)
        assert ready, "the thread told nothing"
        found = store.on_ready(descriptor, events, clock.read())
    return found


def written(store: RiskStore, write_id: int) -> Message:
    """Ask for a write and return its first answer."""
    store.apply(Persist(write_id, (LATCH,)), clock.read())
    return answers(store)[0]


def shown(world: World) -> str:
    """Return every reason that a status shows."""
    return "; ".join((*world.status.reasons, *(one.reason for one in world.status.switches)))


def assert_halted(world: World, *words: str) -> None:
    """Look that nothing is granted, that the words are shown, and that a resume says why not."""
    world.run(15_000)
    assert world.status.trading_state == "HALTED"
    assert not world.leases()
    for word in words:
        assert word in shown(world)


# --- at start ---------------------------------------------------------------------------


@pytest.mark.req("INV-9", "OP-11")
def test_start_on_a_full_disk_is_halted_and_says_so(disk: SmallDisk) -> None:
    disk.fill()
    file = RiskFile(disk.path, "main")
    assert file.stored.reserved == file.stored.used_max, "nothing can be granted"
    assert_halted(World(file.stored), "cannot be created", "full")
    file.close()


@pytest.mark.req("INV-9", "OP-11")
def test_start_on_a_read_only_disk_with_latches_keeps_them_and_is_halted(disk: SmallDisk) -> None:
    file = RiskFile(disk.path, "main")
    file.write((LATCH,))
    file.close()
    disk.set_read_only(wanted=True)
    file = RiskFile(disk.path, "main")
    assert file.stored.reserved == file.stored.used_max, "nothing can be granted"
    assert file.stored.used_max >= RESERVE
    assert_halted(World(file.stored), "read")
    file.close()
    disk.set_read_only(wanted=False)
    assert RiskFile(disk.path, "main").stored.latches == (LATCH,)


def _spoil_values(directory: Path) -> None:
    with sqlite3.connect(directory / RISK_FILE) as connection:
        connection.execute("UPDATE meta SET value = 'many' WHERE name = 'reserved'")
    connection.close()


def _lose_a_value(directory: Path) -> None:
    with sqlite3.connect(directory / RISK_FILE) as connection:
        connection.execute("DELETE FROM meta WHERE name = 'latch_version'")
    connection.close()


def _overwrite_a_page(directory: Path) -> None:
    path = directory / RISK_FILE
    content = bytearray(path.read_bytes())
    content[4_096:8_192] = b"\xa5" * 4_096
    path.write_bytes(bytes(content))


def _cut_in_half(directory: Path) -> None:
    path = directory / RISK_FILE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _marker_of_other_bytes(directory: Path) -> None:
    (directory / MARKER_FILE).write_bytes(b'{"account":"\xff","reserved":1,"latch_version":1}')


def _directory_for_a_marker(directory: Path) -> None:
    (directory / MARKER_FILE).unlink()
    (directory / MARKER_FILE).mkdir()


def _directory_for_a_database(directory: Path) -> None:
    (directory / RISK_FILE).unlink()
    (directory / RISK_FILE).mkdir()


@pytest.mark.req("INV-9", "OP-11")
@pytest.mark.parametrize(
    "spoil",
    [
        _spoil_values,
        _lose_a_value,
        _overwrite_a_page,
        _cut_in_half,
        _marker_of_other_bytes,
        _directory_for_a_marker,
        _directory_for_a_database,
    ],
)
def test_start_on_what_cannot_be_believed_is_halted_through_the_next_start_too(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    file = RiskFile(tmp_path, "main")
    file.write((LATCH,))
    file.close()
    spoil(tmp_path)
    file = RiskFile(tmp_path, "main")
    assert file.stored.trouble
    world = World(file.stored)
    assert_halted(world, "risk_database")
    for write in world.of(Persist):
        try:
            file.write(write.records)
        except OSError:
            return  # it cannot be written at all: the next start finds the same
    file.close()
    stored = RiskFile(tmp_path, "main").stored
    assert "risk_database" in {row.name for row in stored.latches}
    assert_halted(World(stored), "risk_database")


# --- while running ----------------------------------------------------------------------


@pytest.mark.req("INV-9", "OP-11")
def test_disk_that_fills_up_refuses_the_write_and_takes_it_once_there_is_room(
    disk: SmallDisk,
) -> None:
    store = RiskStore(RiskFile(disk.path, "main"))
    assert written(store, 1) == Persisted(1)
    disk.fill()
    failed = written(store, 2)
    assert isinstance(failed, PersistFailed)
    assert "full" in failed.reason or "No space" in failed.reason
    disk.empty()
    while (told := answers(store)[-1]) != Persisted(2):
        assert isinstance(told, PersistFailed)
    store.close()
    assert RiskFile(disk.path, "main").stored.latches == (LATCH,)


@pytest.mark.req("INV-9", "OP-11")
def test_disk_that_turns_read_only_refuses_the_write_and_takes_it_once_it_is_mended(
    disk: SmallDisk,
) -> None:
    store = RiskStore(RiskFile(disk.path, "main"))
    assert written(store, 1) == Persisted(1)
    # A file that is open for writing keeps a file system from turning read-only.
    store._file.close()
    disk.set_read_only(wanted=True)
    store._file._open()
    failed = written(store, 2)
    assert isinstance(failed, PersistFailed)
    disk.set_read_only(wanted=False)
    store.close()


@pytest.mark.req("INV-9", "OP-11")
@pytest.mark.parametrize(
    ("pragma", "word"), [("max_page_count = 1", "full"), ("query_only = ON", "readonly")]
)
def test_write_that_sqlite_refuses_halts_with_its_own_words(
    tmp_path: Path, pragma: str, word: str
) -> None:
    """The same by limits of SQLite itself, where nothing may be mounted; then it is mended."""
    file = RiskFile(tmp_path, "main")
    world = World(file.stored)
    world.trade()
    connection = file._connection
    assert connection is not None
    connection.execute(f"PRAGMA {pragma}")
    with pytest.raises(sqlite3.Error) as refused:
        file.write(tuple(_row(number) for number in range(500)))
    world.disk_works = False
    world.tell(PersistFailed(1, str(refused.value)))
    since = world.ms
    world.run(10_000)
    assert world.status.trading_state == "HALTED"
    assert not world.leases(since + 10)
    assert word in shown(world)
    world.resume()
    world.run(100)
    assert isinstance(world.replies[-1][1], ResumeRefused)
    connection.execute("PRAGMA query_only = OFF")
    connection.execute("PRAGMA max_page_count = 100000")
    file.write((LATCH,))
    file.close()
    assert RiskFile(tmp_path, "main").stored.latches == (LATCH,)


def _row(number: int) -> LatchRow:
    return LatchRow("operator_halt", "market", f"0x{number}", number, WallNs(9), "why " * 100, "")


@pytest.mark.req("INV-9")
def test_database_damaged_while_it_is_open_is_found_at_the_next_start(tmp_path: Path) -> None:
    file = RiskFile(tmp_path, "main")
    file.write((LATCH,))
    connection = file._connection
    assert connection is not None
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / RISK_FILE).open("r+b") as raw:
        raw.seek(4_096)
        raw.write(b"\x5a" * 16_384)
    with contextlib.suppress(sqlite3.Error):  # found at once, it latches too
        file.write((LATCH,))
    file.close()
    stored = RiskFile(tmp_path, "main").stored
    assert stored.trouble
    assert stored.used_max >= RESERVE
    assert_halted(World(stored), "risk_database")
