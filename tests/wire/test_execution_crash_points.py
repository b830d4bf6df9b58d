"""The ledger is cut at every write and every sync, and each disk that may be left is opened.

What execution writes is written through a disk that records each operation: turns as the loop
applies them (records, one commit, then the post), anchors, folds by a second connection,
closing and opening again, and a migration. From the record every disk that a killed process or a
power cut can leave at any moment is made, and opened by the real ledger. `make test` samples the
subsets of what a power cut may undo, `make crash-points` tries many.
"""

import hashlib
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import msgspec
import pytest

from bus.application import Application, Decided
from bus.edge import Edge
from bus.ledger_proof import prove
from services.execution.ledger import appending, migration
from services.execution.ledger import ledger as ledger_module
from services.execution.ledger.checkpoints import fold
from services.execution.ledger.ledger import Ledger
from shared.effects import Control, Effect, Exit, Log, Message, Publish
from shared.identifiers import OrderHash, TradeId
from shared.ledger_schema import LEDGER_FILE, AnyRecord, EpochRecord, IdentityRecord, Journal
from shared.orders import OrderState
from shared.units import Instant
from tests.builders.crash_images import Disk, Image
from tests.builders.ledger_rows import build_fill_record, build_order_record
from tests.builders.ledger_versions import write_version_2
from tests.builders.markets import instant
from tests.builders.recording_disk import Op, RecordingDisk, connect_recorded

SUBSETS = int(os.environ.get("INTERLOCK_CRASH_SUBSETS", "1"))
"""Power cuts tried at each moment, beside the two that lose all and nothing."""

ORDERS = int(os.environ.get("INTERLOCK_CRASH_ORDERS", "6"))
"""Lives of orders that are written."""

NOW = instant()
IDENTITY = IdentityRecord("main", "0x1", "key")
SYNC = "PRAGMA synchronous = FULL"


class Post(Effect, frozen=True):
    """Stands for what goes to the venue."""

    order_id: OrderHash


class Venue(Edge):
    """Notes what it could have seen, and when."""

    handles = (Post,)

    def __init__(self, disk: RecordingDisk, *, is_urgent: bool) -> None:
        self._disk = disk
        self._is_urgent = is_urgent
        self.posts: list[tuple[int, OrderHash]] = []

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        assert isinstance(effect, Post)
        self.posts.append((len(self._disk.ops), effect.order_id))
        return []

    def is_urgent(self, effect: Effect) -> bool:
        return self._is_urgent


class Silence:
    """An outlet into which nothing is said."""

    def publish(self, effect: Publish, decided: Instant) -> None: ...

    def send_control(self, effect: Control) -> None: ...

    def log(self, effect: Log) -> None: ...

    def exit(self, effect: Exit) -> None: ...


class Story(msgspec.Struct):
    """What was done to the disk, and what each moment owes.

    Attributes:
        base: The disk before.
        ops: All operations.
        acknowledged: (operations so far, events on disk) after each commit, each opening.
        posts: (operations so far, order) of each post.
        events: Bodies of all events, in order.
    """

    base: Image
    ops: list[Op]
    acknowledged: list[tuple[int, int]]
    posts: list[tuple[int, OrderHash]]
    events: list[bytes]

    def owed(self, moment: int) -> tuple[int, set[OrderHash]]:
        """Return how many events, and which orders, a disk of a moment must hold."""
        events = max((count for at, count in self.acknowledged if at <= moment), default=0)
        return events, {order for at, order in self.posts if at <= moment}


class Teller:
    """Writes a story: turns through the application, folds, and openings."""

    def __init__(
        self,
        directory: Path,
        *,
        is_urgent: bool = False,
        replaced: dict[str, str] | None = None,
    ) -> None:
        self._path = directory / LEDGER_FILE
        self._disk = RecordingDisk()
        self._replaced = replaced
        self._base = files_of(directory)
        with closing(sqlite3.connect(self._path)) as database:
            held = len(bodies(database)) if self._base else 0
        self._venue = Venue(self._disk, is_urgent=is_urgent)
        self._acknowledged = [(0, held)]

    def connect(self, path: Path) -> sqlite3.Connection:
        return connect_recorded(path, self._replaced)

    def note(self, op: Op) -> None:
        self._disk.ops.append(op)

    def open(self) -> None:
        self._ledger = Ledger(self._path, NOW, self.connect)
        self._application = Application(Silence(), (self._ledger, self._venue), lambda: NOW)
        self._folder = self.connect(self._path)
        self._acknowledge()

    def close(self) -> None:
        self._folder.close()
        self._ledger.close()

    def fold(self) -> None:
        assert fold(self._folder)

    def turn(self, *records: AnyRecord, post: OrderHash | None = None) -> None:
        """Let the application carry a turn out; what it posts is what the venue sees."""
        effects: list[Decided] = [(Journal(records), NOW)]
        if post is not None:
            effects.append((Post(post), NOW))
        self._application.apply(effects)
        self._acknowledge()

    def _acknowledge(self) -> None:
        self._acknowledged.append((len(self._disk.ops), self._ledger._appender.sequence))

    def story(self) -> Story:
        """Close everything, and return what was done."""
        self.close()
        self._disk.unregister()
        with closing(sqlite3.connect(self._path)) as database:
            events = bodies(database)
        return Story(self._base, self._disk.ops, self._acknowledged, self._venue.posts, events)


