"""HTTP lanes of one process: warm connections, one request in flight on each, no retries.

Stands in for the edge that speaks HTTP over sockets. It keeps that edge's promises (a
check directly before the single write, a total deadline, an honest `sent`) and adds the
network's tricks: requests that are lost or land late, even after their sender has died,
and answers that are lost after the venue has acted.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from bus.edge import Edge
from bus.http import BeforeWrite, Headers, Lane
from ops.simulation.faults import Rates
from ops.simulation.scheduler import Scheduler
from ops.simulation.trace import Trace
from services.simulator.chance import Chance
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest, HttpReset, Message
from shared.units import NS_PER_MS, NS_PER_US, BootNs, Instant

LATENCY_NS_RANGE = (300 * NS_PER_US, 4 * NS_PER_MS)
"""One way between us and the venue."""

RECONNECT_NS = 50 * NS_PER_MS

Answer = Callable[[int, dict[str, str], bytes], None]
"""Takes status, headers and body of an answer; a status of 0 is a broken connection."""


class Venue(Protocol):
    """Where requests land."""

    def request(self, request: HttpRequest, headers: Mapping[str, str], answer: Answer) -> None:
        """Take a request in at the present moment."""
        ...


class Watcher(Protocol):
    """Sees every first byte that leaves."""

    def written(self, who: str, request: HttpRequest, now: Instant) -> None:
        """Learn of one write."""
        ...


class _Flight(msgspec.Struct, eq=False):
    """One request on one connection.

    Attributes:
        headers: Made when it was written, as a timestamp is part of them.
        landed: The venue has it; before, a reset may still stop it.
        done: Its outcome was told, or its sender is gone.
    """

    request: HttpRequest
    headers: Mapping[str, str]
    sent_ns: BootNs
    in_kernel: bool = False
    landed: bool = False
    purged: bool = False
    done: bool = False


class _Lane(msgspec.Struct, eq=False):
    """The connections of one lane.

    Attributes:
        reopening: Moments at which broken connections are open again.
    """

    rules: Lane
    queue: deque[HttpRequest]
    flights: list[_Flight]
    reopening: list[int]

    def free(self, moment_ns: int) -> int:
        """Return how many connections are open and idle."""
        if self.reopening:
            self.reopening = [at for at in self.reopening if at > moment_ns]
        return self.rules.connections - len(self.flights) - len(self.reopening)


class Lanes(Edge):
    """All lanes of one incarnation of one process."""

    handles: tuple[type[Effect], ...] = (HttpRequest, HttpReset)

    def __init__(
        self,
        who: str,
        scheduler: Scheduler,
        chance: Chance,
        rates: Rates,
        trace: Trace,
        venue: Venue,
        watcher: Watcher,
        wake: Callable[[], None],
        before_write: BeforeWrite | None,
        lanes: Sequence[Lane],
        headers: Headers | None = None,
    ) -> None:
        """Take the parts; connections are open at once, as they are opened beforehand."""
        self._headers = headers
        self._who = who
        self._scheduler = scheduler
        self._chance = chance
        self._rates = rates
        self._trace = trace
        self._venue = venue
        self._watcher = watcher
        self._wake = wake
        self._before_write = before_write
        self._lanes = {lane.name: _Lane(lane, deque(), [], []) for lane in lanes}
        self._told: deque[Message] = deque()
        self._arrived: deque[tuple[_Lane, _Flight, int, dict[str, str], bytes]] = deque()
        self._dead = False

    def send(self, request: HttpRequest) -> None:
        """Write a request now if a connection is free, else keep it for the next free one."""
        lane = self._lanes[request.lane]
        is_connected = lane.free(self._scheduler.now_ns) + len(lane.flights) > 0
        if not is_connected and not lane.rules.waits_unconnected:
            self._tell_unsent(request, "unconnected")
        elif len(lane.queue) >= lane.rules.queue_max:
            self._tell_unsent(request, "not_writable")
        else:
            lane.queue.append(request)
            self._write_queued(lane)

    def reset(self, name: str) -> None:
        """Drop a lane's connections: what the kernel still holds of them is gone."""
        lane = self._lanes[name]
        for request in lane.queue:
            self._told.append(HttpFailed(request.request_id, sent=False, reason="reset"))
        lane.queue.clear()
        for flight in list(lane.flights):
            flight.purged = flight.in_kernel and not flight.landed
            self._break(lane, flight, "reset")
        self._wake()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Carry out a request or a reset."""
        if isinstance(effect, HttpReset):
            self.reset(effect.lane)
        else:
            assert isinstance(effect, HttpRequest)
            self.send(effect)
        return []

    def is_urgent(self, effect: Effect) -> bool:
        """Resets, and requests of urgent lanes."""
        if isinstance(effect, HttpRequest):
            return self._lanes[effect.lane].rules.is_urgent
        return isinstance(effect, HttpReset)

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        """Answer for a request whose turn was not journaled."""
        if isinstance(effect, HttpRequest):
            return [HttpFailed(effect.request_id, sent=False, reason="not_journaled")]
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Return what the edge has to tell, and write what waited."""
        while self._arrived:
            lane, flight, status, headers, body = self._arrived.popleft()
            self._take_answer(lane, flight, status, headers, body)
        for lane in self._lanes.values():
            if lane.flights or lane.queue:
                self._check_deadlines(lane, now)
                self._write_queued(lane)
        if not self._told:
            return []
        told = list(self._told)
        self._told.clear()
        return told

    def close(self) -> None:
        """The process is gone; what it has written still lands."""
        self._dead = True

    # --- sending --------------------------------------------------------------------

    def _write_queued(self, lane: _Lane) -> None:
        if not lane.queue:
            return
        while lane.queue and lane.free(self._scheduler.now_ns) > 0:
            self._write(lane, lane.queue.popleft())
        if lane.queue and lane.reopening:
            self._scheduler.at(min(lane.reopening), self._wake)

    def _write(self, lane: _Lane, request: HttpRequest) -> None:
        now = self._scheduler.instant()
        headers = self._headers_of(request, now)
        refusal = self._before_write(request, now) if self._before_write else None
        if now.boot_ns >= request.deadline_ns:
            refusal = "deadline"
        if refusal is not None:
            self._tell_unsent(request, refusal)
            return
        self._watcher.written(self._who, request, now)
        flight = _Flight(request, headers, now.boot_ns)
        lane.flights.append(flight)
        self._trace.note(
            self._scheduler.now_ns, self._who, "http.write", f"{request.method} {request.path}"
        )
        deadline_ns = max(self._scheduler.now_ns, self._scheduler.moment_of(request.deadline_ns))
        self._scheduler.at(deadline_ns, self._wake)
        delay_ns = self._chance.between(*LATENCY_NS_RANGE)
        if self._chance.happens(self._rates.request_lost):
            self._trace.note(self._scheduler.now_ns, self._who, "http.lost", request.path)
            return
        if self._chance.happens(self._rates.request_late):
            flight.in_kernel = True
            delay_ns += self._chance.below(self._rates.late_ns_max)
        self._scheduler.after(delay_ns, lambda: self._land(lane, flight))

    def _tell_unsent(self, request: HttpRequest, reason: str) -> None:
        self._told.append(HttpFailed(request.request_id, sent=False, reason=reason))
        self._wake()

    def _headers_of(self, request: HttpRequest, now: Instant) -> Mapping[str, str]:
        if self._headers is None or not request.authenticated:
            return {}
        return self._headers(request, now)

    def _land(self, lane: _Lane, flight: _Flight) -> None:
        if flight.purged:
            return
        flight.landed = True
        self._venue.request(
            flight.request,
            flight.headers,
            lambda status, headers, body: self._answered(lane, flight, status, headers, body),
        )

    # --- hearing --------------------------------------------------------------------

    def _answered(
        self, lane: _Lane, flight: _Flight, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        if self._chance.happens(self._rates.reply_lost):
            self._trace.note(self._scheduler.now_ns, self._who, "http.reply_lost", "")
            return
        delay_ns = self._chance.between(*LATENCY_NS_RANGE)
        if self._chance.happens(self._rates.connection_reset):
            status = 0
        elif self._chance.happens(self._rates.reply_slow):
            delay_ns += self._chance.below(self._rates.delay_ns_max)

        def arrive() -> None:
            if not self._dead:
                self._arrived.append((lane, flight, status, headers, body))
                self._wake()

        self._scheduler.after(delay_ns, arrive)

    def _take_answer(
        self, lane: _Lane, flight: _Flight, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        if flight.done:
            return
        if status == 0:
            self._break(lane, flight, "closed")
            return
        flight.done = True
        lane.flights.remove(flight)
        request_id = flight.request.request_id
        self._trace.note(self._scheduler.now_ns, self._who, "http.reply", f"{status}")
        self._told.append(HttpReply(request_id, status, headers, body, flight.sent_ns))

    def _check_deadlines(self, lane: _Lane, now: Instant) -> None:
        for flight in list(lane.flights):
            if now.boot_ns >= flight.request.deadline_ns:
                self._break(lane, flight, "deadline")
        for request in [item for item in lane.queue if now.boot_ns >= item.deadline_ns]:
            lane.queue.remove(request)
            self._tell_unsent(request, "deadline")

    def _break(self, lane: _Lane, flight: _Flight, reason: str) -> None:
        flight.done = True
        lane.flights.remove(flight)
        lane.reopening.append(self._scheduler.now_ns + RECONNECT_NS)
        self._trace.note(self._scheduler.now_ns, self._who, "http.failed", reason)
        self._told.append(
            HttpFailed(flight.request.request_id, sent=True, reason=reason, sent_ns=flight.sent_ns)
        )
