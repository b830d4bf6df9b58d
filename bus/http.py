"""Requests over lanes of warm connections, and what became of each, without any second try.

Lanes share nothing: a cancel never waits behind a post. Each request has one total
deadline, whatever its answer drips. Directly before its first byte a hook is asked with a
fresh clock reading; then there is one write, and when the kernel takes none of it the
request is provably not sent. No retry, no redirect, no proxy.
"""

import ssl
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from bus import clock
from bus.edge import Edge
from bus.http_exchange import Broken, Exchange, Reply
from bus.name_book import SYSTEM_ALONE, NameRules
from bus.resolver import Resolver, Resolvers
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest, HttpReset, Message
from shared.units import BootNs, Instant

BeforeWrite = Callable[[HttpRequest, Instant], str | None]
"""Asked directly before the first byte; a text is the reason of the `HttpFailed`."""

Headers = Callable[[HttpRequest, Instant], Mapping[str, str]]
"""Further headers of one request: the venue's authentication."""

USER_AGENT = "interlock"


class Lane(msgspec.Struct, frozen=True):
    """Connections that carry one kind of request.

    Attributes:
        name: As `HttpRequest.lane` says it.
        url: Scheme, host and port; a path is ignored.
        connections: Kept open; as many requests can be in flight.
        user_timeout_ms: TCP_USER_TIMEOUT.
        queue_max: Requests that may wait while all connections are busy.
        waits_unconnected: Whether a request may wait for a connection to open; posts may not, they
            come back `unconnected` at once.
        is_urgent: Whether its requests go out before the commit of their turn: cancels.
    """

    name: str
    url: str
    connections: int = 1
    user_timeout_ms: int = 2_000
    queue_max: int = 64
    waits_unconnected: bool = True
    is_urgent: bool = False


class _LaneState:
    """A lane's connections and the requests that wait for one."""

    def __init__(self, lane: Lane, resolver: Resolver, tls: ssl.SSLContext | None) -> None:
        self.lane = lane
        self.exchanges = [
            Exchange(resolver.origin, resolver, lane.user_timeout_ms, tls)
            for _ in range(lane.connections)
        ]
        self.waiting: deque[HttpRequest] = deque()

    def idle(self, now: BootNs) -> Exchange | None:
        """Return a connection that takes a request and has not been closed by the peer."""
        for exchange in self.exchanges:
            if exchange.is_idle and exchange.check_idle(now):
                return exchange
        return None

    @property
    def is_unconnected(self) -> bool:
        return not any(exchange.is_open for exchange in self.exchanges)


