"""A TCP proxy that swallows chosen connections and may give what it swallowed back, later.

Stands between a process and the venue. A cut connection stays open and takes bytes, as a
network that loses packets does; healed, it delivers what it took, however late.
"""

import contextlib
import selectors
import socket
import threading

import psutil

PIECE = 65_536
LOOK_S = 0.02


class Blackhole:
    """A proxy on a port of its own.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._cut: set[int] = set()
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut_process(self, pid: int) -> int:
        """Swallow every connection that a process has now; return how many."""
        ports = {
            connection.laddr.port
            for connection in psutil.Process(pid).net_connections("tcp")
            if connection.raddr[1:] == (self.port,)
        }
        self._cut |= ports
        return len(ports)

    def heal(self) -> None:
        """Deliver what was swallowed, and forward again."""
        self._cut.clear()

    def close(self) -> None:
        """End every connection."""
        self._ends.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        self._listener.settimeout(LOOK_S)
        while not self._ends.is_set():
            try:
                client, (_, port) = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(client, port))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, port: int) -> None:
        with contextlib.suppress(OSError), client:
            venue = socket.create_connection(self._target)
            with venue, selectors.DefaultSelector() as selector:
                selector.register(client, selectors.EVENT_READ, venue)
                selector.register(venue, selectors.EVENT_READ, client)
                self._pump(selector, port)

    def _pump(self, selector: selectors.DefaultSelector, port: int) -> None:
        """Forward both ways until an end closes; hold everything while the connection is cut."""
        held: list[tuple[socket.socket, bytes]] = []
        while not self._ends.is_set():
            if port not in self._cut:
                for receiver, piece in held:
                    if not piece:
                        return
                    receiver.sendall(piece)
                held.clear()
            for key, _ in selector.select(LOOK_S):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                piece = source.recv(PIECE)
                held.append((key.data, piece))
                if not piece:
                    selector.unregister(source)
