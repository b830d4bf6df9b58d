"""WebSocket streams as an edge: text in with its moment, text out, and how each ended.

The protocol is the pure state machine of `websockets`, over `bus/connection.py`. Protocol
pings are answered here. Nothing is reconnected here: cores decide when and where.
"""

import ssl
from collections.abc import Iterable
from typing import TypeGuard

import msgspec
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import CLOSED, OPEN
from websockets.uri import parse_uri

from bus.connection import Connection, Origin
from bus.edge import Edge
from bus.name_book import SYSTEM_ALONE, NameRules
from bus.resolver import Resolver, Resolvers
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
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant

OPEN_NS_MAX = 5 * NS_PER_S
"""For name, TCP, TLS and the upgrade together."""

CLOSE_NS_MAX = 500 * NS_PER_MS
"""A peer that does not answer our close is left."""

FRAME_BYTES_MAX = 16 * 1024 * 1024
"""A first dump of hundreds of books has a few."""

USER_TIMEOUT_MS = 10_000
"""Streams carry little upwards; silence is judged by the core, sooner."""

STREAMS_MAX = 16
"""A feed has one or two."""

ABNORMAL = 1006

DIGITS_MAX = 9
"""Of a Retry-After: more is no number of seconds that anybody means."""


class _Stream:
    """One stream, from the wish to open it to its end."""

    def __init__(self, name: str, url: str, resolver: Resolver, now: BootNs) -> None:
        self.name = name
        self.resolver = resolver
        self.connection: Connection | None = None
        self.deadline_ns: BootNs | None = BootNs(now + OPEN_NS_MAX)
        self.is_open = False
        self._protocol = ClientProtocol(parse_uri(url), max_size=FRAME_BYTES_MAX)
        self._is_requested = False
        self._was_open = False
        self._parts: list[bytes] = []

    def advance(self, tls: ssl.SSLContext | None, now: Instant) -> list[Message]:
        """Connect when an address is known, ask for the upgrade, and read."""
        if self.connection is None:
            address = self.resolver.next_address(now.boot_ns)
            if address is None:
                return []
            origin = self.resolver.origin
            self.connection = Connection(
                address,
                user_timeout_ms=USER_TIMEOUT_MS,
                tls=tls if origin.is_secure else None,
                host=origin.host,
            )
        self.connection.advance()
        if self.connection.state == "open" and not self._is_requested:
            self._is_requested = True
            self._protocol.send_request(self._protocol.connect())
            self._flush()
        return self._read(self.connection, now)

    def send(self, text: str) -> None:
        """Send one text frame; dropped when the stream is not open."""
        if self._protocol.state is OPEN:
            self._protocol.send_text(text.encode())
            self._flush()

    def close(self, now: BootNs) -> None:
        """Ask the peer to close; the end follows, or the deadline."""
        self.deadline_ns = BootNs(now + CLOSE_NS_MAX)
        if self._protocol.state is OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()

    def abort(self, reason: str) -> StreamClosed:
        """End at once and say how."""
        if self.connection is not None:
            self.connection.abort(reason)
        return self._closed(reason)

    def _read(self, connection: Connection, now: Instant) -> list[Message]:
        content = connection.read()
        if content:
            self._protocol.receive_data(content)
        messages = self._take_events(now)
        if connection.state == "closed":
            if self._is_requested and self._protocol.state is not CLOSED:
                self._protocol.receive_eof()
            return [*messages, self._closed(connection.reason)]
        self._flush()
        refused = self._protocol.handshake_exc
        if refused is not None:
            return [*messages, self.abort(f"upgrade: {refused}")]
        if self._protocol.close_expected() and self.is_open:
            connection.close("closing handshake done")
            self._protocol.receive_eof()
            return [*messages, self._closed("closing handshake done")]
        return messages

    def _take_events(self, now: Instant) -> list[Message]:
        messages: list[Message] = []
        for event in self._protocol.events_received():
            if not isinstance(event, Frame):
                self.is_open = self._protocol.state is OPEN
                if self.is_open:
                    self._was_open = True
                    self.deadline_ns = None
                    messages.append(StreamOpened(self.name))
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._parts.append(bytes(event.data))
                if event.fin:
                    messages.extend(self._take_text(now))
        last = max((place for place, one in enumerate(messages) if _is_text(one)), default=0)
        return [
            msgspec.structs.replace(one, more=True) if place < last and _is_text(one) else one
            for place, one in enumerate(messages)
        ]

    def _take_text(self, now: Instant) -> list[Message]:
        content = b"".join(self._parts)
        self._parts.clear()
        try:
            return [StreamText(self.name, content.decode(), now.monotonic_ns)]
        except UnicodeDecodeError as error:
            self._protocol.fail(CloseCode.INVALID_DATA, error.reason)
            return []

    def _flush(self) -> None:
        assert self.connection is not None, "nothing is sent before there is a connection"
        for content in self._protocol.data_to_send():
            if content:
                self.connection.write(content)

    def _closed(self, reason: str) -> StreamClosed:
        code = self._protocol.close_code
        refused = self._protocol.handshake_exc
        response = refused.response if isinstance(refused, InvalidStatus) else None
        fault = self._fault(code)
        return StreamClosed(
            stream=self.name,
            code=code or ABNORMAL,
            reason=self._protocol.close_reason or reason,
            refused=fault == "refused",
            fault=fault,
            status=response.status_code if response is not None else 0,
            retry_after_s=_retry_after_s(response) if response is not None else None,
        )

    def _fault(self, code: int | None) -> ReachFault:
        """Tell how it ended, by how far it had come."""
        if self.connection is None:
            return "name"
        if self._protocol.handshake_exc is not None:
            return "denied"
        if code is not None and code != ABNORMAL:
            return "closed"
        fault = self.connection.fault
        # Connected, and no upgrade followed: the peer is there, and slow or not a venue.
        return "slow" if self._is_requested and not self._was_open and fault == "lost" else fault


