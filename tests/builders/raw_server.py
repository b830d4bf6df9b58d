"""A TCP server that the test plays by hand, and a pump that turns an edge until something holds."""

import select
import socket
import ssl
from collections.abc import Callable

import zmq

from bus import clock
from bus.edge import Edge
from shared.effects import Message
from shared.units import NS_PER_S, Instant

WAIT_NS_MAX = 10 * NS_PER_S
WAIT_S_MAX = 60.0

FILLERS = 4
"""A backlog of 0 takes one connection that nobody accepts; further ones wait for an answer."""


class Peer:
    """One accepted connection; every wait has a deadline."""

    def __init__(self, accepted: socket.socket) -> None:
        self._socket = accepted
        self._socket.settimeout(WAIT_S_MAX)

    def receive(self, size: int = 65536) -> bytes:
        """Return some bytes, empty at the end."""
        return self._socket.recv(size)

    def has_bytes(self) -> bool:
        """Tell whether something has arrived, or the end."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def send(self, content: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(content)

    def shrink_window(self) -> None:
        """Let the peer's kernel take little before it is full."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

    def close(self) -> None:
        """End the connection in order."""
        self._socket.close()


class RawServer:
    """Listens on a free loopback port."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(WAIT_S_MAX)
        self.port: int = self._socket.getsockname()[1]
        self._peers: list[Peer] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def accept(self) -> Peer:
        """Take the next connection."""
        accepted, _ = self._socket.accept()
        peer = Peer(accepted)
        self._peers.append(peer)
        return peer

    def has_connection(self) -> bool:
        """Tell whether somebody waits to be accepted."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        """Close everything."""
        for peer in self._peers:
            peer.close()
        self._socket.close()


class BlockedPort:
    """A port whose backlog is full, so that the kernel drops the first packet of everybody else."""

    def __init__(self) -> None:
        self._server = socket.socket()
        self._server.bind(("127.0.0.1", 0))
        self._server.listen(0)
        self.port: int = self._server.getsockname()[1]
        self._fillers = []
        for _ in range(FILLERS):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def __enter__(self) -> "BlockedPort":
        """Return itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close everything."""
        for one in (*self._fillers, self._server):
            one.close()


def pump(
    edge: Edge, until: Callable[[list[Message]], bool], read: Callable[[], Instant] = clock.read
) -> list[Message]:
    """Turn an edge as the loop would until a condition on its messages holds; return them."""
    messages: list[Message] = []
    deadline_ns = clock.read().monotonic_ns + WAIT_NS_MAX
    while not until(messages):
        assert clock.read().monotonic_ns < deadline_ns, f"never held; heard {messages}"
        poll = zmq.Poller()
        for descriptor, events in edge.sockets():
            poll.register(descriptor, events)
        for descriptor, events in poll.poll(5):
            assert isinstance(descriptor, int), "an edge polls descriptors"
            messages.extend(edge.on_ready(descriptor, events, read()))
        messages.extend(edge.on_tick(read()))
    return messages
