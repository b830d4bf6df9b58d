"""One TCP connection, with TLS or without, that never blocks.

TLS runs over memory buffers, so that it is known for every byte whether the kernel has it:
a request of which the kernel took nothing is provably not sent. The owner polls
`descriptor` for `events`, calls `advance` when it is ready, and reads; faults end in the
state `closed` with a reason, never in an exception.
"""

import errno
import os
import select
import socket
import ssl
import struct
from typing import Literal
from urllib.parse import urlsplit

import msgspec
import zmq

from shared.reach import ReachFault

State = Literal["connecting", "handshaking", "open", "closed"]

READ_BYTES_MAX = 256 * 1024
"""Taken from the kernel at a time; the poll comes back for the rest."""

OUTGOING_BYTES_MAX = 1024 * 1024
"""What may wait for the kernel; a peer that takes less than this is gone."""

KEEPALIVE_IDLE_S = 5
KEEPALIVE_EVERY_S = 2
KEEPALIVE_PROBES = 3
"""An idle peer that vanished is noticed after about eleven seconds."""

LINGER_NONE = struct.pack("ii", 1, 0)
"""Closing drops what the kernel still holds and resets the peer. Source: socket(7)."""

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_FAULT_OF: dict[State, ReachFault] = {
    "connecting": "blocked",
    "handshaking": "slow",
    "open": "lost",
}
"""What it means when a connection is given up in a state: nobody answered the first packet, or the
peer answered that and nothing more."""

_FAULT_OF_ERRNO: dict[int, ReachFault] = {
    errno.ECONNREFUSED: "refused",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EACCES: "unreachable",
    errno.EPERM: "unreachable",
    errno.ETIMEDOUT: "blocked",
    errno.ECONNRESET: "refused",
}
"""Source: connect(2); EACCES and EPERM are those of this host's own firewall."""