def _retry_after_s(response: Response) -> int | None:
    """Return what a refusal asks to wait; None when it names no number of seconds."""
    asked = response.headers.get("Retry-After", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= DIGITS_MAX else None


def _is_text(message: Message) -> TypeGuard[StreamText]:
    return isinstance(message, StreamText)


class StreamEdge(Edge):
    """Carries out `StreamOpen`, `StreamSend` and `StreamClose`."""

    handles = (StreamOpen, StreamSend, StreamClose)

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, names: NameRules = SYSTEM_ALONE
    ) -> None:
        """Hold no stream yet.

        Args:
            tls: Context for wss; None makes the system's default one when it is needed.
            names: How names are resolved.
        """
        self._tls = tls
        self._streams: dict[str, _Stream] = {}
        self._resolvers = Resolvers(names)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Open, send or close."""
        if isinstance(effect, StreamOpen):
            return self._open(effect, now)
        assert isinstance(effect, StreamSend | StreamClose), f"not of this edge: {effect}"
        stream = self._streams.get(effect.stream)
        if stream is None:
            return []  # its StreamClosed is on the way to the core
        if isinstance(effect, StreamSend):
            stream.send(effect.text)
        elif stream.is_open:
            stream.close(now.boot_ns)
        else:
            return self._end(stream, stream.abort("closed before it was open"))
        return []

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return every connection's descriptor."""
        return [
            (connection.descriptor, connection.events)
            for stream in self._streams.values()
            if (connection := stream.connection) is not None and connection.state != "closed"
        ]

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Go on with one stream."""
        for stream in list(self._streams.values()):
            if stream.connection is not None and stream.connection.descriptor == descriptor:
                return self._advance(stream, now)
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Begin what waits for an address, end what is past its deadline."""
        messages = self._resolvers.news(now)
        for stream in list(self._streams.values()):
            connection = stream.connection
            if connection is None or connection.state == "closed":
                messages.extend(self._advance(stream, now))
            elif stream.deadline_ns is not None and now.boot_ns >= stream.deadline_ns:
                messages.extend(self._end(stream, stream.abort("took too long")))
        return messages

    def close(self) -> None:
        """Leave every stream at once."""
        for stream in self._streams.values():
            stream.abort("end of the process")

    def _open(self, effect: StreamOpen, now: Instant) -> list[Message]:
        origin = Origin.of(effect.url)
        if origin.is_secure and self._tls is None:
            self._tls = ssl.create_default_context()
        before = self._streams.pop(effect.stream, None)
        if before is not None:
            before.abort("opened anew")
        assert len(self._streams) < STREAMS_MAX, "more streams than any feed needs"
        resolver = self._resolvers.of(effect.url)
        stream = _Stream(effect.stream, effect.url, resolver, now.boot_ns)
        self._streams[effect.stream] = stream
        return self._advance(stream, now)

    def _advance(self, stream: _Stream, now: Instant) -> list[Message]:
        messages = stream.advance(self._tls, now)
        if messages and isinstance(messages[-1], StreamClosed):
            return [*messages[:-1], *self._end(stream, messages[-1])]
        if stream.connection is None and now.boot_ns >= (stream.deadline_ns or now.boot_ns):
            return self._end(stream, stream.abort(f"no address: {stream.resolver.failure}"))
        return messages

    def _end(self, stream: _Stream, closed: StreamClosed) -> list[Message]:
        del self._streams[stream.name]
        return [closed]
