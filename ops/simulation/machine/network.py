"""Requests between execution and the venue, each of which waits until an action moves it.

An edge below the real gateway. A request is written when its lane has a free connection and
its last check lets it; from then on it may land, early, late, or after its sender has given up
or died, and its answer may arrive, be spoiled, or be lost. It never lands later than the
time-out of its socket, and never twice.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from bus.edge import Edge
from bus.http import BeforeWrite, Headers, Lane
from services.simulator.answers import Answer
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest, HttpReset, Message
from shared.units import NS_PER_MS, BootNs, Instant

FLIGHTS_MAX: Final = 200
"""Requests that nobody has taken care of; the oldest of them are lost."""


class Flight(msgspec.Struct, eq=False):
    """One written request.

    Attributes:
        who: Run of execution that wrote it.
        landed: The venue has it, or never will.
        answer: What the venue has said, None before.
        heard: Its sender has been told an end, or is gone.
    """

    who: int
    request: HttpRequest
    sent_ns: BootNs
    lands_until_ns: BootNs
    landed: bool = False
    answer: Answer | None = None
    heard: bool = False


class Network:
    """All requests that are on their way, of every run of execution.

    Attributes:
        flights: Oldest first.
        is_prompt: Whether everything moves by itself.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.flights: list[Flight] = []
        self.is_prompt = True

    def add(self, flight: Flight) -> None:
        """Take a request that was written just now."""
        self.flights.append(flight)
        while len(self.flights) > FLIGHTS_MAX:
            self.flights.pop(0)

    def landing(self, now: Instant) -> list[Flight]:
        """Return what may still land."""
        return [f for f in self.flights if not f.landed and now.boot_ns <= f.lands_until_ns]

    def answered(self) -> list[Flight]:
        """Return what has an answer that may still arrive."""
        return [f for f in self.flights if f.answer is not None and not f.heard]

    def unheard(self) -> list[Flight]:
        """Return whose sender still waits."""
        return [f for f in self.flights if not f.heard]

    def clean(self, now: Instant) -> None:
        """Forget what nothing can happen to any more."""
        self.flights = [
            f
            for f in self.flights
            if not f.heard or (not f.landed and now.boot_ns <= f.lands_until_ns)
        ]


class MachineLanes(Edge):
    """The lanes of one run of execution (`services.execution.gateway.MakeHttp` makes them)."""

    handles: tuple[type[Effect], ...] = (HttpRequest, HttpReset)

    def __init__(
        self,
        who: int,
        network: Network,
        read: Callable[[], Instant],
        written: Callable[[HttpRequest, Instant], None],
        lanes: Sequence[Lane],
        headers: Headers | None,
        before_write: BeforeWrite | None,
    ) -> None:
        """Take the lanes; their connections are open.

        Args:
            who: Run of execution.
            network: Where written requests are.
            read: The clock.
            written: Told of each first byte.
            lanes: Of the gateway.
            headers: Not made: who asks is known here.
            before_write: Asked directly before each write.
        """
        self._who = who
        self._network = network
        self._read = read
        self._written = written
        self._before_write = before_write
        self._lanes = {lane.name: lane for lane in lanes}
        self._queues: dict[str, deque[HttpRequest]] = {lane.name: deque() for lane in lanes}
        self._told: list[Message] = []
        self.is_stalled = False

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Write a request, let it wait for a connection, or reset a lane."""
        if isinstance(effect, HttpReset):
            self._reset(effect.lane)
        else:
            assert isinstance(effect, HttpRequest)
            queue = self._queues[effect.lane]
            if len(queue) >= self._lanes[effect.lane].queue_max:
                return [HttpFailed(effect.request_id, sent=False, reason="not_writable")]
            queue.append(effect)
            self._write_queued()
        return self._take()

    def is_urgent(self, effect: Effect) -> bool:
        """Resets, and requests of urgent lanes."""
        if isinstance(effect, HttpRequest):
            return self._lanes[effect.lane].is_urgent
        return isinstance(effect, HttpReset)

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        """Answer for a request whose turn was not journaled."""
        if isinstance(effect, HttpRequest):
            return [HttpFailed(effect.request_id, sent=False, reason="not_journaled")]
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """End what is past its deadline, and write what waited."""
        for flight in self._network.unheard():
            if flight.who == self._who and now.boot_ns >= flight.request.deadline_ns:
                self.end(flight, "deadline")
        for queue in self._queues.values():
            for request in [item for item in queue if now.boot_ns >= item.deadline_ns]:
                queue.remove(request)
                self._told.append(HttpFailed(request.request_id, sent=False, reason="deadline"))
        self._write_queued()
        return self._take()

    def end(self, flight: Flight, reason: str) -> None:
        """Break the connection of a request; it may land all the same."""
        flight.heard = True
        request_id = flight.request.request_id
        failed = HttpFailed(request_id, sent=True, reason=reason, sent_ns=flight.sent_ns)
        self._told.append(failed)

    def reply(self, flight: Flight, answer: Answer) -> None:
        """Bring an answer."""
        flight.heard = True
        headers = {name.lower(): value for name, value in answer.headers.items()}
        request_id = flight.request.request_id
        said = HttpReply(request_id, answer.status, headers, answer.body, flight.sent_ns)
        self._told.append(said)

    def _take(self) -> list[Message]:
        told, self._told = self._told, []
        return told

    def _reset(self, lane: str) -> None:
        for request in self._queues[lane]:
            self._told.append(HttpFailed(request.request_id, sent=False, reason="reset"))
        self._queues[lane].clear()
        for flight in self._network.unheard():
            if flight.who == self._who and flight.request.lane == lane:
                self.end(flight, "reset")

    def _write_queued(self) -> None:
        if self.is_stalled:
            return
        for name, queue in self._queues.items():
            while queue and self._in_use(name) < self._lanes[name].connections:
                self._write(queue.popleft(), self._lanes[name])

    def _in_use(self, lane: str) -> int:
        return sum(
            1
            for flight in self._network.flights
            if flight.who == self._who and not flight.heard and flight.request.lane == lane
        )

    def _write(self, request: HttpRequest, lane: Lane) -> None:
        now = self._read()
        refusal = self._before_write(request, now) if self._before_write else None
        if now.boot_ns >= request.deadline_ns:
            refusal = "deadline"
        if refusal is not None:
            self._told.append(HttpFailed(request.request_id, sent=False, reason=refusal))
            return
        self._written(request, now)
        until_ns = BootNs(now.boot_ns + lane.user_timeout_ms * NS_PER_MS)
        self._network.add(Flight(self._who, request, now.boot_ns, until_ns))
