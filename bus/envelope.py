"""How a fact travels: three frames, topic, header and payload, the last two msgpack maps.

Pure. The plain msgpack library of any language reads both maps; inside they are typed, and
everything that does not fit its type is a value, `Corrupt`, never an exception. The
header names what the sender knew (`caused_by`, `now`), so that a recording replays to the
same decisions.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from shared.effects import Received
from shared.identifiers import Component, Incarnation
from shared.topics import BY_NAME
from shared.units import Instant, MonotonicNs, from_wire, to_wire

SCHEMA = 1
"""Number of the message schema; grows with each change that an old reader cannot read."""

FRAMES = 3

UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding foreign bytes may raise: text that is no UTF-8 and nesting without end too."""


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest sequences of one source that the sender had seen."""

    component: Component
    incarnation: Incarnation
    newest: dict[str, int]


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every fact carries.

    Attributes:
        sequence: Per (incarnation, topic), from 1.
        sent_ns: The sender's monotonic stamp at sending.
        input_ns: When the oldest input that this rests on reached the edge.
        wall_ns: Wall clock at sending, for people.
        caused_by: What the sender had seen of each source.
        now: The instant that the sender's core was given when it decided this.
    """

    component: Component
    incarnation: Incarnation
    topic: str
    sequence: int
    sent_ns: MonotonicNs
    input_ns: MonotonicNs
    wall_ns: int
    schema: int
    caused_by: tuple[Cause, ...]
    now: Instant


class Corrupt(msgspec.Struct, frozen=True):
    """A message that is not what the routing table says, with its bytes."""

    raw: tuple[bytes, ...]
    why: str


_ENCODER = msgspec.msgpack.Encoder(enc_hook=to_wire)
_HEADER = msgspec.msgpack.Decoder(Header)
_BODIES: dict[str, msgspec.msgpack.Decoder[Any]] = {
    name: msgspec.msgpack.Decoder(topic.body, dec_hook=from_wire) for name, topic in BY_NAME.items()
}


def encode(header: Header, body: msgspec.Struct) -> list[bytes]:
    """Return the three frames of a fact."""
    return [header.topic.encode(), _ENCODER.encode(header), _ENCODER.encode(body)]


def decode_header(frames: Sequence[bytes]) -> Header | Corrupt:
    """Read a header and check it against the routing table."""
    if len(frames) != FRAMES:
        return Corrupt(tuple(frames), f"{len(frames)} frames")
    try:
        header = _HEADER.decode(frames[1])
    except UNDECODABLE as error:
        return Corrupt(tuple(frames), f"header: {error}")
    why = _misfit(header, frames[0])
    return Corrupt(tuple(frames), why) if why else header


def decode_body(header: Header, frames: Sequence[bytes]) -> Received | Corrupt:
    """Read the payload that belongs to a checked header."""
    try:
        body = _BODIES[header.topic].decode(frames[2])
    except UNDECODABLE as error:
        return Corrupt(tuple(frames), f"payload: {error}")
    return Received(
        header.component,
        header.incarnation,
        header.topic,
        header.sequence,
        header.sent_ns,
        header.input_ns,
        header.wall_ns,
        body,
    )


def decode(frames: Sequence[bytes]) -> Received | Corrupt:
    """Read a whole fact."""
    header = decode_header(frames)
    return header if isinstance(header, Corrupt) else decode_body(header, frames)


def _misfit(header: Header, topic_frame: bytes) -> str:
    """Say what contradicts the routing table; empty when nothing does."""
    topic = BY_NAME.get(header.topic)
    if topic is None:
        return f"unknown topic {header.topic!r}"
    if topic_frame != header.topic.encode():
        return "topic frame and header differ"
    if header.schema != SCHEMA:
        return f"schema {header.schema}, not {SCHEMA}"
    if header.component not in topic.publishers:
        return f"{header.component} may not publish {header.topic}"
    if header.sequence < 1:
        return f"sequence {header.sequence}"
    return ""
