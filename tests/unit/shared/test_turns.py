"""The turn log says what a core was given, exactly, and refuses what says something else."""

import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from shared.control import Ping
from shared.effects import ControlReceived, Gap, Received
from shared.facts import Sequences, Turns
from shared.identifiers import Component, Incarnation
from shared.turns import (
    Entry,
    FactNamed,
    FactTold,
    MessageTold,
    Packer,
    PingTold,
    Unpacker,
    Unreadable,
)
from shared.units import BootNs, Instant, MonotonicNs, WallNs

NS = st.integers(min_value=0, max_value=2**62)
INSTANTS = st.builds(Instant, NS.map(BootNs), NS.map(MonotonicNs), NS.map(WallNs))


def make_fact(sequence: int, source: int) -> Received:
    return Received(
        Component(f"c{source % 3}"),
        Incarnation(source + 1),
        f"t{source % 2}",
        sequence,
        MonotonicNs(1),
        MonotonicNs(2),
        3,
        Sequences({"a": sequence}),
    )


def make_ping(ping_id: int, **fields: Any) -> Ping:
    ping = Ping(
        risk_incarnation=Incarnation(7),
        ping_id=ping_id,
        sent_ns=BootNs(11),
        epoch=3,
        fence_id=0,
        fence_reason="",
        trading_state="HALTED",
        reasons=("a", "b"),
        scopes=(),
        switch_version=2,
    )
    return msgspec.structs.replace(ping, **fields)


MESSAGES = st.one_of(
    st.none(),
    st.builds(make_fact, st.integers(1, 2**40), st.integers(0, 8)),
    st.builds(lambda number: ControlReceived(make_ping(number)), st.integers(0, 2**40)),
    st.builds(lambda missed: Gap(Component("a"), "t", missed, "sequence"), st.integers(-1, 9)),
)


@settings(max_examples=60, deadline=None)
@drawn(st.lists(st.tuples(INSTANTS, MESSAGES, st.booleans()), min_size=1, max_size=30))
def test_every_entry_comes_back_with_its_instant(rows: list[Any]) -> None:
    entries = [Entry(now, message, whole) for now, message, whole in rows]
    packer, unpacker = Packer(), Unpacker()
    half = len(entries) // 2
    batches = [packer.pack(part, b"s", "b") for part in (entries[:half], entries[half:])]
    assert [batch.first for batch in batches] == [0, half]
    assert [batch.settings for batch in batches if not batch.first] == [b"s"] * (1 + (half == 0))
    told = [given for batch in batches for given in unpacker.unpack(batch)]
    assert [given.now for given in told] == [entry.now for entry in entries]
    for entry, given in zip(entries, told, strict=True):
        match entry.message, given.what:
            case None, None:
                pass
            case Received() as fact, FactNamed(source=source, sequence=sequence):
                assert not entry.whole
                assert (source.component, source.incarnation) == (fact.component, fact.incarnation)
                assert (source.topic, sequence) == (fact.topic, fact.sequence)
            case Received() as fact, FactTold() as whole:
                assert entry.whole
                assert whole.sequence == fact.sequence
                assert msgspec.msgpack.decode(whole.body, type=Sequences) == fact.body
            case ControlReceived(body=ping), PingTold() as changed:
                assert unpacker.ping(changed) == ping
            case Gap() as gap, MessageTold(kind="Gap", body=body):
                assert msgspec.msgpack.decode(body, type=Gap) == gap
            case other:
                pytest.fail(repr(other))


def test_ping_tells_only_what_is_new() -> None:
    packer, unpacker = Packer(), Unpacker()
    now = Instant(BootNs(1), MonotonicNs(1), WallNs(1))
    pings = [make_ping(1), make_ping(2), make_ping(3, reasons=("c",), capital_usd=5)]
    (first,), (second,), (third,) = (
        list(unpacker.unpack(packer.pack([Entry(now, ControlReceived(ping))]))) for ping in pings
    )
    assert isinstance(second.what, PingTold)
    assert second.what.changed == {"ping_id": 2}
    told = [given.what for given in (first, second, third)]
    assert [unpacker.ping(what) for what in told if isinstance(what, PingTold)] == pings


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"nonsense",
        zlib.compress(b"\xc1"),
        zlib.compress(msgspec.msgpack.encode([[1], [1], [1], [-1, -1], [], []])),
        zlib.compress(msgspec.msgpack.encode([[1], [1], [1], [0], [4], []])),
        zlib.compress(msgspec.msgpack.encode([[1], [1], [1], [-2], [], []])),
        zlib.compress(msgspec.msgpack.encode([[1], [1], [1], [-3], [], []])),
    ],
)
def test_bytes_that_are_no_batch_are_refused(packed: bytes) -> None:
    with pytest.raises(Unreadable):
        list(Unpacker().unpack(Turns(0, 1, (), packed)))


def test_ping_that_is_none_is_refused() -> None:
    with pytest.raises(Unreadable):
        Unpacker().ping(PingTold({"ping_id": "x"}))
