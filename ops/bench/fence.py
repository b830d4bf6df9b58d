"""From a fence to BLOCKED and to the first byte of the cancel, at a real execution process.

This process plays risk on the control line and the venue behind the cancel lane, in one
loop, so that all stamps are of one clock.
"""

import socket
from collections.abc import Iterable, Sequence

from bus.credentials import write_credentials
from bus.edge import Edge
from bus.floors import ipc_round_trips, tcp_round_trips
from ops.bench.place import Place, execution_process, loop, place, turn_until
from ops.bench.results import Result, added, halved, summarise
from ops.keys import make_throwaway_key
from shared.control import Ping, Pong
from shared.effects import Control, ControlReceived, Effect, Message, Peer
from shared.topics import RISK
from shared.units import NS_PER_MS, BootNs, Instant
from shared.venue.auth import Credentials

BLOCKED = "fence-to-blocked"
CANCEL = "cancel-to-wire"
SAMPLES = 60
PACE_NS = 300 * NS_PER_MS
"""Between fences: the cancel of one is answered before the next."""

ANSWER_BODY = b'{"canceled":[],"not_canceled":{}}'
READ_BYTES = 65_536

POLLIN = 1
"""ZeroMQ's flag for a descriptor that can be read."""


class CancelSeen(Message, frozen=True):
    """The first byte of a cancel has reached the venue."""


class Venue(Edge):
    """Answers every request; tells of cancels."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.setblocking(False)
        self._peers: dict[int, socket.socket] = {}

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return listener and connections."""
        return [(one, POLLIN) for one in (self._listener.fileno(), *self._peers)]

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Accept, or answer one request; each arrives in one piece."""
        if descriptor == self._listener.fileno():
            accepted, _ = self._listener.accept()
            self._peers[accepted.fileno()] = accepted
            return []
        peer = self._peers[descriptor]
        try:
            content = peer.recv(READ_BYTES)
        except OSError:
            content = b""
        if not content:
            del self._peers[descriptor]
            peer.close()
            return []
        is_cancel = content.startswith(b"DELETE /cancel-all")
        status = b"200 OK" if is_cancel else b"503 Unavailable"
        head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n" % (status, len(ANSWER_BODY))
        peer.sendall(head + ANSWER_BODY)
        return [CancelSeen()] if is_cancel else []

    def close(self) -> None:
        """Close everything."""
        for peer in self._peers.values():
            peer.close()
        self._listener.close()


class Risk:
    """Sends one fence after the other and keeps when each was answered."""

    def __init__(self) -> None:
        self.blocked_ns: list[int] = []
        self.cancel_ns: list[int] = []
        self._execution: Peer | None = None
        self._is_ready = False
        self._epoch = 1
        self._sent_ns = BootNs(0)
        self._due_ns = BootNs(0)

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take pongs and cancels in."""
        if isinstance(message, CancelSeen) and self._sent_ns:
            # The first one after each fence; the sample before has its own.
            if len(self.cancel_ns) < self._epoch - 1:
                self.cancel_ns.append(now.boot_ns - self._sent_ns)
        elif isinstance(message, ControlReceived) and isinstance(message.body, Pong):
            self._hear(message.body, message.sender, now)
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Fence anew when it is time."""
        if self._execution is None or not self._is_ready or now.boot_ns < self._due_ns:
            return []
        self._due_ns = BootNs(now.boot_ns + PACE_NS)
        self._epoch += 1
        self._sent_ns = now.boot_ns
        return [Control(self._fence(now), self._execution)]

    def _hear(self, pong: Pong, sender: Peer | None, now: Instant) -> None:
        self._execution = sender
        execution = pong.execution
        assert execution is not None, "only execution runs here"
        self._is_ready = True
        answer = execution.fence_answer
        if answer is None or answer.fence_id != self._epoch or not answer.blocked_ns:
            return
        if len(self.blocked_ns) < self._epoch - 1:
            self.blocked_ns.append(now.boot_ns - self._sent_ns)

    def _fence(self, now: Instant) -> Ping:
        assert self._execution is not None, "fences go to somebody"
        return Ping(
            risk_incarnation=self._execution.incarnation,
            ping_id=self._epoch,
            sent_ns=now.boot_ns,
            epoch=self._epoch,
            fence_id=self._epoch,
            fence_reason="benchmark",
            trading_state="HALTED",
            reasons=("benchmark",),
            scopes=(),
            switch_version=1,
        )


def measure(names: Sequence[str]) -> list[Result]:
    """Measure one or both of the two ways."""
    with place() as where:
        risk = Risk()
        _run(where, risk)
        control = ipc_round_trips(where.directory, SAMPLES, PACE_NS // 10)
        wire = added(halved(control), halved(tcp_round_trips(SAMPLES, PACE_NS // 10)))
    results = {
        BLOCKED: summarise(
            BLOCKED,
            "a fence sent by risk to execution's BLOCKED at risk",
            risk.blocked_ns,
            "a bare ipc round trip",
            control,
        ),
        CANCEL: summarise(
            CANCEL,
            "a fence sent by risk to the cancel-all at the venue's socket",
            risk.cancel_ns,
            "one way over bare ipc and bare loopback TCP",
            wire,
        ),
    }
    return [results[name] for name in names]


def _run(where: Place, risk: Risk) -> None:
    port = where.settings.config.simulator.port
    key = make_throwaway_key(where.settings.key_file)
    secrets = Credentials(key.address, "bench", "YmVuY2g=", "bench")
    write_credentials(where.settings.credentials_file, secrets)
    with loop(where, RISK, risk, [Venue(port)]) as turned, execution_process(where):
        turn_until(
            turned,
            lambda: min(len(risk.blocked_ns), len(risk.cancel_ns)) >= SAMPLES,
            "answers to fences",
        )
