"""A listener beside the group: subscribes to facts without being part of it.

For the command and for tests. It asks nobody's leave, answers no ping, slows nobody: a
publisher drops for a slow listener. It joins late, so what was said before is unknown to it.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import zmq

from bus import clock
from bus.endpoints import facts_endpoint
from bus.envelope import Corrupt, Header, decode_body, decode_header
from bus.sockets import FACTS_QUEUE_MAX, MESSAGE_BYTES_MAX, RECONNECT_MS, RECONNECT_MS_MAX
from shared.effects import Received
from shared.identifiers import Component
from shared.units import NS_PER_MS, MonotonicNs


class Heard(msgspec.Struct, frozen=True):
    """One fact as it came.

    Attributes:
        frames: Raw topic, header and payload, for whoever decodes them himself.
        received_ns: This listener's monotonic stamp.
        header: None when it could not be read.
        fact: The typed fact, or why it is none.
    """

    frames: tuple[bytes, ...]
    received_ns: MonotonicNs
    header: Header | None
    fact: Received | Corrupt


class Tap:
    """An open listener; use it as a context, so that its sockets are closed."""

    def __init__(
        self, run_directory: Path, components: Iterable[Component], topics: Iterable[str]
    ) -> None:
        """Connect to every component's facts and subscribe to topics by prefix; none: all."""
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.RCVHWM, FACTS_QUEUE_MAX)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES_MAX)
        self._socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MS_MAX)
        for topic in tuple(topics) or ("",):
            self._socket.subscribe(topic)
        for component in components:
            self._socket.connect(facts_endpoint(str(run_directory), component))

    def __enter__(self) -> "Tap":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the sockets."""
        self.close()

    def receive(self, until_ns: MonotonicNs) -> Heard | None:
        """Wait for one fact, no longer than until a moment; None when none came."""
        remaining_ms = max(0, (until_ns - clock.read().monotonic_ns) // NS_PER_MS)
        if not self._socket.poll(remaining_ms):
            return None
        frames = tuple(self._socket.recv_multipart(zmq.NOBLOCK))
        received_ns = clock.read().monotonic_ns
        header = decode_header(frames)
        if isinstance(header, Corrupt):
            return Heard(frames, received_ns, None, header)
        return Heard(frames, received_ns, header, decode_body(header, frames))

    def close(self) -> None:
        """Let go of the sockets."""
        self._context.destroy(linger=0)
