"""Connections that never block, plain and TLS, and whether the kernel took the first byte."""

import contextlib
import os
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bus import clock
from bus.connection import Address, Connection, Origin
from bus.resolver import Resolver
from shared.units import NS_PER_S, BootNs
from tests.builders.certificate import make_contexts
from tests.builders.raw_server import Peer, RawServer

PLENTY = b"x" * (1024 * 1024)


@pytest.fixture
def server() -> Iterator[RawServer]:
    made = RawServer()
    yield made
    made.close()


def connect(server: RawServer, tls: ssl.SSLContext | None = None) -> Connection:
    address = Address(2, ("127.0.0.1", server.port))
    return Connection(address, user_timeout_ms=2_000, tls=tls, host="localhost" if tls else "")


def advance_until(connection: Connection, condition: Callable[[], bool]) -> None:
    deadline_ns = clock.read().monotonic_ns + 10 * NS_PER_S
    while not condition():
        assert clock.read().monotonic_ns < deadline_ns, connection.state
        select.select([], [], [], 0.001)
        connection.advance()


def opened(server: RawServer) -> tuple[Connection, Peer]:
    connection = connect(server)
    peer = server.accept()
    advance_until(connection, lambda: connection.state == "open")
    return connection, peer


def fill(connection: Connection) -> None:
    """Give the kernel more than it takes."""
    while connection.is_writable():
        connection.write(PLENTY)


def test_kernel_that_takes_nothing_means_not_writable(server: RawServer) -> None:
    connection, _ = opened(server)
    assert connection.is_writable()
    fill(connection)
    assert not connection.is_writable()
    connection.abort("end")


def test_peer_that_takes_nothing_for_long_is_left(server: RawServer) -> None:
    connection, _ = opened(server)
    for _ in range(64):
        connection.write(PLENTY)
    assert connection.state == "closed"
    assert connection.reason == "peer takes nothing"


def test_write_on_a_connection_reset_meanwhile_reports_nothing_sent(server: RawServer) -> None:
    connection, peer = opened(server)
    connection.write(b"first")
    peer.close()  # with unread bytes: the kernel answers by a reset
    select.select([connection.descriptor], [], [], 10)
    assert not connection.write_now(b"second")
    assert connection.state == "closed"


def test_abort_resets_the_peer_instead_of_delivering_late(server: RawServer) -> None:
    connection, peer = opened(server)
    connection.abort("fence")
    with pytest.raises(ConnectionResetError):
        peer.receive()
    assert connection.descriptor == -1


def test_bytes_that_nobody_acknowledges_are_given_up(server: RawServer) -> None:
    """Without the option a kernel repeats unacknowledged bytes for a quarter of an hour."""
    connection, _ = opened(server)
    with socket.socket(fileno=os.dup(connection.descriptor)) as same:
        assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 2_000
    connection.abort("end")


def test_refusal_is_told_apart() -> None:
    server = RawServer()
    server.close()
    connection = connect(server)
    advance_until(connection, lambda: connection.state == "closed")
    assert connection.is_refused
    assert connection.reason == "Connection refused"


def test_end_of_the_peer_closes_with_what_it_sent_before(server: RawServer) -> None:
    connection, peer = opened(server)
    peer.send(b"last words")
    peer.close()
    heard = b""
    while connection.state == "open":
        heard += connection.read()
    assert heard == b"last words"
    assert connection.reason == "closed by peer"


@pytest.mark.parametrize("size", [10, 300_000])
def test_tls_carries_both_ways(server: RawServer, tmp_path: Path, size: int) -> None:
    server_tls, client_tls = make_contexts(tmp_path)
    connection = connect(server, client_tls)
    peer = server.accept()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server_tls.wrap_bio(incoming, outgoing, server_side=True)

    def shake() -> bool:
        if peer.has_bytes():
            incoming.write(peer.receive())
        with contextlib.suppress(ssl.SSLWantReadError):
            theirs.do_handshake()
        if outgoing.pending:
            peer.send(outgoing.read())
        return connection.state == "open" and theirs.version() is not None

    advance_until(connection, shake)
    assert connection.write_now(b"question" * size)
    heard = bytearray()

    def hear() -> bool:
        if peer.has_bytes():
            incoming.write(peer.receive())
        with contextlib.suppress(ssl.SSLWantReadError):
            heard.extend(theirs.read(1 << 20))
        return len(heard) == 8 * size

    advance_until(connection, hear)
    theirs.write(b"answer" * 3)
    peer.send(outgoing.read())
    answer = bytearray()

    def hear_answer() -> bool:
        answer.extend(connection.read())
        return len(answer) == 18

    advance_until(connection, hear_answer)
    assert bytes(answer) == b"answer" * 3
    connection.abort("end")


def test_certificate_of_somebody_else_is_refused(server: RawServer, tmp_path: Path) -> None:
    server_tls, _ = make_contexts(tmp_path)
    connection = connect(server, ssl.create_default_context())
    peer = server.accept()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server_tls.wrap_bio(incoming, outgoing, server_side=True)

    def shake() -> bool:
        if connection.state == "closed":
            return True
        if peer.has_bytes():
            incoming.write(peer.receive())
        with contextlib.suppress(ssl.SSLWantReadError):
            theirs.do_handshake()
        peer.send(outgoing.read())
        return False

    advance_until(connection, shake)
    assert "CERTIFICATE_VERIFY_FAILED" in connection.reason


@pytest.mark.parametrize(
    ("url", "port", "authority", "is_secure"),
    [
        ("https://clob.example", 443, "clob.example", True),
        ("http://127.0.0.1:18080/x", 18080, "127.0.0.1:18080", False),
        ("wss://ws.example/ws/market", 443, "ws.example", True),
    ],
)
def test_url_is_taken_apart(url: str, port: int, authority: str, is_secure: bool) -> None:
    origin = Origin.of(url)
    assert (origin.port, origin.authority, origin.is_secure) == (port, authority, is_secure)


@pytest.mark.parametrize("url", ["", "ftp://x", "clob.example", "http://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Origin.of(url)


def test_loopback_is_resolved_at_once_and_addresses_take_turns() -> None:
    resolver = Resolver(Origin.of("http://127.0.0.1:99"))
    assert resolver.next_address(BootNs(0)) == Address(2, ("127.0.0.1", 99))


def test_name_that_does_not_resolve_gives_no_address_and_a_reason() -> None:
    resolver = Resolver(Origin.of("http://name.invalid"))
    deadline_ns = clock.read().monotonic_ns + 10 * NS_PER_S
    while not resolver.failure:
        assert resolver.next_address(BootNs(0)) is None
        assert clock.read().monotonic_ns < deadline_ns
        select.select([], [], [], 0.001)
