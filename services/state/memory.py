"""What the state builder remembers over a restart, its form on the disk, and what refuses it.

Pure. A memory is the fold of everything heard up to a moment: markets, books, prices, and the
number of the newest fact of each stream. It proves nothing. A file is the magic, the length and the
CRC-32 of a msgpack payload, and the payload. It is refused, with the reason, when it is
damaged, of another schema, of other settings, of another start of this machine, from the
future, or so old that nothing in it helps.
"""

import hashlib
import struct
import zlib
from typing import Any

import msgspec

from shared.config import Config
from shared.effects import Effect, Message
from shared.facts import MarketInfo, ReferencePrice
from shared.identifiers import Asset, Incarnation
from shared.topics import BY_NAME
from shared.units import NS_PER_MS, NS_PER_S, Instant, WallMs, from_wire, to_wire
from shared.venue.book_memory import BookMemory

MAGIC = b"INTRLST1"
SCHEMA = 1
_FRAME = struct.Struct("<II")

BYTES_MAX = 64 * 1024 * 1024
"""Two hundred markets with a thousand levels each are below half of it."""

AGE_NS_MAX = 3_600 * NS_PER_S
"""Older memories hold no strike of a window that still runs, in markets of up to an hour."""

FUTURE_NS_MAX = 100 * NS_PER_MS
"""Clocks of one host agree far better; a stamp farther ahead was written by another one."""

CLOCK_OFFSET_NS_MAX = 2 * NS_PER_S
"""How far wall and boot clock may have moved against one another since: CK-2's own limit."""


class VolatilityMemory(msgspec.Struct, frozen=True):
    """The estimate of `services/state/prices.py`, exactly."""

    last: ReferencePrice | None
    weighted_e18: float
    weight: float
    count: int


class PricesMemory(msgspec.Struct, frozen=True):
    """What is known of one asset's prices."""

    asset: Asset
    settlement: ReferencePrice | None
    spot: ReferencePrice | None
    strikes: dict[WallMs, ReferencePrice]
    volatility: VolatilityMemory


class Heard(msgspec.Struct, frozen=True):
    """The newest fact of one stream that is folded in."""

    component: str
    topic: str
    incarnation: Incarnation
    sequence: int


class Memory(msgspec.Struct, frozen=True):
    """Everything that was folded up to a moment."""

    taken: Instant
    markets: tuple[MarketInfo, ...]
    books: tuple[BookMemory, ...]
    prices: tuple[PricesMemory, ...]
    heard: tuple[Heard, ...]


class Place(msgspec.Struct, frozen=True):
    """How far a recording's file went at a moment: everything before it was recorded before."""

    name: str
    bytes: int


class Stored(msgspec.Struct, frozen=True):
    """A memory with what is needed to judge it.

    Attributes:
        incarnation: Of the state builder that wrote it.
        settings: Digest of the settings that its content depends on.
        recorded: Where the recording stood when or before the memory was taken.
        recorded_wall_ns: When that was.
    """

    schema: int
    incarnation: Incarnation
    settings: str
    recorded: tuple[Place, ...]
    recorded_wall_ns: int
    memory: Memory


class RecordedFact(msgspec.Struct, frozen=True):
    """A fact of the recording that is newer than a memory, its body undecoded."""

    component: str
    incarnation: Incarnation
    topic: str
    sequence: int
    input_ns: int
    body: bytes


class Remembered(Message, frozen=True):
    """A memory was found, and what was recorded since.

    Attributes:
        where: File it was read from.
        problems: What could not be read, for the log.
        took_ns: Time that finding it took.
    """

    memory: Memory
    facts: tuple[RecordedFact, ...]
    where: str
    problems: tuple[str, ...] = ()
    took_ns: int = 0


class NotRemembered(Message, frozen=True):
    """Nothing is remembered; `problems` says what was refused, with its file, and why."""

    problems: tuple[str, ...]


class KeepMemory(Effect, frozen=True):
    """Write a memory to the disk, in place of older ones; one that fails is tried with the next."""

    memory: Memory


class Refused(Exception):
    """A file that is no memory of ours; says why."""


_ENCODER = msgspec.msgpack.Encoder(enc_hook=to_wire)
_DECODER = msgspec.msgpack.Decoder(Stored, dec_hook=from_wire)


class _Head(msgspec.Struct, frozen=True):
    """What is looked at before anything else: other schemas differ behind it."""

    schema: int


_HEAD = msgspec.msgpack.Decoder(_Head)
UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)


def settings_digest(config: Config) -> str:
    """Return a digest of the settings that decide what a memory means."""
    told = msgspec.json.encode((config.run.mode, config.venue, config.markets))
    return hashlib.blake2b(told, digest_size=8).hexdigest()


def write(stored: Stored) -> bytes:
    """Return the content of a file."""
    payload = _ENCODER.encode(stored)
    assert len(payload) <= BYTES_MAX, "a memory is bounded by the markets that are held"
    return MAGIC + _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def read(content: bytes, config: Config, now: Instant) -> Stored:
    """Read a file and judge it.

    Raises:
        Refused: It is nothing to begin with.
    """
    payload = _payload(content)
    try:
        schema = _HEAD.decode(payload).schema
        if schema != SCHEMA:
            raise Refused(f"schema {schema}, not {SCHEMA}")
        stored = _DECODER.decode(payload)
    except UNDECODABLE as error:
        raise Refused(f"payload: {error}") from error
    if stored.settings != settings_digest(config):
        raise Refused("of other settings: venue, markets or mode differ")
    _check_time(stored.memory.taken, now)
    return stored


def decode_fact(fact: RecordedFact) -> Any:
    """Return the body of a recorded fact, or as text why it cannot be read."""
    topic = BY_NAME.get(fact.topic)
    if topic is None:
        return f"unknown topic {fact.topic}"
    try:
        return msgspec.msgpack.decode(fact.body, type=topic.body, dec_hook=from_wire)
    except UNDECODABLE as error:
        return f"{fact.topic} {fact.sequence} of {fact.component}: {error}"


def _payload(content: bytes) -> bytes:
    head = len(MAGIC) + _FRAME.size
    if content[: len(MAGIC)] != MAGIC:
        raise Refused("no memory of a state builder")
    if len(content) < head:
        raise Refused("cut short")
    length, checksum = _FRAME.unpack_from(content, len(MAGIC))
    payload = content[head:]
    if len(payload) != length:
        raise Refused(f"{len(payload)} bytes, {length} were written")
    if zlib.crc32(payload) != checksum:
        raise Refused("checksum")
    return payload


def _check_time(taken: Instant, now: Instant) -> None:
    """Refuse what was taken under other clocks, later than now, or too long ago.

    Raises:
        Refused: One of them.
    """
    age_ns = now.boot_ns - taken.boot_ns
    moved_ns = (now.wall_ns - now.boot_ns) - (taken.wall_ns - taken.boot_ns)
    if abs(moved_ns) > CLOCK_OFFSET_NS_MAX:
        raise Refused("of another start of this machine, or its clock was set since")
    if age_ns < -FUTURE_NS_MAX:
        raise Refused(f"from {-age_ns // NS_PER_MS} ms in the future")
    if age_ns > AGE_NS_MAX:
        raise Refused(f"{age_ns // NS_PER_S} s old")
