"""The ZeroMQ sockets of one process, each with its options stated.

Facts: one PUB bound here, one SUB connected to every publisher that the routing table
names. Control: a DEALER to risk's ROUTER. Snapshots: a ROUTER bound here, a DEALER to each
publisher. Nothing here waits: sends drop, receives return None.
"""

import zmq

from bus.endpoints import control_endpoint, facts_endpoint, snapshot_endpoint
from shared.effects import Peer
from shared.identifiers import Component, Incarnation
from shared.topics import RISK, subscriptions

FACTS_QUEUE_MAX = 5_000
"""Facts waiting for one slow reader, on either side: over a second of twice the peak burst."""

CONTROL_QUEUE_MAX = 128
"""Twelve seconds of pings; older ones are worth nothing."""

SNAPSHOT_QUEUE_MAX = 64

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
"""No fact or snapshot comes near; a length from a broken peer shall not take the memory."""

RECONNECT_MS = 20
RECONNECT_MS_MAX = 100
"""A restarted peer is found within this; libzmq doubles from the first to the second."""

FACTS_LINGER_MS = 200
"""At exit the last facts may leave; every other socket drops what waits."""


class Sockets:
    """All sockets of one process; made after its lock, in the thread that uses them."""

    def __init__(self, component: Component, incarnation: Incarnation, run_directory: str) -> None:
        self.component = component
        self._context = zmq.Context()
        routing_id = f"{component}:{incarnation}".encode()
        self.publisher = self._socket(zmq.PUB, FACTS_QUEUE_MAX, FACTS_LINGER_MS)
        self.publisher.bind(facts_endpoint(run_directory, component))
        self.snapshots = self._socket(zmq.ROUTER, SNAPSHOT_QUEUE_MAX)
        self.snapshots.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self.snapshots.bind(snapshot_endpoint(run_directory, component))
        self.control = self._control_line(routing_id, run_directory)
        sources = subscriptions(component)
        self.subscriber = self._socket(zmq.SUB, FACTS_QUEUE_MAX)
        for topic in sorted({topic for topics in sources.values() for topic in topics}):
            self.subscriber.subscribe(topic)
        self.requests: dict[Component, zmq.Socket[bytes]] = {}
        for source in sources:
            self.subscriber.connect(facts_endpoint(run_directory, source))
            request = self._socket(zmq.DEALER, SNAPSHOT_QUEUE_MAX)
            request.setsockopt(zmq.ROUTING_ID, routing_id)
            request.setsockopt(zmq.IMMEDIATE, 1)
            request.connect(snapshot_endpoint(run_directory, source))
            self.requests[source] = request

    def publish(self, frames: list[bytes]) -> None:
        """Broadcast one fact; a slow reader loses it and will see the gap."""
        self.publisher.send_multipart(frames, zmq.NOBLOCK)

    def receive_fact(self) -> list[bytes] | None:
        """Return the next fact's frames, None when there is none."""
        return _receive(self.subscriber)

    def receive_control(self) -> tuple[Peer | None, bytes] | None:
        """Return the next message of the control line, None when there is none.

        Its sender is None at a component, and at risk for one whose routing id names no peer.
        """
        frames = _receive(self.control)
        if frames is None:
            return None
        return (_peer(frames[0]) if len(frames) > 1 else None), frames[-1]

    def send_control(self, body: bytes, to: Peer | None = None) -> bool:
        """Send on the control line; False when nobody is there or the queue is full."""
        assert (to is not None) == (self.component == RISK), "only risk addresses its messages"
        frames = [body] if to is None else [f"{to.component}:{to.incarnation}".encode(), body]
        return _send(self.control, frames)

    def receive_snapshot_request(self) -> list[bytes] | None:
        """Return routing id and request of a reader, None when there is none."""
        return _receive(self.snapshots)

    def send_snapshot(self, frames: list[bytes]) -> bool:
        """Answer a reader; the first frame is its routing id."""
        return _send(self.snapshots, frames)

    def request_snapshot(self, source: Component, request: bytes) -> bool:
        """Ask a publisher for its snapshot; False when it is not there."""
        return _send(self.requests[source], [request])

    def receive_snapshot(self, source: Component) -> list[bytes] | None:
        """Return a publisher's answer, None when there is none."""
        return _receive(self.requests[source])

    def close(self) -> None:
        """Close everything; waits for the last facts no longer than their linger."""
        self._context.destroy()

    def _control_line(self, routing_id: bytes, run_directory: str) -> zmq.Socket[bytes]:
        if self.component == RISK:
            router = self._socket(zmq.ROUTER, CONTROL_QUEUE_MAX)
            router.setsockopt(zmq.ROUTER_MANDATORY, 1)
            router.bind(control_endpoint(run_directory))
            return router
        dealer = self._socket(zmq.DEALER, CONTROL_QUEUE_MAX)
        dealer.setsockopt(zmq.ROUTING_ID, routing_id)
        dealer.setsockopt(zmq.IMMEDIATE, 1)
        dealer.connect(control_endpoint(run_directory))
        return dealer

    def _socket(self, kind: int, queue_max: int, linger_ms: int = 0) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.SNDHWM, queue_max)
        socket.setsockopt(zmq.RCVHWM, queue_max)
        socket.setsockopt(zmq.LINGER, linger_ms)
        socket.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES_MAX)
        socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MS_MAX)
        return socket


def _receive(socket: zmq.Socket[bytes]) -> list[bytes] | None:
    try:
        return socket.recv_multipart(zmq.NOBLOCK)
    except zmq.Again:
        return None


def _send(socket: zmq.Socket[bytes], frames: list[bytes]) -> bool:
    try:
        socket.send_multipart(frames, zmq.NOBLOCK)
    except zmq.Again:
        return False
    except zmq.ZMQError as error:
        if error.errno != zmq.EHOSTUNREACH:
            raise
        return False
    return True


def _peer(routing_id: bytes) -> Peer | None:
    component, _, incarnation = routing_id.decode(errors="replace").partition(":")
    if not incarnation.isdecimal():
        return None
    return Peer(Component(component), Incarnation(int(incarnation)))
