"""From a frame of the market socket to the view that rests on it: changed levels a second.

The cores of the market feed and of state run joined by the bus's own encoding, in one thread of
one core: parse, evidence, publish, read, fold, proof by the venue's hash, view. Every batch is
proven, at the rate at which the venue sends batches. Each half is measured alone too, since they
are two processes on two cores when they run. Rates are of this thread's processor
time, so that another's load does not count; times of single frames are what they took.

The floor is what nobody can leave out: the same frames through a plain JSON decoder.
"""

import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from bus import clock
from ops.bench.results import BenchFailed, Result, summarise
from ops.simulation.books import Books, at
from ops.simulation.frame_file import FramesUnreadable, read_frames
from ops.simulation.market_frames import Frames, Read, generate
from shared.units import NS_PER_MS, NS_PER_S, Instant

WHOLE = "feed"
FEED_HALF = "feed-publish"
STATE_HALF = "feed-fold"
NAMES = (WHOLE, FEED_HALF, STATE_HALF)

CHANGES = 100_000
MARKETS = 8
"""As many as the calendar has running at once: both tokens of each."""

SEED = 1
TICK_NS = 10 * NS_PER_MS
"""Of the real loop."""

STEP_NS = 20_000
STATE_NS_MAX = NS_PER_S
"""Time that passes a read for state's half alone, whatever it takes, and for all reads together:
less than evidence may be old."""

_Ran = TypeVar("_Ran")


class _Clock:
    """Moments of a run: the venue's stamps, and the time that has passed."""

    def __init__(self, step_ns: int | None = None) -> None:
        """Let time pass as it does, or by a step a read."""
        self._began_ns = clock.read().monotonic_ns
        self._step_ns = step_ns
        self._passed_ns = 0

    def at(self, read: Read) -> Instant:
        if self._step_ns is None:
            self._passed_ns = clock.read().monotonic_ns - self._began_ns
        else:
            self._passed_ns += self._step_ns
        return at(read.venue_ms, self._passed_ns)


class _Measured:
    """Times of single frames, and this thread's processor time for all."""

    def __init__(self) -> None:
        self.each_ns: list[int] = []
        self.cpu_ns = 0


def measure(file: Path | None = None, changes: int = CHANGES) -> list[Result]:
    """Measure the whole way and both halves.

    Args:
        file: Frames recorded, one a line; None makes them by chance.
        changes: Changed levels to make, where they are made.

    Raises:
        BenchFailed: A frame was refused or a book was not proven; or the file cannot be read.
    """
    try:
        frames = generate(SEED, changes, MARKETS) if file is None else read_frames(file)
    except FramesUnreadable as fault:
        raise BenchFailed(str(fault)) from fault
    whole = _without_collector(lambda: _whole(frames))
    floor = _without_collector(lambda: _floor(frames))
    told = _without_collector(lambda: _publish(frames))
    fold = _without_collector(lambda: _fold(frames, told[1]))
    way = f"{frames.changes} changed levels, {frames.batches} batches of hashes"
    return [
        _result(name, f"{what}: {way}", frames.changes, measured, floor)
        for name, what, measured in (
            (WHOLE, "a frame to the proven view, feed and state on one core", whole),
            (FEED_HALF, "a frame to its fact on the bus, the feed alone", told[0]),
            (STATE_HALF, "a fact to the proven view, state alone", fold),
        )
    ]


def _result(name: str, what: str, changes: int, measured: _Measured, floor: _Measured) -> Result:
    result = summarise(
        name, what, measured.each_ns, "plain JSON decoding of the same frames", floor.each_ns
    )
    return msgspec.structs.replace(
        result,
        per_second=changes * NS_PER_S // max(1, measured.cpu_ns),
        floor_per_second=changes * NS_PER_S // max(1, floor.cpu_ns),
    )


def _without_collector(run: Callable[[], _Ran]) -> _Ran:
    """Run as the real loop does: it collects at moments of its own."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        return run()
    finally:
        gc.enable()
        gc.unfreeze()


def _whole(frames: Frames) -> _Measured:
    moments, measured = _Clock(), _Measured()
    books = _opened(frames, moments)

    def take(read: Read, now: Instant) -> None:
        last = len(read.texts) - 1
        for place, text in enumerate(read.texts):
            began_ns = time.perf_counter_ns()
            books.hear(text, now, more=place < last)
            measured.each_ns.append(time.perf_counter_ns() - began_ns)

    _turn(frames, moments, measured, take, books.tick)
    _judge(books, frames, moments)
    return measured


def _publish(frames: Frames) -> tuple[_Measured, list[list[list[bytes]]]]:
    moments, measured = _Clock(), _Measured()
    books = _opened(frames, moments)
    told: list[list[list[bytes]]] = []

    def take(read: Read, now: Instant) -> None:
        last = len(read.texts) - 1
        for place, text in enumerate(read.texts):
            began_ns = time.perf_counter_ns()
            told.append(books.publish(text, now, more=place < last))
            measured.each_ns.append(time.perf_counter_ns() - began_ns)

    _turn(frames, moments, measured, take, books.tick)
    return measured, told


def _fold(frames: Frames, told: Sequence[list[list[bytes]]]) -> _Measured:
    # The feed hears nothing in this run: in real time its evidence would grow old.
    moments, measured = _Clock(min(STEP_NS, STATE_NS_MAX // len(frames.reads))), _Measured()
    books = _opened(frames, moments)
    facts = iter(told)

    def take(read: Read, now: Instant) -> None:
        for _ in read.texts:
            encoded = next(facts)
            began_ns = time.perf_counter_ns()
            for message in encoded:
                books.fold(message, now)
            measured.each_ns.append(time.perf_counter_ns() - began_ns)

    _turn(frames, moments, measured, take, books.tick)
    _judge(books, frames, moments)
    return measured


def _floor(frames: Frames) -> _Measured:
    measured = _Measured()
    decoder = msgspec.json.Decoder()

    def take(read: Read, now: Instant) -> None:
        for text in read.texts:
            began_ns = time.perf_counter_ns()
            decoder.decode(text)
            measured.each_ns.append(time.perf_counter_ns() - began_ns)

    _turn(frames, _Clock(), measured, take, lambda now: None)
    return measured


def _turn(
    frames: Frames,
    moments: _Clock,
    measured: _Measured,
    take: Callable[[Read, Instant], None],
    tick: Callable[[Instant], None],
) -> None:
    """Feed everything in, and let the time be looked at as often as the real loop does."""
    began_ns = time.thread_time_ns()
    next_ns = 0
    for read in frames.reads:
        now = moments.at(read)
        take(read, now)
        if now.monotonic_ns >= next_ns:
            next_ns = now.monotonic_ns + TICK_NS
            tick(now)
    measured.cpu_ns = time.thread_time_ns() - began_ns


def _opened(frames: Frames, moments: _Clock) -> Books:
    books = Books(frames.markets)
    now = moments.at(frames.dump)
    books.open(now)
    for text in frames.dump.texts:
        books.hear(text, now)
    books.tick(now)
    return books


def _judge(books: Books, frames: Frames, moments: _Clock) -> None:
    """A figure of books that were not proven would be none."""
    now = moments.at(frames.reads[-1])
    books.tick(now)
    counts = books.counts
    invalid = [view.reason for view in books.views(now) if not view.valid]
    if invalid or counts.doubts or counts.refused:
        raise BenchFailed(
            f"{counts.refused} frames refused, {counts.doubts} doubts, "
            f"{len(invalid)} markets not valid at the end: {invalid[:1]}"
        )
