"""A restart rehearsed: an hour's recording, a memory, a crash, and a twin that never stopped.

Impure: writes files, reads the clock. Made markets whose hashes are right are folded by two cores;
one dies between two memories while the recorder still holds its last half second in its own
memory. Another takes its place with what `MemoryFile` finds and what the feeds' snapshots tell. The
time of that is measured, and the views of both have to be equal, byte by byte.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from bus import clock
from bus.envelope import SCHEMA as FACT_SCHEMA
from bus.envelope import Header, encode
from bus.recording_files import DIRECTORY as RECORDINGS
from services.state.core import StateCore
from services.state.memory import KeepMemory, NotRemembered, Remembered
from services.state.memory_file import DIRECTORY, MemoryFile
from services.state.rehearsed_venue import RehearsedVenue
from shared.config import Config
from shared.effects import Publish, Received
from shared.facts import (
    BookChanged,
    BookSnapshot,
    Calendar,
    Evidence,
    FeedStatus,
    MarketView,
    ReferencePrice,
    StateView,
)
from shared.identifiers import Asset, Component, Incarnation
from shared.recording import MAGIC, NAME_SUFFIX, SCHEMA, FactRecord, Head, frame
from shared.settlement import SPOT_SOURCE, settlement_source
from shared.topics import FEED_DISCOVERY, FEED_MARKET, FEED_PRICE
from shared.units import (
    NS_PER_MS,
    NS_PER_S,
    BootNs,
    Instant,
    MonotonicNs,
    ReferenceE18,
    WallMs,
    WallNs,
    to_wire,
)

FRAMES_A_SECOND: Final = 20
PROVEN_S: Final = 12
"""At the end of the recording frames have right hashes and are folded; before that they only fill
the file, since a book holds nothing of its past, and prices are folded all along."""

UNFLUSHED_MS: Final = 500
MEMORY_EVERY_MS: Final = 3_000
DIED_AFTER_MS: Final = 1_500
"""Since the newest memory: in the middle between two."""

AFTER_MS: Final = 400
STEP_MS: Final = 1_000 // FRAMES_A_SECOND


class Rehearsed(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        recorded_bytes: Of the recording.
        facts: Of it, read since the newest memory.
        took_ns: Of each restart: finding memory and recording, and folding both.
        read_ns: Of each, just before: a bare read of the memory's files.
        is_equal: Whether the views of the last restart are the twin's, and valid.
        problem: The first difference, or what was refused.
    """

    markets: int
    recorded_s: int
    recorded_bytes: int
    facts: int
    took_ns: tuple[int, ...]
    read_ns: tuple[int, ...]
    is_equal: bool
    problem: str


class _Risen(msgspec.Struct, frozen=True):
    """A state builder that has just started again."""

    core: StateCore
    found: Remembered | NotRemembered
    took_ns: int
    read_ns: int


def rehearse(
    directory: Path, config: Config, markets: int, seconds: int, restarts: int = 1
) -> Rehearsed:
    """Write a recording of some length into an empty directory, and restart over it.

    Args:
        directory: Becomes the data directory.
        config: Of the state builder.
        markets: How many there are.
        seconds: Length of the recording, at least `PROVEN_S`.
        restarts: How often; each begins with the same files.
    """
    end = clock.read()
    stage = _Stage(directory, config, RehearsedVenue(config, markets, end.wall_ms), end)
    recorded_bytes = stage.record(seconds)
    risen = [_rise(directory, config, stage.died) for _ in range(restarts)]
    last = risen[-1]
    if isinstance(last.found, Remembered):
        problem = "; ".join(last.found.problems) or stage.go_on(last.core)
        facts = len(last.found.facts)
    else:
        problem, facts = "nothing was remembered", 0
    return Rehearsed(
        markets,
        seconds,
        recorded_bytes,
        facts,
        tuple(one.took_ns for one in risen),
        tuple(one.read_ns for one in risen),
        not problem,
        problem,
    )