class Origin(msgspec.Struct, frozen=True):
    """Where a URL leads, before its name is resolved.

    Attributes:
        authority: For the Host header: name, with the port where it is not the usual one.
    """

    host: str
    port: int
    is_secure: bool
    authority: str

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Take a URL apart.

        Raises:
            ValueError: It is no http, https, ws or wss URL with a host.
        """
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"{url!r} is no http, https, ws or wss URL")
        usual = DEFAULT_PORTS[parts.scheme]
        port = parts.port or usual
        authority = parts.hostname if port == usual else f"{parts.hostname}:{port}"
        return cls(parts.hostname, port, parts.scheme in ("https", "wss"), authority)


class Address(msgspec.Struct, frozen=True):
    """A resolved place to connect to."""

    family: int
    socket_address: tuple[str, int]


class Connection:
    """One attempt and, when it succeeds, the connection.

    Attributes:
        state: `connecting`, `handshaking`, `open`, `closed`; closed stays closed.
        reason: Why it is closed.
        fault: How it ended, told apart; empty while it has not.
    """

    def __init__(
        self,
        address: Address,
        *,
        user_timeout_ms: int,
        tls: ssl.SSLContext | None = None,
        host: str = "",
    ) -> None:
        """Begin to connect.

        Args:
            address: Resolved beforehand: name service has no place in the loop.
            user_timeout_ms: TCP_USER_TIMEOUT: how long sent bytes may stay unacknowledged, and so
                how late the kernel may still deliver them. Source: tcp(7).
            tls: None for plain TCP.
            host: Name in the certificate, with TLS.
        """
        self.state: State = "connecting"
        self.reason = ""
        self.fault: ReachFault = ""
        self._outgoing = bytearray()
        self._incoming_bio = ssl.MemoryBIO()
        self._outgoing_bio = ssl.MemoryBIO()
        self._tls = (
            tls.wrap_bio(self._incoming_bio, self._outgoing_bio, server_hostname=host)
            if tls
            else None
        )
        self._socket = socket.socket(
            address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        self._writable = select.poll()
        self._writable.register(self._socket, select.POLLOUT)
        _set_options(self._socket, user_timeout_ms)
        code = self._socket.connect_ex(address.socket_address)
        if code not in (0, errno.EINPROGRESS):
            self._fail_with(code)

    @property
    def is_refused(self) -> bool:
        """Whether the peer refused it, as against lost or slow."""
        return self.fault == "refused"

    @property
    def descriptor(self) -> int:
        """File descriptor to poll, -1 when closed."""
        return self._socket.fileno()

    @property
    def events(self) -> int:
        """What to poll for."""
        if self.state == "connecting":
            return int(zmq.POLLOUT)
        return int(zmq.POLLIN | zmq.POLLOUT) if self._outgoing else int(zmq.POLLIN)

    def advance(self) -> None:
        """Go on with connecting, the handshake and what waits to be written."""
        if self.state == "connecting":
            self._finish_connecting()
        if self.state == "handshaking":
            self._shake_hands()
        if self.state != "closed":
            self._flush()

    def is_writable(self) -> bool:
        """Tell whether the kernel takes bytes now and none wait already."""
        if self.state != "open" or self._outgoing:
            return False
        ready = self._writable.poll(0)
        return bool(ready) and ready[0][1] == select.POLLOUT

    def write_now(self, content: bytes) -> bool:
        """Write, of which at least the first byte goes now; the rest follows when it can.

        Returns:
            False when the kernel took nothing: nothing was sent and nothing will be.
        """
        assert self.state == "open", f"a {self.state} connection takes no request"
        assert not self._outgoing, "a request does not wait behind another"
        self._stage(content)
        staged = len(self._outgoing)
        self._flush()
        if len(self._outgoing) < staged:
            return True
        # TLS has numbered the record already: the connection cannot be used without it.
        self.abort("not writable")
        return False

    def write(self, content: bytes) -> None:
        """Write as much as the kernel takes; the rest follows when it can."""
        if self.state != "open":
            return
        self._stage(content)
        self._flush()
        if len(self._outgoing) > OUTGOING_BYTES_MAX:
            self.abort("peer takes nothing")

    def read(self) -> bytes:
        """Return what has arrived; empty also when closed, so look at the state."""
        if self.state != "open":
            return b""
        try:
            arrived = self._socket.recv(READ_BYTES_MAX)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            self._fail_with(error.errno or errno.EIO)
            return b""
        if not arrived:
            plain = self._decrypt(b"")
            self.abort("closed by peer")
            return plain
        return self._decrypt(arrived)

    def abort(self, reason: str) -> None:
        """Close at once; the kernel drops what it has not sent."""
        if self.state == "closed":
            return
        self.fault = self.fault or _FAULT_OF[self.state]
        self.state = "closed"
        self.reason = reason
        self._outgoing.clear()
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        except OSError as error:
            self.reason = f"{reason} ({error.strerror})"
        self._socket.close()

    def close(self, reason: str) -> None:
        """Close in order: the kernel still sends what it has."""
        if self.state == "closed":
            return
        self.fault = "closed"
        self.state = "closed"
        self.reason = reason
        self._socket.close()

    def _finish_connecting(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._fail_with(code)
            return
        if not self._writable.poll(0):
            return
        self.state = "handshaking" if self._tls else "open"

    def _shake_hands(self) -> None:
        assert self._tls is not None, "only TLS shakes hands"
        try:
            arrived = self._socket.recv(READ_BYTES_MAX)
            if not arrived:
                self._fail_tls("closed in the handshake")
                return
            self._incoming_bio.write(arrived)
        except (BlockingIOError, InterruptedError):
            pass  # the first call, or only the outgoing side is ready
        except OSError as error:
            self._fail_with(error.errno or errno.EIO)
            return
        try:
            self._tls.do_handshake()
            self.state = "open"
        except ssl.SSLWantReadError:
            pass  # the peer's next flight has not arrived
        except ssl.SSLError as error:
            self._fail_tls(f"handshake: {error.reason or error}")
            return
        self._outgoing += self._outgoing_bio.read()

    def _stage(self, content: bytes) -> None:
        if self._tls is None:
            self._outgoing += content
            return
        try:
            self._tls.write(content)
        except ssl.SSLError as error:
            self.abort(f"tls: {error.reason or error}")
            return
        self._outgoing += self._outgoing_bio.read()

    def _decrypt(self, arrived: bytes) -> bytes:
        if self._tls is None:
            return arrived
        self._incoming_bio.write(arrived)
        plain = bytearray()
        try:
            while chunk := self._tls.read(READ_BYTES_MAX):
                plain += chunk
            self.abort("closed by peer")
        except ssl.SSLWantReadError:
            pass  # every whole record is read: nothing is pending inside TLS
        except ssl.SSLZeroReturnError:
            self.abort("closed by peer")
        except ssl.SSLError as error:
            self.abort(f"tls: {error.reason or error}")
        self._outgoing += self._outgoing_bio.read()
        return bytes(plain)

    def _flush(self) -> None:
        while self._outgoing:
            try:
                taken = self._socket.send(self._outgoing, socket.MSG_NOSIGNAL)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._keep_unsent(error.errno or errno.EIO)
                return
            del self._outgoing[:taken]

    def _keep_unsent(self, code: int) -> None:
        """Fail; `write_now` still sees that nothing of its content went."""
        unsent = bytes(self._outgoing)
        self._fail_with(code)
        self._outgoing += unsent

    def _fail_with(self, code: int) -> None:
        if self.state in ("connecting", "handshaking"):
            self.fault = _FAULT_OF_ERRNO.get(code, "")
        self.abort(os.strerror(code))

    def _fail_tls(self, reason: str) -> None:
        self.fault = "tls"
        self.abort(reason)


def _set_options(made: socket.socket, user_timeout_ms: int) -> None:
    for level, option, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, user_timeout_ms),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES),
    ):
        made.setsockopt(level, option, value)