def bodies(database: sqlite3.Connection) -> list[bytes]:
    return [row[0] for row in database.execute("SELECT body FROM events ORDER BY sequence")]


def files_of(directory: Path) -> Image:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def order_id(number: int) -> OrderHash:
    return OrderHash(f"0x{number * 0x9E3779B97F4A7C15 % 2**64:064x}")


def live_through(teller: Teller, orders: range) -> None:
    """Intend and post, hear, fill, end: as many turns as an order of ours takes."""
    for number in orders:
        record = build_order_record(order_id=order_id(number))
        teller.turn(record, post=record.order_id)
        end: OrderState = "FILLED" if number % 2 else "CANCELED"
        more: tuple[AnyRecord, ...] = ()
        if number % 2:
            more = (build_fill_record(order_id=record.order_id, trade_id=TradeId(str(number))),)
        teller.turn(msgspec.structs.replace(record, state=end), *more)
        if number % 3 == 2:
            teller.fold()


@pytest.fixture(autouse=True)
def _small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anchors come after a few events, and retire what is beyond two orders."""
    monkeypatch.setattr(ledger_module, "ANCHOR_EVENTS", 5)
    monkeypatch.setattr(appending, "ORDERS_RECENT_MAX", 2)


def tell_of_a_life(teller: Teller, orders: int) -> Story:
    """A new ledger, turns, folds, a stop and a start, and more turns."""
    teller.open()
    teller.turn(IDENTITY, EpochRecord(1))
    live_through(teller, range(orders // 2))
    teller.close()
    teller.open()
    teller.turn(EpochRecord(2))
    live_through(teller, range(orders // 2, orders))
    return teller.story()


def tell_of_a_migration(teller: Teller, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A ledger of version 2 is opened, and goes on."""

    def put_in_place(part: Path, final: Path) -> None:
        part.rename(final)
        teller.note(Op("rename", part.name, renamed=final.name))

    monkeypatch.setattr(migration, "sync_file", lambda path: teller.note(Op("sync", path.name)))
    monkeypatch.setattr(migration, "put_in_place", put_in_place)
    teller.open()
    live_through(teller, range(10, 13))
    monkeypatch.undo()
    assert (directory / f"{LEDGER_FILE}.v2-backup").exists()
    return teller.story()


class Judge:
    """Opens the disks of a story with the real ledger.

    Attributes:
        moments: At which a crash was tried; images: disks that were opened, all different.
        faults: What was wrong, by moment.
    """

    def __init__(self, story: Story, directory: Path, seed: int = 1) -> None:
        self._story = story
        self._directory = directory
        self._chance = random.Random(seed)
        self._seen: set[bytes] = set()
        self.moments = self.images = 0
        self.faults: list[str] = []

    def try_all(self, stride: int = 1) -> None:
        """Crash at every write and every sync."""
        disk = Disk(self._story.base)
        for moment, op in enumerate(self._story.ops):
            is_moment = moment % stride == 0 or op.kind != "write"
            if is_moment:
                self.moments += 1
                for name, image in self._images(disk, op):
                    self._try(image, moment, name)
            disk.apply(op)
        self._try(disk.killed(), len(self._story.ops), "end")

    def _images(self, disk: Disk, op: Op) -> Iterator[tuple[str, Image]]:
        yield "killed", disk.killed()
        if op.kind == "write" and len(op.data) > 1:
            yield "torn", disk.torn(op, self._chance)
        for image in disk.cut(self._chance, SUBSETS):
            yield "power cut", image

    def _try(self, image: Image, moment: int, name: str) -> None:
        digest = hashlib.sha256()
        for file in sorted(image):
            digest.update(f"{file} {len(image[file])} ".encode() + image[file])
        owed, posted = self._story.owed(moment)
        digest.update(f"{owed} {len(posted)}".encode())
        if digest.digest() in self._seen:
            return
        self._seen.add(digest.digest())
        self.images += 1
        try:
            self._judge(image, owed, posted)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
            self.faults.append(f"{name} before operation {moment}: {error!r}")

    def _judge(self, image: Image, owed: int, posted: set[OrderHash]) -> None:
        """Open a disk: it must open, prove itself, hold what is owed, and go on."""
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir()
        for file, data in image.items():
            (self._directory / file).write_bytes(data)
        path = self._directory / LEDGER_FILE
        ledger = Ledger(path, NOW)
        known = {order.order_id for order in ledger.opened.orders}
        ledger.apply(Journal((EpochRecord(99),)), NOW)
        ledger.commit(NOW)
        ledger.close()
        with closing(sqlite3.connect(path)) as database:
            prove(lambda: nullcontext(database))
            found = [body for body in bodies(database) if b'EpochRecord","epoch":99' not in body]
            rows = {row[0] for row in database.execute("SELECT order_id FROM orders")}
        _agree(found, self._story, owed)
        assert posted <= rows, "an order that the venue has seen is not in the ledger"
        assert known <= rows
        backup = path.with_name(f"{LEDGER_FILE}.v2-backup")
        if backup.exists():
            with closing(sqlite3.connect(backup)) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                old = bodies(database)
            assert old, "the copy is empty"
            assert old == self._story.events[: len(old)], "the copy is not the old ledger"