class HttpEdge(Edge):
    """Carries out `HttpRequest` and `HttpReset`; each request ends in one message."""

    handles = (HttpRequest, HttpReset)

    def __init__(
        self,
        lanes: Sequence[Lane],
        *,
        headers: Headers | None = None,
        before_write: BeforeWrite | None = None,
        tls: ssl.SSLContext | None = None,
        read: Callable[[], Instant] = clock.read,
        names: NameRules = SYSTEM_ALONE,
    ) -> None:
        """Prepare the lanes; their connections open from the first tick on.

        Args:
            lanes: Each with a name of its own.
            headers: For requests that are `authenticated`.
            before_write: The last check before the first byte, asked for every request.
            tls: Context for https; None makes the system's default one when it is needed.
            read: Clock for the fresh reading before a write.
            names: How names are resolved.
        """
        self._headers = headers
        self._before_write = before_write
        self._read = read
        self._resolvers = Resolvers(names)
        resolvers = {lane.url: self._resolvers.of(lane.url) for lane in lanes}
        if tls is None and any(one.origin.is_secure for one in resolvers.values()):
            tls = ssl.create_default_context()
        self._lanes = {lane.name: _LaneState(lane, resolvers[lane.url], tls) for lane in lanes}
        assert len(self._lanes) == len(lanes), "every lane has a name of its own"
        self._by_descriptor: dict[int, tuple[_LaneState, Exchange]] = {}

    def is_connected(self, lane: str) -> bool:
        """Tell whether a lane has an open connection."""
        return not self._lanes[lane].is_unconnected

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Send a request or reset a lane."""
        if isinstance(effect, HttpReset):
            return self._reset(self._lanes[effect.lane])
        assert isinstance(effect, HttpRequest), f"not of this edge: {effect}"
        state = self._lanes[effect.lane]
        if state.is_unconnected and not state.lane.waits_unconnected:
            return [HttpFailed(effect.request_id, sent=False, reason="unconnected")]
        if len(state.waiting) >= state.lane.queue_max:
            return [HttpFailed(effect.request_id, sent=False, reason="not_writable")]
        state.waiting.append(effect)
        return self._send_waiting(state)

    def is_urgent(self, effect: Effect) -> bool:
        """Resets, and requests of urgent lanes."""
        if isinstance(effect, HttpRequest):
            return self._lanes[effect.lane].lane.is_urgent
        return isinstance(effect, HttpReset)

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        """Answer for a request whose turn was not journaled."""
        if isinstance(effect, HttpRequest):
            return [HttpFailed(effect.request_id, sent=False, reason="not_journaled")]
        return []

    def withdraw(self, urgent: Effect, waiting: Effect, now: Instant) -> list[Message]:
        """Take back a request that waits for its commit while its lane is reset."""
        if not (isinstance(urgent, HttpReset) and isinstance(waiting, HttpRequest)):
            return []
        if urgent.lane != waiting.lane:
            return []
        return [HttpFailed(waiting.request_id, sent=False, reason="reset")]

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return every connection's descriptor."""
        self._by_descriptor = {
            descriptor: (state, exchange)
            for state in self._lanes.values()
            for exchange in state.exchanges
            for descriptor, _ in exchange.sockets()
        }
        return [
            polled
            for state in self._lanes.values()
            for exchange in state.exchanges
            for polled in exchange.sockets()
        ]

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Go on with one connection."""
        found = self._by_descriptor.get(descriptor)
        if found is None:
            return []
        state, exchange = found
        request, sent_ns = exchange.request, exchange.sent_ns
        outcome = exchange.on_ready(now.boot_ns)
        messages: list[Message] = []
        if outcome is not None:
            assert request is not None, "an outcome belongs to a request"
            messages.append(_tell(request, sent_ns, outcome))
        messages.extend(self._send_waiting(state))
        return messages

    def on_tick(self, now: Instant) -> list[Message]:
        """Open connections, end what is past its deadline, tell of names."""
        messages = self._resolvers.news(now)
        for state in self._lanes.values():
            messages.extend(_expire(state, now.boot_ns))
            for exchange in state.exchanges:
                exchange.tick(now.boot_ns)
            if state.waiting:
                messages.extend(self._send_waiting(state))
        return messages

    def close(self) -> None:
        """Close every connection at once."""
        for state in self._lanes.values():
            for exchange in state.exchanges:
                exchange.close()

    def _send_waiting(self, state: _LaneState) -> list[Message]:
        messages: list[Message] = []
        while state.waiting:
            exchange = state.idle(self._read().boot_ns)
            if exchange is None:
                break
            failed = self._send(exchange, state.waiting.popleft())
            if failed is not None:
                messages.append(failed)
        return messages

    def _send(self, exchange: Exchange, request: HttpRequest) -> HttpFailed | None:
        if not exchange.is_writable():
            return HttpFailed(request.request_id, sent=False, reason="not_writable")
        content = exchange.encode(request, self._headers_of(request))
        # Everything slow is done: from here on there is only the check and the write.
        now = self._read()
        if now.boot_ns >= request.deadline_ns:
            return HttpFailed(request.request_id, sent=False, reason="deadline")
        refusal = self._before_write(request, now) if self._before_write else None
        if refusal is not None:
            return HttpFailed(request.request_id, sent=False, reason=refusal)
        if exchange.write(request, content, now.boot_ns):
            return None
        exchange.drop(now.boot_ns, "not writable")
        return HttpFailed(request.request_id, sent=False, reason="not_writable")

    def _headers_of(self, request: HttpRequest) -> list[tuple[str, str]]:
        headers = [("User-Agent", USER_AGENT)]
        if request.body:
            headers.append(("Content-Type", "application/json"))
        if request.authenticated and self._headers is not None:
            headers.extend(self._headers(request, self._read()).items())
        return headers

    def _reset(self, state: _LaneState) -> list[Message]:
        now = self._read().boot_ns
        messages: list[Message] = [
            HttpFailed(request.request_id, sent=False, reason="reset") for request in state.waiting
        ]
        state.waiting.clear()
        for exchange in state.exchanges:
            if exchange.request is not None:
                messages.append(_fail_sent(exchange.request, exchange.sent_ns, "reset"))
            exchange.drop(now, "reset")
        return messages


def _expire(state: _LaneState, now: BootNs) -> list[Message]:
    messages: list[Message] = []
    for exchange in state.exchanges:
        request = exchange.request
        if request is None:
            continue
        if exchange.is_broken or now >= request.deadline_ns:
            reason = "closed" if exchange.is_broken else "deadline"
            messages.append(_fail_sent(request, exchange.sent_ns, reason))
            exchange.drop(now, reason)
    for request in [one for one in state.waiting if now >= one.deadline_ns]:
        state.waiting.remove(request)
        messages.append(HttpFailed(request.request_id, sent=False, reason="deadline"))
    return messages


def _tell(request: HttpRequest, sent_ns: BootNs, outcome: Reply | Broken) -> Message:
    if isinstance(outcome, Broken):
        return _fail_sent(request, sent_ns, outcome.reason)
    return HttpReply(request.request_id, outcome.status, outcome.headers, outcome.body, sent_ns)


def _fail_sent(request: HttpRequest, sent_ns: BootNs, reason: str) -> HttpFailed:
    return HttpFailed(request.request_id, sent=True, reason=reason, sent_ns=sent_ns)
