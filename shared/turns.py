"""The turn log's format: every input of a core in its order, each with the instant it got.

Pure. A fact that everybody heard is named by its number; what came to this core alone (a
snapshot's answer, a ping, a gap, a pause) is told whole. Instants are written as differences:
the three clocks run together, so that two of three numbers are nearly always small. A ping
tells only what is new since the one before it in the same run.
"""

import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec

from shared.control import Ping
from shared.effects import ControlReceived, Message, Received
from shared.facts.publisher import Turns, TurnSource
from shared.identifiers import Component, Incarnation
from shared.units import BootNs, Instant, MonotonicNs, WallNs, to_wire

TICK: Final = -1
WHOLE: Final = -2

DEFLATE_LEVEL: Final = 1
"""The columns repeat themselves; a higher level costs four times as much for a tenth less."""

PACKED_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of an inflated batch; the largest of a busy start is a few MB."""


class Entry(msgspec.Struct, frozen=True):
    """One input of a core.

    Attributes:
        message: None for a tick.
        whole: Whether the message is to be told whole: it is in nobody else's recording.
    """

    now: Instant
    message: Message | None
    whole: bool = True


class FactNamed(msgspec.Struct, frozen=True):
    """An input that is a fact of the bus, as the recording holds it."""

    source: TurnSource
    sequence: int


class FactTold(msgspec.Struct, frozen=True, tag="fact"):
    """A fact told whole: of a snapshot, or of a run's first seconds."""

    component: str
    incarnation: int
    topic: str
    sequence: int
    sent_ns: int
    input_ns: int
    wall_ns: int
    body: bytes


class PingTold(msgspec.Struct, frozen=True, tag="ping"):
    """A ping of risk: the fields that differ from those of the ping before."""

    changed: dict[str, Any]


class MessageTold(msgspec.Struct, frozen=True, tag="message"):
    """Any other message, by the name of its type."""

    kind: str
    body: bytes


Told = FactTold | PingTold | MessageTold


class Given(msgspec.Struct, frozen=True):
    """One input as the log tells it; `what` is None for a tick."""

    now: Instant
    what: FactNamed | Told | None


class _Columns(msgspec.Struct, frozen=True, array_like=True):
    """A batch, column by column.

    Attributes:
        boot: Boot clock; the first whole, then differences.
        mono: Boot less monotonic, likewise.
        wall: Wall less boot, likewise.
        kinds: `TICK`, `WHOLE`, or the place of a source.
        sequences: Of the facts that are named, each less the one before of its source.
        told: Of the entries that are told whole.
    """

    boot: list[int]
    mono: list[int]
    wall: list[int]
    kinds: list[int]
    sequences: list[int]
    told: list[Told]


_ENCODER = msgspec.msgpack.Encoder(enc_hook=to_wire)
_COLUMNS = msgspec.msgpack.Decoder(_Columns)


class Unreadable(Exception):
    """Bytes that are no batch of entries; says why."""


class Packer:
    """Writes the batches of one run; remembers the newest ping."""

    def __init__(self) -> None:
        """Begin a run."""
        self._ping: dict[str, Any] = {}
        self._first = 0

    def pack(self, entries: Sequence[Entry], settings: bytes = b"", build_hash: str = "") -> Turns:
        """Return a batch of entries as the fact that tells them."""
        kinds: list[int] = []
        sequences: list[int] = []
        told: list[Told] = []
        places: dict[tuple[Component, Incarnation, str], int] = {}
        newest: list[int] = []
        for entry in entries:
            message = entry.message
            if message is None:
                kinds.append(TICK)
            elif isinstance(message, Received) and not entry.whole:
                key = (message.component, message.incarnation, message.topic)
                place = places.setdefault(key, len(places))
                if place == len(newest):
                    newest.append(0)
                kinds.append(place)
                sequences.append(message.sequence - newest[place])
                newest[place] = message.sequence
            else:
                kinds.append(WHOLE)
                told.append(self._tell(message))
        instants = [entry.now for entry in entries]
        columns = _Columns(
            _differences([now.boot_ns for now in instants]),
            _differences([now.boot_ns - now.monotonic_ns for now in instants]),
            _differences([now.wall_ns - now.boot_ns for now in instants]),
            kinds,
            sequences,
            told,
        )
        first = self._first
        self._first += len(entries)
        return Turns(
            first,
            len(entries),
            tuple(TurnSource(*key) for key in places),
            zlib.compress(_ENCODER.encode(columns), DEFLATE_LEVEL),
            settings if not first else b"",
            build_hash if not first else "",
        )

    def _tell(self, message: Message) -> Told:
        if isinstance(message, Received):
            return FactTold(
                message.component,
                message.incarnation,
                message.topic,
                message.sequence,
                message.sent_ns,
                message.input_ns,
                message.wall_ns,
                _ENCODER.encode(message.body),
            )
        if isinstance(message, ControlReceived) and isinstance(message.body, Ping):
            fields: dict[str, Any] = msgspec.to_builtins(message.body)
            before, self._ping = self._ping, fields
            return PingTold(
                {key: value for key, value in fields.items() if before.get(key, before) != value}
            )
        return MessageTold(type(message).__name__, _ENCODER.encode(message))


class Unpacker:
    """Reads the batches of one run in their order."""

    def __init__(self) -> None:
        """Begin a run."""
        self._ping: dict[str, Any] = {}

    def unpack(self, turns: Turns) -> Iterator[Given]:
        """Yield the entries of a batch.

        Raises:
            Unreadable: The bytes are no entries.
        """
        columns = _columns(turns)
        instants = zip(_sums(columns.boot), _sums(columns.mono), _sums(columns.wall), strict=True)
        sequences, told = iter(columns.sequences), iter(columns.told)
        newest = [0] * len(turns.sources)
        for kind, (boot, mono, wall) in zip(columns.kinds, instants, strict=True):
            now = Instant(BootNs(boot), MonotonicNs(boot - mono), WallNs(wall + boot))
            if kind == TICK:
                yield Given(now, None)
            elif kind == WHOLE:
                yield Given(now, next(told))
            else:
                newest[kind] += next(sequences)
                yield Given(now, FactNamed(turns.sources[kind], newest[kind]))

    def ping(self, told: PingTold) -> Ping:
        """Return the ping that a difference makes of the one before.

        Raises:
            Unreadable: It makes none.
        """
        self._ping = {**self._ping, **told.changed}
        try:
            return msgspec.convert(self._ping, Ping)
        except msgspec.ValidationError as error:
            raise Unreadable(f"ping: {error}") from error


def _columns(turns: Turns) -> _Columns:
    """Return the columns of a batch, checked to belong together."""
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(turns.packed, PACKED_BYTES_MAX)
        columns = _COLUMNS.decode(content)
    except (zlib.error, msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Unreadable(f"turns: {error}") from error
    kinds = columns.kinds
    lengths = {len(columns.boot), len(columns.mono), len(columns.wall), len(kinds), turns.count}
    named = sum(kind >= 0 for kind in kinds)
    if lengths != {turns.count} or named != len(columns.sequences):
        raise Unreadable("turns: columns of different lengths")
    if kinds.count(WHOLE) != len(columns.told):
        raise Unreadable("turns: messages are missing")
    if any(not WHOLE <= kind < len(turns.sources) for kind in kinds):
        raise Unreadable("turns: no such source")
    return columns


def _differences(values: Sequence[int]) -> list[int]:
    return [
        *values[:1],
        *(after - before for before, after in pairwise(values)),
    ]


def _sums(differences: Sequence[int]) -> Iterator[int]:
    value = 0
    for difference in differences:
        value += difference
        yield value