def _agree(found: list[bytes], story: Story, owed: int) -> None:
    """What was found are the first turns of what was written, and no less than what is owed.

    Anchors are left out, since the opening of a cut migration makes one of its own.
    """
    kept = plain(found)
    written = plain(story.events)
    assert kept == written[: len(kept)], "events that nobody wrote"
    ends = {len(plain(story.events[:count])) for _, count in story.acknowledged}
    assert len(kept) in ends, "half a turn"
    lost = len(plain(story.events[:owed])) - len(kept)
    assert lost <= 0, f"{lost} acknowledged events are lost"


def plain(events: list[bytes]) -> list[bytes]:
    return [body for body in events if b"AnchorRecord" not in body]


def report(name: str, story: Story, judge: Judge) -> None:
    syncs = sum(1 for op in story.ops if op.kind == "sync")
    sys.stdout.write(
        f"{name}: {len(story.ops)} operations, {syncs} of them syncs; {judge.moments} moments,"
        f" {judge.images} disks opened, {len(judge.faults)} faults\n"
    )


@pytest.mark.req("TST-4")
@pytest.mark.req("INV-2")
@pytest.mark.req("OP-12")
@pytest.mark.timeout(3_600)
def test_every_disk_that_a_crash_can_leave_opens_with_all_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "life"
    directory.mkdir()
    story = tell_of_a_life(Teller(directory), ORDERS)
    assert sum(b"AnchorRecord" in body for body in story.events) >= 3
    assert any(op.kind == "write" and op.name == LEDGER_FILE for op in story.ops)
    judge = Judge(story, tmp_path / "image")
    judge.try_all()
    report("life", story, judge)
    assert not judge.faults, judge.faults[:5]
    assert judge.images >= 500


@pytest.mark.req("TST-4")
@pytest.mark.req("OP-12")
@pytest.mark.timeout(3_600)
def test_migration_that_is_cut_anywhere_leaves_the_old_ledger_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "old"
    directory.mkdir()
    write_version_2(
        directory / LEDGER_FILE,
        (
            (IDENTITY, EpochRecord(1)),
            (build_order_record(order_id=order_id(1)),),
            (build_order_record(order_id=order_id(1), state="CANCELED"), build_fill_record()),
        ),
    )
    story = tell_of_a_migration(Teller(directory), directory, monkeypatch)
    judge = Judge(story, tmp_path / "image")
    judge.try_all()
    report("migration", story, judge)
    assert not judge.faults, judge.faults[:5]
    assert judge.images >= 300


PLANTED: dict[str, Callable[[Path], Teller]] = {
    "acknowledged events are lost": lambda path: Teller(
        path, replaced={SYNC: "PRAGMA synchronous = OFF"}
    ),
    "an order that the venue has seen is not in the ledger": lambda path: Teller(
        path, is_urgent=True
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_fault_is_found(tmp_path: Path, fault: str) -> None:
    """Commits that are not synced, and posts that leave before them."""
    directory = tmp_path / "life"
    directory.mkdir()
    story = tell_of_a_life(PLANTED[fault](directory), 2)
    judge = Judge(story, tmp_path / "image")
    judge.try_all(stride=6)
    assert any(fault in found for found in judge.faults)
