"""The venue's doorway: a TCP proxy that notes when each request came, and can stop letting through.

The note is the kernel's own: when the packet arrived, by CLOCK_REALTIME, however late anybody
was then scheduled to read it. So a judgement by it needs no allowance for a busy venue. What
is held back is read all the same and let go later, even after its sender has died: so behaves
a network that has swallowed packets and spits them out again.

Source of the stamp: SO_TIMESTAMPNS of socket(7); on TCP it is that of the newest packet read.
"""

import json
import selectors
import socket
import struct
import threading
from collections.abc import Callable

import msgspec

SO_TIMESTAMPNS = 35
"""Its number on every architecture that runs here; the socket module does not name it."""

READ_BYTES_MAX = 65_536
CONNECT_S_MAX = 5.0
LOOK_EVERY_S = 0.05
"""How soon the thread sees what another has asked of it."""

ORDER_PATHS = ("/order", "/orders")
ORDER_STARTS = tuple(f"POST {path} ".encode() for path in ORDER_PATHS)
"""An order comes alone or with others."""


class Request(msgspec.Struct, frozen=True):
    """One request that came to the doorway.

    Attributes:
        port: Of the client's end.
        arrived_wall_ns: When the kernel had its last packet.
        was_held: Whether it was held back, at least for a while.
    """

    port: int
    method: str
    path: str
    body: bytes
    arrived_wall_ns: int
    was_held: bool

    @property
    def is_order(self) -> bool:
        """Whether it places an order, or several."""
        return self.method == "POST" and self.path in ORDER_PATHS

    @property
    def salts(self) -> tuple[int, ...]:
        """Salts of the orders that it places."""
        decoded = json.loads(self.body)
        posts = decoded if isinstance(decoded, list) else [decoded]
        return tuple(int(post["order"]["salt"]) for post in posts)


class _Parser:
    """Cuts one connection's bytes into requests; knows Content-Length and nothing else."""

    def __init__(self) -> None:
        self._content = bytearray()

    def feed(self, content: bytes) -> list[tuple[str, str, bytes]]:
        """Return (method, path, body) of every request that is complete now."""
        self._content += content
        found: list[tuple[str, str, bytes]] = []
        while True:
            end = self._content.find(b"\r\n\r\n")
            if end < 0:
                return found
            head = bytes(self._content[:end]).decode("latin-1").split("\r\n")
            names = {line.split(":", 1)[0].lower(): line.split(":", 1)[1] for line in head[1:]}
            whole = end + 4 + int(names.get("content-length", "0"))
            if len(self._content) < whole:
                return found
            method, path, _ = head[0].split(" ", 2)
            found.append((method, path, bytes(self._content[end + 4 : whole])))
            del self._content[:whole]


class _Passage:
    """One client's connection and the venue's that goes with it."""

    def __init__(self, client: socket.socket, port: int, venue: socket.socket) -> None:
        self.client = client
        self.venue = venue
        self.port = port
        self.parser = _Parser()
        self.is_held = False
        self.was_held = False
        self.has_ended = False
        self.held_in = bytearray()
        self.held_out = bytearray()


