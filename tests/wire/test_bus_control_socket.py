"""The operator's socket: lines in, lines out, everything bounded, nobody else heard."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import clock
from bus.control_socket import CONNECTIONS_MAX, IDLE_NS_MAX, LINES_MAX, ControlSocketEdge
from shared.operator import (
    REQUEST_BYTES_MAX,
    OperatorForbidden,
    OperatorGone,
    OperatorReply,
    OperatorRequest,
    RequestRefused,
    decode_reply,
)
from shared.units import BootNs, Instant
from tests.builders.bus_rig import run_directory
from tests.builders.raw_server import pump


@pytest.fixture
def path() -> Iterator[Path]:
    with run_directory() as directory:
        yield directory / "operator.sock"


@pytest.fixture
def edge(path: Path) -> Iterator[ControlSocketEdge]:
    made = ControlSocketEdge(path)
    yield made
    made.close()


@pytest.fixture
def asker(edge: ControlSocketEdge, path: Path) -> Iterator[socket.socket]:
    with connect(path) as made:
        yield made


def connect(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(10)
    made.connect(str(path))
    return made


def ask(edge: ControlSocketEdge, asker: socket.socket, line: bytes = b"{}\n") -> OperatorRequest:
    asker.sendall(line)
    (request,) = pump(edge, bool)
    assert isinstance(request, OperatorRequest)
    return request


@pytest.mark.req("OP-2")
def test_socket_is_open_to_its_owner_alone(edge: ControlSocketEdge, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.req("OP-2")
def test_request_names_the_process_that_asks(edge: ControlSocketEdge, asker: socket.socket) -> None:
    request = ask(edge, asker, b'{"type":"status"}\n')
    assert request == OperatorRequest(1, os.getuid(), os.getpid(), b'{"type":"status"}')


def test_line_in_two_pieces_is_one_request(edge: ControlSocketEdge, asker: socket.socket) -> None:
    asker.sendall(b'{"type":')
    pump(edge, lambda _: True)
    assert ask(edge, asker, b'"status"}\n').body == b'{"type":"status"}'


def test_two_lines_in_one_piece_are_two_requests(
    edge: ControlSocketEdge, asker: socket.socket
) -> None:
    asker.sendall(b"a\nb\n")
    heard = pump(edge, lambda heard: len(heard) == 2)
    assert [one.body for one in heard if isinstance(one, OperatorRequest)] == [b"a", b"b"]


def test_answer_reaches_its_asker_and_may_end_the_connection(
    edge: ControlSocketEdge, asker: socket.socket
) -> None:
    request = ask(edge, asker)
    assert edge.apply(OperatorReply(request.connection, b"one"), clock.read()) == []
    ended = edge.apply(OperatorReply(request.connection, b"two", close=True), clock.read())
    assert ended == [OperatorGone(request.connection)]
    assert asker.recv(100) == b"one\ntwo\n"
    assert asker.recv(100) == b""


def test_answer_to_an_asker_that_is_gone_is_dropped(
    edge: ControlSocketEdge, asker: socket.socket
) -> None:
    request = ask(edge, asker)
    asker.close()
    assert pump(edge, bool) == [OperatorGone(request.connection)]
    assert edge.apply(OperatorReply(request.connection, b"late"), clock.read()) == []


def test_longest_line_is_taken(edge: ControlSocketEdge, asker: socket.socket) -> None:
    assert len(ask(edge, asker, b"x" * REQUEST_BYTES_MAX + b"\n").body) == REQUEST_BYTES_MAX


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_line_over_the_limit_is_refused_and_ends_the_connection(
    edge: ControlSocketEdge, asker: socket.socket, end: bytes
) -> None:
    asker.sendall(b"x" * (REQUEST_BYTES_MAX + 1) + end)
    assert pump(edge, bool) == [OperatorGone(1)]
    reply = decode_reply(asker.recv(1000).rstrip(b"\n"))
    assert isinstance(reply, RequestRefused)
    assert reply.error == "oversized"


def fill(edge: ControlSocketEdge, path: Path, line: bytes) -> list[socket.socket]:
    """Take every connection there is, each saying a line."""
    held = []
    for number in range(1, CONNECTIONS_MAX + 1):
        held.append(connect(path))
        held[-1].sendall(line)
        pump(edge, lambda _, wanted=number: len(list(edge.sockets())) == wanted + 1)  # type: ignore[misc]
    return held


@pytest.mark.req("OP-2")
def test_connection_over_the_limit_is_turned_away_while_each_other_waits(
    edge: ControlSocketEdge, path: Path
) -> None:
    held = fill(edge, path, b"{}\n")
    pump(edge, lambda _: all(one.unanswered for one in edge._askers.values()))
    with connect(path) as one_more:
        edge.on_ready(next(iter(edge.sockets()))[0], 1, clock.read())
        reply = decode_reply(one_more.recv(1000).rstrip(b"\n"))
        assert isinstance(reply, RequestRefused)
        assert reply.error == "busy"
        assert one_more.recv(1) == b""
    for one in held:
        one.close()


@pytest.mark.req("OP-2")
def test_connection_that_asks_nothing_gives_way_to_one_more(
    edge: ControlSocketEdge, path: Path
) -> None:
    held = fill(edge, path, b"")
    with connect(path) as one_more:
        assert edge.on_ready(next(iter(edge.sockets()))[0], 1, clock.read()) == [OperatorGone(1)]
        assert held[0].recv(1) == b""
        assert ask(edge, one_more).connection == CONNECTIONS_MAX + 1
    for one in held:
        one.close()


@pytest.mark.req("OP-2")
def test_process_of_another_user_is_refused_and_told_of(path: Path) -> None:
    edge = ControlSocketEdge(path, users=frozenset({os.getuid() + 1}))
    with connect(path) as stranger:
        assert pump(edge, bool) == [OperatorForbidden(os.getuid(), os.getpid())]
        reply = decode_reply(stranger.recv(1000).rstrip(b"\n"))
        assert isinstance(reply, RequestRefused)
        assert reply.error == "forbidden"
        assert stranger.recv(1) == b""
    edge.close()


@pytest.mark.parametrize(("lines", "taken"), [(LINES_MAX, True), (LINES_MAX + 1, False)])
def test_lines_at_once_are_bounded(
    edge: ControlSocketEdge, asker: socket.socket, lines: int, taken: bool
) -> None:
    asker.sendall(b"\n" * lines)
    heard = pump(edge, bool)
    assert len(heard) == (lines if taken else 1)
    assert isinstance(heard[0], OperatorRequest) is taken


@pytest.mark.parametrize(("over_ns", "gone"), [(0, False), (1, True)])
def test_connection_that_asks_nothing_gives_its_place_back(
    edge: ControlSocketEdge, asker: socket.socket, over_ns: int, gone: bool
) -> None:
    now = clock.read()
    edge.on_ready(next(iter(edge.sockets()))[0], 1, now)
    later = Instant(BootNs(now.boot_ns + IDLE_NS_MAX + over_ns), now.monotonic_ns, now.wall_ns)
    assert edge.on_tick(later) == ([OperatorGone(1)] if gone else [])


def test_asker_that_waits_for_its_answer_is_not_idle(
    edge: ControlSocketEdge, asker: socket.socket
) -> None:
    ask(edge, asker)
    now = clock.read()
    much_later = Instant(BootNs(now.boot_ns + 9 * IDLE_NS_MAX), now.monotonic_ns, now.wall_ns)
    assert edge.on_tick(much_later) == []


def test_socket_left_by_a_dead_process_is_replaced(path: Path) -> None:
    ControlSocketEdge(path)._listener.close()
    assert path.exists()
    edge = ControlSocketEdge(path)
    edge.close()
    assert not path.exists()
