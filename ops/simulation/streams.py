"""WebSocket streams between one process and the venue: in order, never corrupted, often late.

Frames of a stalled stream arrive together when the stall ends; a dropped stream is
closed at both ends, and often nobody can connect for a while. A stopped process finds its frames
waiting, as in a kernel's buffer. Whoever opens a stream again and again without a pause fails the
run (NET-2).
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from bus.edge import Edge
from ops.simulation.lanes import LATENCY_NS_RANGE
from ops.simulation.scheduler import Scheduler
from ops.simulation.trace import Trace
from services.simulator.chance import Chance
from shared.effects import (
    Effect,
    Message,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamSend,
    StreamText,
)
from shared.reach import ReachFault
from shared.units import NS_PER_S, Instant

OPENS_MAX = 8
"""Of one kind of stream in `OPENS_WITHIN_NS`: at once twice, after one and two seconds, and as
many again for a feed that stopped in between."""

OPENS_WITHIN_NS = 5 * NS_PER_S

Frame = Callable[[str | None], None]
"""Takes one text frame of the venue; None closes the stream."""


class StreamVenue(Protocol):
    """The venue's end of all streams."""

    def stream_opened(self, url: str, send: Frame) -> int:
        """Open a connection; return its number."""
        ...

    def stream_text(self, connection: int, text: str) -> None:
        """Take one frame of the client in."""
        ...

    def stream_closed(self, connection: int) -> None:
        """Learn that a connection is gone."""
        ...


class _Stream:
    """One open stream, seen from both ends.

    Attributes:
        inward_ns: Arrival of the newest frame towards us: later ones arrive no sooner.
    """

    __slots__ = ("connection", "inward_ns", "name", "open", "outward_ns")

    def __init__(self, name: str) -> None:
        self.name = name
        self.connection: int | None = None
        self.open = True
        self.inward_ns = 0
        self.outward_ns = 0


class Streams(Edge):
    """All streams of one incarnation of one process."""

    handles: tuple[type[Effect], ...] = (StreamOpen, StreamSend, StreamClose)

    def __init__(
        self,
        who: str,
        scheduler: Scheduler,
        chance: Chance,
        trace: Trace,
        venue: StreamVenue,
        wake: Callable[[], None],
    ) -> None:
        self._who = who
        self._scheduler = scheduler
        self._chance = chance
        self._trace = trace
        self._venue = venue
        self._wake = wake
        self._streams: dict[str, _Stream] = {}
        self._told: deque[StreamOpened | StreamClosed | tuple[str, str]] = deque()
        self._stalled_until_ns = 0
        self._refused_until_ns = 0
        self._opens: dict[str, deque[int]] = {}
        self._dead = False
        self.frames = 0

    def open(self, name: str, url: str) -> None:
        """Open a stream; the answer comes in a later turn."""
        assert name not in self._streams
        self._count_open(name)
        stream = _Stream(name)
        self._streams[name] = stream

        def reach_venue() -> None:
            if not stream.open:
                return
            if self._scheduler.now_ns < self._refused_until_ns:
                self._end(stream, 1006, "Connection refused", "refused")
                return
            stream.connection = self._venue.stream_opened(
                url, lambda text: self._from_venue(stream, text)
            )
            self._inward(stream, StreamOpened(name))

        self._scheduler.after(self._chance.between(*LATENCY_NS_RANGE), reach_venue)

    def send(self, name: str, text: str) -> None:
        """Send one frame; on a stream that is gone it is lost."""
        stream = self._streams.get(name)
        if stream is None:
            return

        def reach_venue() -> None:
            if stream.open and stream.connection is not None:
                self._venue.stream_text(stream.connection, text)

        moment_ns = self._scheduler.now_ns + self._chance.between(*LATENCY_NS_RANGE)
        stream.outward_ns = max(stream.outward_ns + 1, moment_ns)
        self._scheduler.at(stream.outward_ns, reach_venue)

    def end(self, name: str, code: int = 1000, reason: str = "closed") -> None:
        """Close a stream from our end."""
        stream = self._streams.get(name)
        if stream is not None:
            self._end(stream, code, reason)

    def drop(self, refused_ns: int = 0) -> None:
        """The network breaks every stream, and refuses new ones for so long."""
        self._refused_until_ns = max(self._refused_until_ns, self._scheduler.now_ns + refused_ns)
        for stream in list(self._streams.values()):
            self._end(stream, 1006, "connection lost")
        self._wake()

    def stall(self, lasts_ns: int) -> None:
        """The network delivers nothing for a while, then everything."""
        self._stalled_until_ns = max(self._stalled_until_ns, self._scheduler.now_ns + lasts_ns)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Open, send on or close a stream."""
        match effect:
            case StreamOpen(stream=name, url=url):
                self.open(name, url)
            case StreamSend(stream=name, text=text):
                self.send(name, text)
            case _:
                assert isinstance(effect, StreamClose)
                self.end(effect.stream)
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Return what has arrived, oldest first, stamped when it is read and no sooner."""
        if not self._told:
            return []
        told: list[Message] = [
            StreamText(*item, now.monotonic_ns) if isinstance(item, tuple) else item
            for item in self._told
        ]
        self._told.clear()
        return told

    def close(self) -> None:
        """The process is gone; the venue sees its streams close."""
        self._dead = True
        for stream in list(self._streams.values()):
            self._end(stream, 1006, "process ended")

    def _from_venue(self, stream: _Stream, text: str | None) -> None:
        if not stream.open:
            return
        if text is None:
            self._end(stream, 1006, "closed by the venue")
            return
        self.frames += 1
        self._inward(stream, text)

    def _inward(self, stream: _Stream, told: str | StreamOpened) -> None:
        moment_ns = self._scheduler.now_ns + self._chance.between(*LATENCY_NS_RANGE)
        # Later than the frame before: a connection keeps its order, and equal moments come in any.
        stream.inward_ns = max(stream.inward_ns + 1, moment_ns, self._stalled_until_ns)

        def arrive() -> None:
            if self._dead or not stream.open:
                return
            if isinstance(told, str):
                self._told.append((stream.name, told))
            else:
                self._trace.note(self._scheduler.now_ns, self._who, "stream.open", stream.name)
                self._told.append(told)
            self._wake()

        self._scheduler.at(stream.inward_ns, arrive)

    def _count_open(self, name: str) -> None:
        """Fail the run when one kind of stream is opened in a loop."""
        opens = self._opens.setdefault(name.rpartition(".")[0], deque(maxlen=OPENS_MAX))
        now_ns = self._scheduler.now_ns
        is_loop = len(opens) == OPENS_MAX and now_ns - opens[0] < OPENS_WITHIN_NS
        assert not is_loop, f"{self._who} opens {name} in a loop"
        opens.append(now_ns)

    def _end(self, stream: _Stream, code: int, reason: str, fault: ReachFault = "lost") -> None:
        if not stream.open:
            return
        stream.open = False
        del self._streams[stream.name]
        if stream.connection is not None:
            self._venue.stream_closed(stream.connection)
        self._trace.note(self._scheduler.now_ns, self._who, "stream.closed", stream.name)
        if not self._dead:
            closed = StreamClosed(stream.name, code, reason, fault == "refused", fault)
            self._told.append(closed)
            self._wake()
