"""The operator's Unix socket at risk: lines in as messages, lines out as effects.

Only this user's processes, and root's, are heard: the socket is 0600 in a 0700 directory, and
the kernel is asked who the other end is; anybody else is refused, and that is told. One JSON
object a line, both ways; what a line means is `shared/operator`. Any number of lines a
connection, bounded in every way: nobody who may connect can hold the loop up by asking.
"""

import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import zmq

from bus.edge import Edge
from shared.effects import Effect, Message
from shared.operator import (
    REQUEST_BYTES_MAX,
    OperatorForbidden,
    OperatorGone,
    OperatorReply,
    OperatorRequest,
    RequestRefused,
    encode_reply,
)
from shared.units import NS_PER_S, BootNs, Instant

CONNECTIONS_MAX = 16
"""An operator, a dashboard and a drill; one more is turned away."""

LINES_MAX = 16
"""Lines taken of one connection at once. Who sends more without reading is refused: a buffer of
empty lines would otherwise be sixty thousand requests in one turn of a loop that grants leases."""

ACCEPTED_MAX = 8
"""Connections accepted in one turn; the others wait in the kernel's queue."""

IDLE_NS_MAX = 10 * NS_PER_S
"""A connection that asks nothing gives its place back."""

OUTGOING_BYTES_MAX = 1024 * 1024
"""An asker that does not read its answers is left."""

SOCKET_MODE = 0o600
OVERSIZED = f"over {REQUEST_BYTES_MAX} bytes"
Refused = Literal["oversized", "busy", "forbidden"]
CREDENTIALS = struct.Struct("3i")
"""pid, uid, gid. Source: unix(7), SO_PEERCRED."""


class _Asker:
    """One connection."""

    def __init__(self, accepted: socket.socket, number: int, now: BootNs) -> None:
        self.socket = accepted
        self.number = number
        self.idle_since_ns = now
        self.unanswered = 0
        self.ends = False
        self.incoming = bytearray()
        self.outgoing = bytearray()
        raw = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        self.pid, self.uid, _ = CREDENTIALS.unpack(raw)

    def flush(self) -> bool:
        """Write what the kernel takes; False when the other end is gone."""
        while self.outgoing:
            try:
                del self.outgoing[: self.socket.send(self.outgoing, socket.MSG_NOSIGNAL)]
            except BlockingIOError:
                return len(self.outgoing) <= OUTGOING_BYTES_MAX
            except OSError:
                return False
        return not self.ends


def _turn_away(asker: _Asker, error: Refused, detail: str) -> None:
    """Say why nobody listens, as far as the kernel takes it, and close."""
    asker.outgoing += encode_reply(RequestRefused(error=error, detail=detail)) + b"\n"
    asker.flush()
    asker.socket.close()


