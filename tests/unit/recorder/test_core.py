"""The recorder: flushes in time, gives up nothing it can keep, and says what it gave up."""

from typing import Any

import msgspec
import pytest

from services.recorder.core import BATCH_BYTES_MAX, REOPEN_NS, STOP_NS_MAX, RecorderCore
from services.recorder.work import (
    AppendRecords,
    Checked,
    CloseSegment,
    OpenSegment,
    WriteFailed,
    Written,
)
from shared.config import RecorderSettings
from shared.effects import Effect, EnvelopeReceived, Exit, Gap, Log, Stop
from shared.identifiers import Component, Incarnation
from shared.recording import MAGIC, Damage, FactRecord, GapRecord, Record, Seal, read
from shared.units import NS_PER_MS, Instant
from tests.builders.feeds import at, config, facts, of_type

FLUSH_MS = 500
MEBIBYTE = 1024 * 1024
HOUR_MS = 3_600_000


class Rig:
    """A recorder's core with a fake disk: what was written, file by file."""

    def __init__(self, **spoil: Any) -> None:
        settings = RecorderSettings(flush_ms=FLUSH_MS, **spoil)
        self.core = RecorderCore(
            msgspec.structs.replace(config(), recorder=settings), Incarnation(255)
        )
        self.files: dict[str, bytes] = {}
        self.open = ""
        self.is_broken = False
        self.exits: list[Exit] = []

    def fact(self, now: Instant, body: bytes = b"body") -> None:
        envelope = EnvelopeReceived(
            Component("feed_market"),
            Incarnation(1),
            "feed.market",
            1,
            (b"feed.market", b"header", body),
            now.monotonic_ns,
        )
        self.carry_out(self.core.on_message(envelope, now), now)

    def tick(self, now: Instant) -> list[Effect]:
        effects = self.core.on_tick(now)
        self.carry_out(effects, now)
        return effects

    def run(self, start_ms: int, end_ms: int) -> None:
        for milliseconds in range(start_ms, end_ms, 10):
            self.tick(at(milliseconds))

    def carry_out(self, effects: list[Effect], now: Instant) -> None:
        for effect in effects:
            match effect:
                case OpenSegment(name=name, head=head, seal=seal):
                    self.close(seal)
                    self.open = name
                    self.files[name] = head
                case AppendRecords(batch=batch) if self.is_broken:
                    self.open = ""
                    self.carry_out(self.core.on_message(WriteFailed(batch, "full"), now), now)
                case AppendRecords(batch=batch, content=content):
                    self.files[self.open] += content
                    self.carry_out(self.core.on_message(Written(batch), now), now)
                case CloseSegment(seal=seal):
                    self.close(seal)
                case Exit():
                    self.exits.append(effect)
                case _:
                    pass

    def close(self, seal: bytes) -> None:
        if self.open:
            self.files[self.open] += seal

    def records(self, name: str) -> list[Record]:
        found = list(read(self.files[name]))
        assert not [item for item in found if isinstance(item, Damage)]
        return [item[1] for item in found if not isinstance(item, Damage)]


@pytest.mark.parametrize(("milliseconds", "is_written"), [(FLUSH_MS - 1, False), (FLUSH_MS, True)])
def test_fact_is_written_no_later_than_the_flush_time(
    milliseconds: int, *, is_written: bool
) -> None:
    rig = Rig()
    rig.fact(at(0))
    rig.tick(at(milliseconds))
    assert bool(rig.files) == is_written


def test_file_is_named_by_hour_and_incarnation_and_begins_with_a_head() -> None:
    rig = Rig()
    rig.fact(at(0))
    rig.tick(at(FLUSH_MS))
    assert list(rig.files) == ["2026-09-21T14-00000000000000ff-0000.ilr"]
    (content,) = rig.files.values()
    assert content.startswith(MAGIC)
    head, record = rig.records(rig.open)
    assert type(head).__name__ == "Head"
    assert isinstance(record, FactRecord)
    assert record.received_ns == at(0).monotonic_ns


def test_new_hour_seals_the_file_and_begins_another() -> None:
    rig = Rig()
    for moment in (0, HOUR_MS):
        rig.fact(at(moment))
        rig.tick(at(moment + FLUSH_MS))
    first, second = rig.files
    assert rig.records(first)[-1] == Seal(2)
    assert second.startswith("2026-09-21T15-")
    assert len(rig.records(second)) == 2


def test_gap_of_the_bus_is_recorded_and_counted() -> None:
    rig = Rig()
    rig.core.on_message(Gap(Component("state"), "state.view", 3, "sequence"), at(0))
    rig.tick(at(FLUSH_MS))
    assert isinstance(rig.records(rig.open)[-1], GapRecord)
    assert rig.core.status().gaps == 1


def test_nothing_is_written_while_there_is_nothing() -> None:
    rig = Rig()
    rig.run(0, 2_000)
    assert rig.files == {}