class Doorway:
    """Stands between clients and the venue.

    Attributes:
        port: Where clients connect to.
        requests: Everything that came, in order of reading.
    """

    def __init__(self, venue_port: int) -> None:
        """Open on a free port of loopback and let everything through."""
        self._venue_port = venue_port
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._server.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.port = int(self._server.getsockname()[1])
        self.requests: list[Request] = []
        self._passages: dict[socket.socket, _Passage] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._server, selectors.EVENT_READ)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._is_order_barred = False
        self._came = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._work, name="doorway", daemon=True)
        self._thread.start()

    def orders(self) -> list[Request]:
        """Return the orders that came so far."""
        with self._lock:
            return [request for request in self.requests if request.is_order]

    def wait_for_order(self, within_s: float) -> bool:
        """Return as soon as another order comes; False when none did in time."""
        with self._lock:
            known = len(self.requests)

            def is_there() -> bool:
                return any(request.is_order for request in self.requests[known:])

            return self._came.wait_for(is_there, within_s)

    def hold(self, chosen: Callable[[int], bool]) -> int:
        """Hold back both directions of the connections of chosen client ports; return how many."""
        with self._lock:
            passages = {id(one): one for one in self._passages.values() if chosen(one.port)}
            for passage in passages.values():
                passage.is_held = passage.was_held = True
            return len(passages)

    def hold_orders(self) -> None:
        """Hold back every connection from the moment on at which it brings another order."""
        with self._lock:
            self._is_order_barred = True

    def release(self) -> int:
        """Let through again and send on what was held; return how many bytes came late."""
        with self._lock:
            self._is_order_barred = False
            late = 0
            for passage in {id(one): one for one in self._passages.values()}.values():
                if not passage.is_held:
                    continue
                passage.is_held = False
                late += len(passage.held_in)
                self._send(passage, passage.venue, passage.held_in)
                self._send(passage, passage.client, passage.held_out)
                passage.held_in, passage.held_out = bytearray(), bytearray()
            return late

    def close(self) -> None:
        """Close everything."""
        self._closing.set()
        self._thread.join(CONNECT_S_MAX)
        for end in [self._server, *self._passages]:
            end.close()
        self._selector.close()

    def _work(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(LOOK_EVERY_S):
                end = key.fileobj
                assert isinstance(end, socket.socket), "only sockets are registered"
                with self._lock:
                    if end is self._server:
                        self._accept()
                    else:
                        self._pass_on(end)

    def _accept(self) -> None:
        client, (_, port) = self._server.accept()
        try:
            venue = socket.create_connection(("127.0.0.1", self._venue_port), CONNECT_S_MAX)
        except OSError:
            client.close()  # a venue that is gone refuses
            return
        for end in (client, venue):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        passage = _Passage(client, port, venue)
        self._passages[client] = self._passages[venue] = passage
        self._selector.register(client, selectors.EVENT_READ)
        self._selector.register(venue, selectors.EVENT_READ)

    def _pass_on(self, end: socket.socket) -> None:
        passage = self._passages.get(end)
        if passage is None:
            return  # closed by its other end in this very turn
        content, at_wall_ns = _receive(end)
        if not content:
            self._end(passage, end)
            return
        if end is passage.venue:
            if passage.is_held:
                passage.held_out += content
            else:
                self._send(passage, passage.client, content)
            return
        self._note(passage, content, at_wall_ns)
        if passage.is_held:
            passage.held_in += content
        else:
            self._send(passage, passage.venue, content)

    def _note(self, passage: _Passage, content: bytes, at_wall_ns: int) -> None:
        """Note the requests that are complete; one that is barred holds its connection."""
        if self._is_order_barred and content.startswith(ORDER_STARTS):
            passage.is_held = passage.was_held = True
        for method, path, body in passage.parser.feed(content):
            request = Request(passage.port, method, path, body, at_wall_ns, passage.is_held)
            self.requests.append(request)
        self._came.notify_all()

    def _end(self, passage: _Passage, end: socket.socket) -> None:
        """Pass an end on, but keep the venue's connection of one that was ever held."""
        passage.has_ended = True
        if end is passage.client and passage.was_held:
            self._forget(end)
            return
        for one in (passage.client, passage.venue):
            self._forget(one)

    def _forget(self, end: socket.socket) -> None:
        if end.fileno() < 0:
            return
        self._selector.unregister(end)
        end.close()
        passage = self._passages.pop(end)
        assert passage.has_ended, "only what has ended is forgotten"

    def _send(self, passage: _Passage, end: socket.socket, content: bytes | bytearray) -> None:
        if not content or end.fileno() < 0:
            return
        try:
            end.sendall(content)
        except OSError:
            self._end(passage, end)


def _receive(end: socket.socket) -> tuple[bytes, int]:
    """Return what came, empty at the end, and the kernel's stamp of its last packet."""
    try:
        content, extra, _, _ = end.recvmsg(READ_BYTES_MAX, socket.CMSG_SPACE(16))
    except OSError:
        return b"", 0
    for level, kind, stamp in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", stamp)
            return content, int(seconds) * 1_000_000_000 + int(nanoseconds)
    return content, 0