class ControlSocketEdge(Edge):
    """Delivers `OperatorRequest` and `OperatorGone`, carries out `OperatorReply`."""

    handles = (OperatorReply,)

    def __init__(self, path: Path, users: frozenset[int] | None = None) -> None:
        """Listen at once; the component's lock is held, so a socket left here is a dead one's.

        Args:
            path: Of the socket.
            users: Who is heard; None: root and the user of this process.
        """
        path.unlink(missing_ok=True)
        self._path = path
        self._users = frozenset({0, os.getuid()}) if users is None else users
        self._listener = socket.socket(
            socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        self._listener.bind(str(path))
        path.chmod(SOCKET_MODE)
        self._listener.listen(CONNECTIONS_MAX)
        self._askers: dict[int, _Asker] = {}
        self._accepted = 0

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Answer a connection; the answer to one that is gone is dropped."""
        assert isinstance(effect, OperatorReply), f"not of this edge: {effect}"
        for asker in self._askers.values():
            if asker.number == effect.connection:
                asker.unanswered -= 1
                asker.idle_since_ns = now.boot_ns
                return self._say(asker, effect.body, ends=effect.close)
        return []

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return the listener and every connection."""
        polled = [(self._listener.fileno(), int(zmq.POLLIN))]
        for descriptor, asker in self._askers.items():
            events = zmq.POLLIN | zmq.POLLOUT if asker.outgoing else zmq.POLLIN
            polled.append((descriptor, int(events)))
        return polled

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Accept, read whole lines, or write on."""
        if descriptor == self._listener.fileno():
            return self._accept(now.boot_ns)
        asker = self._askers.get(descriptor)
        if asker is None:
            return []
        if not asker.flush():
            return self._drop(asker)
        return self._read(asker, now.boot_ns) if events & ~zmq.POLLOUT else []

    def on_tick(self, now: Instant) -> list[Message]:
        """Leave connections that ask nothing."""
        idle = [
            asker
            for asker in self._askers.values()
            if asker.unanswered <= 0 and now.boot_ns - asker.idle_since_ns > IDLE_NS_MAX
        ]
        return [message for asker in idle for message in self._drop(asker)]

    def close(self) -> None:
        """Close everything and take the socket file away."""
        for asker in self._askers.values():
            asker.socket.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self, now: BootNs) -> list[Message]:
        messages: list[Message] = []
        for _ in range(ACCEPTED_MAX):
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return messages  # nobody is left, or it is gone again
            accepted.setblocking(False)
            self._accepted += 1
            asker = _Asker(accepted, self._accepted, now)
            if asker.uid not in self._users:
                _turn_away(asker, "forbidden", "only this user's processes are heard")
                messages.append(OperatorForbidden(asker.uid, asker.pid))
                continue
            if len(self._askers) >= CONNECTIONS_MAX and not self._make_room(messages):
                _turn_away(asker, "busy", f"{CONNECTIONS_MAX} connections wait already")
                continue
            self._askers[accepted.fileno()] = asker
        return messages

    def _make_room(self, messages: list[Message]) -> bool:
        """Leave the connection that has asked nothing for longest; False when each waits."""
        idle = [asker for asker in self._askers.values() if asker.unanswered <= 0]
        if not idle:
            return False
        messages += self._drop(min(idle, key=lambda asker: asker.idle_since_ns))
        return True

    def _read(self, asker: _Asker, now: BootNs) -> list[Message]:
        try:
            arrived = asker.socket.recv(REQUEST_BYTES_MAX)
        except BlockingIOError:
            return []
        except OSError:
            return self._drop(asker)
        if not arrived:
            return self._drop(asker)
        asker.incoming += arrived
        messages: list[Message] = []
        *lines, rest = bytes(asker.incoming).split(b"\n", LINES_MAX + 1)
        if len(lines) > LINES_MAX or asker.unanswered > LINES_MAX:
            return self._refuse(asker, "busy", f"over {LINES_MAX} lines at once")
        asker.incoming = bytearray(rest)
        for line in lines:
            if len(line) > REQUEST_BYTES_MAX:
                return [*messages, *self._refuse(asker, "oversized", OVERSIZED)]
            asker.unanswered += 1
            asker.idle_since_ns = now
            messages.append(OperatorRequest(asker.number, asker.uid, asker.pid, line))
        if len(rest) > REQUEST_BYTES_MAX:
            return [*messages, *self._refuse(asker, "oversized", OVERSIZED)]
        return messages

    def _refuse(self, asker: _Asker, error: Refused, detail: str) -> list[Message]:
        refusal = RequestRefused(error=error, detail=detail)
        return self._say(asker, encode_reply(refusal), ends=True)

    def _say(self, asker: _Asker, body: bytes, *, ends: bool) -> list[Message]:
        asker.outgoing += body + b"\n"
        asker.ends = asker.ends or ends
        return [] if asker.flush() else self._drop(asker)

    def _drop(self, asker: _Asker) -> list[Message]:
        del self._askers[asker.socket.fileno()]
        asker.socket.close()
        return [OperatorGone(asker.number)]
