"""Where a loop's own effects go: facts numbered and stamped, control messages, log lines."""

import msgspec

from bus import clock
from bus.envelope import SCHEMA, Corrupt, Header, encode
from bus.intake import Intake
from bus.process import Started
from bus.refill import SentFacts
from bus.sequence import Numbering
from bus.snapshot import FillRequest
from bus.sockets import Sockets
from shared.control import Ping, Pong
from shared.effects import Control, Exit, Log, Peer, Publish
from shared.topics import BY_NAME
from shared.units import Instant, MonotonicNs

EXIT_STOP_TIMEOUT = 5

RAW_BYTES_MAX = 512
"""How much of a corrupt frame goes into the log."""

UNROUTABLE_PEERS_MAX = 256
"""Peers already reported as gone; when full the list begins anew."""


class SocketOutlet:
    """The outlet of a real process.

    Attributes:
        status: Exit status once the process shall end.
    """

    def __init__(self, started: Started, sockets: Sockets, intake: Intake) -> None:
        self.status: int | None = None
        self._started = started
        self._sockets = sockets
        self._intake = intake
        self._numbering = Numbering()
        self._sent = SentFacts(started.component, started.incarnation)
        self._encoder = msgspec.msgpack.Encoder()
        self._unroutable: set[Peer] = set()

    def publish(self, effect: Publish, decided: Instant) -> None:
        """Number, stamp and broadcast a fact."""
        topic = BY_NAME.get(effect.topic)
        assert topic is not None, f"topic {effect.topic} is not in the routing table"
        component = self._started.component
        assert component in topic.publishers, f"{component} may not publish {effect.topic}"
        number = self._numbering.next(effect.topic)
        frames = self.envelope(effect, decided, number)
        self._sockets.publish(frames)
        self._sent.keep(effect.topic, number, frames)

    def fill(self, request: FillRequest) -> list[bytes]:
        """Return the answer to a reader that lost facts of ours."""
        return self._sent.answer(request)

    def envelope(self, effect: Publish, decided: Instant, number: int) -> list[bytes]:
        """Return the frames of a fact under a number."""
        now = clock.read()
        header = Header(
            self._started.component,
            self._started.incarnation,
            effect.topic,
            number,
            now.monotonic_ns,
            MonotonicNs(effect.input_ns),
            now.wall_ns,
            SCHEMA,
            self._intake.causes(),
            decided,
        )
        return encode(header, effect.body)

    def newest(self) -> dict[str, int]:
        """Return the newest number of every topic published."""
        return self._numbering.newest()

    def send_control(self, effect: Control) -> None:
        """Send a control message; one that cannot leave is dropped, the next repeats it."""
        if isinstance(effect.body, Ping):
            self._started.lines.only_critical = effect.body.only_critical_logs
        is_sent = self._sockets.send_control(self._encoder.encode(effect.body), effect.to)
        peer = effect.to
        if peer is None:
            return
        if is_sent:
            self._unroutable.discard(peer)
        elif peer not in self._unroutable:
            if len(self._unroutable) >= UNROUTABLE_PEERS_MAX:
                self._unroutable.clear()
            self._unroutable.add(peer)
            fields = {"peer": peer.component, "incarnation": peer.incarnation}
            self.log(Log("control.unroutable", fields, "warning"))

    def send_pong(self, pong: Pong) -> None:
        """Send a pong to risk, or drop it when risk is not there."""
        self._sockets.send_control(self._encoder.encode(pong))

    def check_peer(self, sender: Peer | None, pong: Pong) -> Peer | None:
        """Return the sender of a pong that is who it says, None with a log line else."""
        if sender == Peer(pong.component, pong.incarnation):
            return sender
        fields = {"sender": repr(sender), "component": pong.component}
        self.log(Log("control.impostor", fields, "error"))
        return None

    def log(self, effect: Log) -> None:
        """Write a line."""
        self._started.lines.write(effect, clock.read())

    def log_corrupt(self, corrupt: Corrupt) -> None:
        """Write a line on a message that did not decode, with the start of its bytes."""
        raw = [frame[:RAW_BYTES_MAX].hex() for frame in corrupt.raw[:3]]
        fields = {"why": corrupt.why, "raw": raw, "count": self._intake.corrupt_count}
        self.log(Log("bus.corrupt", fields, "error"))

    def exit(self, effect: Exit) -> None:
        """End the process after this turn."""
        self.status = effect.status
        self.log(Log("process.exit", {"status": effect.status, "reason": effect.reason}))

    def give_up(self, reason: str) -> None:
        """End a process whose core does not."""
        self.status = EXIT_STOP_TIMEOUT
        self.log(Log("process.exit", {"status": self.status, "reason": reason}, "critical"))
