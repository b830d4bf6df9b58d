"""Segments of a recording on the disk, with real facts in them."""

from pathlib import Path

from bus.envelope import SCHEMA, Header, encode
from shared.facts import StateView
from shared.identifiers import Incarnation
from shared.recording import MAGIC, FactRecord, GapRecord, Head, Record, Seal, frame
from shared.topics import STATE
from tests.builders.feeds import at

RUN = Incarnation(7)


def fact(number: int) -> FactRecord:
    """Return one fact of the state builder."""
    moment = at(number)
    header = Header(
        component=STATE,
        incarnation=RUN,
        topic="state.view",
        sequence=number,
        sent_ns=moment.monotonic_ns,
        input_ns=moment.monotonic_ns,
        wall_ns=moment.wall_ns,
        schema=SCHEMA,
        caused_by=(),
        now=moment,
    )
    topic, head, body = encode(header, StateView(()))
    return FactRecord(moment.monotonic_ns, topic.decode(), head, body)


def records(first: int, count: int) -> list[Record]:
    """Return a head, facts, and a gap behind the first of them."""
    gap = GapRecord(at(first).monotonic_ns, "state", "state.view", 2, "sequence")
    facts = [fact(number) for number in range(first, first + count)]
    head = Head(1, RUN, at(first).wall_ns, at(first).monotonic_ns)
    return [head, *facts[:1], gap, *facts[1:]]


def content(some: list[Record], *, sealed: bool = True) -> bytes:
    """Return the bytes of a file."""
    whole = MAGIC + b"".join(frame(record) for record in some)
    return whole + frame(Seal(len(some))) if sealed else whole


def segment(directory: Path, name: str, first: int = 1, count: int = 3) -> Path:
    """Write a sealed segment and return its path."""
    path = directory / name
    path.write_bytes(content(records(first, count)))
    return path


def damage(path: Path, at_byte: int, count: int = 1) -> None:
    """Turn one bit of some bytes of a file."""
    damaged = bytearray(path.read_bytes())
    for place in range(at_byte, at_byte + count):
        damaged[place] ^= 1
    path.write_bytes(bytes(damaged))
