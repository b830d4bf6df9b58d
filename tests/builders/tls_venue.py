"""A venue behind TLS, played by hand: which handshakes end, and what was really written to it."""

import socket
import ssl

from tests.builders.raw_server import WAIT_S_MAX


class TlsPeer:
    """One accepted connection; its handshake stands still until it is told to shake hands.

    Attributes:
        content: Everything that came, decrypted.
        is_open: Whether the handshake is over.
        has_ended: Whether the client has closed or reset it.
    """

    def __init__(self, accepted: socket.socket, context: ssl.SSLContext) -> None:
        accepted.setblocking(False)
        self._tls = context.wrap_socket(
            accepted, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        self.content = b""
        self.shakes = False
        self.is_open = False
        self.has_ended = False

    def turn(self) -> None:
        """Go on as far as it goes now."""
        if self.has_ended or not self.shakes:
            return
        try:
            if not self.is_open:
                self._tls.do_handshake()
                self.is_open = True
            while arrived := self._tls.recv(65_536):
                self.content += arrived
            self.has_ended = True
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except (ssl.SSLError, OSError):
            self.has_ended = True

    def close(self) -> None:
        """Close it."""
        self._tls.close()


class TlsVenue:
    """Listens on loopback as `localhost`.

    Attributes:
        peers: Every connection that was accepted, in order of connecting.
        shakes: Whether new connections get their handshake answered.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._socket.settimeout(WAIT_S_MAX)
        self.url = f"https://localhost:{self._socket.getsockname()[1]}"
        self.peers: list[TlsPeer] = []
        self.shakes = True

    def turn(self) -> None:
        """Accept who waits, and go on with everybody."""
        self._socket.setblocking(False)
        while True:
            try:
                accepted, _ = self._socket.accept()
            except BlockingIOError:
                break
            peer = TlsPeer(accepted, self._context)
            peer.shakes = self.shakes
            self.peers.append(peer)
        for peer in self.peers:
            peer.turn()

    def posts(self) -> int:
        """Return how many posts have come, by their first line."""
        return sum(peer.content.count(b"POST /order HTTP/1.1\r\n") for peer in self.peers)

    def close(self) -> None:
        """Close everything."""
        for peer in self.peers:
            peer.close()
        self._socket.close()
