"""HTTP lanes of one process: warm connections, one request in flight on each, no retries.

Stands in for the edge that speaks HTTP over sockets. It keeps that edge's promises (a
check directly before the single write, a total deadline, an honest `sent`) and adds the
network's tricks: requests that are lost or land late, even after their sender has died,
and answers that are lost after the venue has acted.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from bus.edge import Edge
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

BeforeWrite = Callable[[HttpRequest, Instant], str | None]
"""Judges a request directly before its write; returns why it may not leave, or None."""


class Venue(Protocol):
    """Where requests land."""

    def request(self, method: str, path: str, body: bytes, answer: Answer) -> None:
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
        landed: The venue has it; before, a reset may still stop it.
        done: Its outcome was told, or its sender is gone.
    """

    request: HttpRequest
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

    connections: int
    queue: deque[HttpRequest]
    flights: list[_Flight]
    reopening: list[int]


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
        before_write: BeforeWrite,
        connections: dict[str, int],
    ) -> None:
        """Take the parts; connections are open at once, as they are opened beforehand."""
        self._who = who
        self._scheduler = scheduler
        self._chance = chance
        self._rates = rates
        self._trace = trace
        self._venue = venue
        self._watcher = watcher
        self._wake = wake
        self._before_write = before_write
        self._lanes = {name: _Lane(count, deque(), [], []) for name, count in connections.items()}
        self._told: deque[Message] = deque()
        self._arrived: deque[tuple[_Lane, _Flight, int, dict[str, str], bytes]] = deque()
        self._dead = False

    def send(self, request: HttpRequest) -> None:
        """Write a request now if a connection is free, else keep it for the next free one."""
        lane = self._lanes[request.lane]
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
        """Cancels, beats and resets rest on nothing in the journal."""
        return isinstance(effect, HttpReset) or (
            isinstance(effect, HttpRequest) and effect.lane in ("cancel", "beat")
        )

    def on_tick(self, now: Instant) -> list[Message]:
        """Return what the edge has to tell, and write what waited."""
        while self._arrived:
            lane, flight, status, headers, body = self._arrived.popleft()
            self._take_answer(lane, flight, status, headers, body)
        for lane in self._lanes.values():
            self._check_deadlines(lane, now)
            self._write_queued(lane)
        told = list(self._told)
        self._told.clear()
        return told

    def close(self) -> None:
        """The process is gone; what it has written still lands."""
        self._dead = True

    def waiting(self, lane: str) -> int:
        """Return how many requests of a lane wait for a connection."""
        return len(self._lanes[lane].queue)

    # --- sending --------------------------------------------------------------------

    def _write_queued(self, lane: _Lane) -> None:
        if not lane.queue:
            return
        moment_ns = self._scheduler.now_ns
        lane.reopening = [at for at in lane.reopening if at > moment_ns]
        while lane.queue and len(lane.flights) + len(lane.reopening) < lane.connections:
            self._write(lane, lane.queue.popleft())
        if lane.queue and lane.reopening:
            self._scheduler.at(min(lane.reopening), self._wake)

    def _write(self, lane: _Lane, request: HttpRequest) -> None:
        now = self._scheduler.instant()
        refusal = self._before_write(request, now)
        if refusal is not None:
            self._told.append(HttpFailed(request.request_id, sent=False, reason=refusal))
            self._wake()
            return
        self._watcher.written(self._who, request, now)
        flight = _Flight(request, now.boot_ns)
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

    def _land(self, lane: _Lane, flight: _Flight) -> None:
        if flight.purged:
            return
        flight.landed = True
        request = flight.request
        self._venue.request(
            request.method,
            request.path,
            request.body,
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
            self._told.append(HttpFailed(request.request_id, sent=False, reason="deadline"))

    def _break(self, lane: _Lane, flight: _Flight, reason: str) -> None:
        flight.done = True
        lane.flights.remove(flight)
        lane.reopening.append(self._scheduler.now_ns + RECONNECT_NS)
        self._trace.note(self._scheduler.now_ns, self._who, "http.failed", reason)
        self._told.append(
            HttpFailed(flight.request.request_id, sent=True, reason=reason, sent_ns=flight.sent_ns)
        )
