"""The recording's format: framed, checksummed records, readable up to the first damage.

Pure. A file is the magic, a head record, and records of facts and gaps; a closed file ends
with a seal. A record is length (4 bytes, little endian), CRC-32 of the payload (4 bytes), and the
payload, a msgpack map that the plain library of any language reads. After a power cut the end
of a file may be torn: everything before the first wrong record is whole.
"""

import struct
import zlib
from collections.abc import Iterator

import msgspec

from shared.effects import EnvelopeReceived, Gap
from shared.units import MonotonicNs

MAGIC = b"INTRLCK1"
SCHEMA = 1
_FRAME = struct.Struct("<II")
FRAME_BYTES = _FRAME.size

PAYLOAD_BYTES_MAX = 20 * 1024 * 1024
"""Above the largest message of the bus; a longer length is damage, not data."""

NAME_SUFFIX = ".ilr"


class Head(msgspec.Struct, frozen=True, tag="head"):
    """First record of a file.

    Attributes:
        opened_wall_ns: For people.
        opened_ns: Monotonic clock at the same moment, to which all stamps belong.
    """

    schema: int
    incarnation: int
    opened_wall_ns: int
    opened_ns: MonotonicNs


class FactRecord(msgspec.Struct, frozen=True, tag="fact"):
    """One fact as it travelled: three frames, and when they were taken in."""

    received_ns: MonotonicNs
    topic: str
    header: bytes
    body: bytes


class GapRecord(msgspec.Struct, frozen=True, tag="gap"):
    """Here facts are missing; topic and count as in the gap that the bus reported."""

    noticed_ns: MonotonicNs
    component: str
    topic: str
    missed: int
    cause: str


class Seal(msgspec.Struct, frozen=True, tag="seal"):
    """Last record of a file that was closed in order; counts the records before it."""

    records: int


Record = Head | FactRecord | GapRecord | Seal

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


class Damage(msgspec.Struct, frozen=True):
    """The first thing in a file that is no record.

    Attributes:
        offset: Up to there everything is whole.
        why: What is wrong at it.
    """

    offset: int
    why: str


def frame(record: Record) -> bytes:
    """Return a record with its length and checksum."""
    payload = _ENCODER.encode(record)
    assert len(payload) <= PAYLOAD_BYTES_MAX
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def fact_record(envelope: EnvelopeReceived) -> FactRecord:
    """Return the record of a fact."""
    topic, header, body = envelope.frames
    return FactRecord(envelope.received_ns, topic.decode(), header, body)


def gap_record(gap: Gap, noticed_ns: MonotonicNs) -> GapRecord:
    """Return the record of a gap."""
    return GapRecord(noticed_ns, gap.component, gap.topic, gap.missed, gap.cause)


def read(content: bytes | memoryview) -> Iterator[tuple[int, Record] | Damage]:
    """Yield each record of a file with the offset behind it; end with the damage, if any.

    Args:
        content: The whole file.
    """
    view = memoryview(content)
    if bytes(view[: len(MAGIC)]) != MAGIC:
        yield Damage(0, "no recording")
        return
    offset = len(MAGIC)
    while offset < len(view):
        decoded = _record_at(view, offset)
        if isinstance(decoded, str):
            yield Damage(offset, decoded)
            return
        offset, record = decoded
        yield offset, record


def _record_at(view: memoryview, offset: int) -> tuple[int, Record] | str:
    """Return the record at an offset and the offset behind it, or what is wrong there."""
    if len(view) - offset < FRAME_BYTES:
        return "frame cut short"
    length, checksum = _FRAME.unpack_from(view, offset)
    end = offset + FRAME_BYTES + length
    if length > PAYLOAD_BYTES_MAX or end > len(view):
        return "payload cut short"
    payload = view[offset + FRAME_BYTES : end]
    if zlib.crc32(payload) != checksum:
        return "checksum"
    record = read_payload(payload)
    return record if isinstance(record, str) else (end, record)


def read_payload(payload: bytes | memoryview) -> Record | str:
    """Return the record of a payload, or what is wrong with it."""
    try:
        return _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return f"payload: {error}"