def test_full_batch_is_written_before_its_time() -> None:
    rig = Rig()
    for _ in range(9):
        rig.fact(at(0), b"x" * (BATCH_BYTES_MAX // 8))
    rig.tick(at(1))
    assert len(rig.files) == 1
    rig.tick(at(FLUSH_MS + 1))
    assert len(rig.records(rig.open)) == 10


def test_one_batch_is_under_way_at_a_time() -> None:
    rig = Rig()
    rig.fact(at(0))
    first = rig.core.on_tick(at(FLUSH_MS))
    assert of_type(first, AppendRecords)
    rig.core.on_message(Gap(Component("state"), "", 1, "sequence"), at(FLUSH_MS))
    assert of_type(rig.core.on_tick(at(3 * FLUSH_MS)), AppendRecords) == []


@pytest.mark.req("CP-4")
def test_failed_write_stops_nothing_and_loses_nothing() -> None:
    rig = Rig()
    rig.is_broken = True
    rig.fact(at(0))
    rig.run(0, 2_000)
    assert rig.core.status().state == "failing"
    assert rig.core.health() == ("sick", "full")
    rig.is_broken = False
    rig.run(2_000, 2_000 + REOPEN_NS // NS_PER_MS)
    assert (rig.core.status().state, rig.core.health()) == ("recording", ("ready", ""))
    assert [record for record in rig.records(rig.open) if isinstance(record, FactRecord)]
    assert len(rig.files) == 2, "what follows a failure is in a file of its own"


def test_new_file_is_tried_after_a_pause_only() -> None:
    rig = Rig()
    rig.is_broken = True
    rig.fact(at(0))
    rig.tick(at(FLUSH_MS))
    pause = REOPEN_NS // NS_PER_MS
    assert of_type(rig.tick(at(FLUSH_MS + pause - 1)), OpenSegment) == []
    assert of_type(rig.tick(at(FLUSH_MS + pause)), OpenSegment)


def test_failed_opening_keeps_the_batch_that_was_meant_for_the_file() -> None:
    rig = Rig()
    rig.fact(at(0))
    effects = rig.core.on_tick(at(FLUSH_MS))
    (batch,) = of_type(effects, AppendRecords)
    rig.core.on_message(WriteFailed(0, "no directory"), at(FLUSH_MS))
    rig.core.on_message(WriteFailed(batch.batch, "no file is open"), at(FLUSH_MS))
    rig.run(FLUSH_MS, 10_000)
    assert isinstance(rig.records(rig.open)[-1], FactRecord)


@pytest.mark.req("CP-4")
def test_memory_is_bounded_and_what_was_dropped_is_recorded_as_a_gap() -> None:
    rig = Rig(memory_mib_max=1)
    rig.is_broken = True
    rig.run(0, 10)
    for number in range(40):
        rig.fact(at(10), bytes([number]) * (MEBIBYTE // 16))
    assert rig.core._waiting_bytes <= MEBIBYTE
    rig.run(10, 1_000)
    rig.is_broken = False
    rig.run(1_000, 8_000)
    _, gap, *facts_kept = rig.records(rig.open)
    assert isinstance(gap, GapRecord)
    assert (gap.component, gap.cause) == ("recorder", "memory")
    assert gap.missed + len(facts_kept) == 40
    newest = facts_kept[-1]
    assert isinstance(newest, FactRecord)
    assert newest.body[0] == 39


def test_failure_is_logged_once_and_recovery_too() -> None:
    rig = Rig()
    rig.is_broken = True
    rig.fact(at(0))
    (batch,) = of_type(rig.core.on_tick(at(FLUSH_MS)), AppendRecords)
    first = rig.core.on_message(WriteFailed(batch.batch, "full"), at(FLUSH_MS))
    assert [log.level for log in of_type(first, Log)] == ["error"]
    later = at(FLUSH_MS + REOPEN_NS / NS_PER_MS)
    (batch,) = of_type(rig.core.on_tick(later), AppendRecords)
    assert rig.core.on_message(WriteFailed(batch.batch, "full"), later) == []


def test_stop_writes_everything_and_seals() -> None:
    rig = Rig()
    rig.fact(at(0))
    rig.core.on_message(Stop("SIGTERM"), at(1))
    rig.tick(at(1))
    rig.tick(at(2))
    assert rig.exits == [Exit(0, "SIGTERM")]
    assert rig.records(rig.open)[-1] == Seal(2)


def test_stop_does_not_wait_for_ever_for_a_broken_disk() -> None:
    rig = Rig()
    rig.is_broken = True
    rig.fact(at(0))
    rig.core.on_message(Stop("SIGTERM"), at(0))
    rig.run(0, STOP_NS_MAX // NS_PER_MS)
    assert rig.exits == []
    rig.tick(at(STOP_NS_MAX / NS_PER_MS))
    assert rig.exits == [Exit(0, "SIGTERM, with records unwritten")]


def test_status_is_published_each_second() -> None:
    rig = Rig()
    rig.fact(at(0))
    published = []
    for milliseconds in range(0, 3_000, 10):
        published += facts(rig.tick(at(milliseconds)), "recorder.status")
    assert len(published) == 3
    assert published[-1].messages == 1
    assert published[-1].file == rig.open
    assert published[-1].bytes > 0


@pytest.mark.req("CP-4")
def test_torn_file_of_an_earlier_run_is_said() -> None:
    rig = Rig()
    effects = rig.core.on_message(Checked(3, ("a.ilr",), ""), at(0))
    assert of_type(effects, Log)[0].level == "error"
    assert rig.core.status().reason == "torn: a.ilr"
    assert rig.core.status().state == "recording"


@pytest.mark.req("CP-4")
def test_full_file_is_sealed_before_its_hour_is_over_and_the_next_is_numbered() -> None:
    rig = Rig(segment_mib_max=1)
    for number in range(3):
        rig.fact(at(number * 1_000), b"x" * (MEBIBYTE * 3 // 4))
        rig.tick(at(number * 1_000 + FLUSH_MS))
    assert list(rig.files) == [f"2026-09-21T14-00000000000000ff-000{n}.ilr" for n in (0, 1)]
    first, second = rig.files
    assert rig.records(first)[-1] == Seal(3)
    assert len(rig.records(second)) == 2
