"""The recording's format: whole up to the first damage, wherever that is."""

import zlib

import msgspec
import pytest

from shared.effects import EnvelopeReceived, Gap
from shared.identifiers import Component, Incarnation
from shared.recording import (
    FRAME_BYTES,
    MAGIC,
    Damage,
    FactRecord,
    GapRecord,
    Head,
    Record,
    Seal,
    fact_record,
    frame,
    gap_record,
    read,
)
from shared.units import MonotonicNs

RECORDS: tuple[Record, ...] = (
    Head(1, 7, 2, MonotonicNs(3)),
    FactRecord(MonotonicNs(4), "feed.price", b"header", b"body"),
    GapRecord(MonotonicNs(5), "state", "", -1, "pause"),
    Seal(3),
)
CONTENT = MAGIC + b"".join(frame(record) for record in RECORDS)


def records(content: bytes) -> list[Record]:
    return [found[1] for found in read(content) if not isinstance(found, Damage)]


def damage(content: bytes) -> Damage | None:
    found = list(read(content))
    last = found[-1] if found else None
    return last if isinstance(last, Damage) else None


def ends() -> list[int]:
    """Return the offsets at which a record ends, the magic's end first."""
    return [len(MAGIC), *(found[0] for found in read(CONTENT) if not isinstance(found, Damage))]


def test_records_come_back_as_they_were() -> None:
    assert records(CONTENT) == list(RECORDS)
    assert damage(CONTENT) is None


@pytest.mark.req("CP-4")
def test_file_torn_at_every_byte_is_whole_up_to_the_record_before() -> None:
    boundaries = ends()
    for length in range(len(MAGIC), len(CONTENT) + 1):
        torn = CONTENT[:length]
        whole = max(end for end in boundaries if end <= length)
        assert len(records(torn)) == boundaries.index(whole)
        found = damage(torn)
        assert (found is None) == (whole == length)
        if found is not None:
            assert found.offset == whole


@pytest.mark.req("CP-4")
def test_every_flipped_byte_is_noticed() -> None:
    for place in range(len(CONTENT)):
        broken = bytearray(CONTENT)
        broken[place] ^= 0x55
        found = damage(bytes(broken))
        assert found is not None
        assert found.offset <= place


@pytest.mark.parametrize("content", [b"", b"I", b"SQLite format 3\0", MAGIC[:-1]])
def test_what_is_no_recording_is_called_so(content: bytes) -> None:
    assert damage(content) == Damage(0, "no recording")


def test_empty_recording_has_neither_records_nor_damage() -> None:
    assert list(read(MAGIC)) == []


def test_length_beyond_every_message_is_damage() -> None:
    content = MAGIC + (2**31).to_bytes(4, "little") + bytes(4)
    assert damage(content) == Damage(len(MAGIC), "payload cut short")


def test_right_checksum_over_a_foreign_payload_is_damage() -> None:
    payload = msgspec.msgpack.encode({"type": "letter"})
    content = MAGIC + len(payload).to_bytes(4, "little")
    content += zlib.crc32(payload).to_bytes(4, "little") + payload
    found = damage(content)
    assert found is not None
    assert found.why.startswith("payload")


def test_payload_is_readable_without_our_code() -> None:
    encoded = frame(RECORDS[1])[FRAME_BYTES:]
    assert msgspec.msgpack.decode(encoded) == {
        "type": "fact",
        "received_ns": 4,
        "topic": "feed.price",
        "header": b"header",
        "body": b"body",
    }


def test_fact_is_kept_as_it_travelled() -> None:
    envelope = EnvelopeReceived(
        Component("feed_price"),
        Incarnation(1),
        "feed.price",
        5,
        (b"feed.price", b"header", b"body"),
        MonotonicNs(9),
    )
    assert fact_record(envelope) == FactRecord(MonotonicNs(9), "feed.price", b"header", b"body")


def test_gap_is_kept_with_what_is_known_of_it() -> None:
    gap = Gap(Component("state"), "state.view", 3, "sequence")
    expected = GapRecord(MonotonicNs(2), "state", "state.view", 3, "sequence")
    assert gap_record(gap, MonotonicNs(2)) == expected
