"""One keep-alive connection of a lane: opened beforehand, one request at a time.

HTTP/1.1 by h11, a pure state machine. Nothing is retried here. What a caller needs to know
exactly is whether the first byte of a request was taken by the kernel.
"""

import ssl
from collections.abc import Iterable
from typing import Literal

import h11
import msgspec

from bus.connection import Connection, Origin
from bus.resolver import Resolver
from shared.effects import HttpRequest
from shared.units import NS_PER_MS, NS_PER_S, BootNs

CONNECT_NS_MAX = 3 * NS_PER_S
"""For TCP and TLS together; then the next address is tried."""

RECONNECT_NS = 50 * NS_PER_MS
RECONNECT_NS_MAX = NS_PER_S

BODY_BYTES_MAX = 16 * 1024 * 1024
"""The largest answer of the venue, a page of markets, has about two."""

HEADER_BYTES_MAX = 64 * 1024


class Reply(msgspec.Struct, frozen=True):
    """A complete answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Broken(msgspec.Struct, frozen=True):
    """The answer will not come, and why: `closed` or `protocol`."""

    reason: Literal["closed", "protocol"]


class Exchange:
    """A connection that is kept open, and the request that is on it.

    Attributes:
        request: In flight; None while idle.
        sent_ns: When its first byte was written.
    """

    def __init__(
        self, origin: Origin, resolver: Resolver, user_timeout_ms: int, tls: ssl.SSLContext | None
    ) -> None:
        self.request: HttpRequest | None = None
        self.sent_ns = BootNs(0)
        self._origin = origin
        self._resolver = resolver
        self._user_timeout_ms = user_timeout_ms
        self._tls = tls if origin.is_secure else None
        self._connection: Connection | None = None
        self._machine = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_BYTES_MAX)
        self._response: h11.Response | None = None
        self._body = bytearray()
        self._open_at_ns = BootNs(0)
        self._pause_ns = RECONNECT_NS
        self._connect_until_ns = BootNs(0)

    @property
    def is_open(self) -> bool:
        """Whether a request could be written, were it idle."""
        return self._connection is not None and self._connection.state == "open"

    @property
    def is_broken(self) -> bool:
        """Whether the connection went while the last bytes of a request were written."""
        if self.request is None or self._connection is None:
            return False
        return self._connection.state == "closed"

    @property
    def is_idle(self) -> bool:
        """Whether it takes a request now."""
        return self.is_open and self.request is None

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return what to poll."""
        if self._connection is None or self._connection.state == "closed":
            return ()
        return ((self._connection.descriptor, self._connection.events),)

    def tick(self, now: BootNs) -> None:
        """Open the connection when it is time; give up one that takes too long."""
        if self._connection is None:
            if now >= self._open_at_ns:
                self._connect(now)
        elif self._connection.state in ("connecting", "handshaking"):
            if now > self._connect_until_ns:
                self.drop(now, "connecting took too long")
        elif self._connection.state == "closed" and self.request is None:
            self.drop(now, self._connection.reason)

    def check_idle(self, now: BootNs) -> bool:
        """Look once more whether the peer has closed an idle connection; True when it is well."""
        assert self._connection is not None, "only an open connection is looked at"
        if self._connection.read() or self._connection.state != "open":
            self.drop(now, "closed by peer while idle")
            return False
        return True

    def is_writable(self) -> bool:
        """Tell whether the kernel would take the first byte now."""
        return self._connection is not None and self._connection.is_writable()

    def encode(self, request: HttpRequest, headers: Iterable[tuple[str, str]]) -> bytes:
        """Return the bytes of a request, which may still be refused and not written.

        Raises:
            h11.LocalProtocolError: The request is malformed: our bug.
        """
        head = h11.Request(
            method=request.method,
            target=request.path,
            headers=[
                ("Host", self._origin.authority),
                ("Accept-Encoding", "identity"),
                ("Content-Length", str(len(request.body))),
                *headers,
            ],
        )
        self._machine = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_BYTES_MAX)
        parts = [self._machine.send(head)]
        if request.body:
            parts.append(self._machine.send(h11.Data(data=request.body)))
        parts.append(self._machine.send(h11.EndOfMessage()))
        return b"".join(part for part in parts if part)

    def write(self, request: HttpRequest, content: bytes, now: BootNs) -> bool:
        """Write an encoded request; False when no byte of it left, nor will."""
        assert self._connection is not None, "written without a connection"
        assert self.request is None, "one request at a time"
        self._response = None
        self._body.clear()
        if not self._connection.write_now(content):
            return False
        self.request = request
        self.sent_ns = now
        return True

    def on_ready(self, now: BootNs) -> Reply | Broken | None:
        """Go on; return how the request in flight ended, None while it has not."""
        connection = self._connection
        if connection is None:
            return None
        connection.advance()
        if connection.state == "open":
            self._pause_ns = RECONNECT_NS
        content = connection.read()
        if self.request is None:
            if content or connection.state == "closed":
                self.drop(now, connection.reason or "bytes without a request")
            return None
        outcome = self._parse(content, is_closed=connection.state == "closed")
        if outcome is not None:
            self.request = None
            if isinstance(outcome, Broken) or self._machine.our_state is not h11.DONE:
                self.drop(now, "broken")
            elif self._machine.their_state is not h11.DONE or connection.state == "closed":
                self.drop(now, "peer ends the connection")
        return outcome

    def drop(self, now: BootNs, reason: str) -> None:
        """Close at once and open anew after a pause that doubles until one succeeds."""
        if self._connection is not None:
            was_open = self._connection.state == "open"
            self._connection.abort(reason)
            self._connection = None
            self._open_at_ns = now if was_open else BootNs(now + self._pause_ns)
            if not was_open:
                self._pause_ns = min(2 * self._pause_ns, RECONNECT_NS_MAX)
        self.request = None

    def close(self) -> None:
        """Close for good."""
        if self._connection is not None:
            self._connection.abort("end of the process")

    def _connect(self, now: BootNs) -> None:
        address = self._resolver.next_address(now)
        if address is None:
            return
        self._connection = Connection(
            address,
            user_timeout_ms=self._user_timeout_ms,
            tls=self._tls,
            host=self._origin.host,
        )
        self._connect_until_ns = BootNs(now + CONNECT_NS_MAX)

    def _parse(self, content: bytes, *, is_closed: bool) -> Reply | Broken | None:
        try:
            if content:
                self._machine.receive_data(content)
            if is_closed:
                self._machine.receive_data(b"")
            return self._next_events()
        except h11.RemoteProtocolError:
            return Broken("closed" if is_closed else "protocol")

    def _next_events(self) -> Reply | Broken | None:
        while True:
            event = self._machine.next_event()
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Response):
                self._response = event
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > BODY_BYTES_MAX:
                    return Broken("protocol")
            elif isinstance(event, h11.EndOfMessage):
                return self._reply()
            elif isinstance(event, h11.ConnectionClosed):
                return Broken("closed")
            elif event is h11.PAUSED:
                return Broken("protocol")

    def _reply(self) -> Reply:
        assert self._response is not None, "an end comes after its response"
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in self._response.headers
        }
        return Reply(self._response.status_code, headers, bytes(self._body))
