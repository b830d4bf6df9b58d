"""What the wire costs without us: the floors that benchmarks are compared with.

Bare ZeroMQ over ipc, bare TCP over loopback, and a bare synced write, between two processes at
the pace of the thing that is measured: an idle machine wakes up later than a busy one, and a floor
at another pace would flatter. Run as `python -m bus.floors` it is the echoing other end.
"""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq

from bus import clock
from bus.endpoints import socket_path
from bus.settings import SOURCE_ROOT
from shared.units import NS_PER_S

PAYLOAD = b"x" * 512
"""About an envelope with a small fact."""

ANSWER_MS_MAX = 60_000
"""The other end is a process that has to start first, perhaps on a machine that is full."""

END = b"end"


def ipc_round_trips(directory: Path, samples: int, pace_ns: int) -> tuple[int, ...]:
    """Return how long a message and its echo took over a bare ipc socket, in ns."""
    endpoint = "ipc://" + socket_path(str(directory), "floor")
    with _echo("zmq", endpoint), zmq.Context() as context, context.socket(zmq.PAIR) as pair:
        pair.setsockopt(zmq.LINGER, 0)
        pair.connect(endpoint)

        def exchange() -> None:
            pair.send(PAYLOAD)
            assert pair.poll(ANSWER_MS_MAX), "the echo is gone"
            pair.recv()

        measured = _measure(exchange, samples, pace_ns)
        pair.send(END)
        return measured


def tcp_round_trips(samples: int, pace_ns: int) -> tuple[int, ...]:
    """Return how long bytes and their echo took over a bare loopback connection, in ns."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(ANSWER_MS_MAX / 1000)
        with _echo("tcp", str(server.getsockname()[1])):
            accepted, _ = server.accept()
            with accepted:
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                accepted.settimeout(ANSWER_MS_MAX / 1000)

                def exchange() -> None:
                    accepted.sendall(PAYLOAD)
                    assert accepted.recv(len(PAYLOAD), socket.MSG_WAITALL), "the echo is gone"

                return _measure(exchange, samples, pace_ns)


def synced_writes(directory: Path, samples: int, pace_ns: int) -> tuple[int, ...]:
    """Return how long one block took to be on disk, in ns."""
    path = directory / "floor.bin"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write() -> None:
        os.pwrite(descriptor, PAYLOAD * 8, 0)
        os.fdatasync(descriptor)

    try:
        return _measure(write, samples, pace_ns)
    finally:
        os.close(descriptor)
        path.unlink()


def _measure(act: Callable[[], None], samples: int, pace_ns: int) -> tuple[int, ...]:
    act()  # the first one pays for the connection
    measured = []
    for _ in range(samples):
        select.select([], [], [], pace_ns / NS_PER_S)
        began_ns = clock.read().monotonic_ns
        act()
        measured.append(clock.read().monotonic_ns - began_ns)
    return tuple(measured)


@contextmanager
def _echo(kind: str, place: str) -> Iterator[None]:
    command = (sys.executable, "-m", "bus.floors", kind, place)
    process = subprocess.Popen(command, cwd=SOURCE_ROOT)  # noqa: S603  (our own module)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _echo_zmq(endpoint: str) -> None:
    with zmq.Context() as context, context.socket(zmq.PAIR) as pair:
        pair.setsockopt(zmq.LINGER, 0)
        pair.bind(endpoint)
        while (message := pair.recv()) != END:
            pair.send(message)


def _echo_tcp(port: str) -> None:
    with socket.create_connection(("127.0.0.1", int(port))) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while message := peer.recv(len(PAYLOAD), socket.MSG_WAITALL):
            peer.sendall(message)


def main(kind: str, place: str) -> None:
    """Echo until told to end."""
    if kind == "zmq":
        _echo_zmq(place)
    else:
        _echo_tcp(place)


if __name__ == "__main__":
    main(*sys.argv[1:3])