def _rise(directory: Path, config: Config, died: Instant) -> _Risen:
    """Start a state builder over what is there."""
    began_ns = clock.read().boot_ns
    kept = {path: path.read_bytes() for path in (directory / DIRECTORY).glob("*")}
    read_ns = clock.read().boot_ns - began_ns
    began_ns = clock.read().boot_ns
    memory = MemoryFile(directory, config, Incarnation(2))
    ((descriptor, events),) = memory.sockets()
    (found,) = memory.on_ready(descriptor, events, clock.read())
    assert isinstance(found, Remembered | NotRemembered)
    core = StateCore(config)
    core.on_message(found, died)
    took_ns = clock.read().boot_ns - began_ns
    memory.close()
    for path, content in kept.items():  # a memory is used up by being read
        path.write_bytes(content)
    return _Risen(core, found, took_ns, read_ns)


class _Stage:
    """The twin, the recording, and the moments of both."""

    def __init__(
        self, directory: Path, config: Config, venue: RehearsedVenue, end: Instant
    ) -> None:
        self._config = config
        self._directory = directory
        self._venue = venue
        self._end = end
        self._twin = StateCore(config)
        self._sequences: dict[str, int] = {}
        self._ticks: list[ReferencePrice] = []
        self.died = self._at(0)

    def record(self, seconds: int) -> int:
        """Write the recording and one memory in time; return the recording's size."""
        recordings = self._directory / RECORDINGS
        recordings.mkdir(mode=0o700, parents=True)
        path = recordings / f"2026-01-01T00-rehearsal{NAME_SUFFIX}"
        keeper = MemoryFile(self._directory, self._config, Incarnation(1))
        first = self._at(-seconds * 1_000)
        begin = -PROVEN_S * 1_000
        with path.open("wb") as file:
            head = Head(SCHEMA, 3, first.wall_ns, first.monotonic_ns)
            file.write(MAGIC + frame(head))
            for step in range(-seconds * 1_000, 0, STEP_MS):
                now = self._at(step)
                for topic, body in self._said(step, begin):
                    content = self._publish(topic, body, now, folded=step >= begin)
                    if step < -UNFLUSHED_MS:
                        file.write(content)
                if step >= begin:
                    self._twin.on_tick(now)
                if step >= begin and (step + DIED_AFTER_MS) % MEMORY_EVERY_MS == 0:
                    file.flush()
                    keeper.apply(KeepMemory(self._twin.remember(now)), now)
                    keeper.wait()
        keeper.close()
        return path.stat().st_size

    def go_on(self, risen: StateCore) -> str:
        """Let both hear what comes, the risen one the feeds' snapshots first; compare."""
        now = self._at(0)
        for topic, body in self._snapshots(now):
            risen.on_message(self._received(topic, body, now), now)
        risen.on_tick(now)
        if any(view.valid for view in _views(risen, now)):
            return "a view was valid before anything live proved it"
        for step in range(0, AFTER_MS, STEP_MS):
            now = self._at(step)
            for topic, body in self._said(step, -PROVEN_S * 1_000):
                received = self._received(topic, body, now)
                for core in (self._twin, risen):
                    core.on_message(received, now)
            for core in (self._twin, risen):
                core.on_tick(now)
        pairs = zip(_views(self._twin, now), _views(risen, now), strict=True)
        for ours, theirs in pairs:
            if msgspec.msgpack.encode(ours, enc_hook=to_wire) != msgspec.msgpack.encode(
                theirs, enc_hook=to_wire
            ):
                return f"views differ: {ours} and {theirs}"
            if not ours.valid:
                return f"not valid: {ours.reason}"
        return ""

    def _said(self, step: int, begin: int) -> Iterator[tuple[str, Any]]:
        """Yield what feeds say in one step, from the first on."""
        now = self._at(step)
        is_told = step >= begin
        if step == begin:
            yield "feed.calendar", Calendar(self._venue.markets, now.monotonic_ns)
        if is_told and (step == begin or step % 100 == 0):
            yield "feed.status", self._status(now)
        for frame_said in self._frames(step, begin):
            yield "feed.market", frame_said
        if step % 1_000 == 0:
            for asset in self._config.markets.assets:
                for tick in self._prices(Asset(asset), step, now):
                    self._ticks.append(tick)
                    yield "feed.price", tick

    def _frames(self, step: int, begin: int) -> Iterator[BookSnapshot | BookChanged | None]:
        """Yield the market feed's frames of one step; None for one that only fills the file."""
        if step == begin:
            yield from self._venue.snapshots()
        elif step > begin:
            yield from self._venue.changes(self._at(step).wall_ms)
        else:
            yield from (None for _ in self._venue.markets)

    def _prices(self, asset: Asset, step: int, now: Instant) -> Iterator[ReferencePrice]:
        second = step // 1_000
        value = 10**23 + (second * second * 7_919 % 1_013) * 10**18
        for source in (SPOT_SOURCE, settlement_source(self._config.markets.interval_s)):
            yield ReferencePrice(
                asset, source, ReferenceE18(value), WallMs(now.wall_ms), now.monotonic_ns
            )

    def _snapshots(self, now: Instant) -> Iterator[tuple[str, Any]]:
        """Yield what publishers answer to one that joins; the price feed has just started too."""
        yield "feed.calendar", Calendar(self._venue.markets, now.monotonic_ns)
        for tick in self._ticks:
            if now.monotonic_ns - tick.received_ns <= UNFLUSHED_MS * NS_PER_MS:
                yield "feed.price", tick
        for book in self._venue.snapshots():
            yield "feed.market", book

    def _status(self, now: Instant) -> FeedStatus:
        tokens = [token for market in self._venue.markets for token in market.tokens]
        return FeedStatus(
            feed=FEED_MARKET,
            connected=True,
            since_ns=now.monotonic_ns,
            cause="",
            session=1,
            evidence=tuple(Evidence(token, now.monotonic_ns) for token in tokens),
        )

    def _publish(self, topic: str, body: Any, now: Instant, *, folded: bool) -> bytes:
        """Let the twin hear a fact, and return its record."""
        number = self._sequences[topic] = self._sequences.get(topic, 0) + 1
        told = self._venue.filler if body is None else body
        header = Header(
            _PUBLISHER[topic],
            Incarnation(1),
            topic,
            number,
            now.monotonic_ns,
            now.monotonic_ns,
            now.wall_ns,
            FACT_SCHEMA,
            (),
            now,
        )
        frames = encode(header, told)
        if folded or topic == "feed.price":
            self._twin.on_message(_fact(topic, told, number, now), now)
        return frame(FactRecord(now.monotonic_ns, topic, frames[1], frames[2]))

    def _received(self, topic: str, body: Any, now: Instant) -> Received:
        number = self._sequences[topic] = self._sequences.get(topic, 0) + 1
        return _fact(topic, body, number, now)

    def _at(self, milliseconds: int) -> Instant:
        """Return the moment so long after the crash."""
        by_ns = milliseconds * NS_PER_MS
        return Instant(
            BootNs(self._end.boot_ns + by_ns),
            MonotonicNs(self._end.monotonic_ns + by_ns),
            WallNs(self._end.wall_ns - self._end.wall_ns % NS_PER_S + by_ns),
        )


_PUBLISHER: Final[dict[str, Component]] = {
    "feed.calendar": FEED_DISCOVERY,
    "feed.status": FEED_MARKET,
    "feed.market": FEED_MARKET,
    "feed.price": FEED_PRICE,
}


def _fact(topic: str, body: Any, number: int, now: Instant) -> Received:
    return Received(
        _PUBLISHER[topic],
        Incarnation(1),
        topic,
        number,
        now.monotonic_ns,
        now.monotonic_ns,
        now.wall_ns,
        body,
    )


def _views(core: StateCore, now: Instant) -> tuple[MarketView, ...]:
    (published,) = core.snapshot(now)
    assert isinstance(published, Publish)
    assert isinstance(published.body, StateView)
    return published.body.markets
