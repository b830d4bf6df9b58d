"""The stream edge against a WebSocket server played by hand."""

from collections.abc import Iterator

import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from bus import clock
from bus.websocket import StreamEdge
from shared.effects import (
    Message,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamSend,
    StreamText,
)
from shared.units import BootNs, Instant
from tests.builders.raw_server import BlockedPort, Peer, RawServer, pump


@pytest.fixture
def server() -> Iterator[RawServer]:
    made = RawServer()
    yield made
    made.close()


@pytest.fixture
def edge() -> Iterator[StreamEdge]:
    made = StreamEdge()
    yield made
    made.close()


class Venue:
    """The server's end of one stream."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.protocol = ServerProtocol()
        self.frames: list[Frame] = []

    def hear(self) -> None:
        self.protocol.receive_data(self.peer.receive())
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.protocol.send_response(self.protocol.accept(event))
            else:
                assert isinstance(event, Frame)
                self.frames.append(event)
        self.flush()

    def flush(self) -> None:
        for content in self.protocol.data_to_send():
            if content:
                self.peer.send(content)

    def say(self, text: str) -> None:
        self.protocol.send_text(text.encode())
        self.flush()


def url_of(server: RawServer) -> str:
    return f"ws://127.0.0.1:{server.port}/ws/market"


def open_stream(edge: StreamEdge, server: RawServer) -> Venue:
    assert edge.apply(StreamOpen("market", url_of(server)), clock.read()) == []
    venue = Venue(server.accept())
    pump(edge, lambda _: venue.peer.has_bytes())
    venue.hear()
    assert pump(edge, bool) == [StreamOpened("market")]
    return venue


def test_text_arrives_whole_and_in_order_with_its_moment(
    edge: StreamEdge, server: RawServer
) -> None:
    venue = open_stream(edge, server)
    before_ns = clock.read().monotonic_ns
    venue.protocol.send_text(b"first, ", fin=False)
    venue.protocol.send_continuation(b"second half", fin=True)
    venue.say("next")
    texts = pump(edge, lambda heard: len(heard) == 2)
    assert [one.text for one in texts if isinstance(one, StreamText)] == [
        "first, second half",
        "next",
    ]
    assert all(isinstance(one, StreamText) and one.received_ns > before_ns for one in texts)


def test_text_is_sent_and_pings_are_answered(edge: StreamEdge, server: RawServer) -> None:
    venue = open_stream(edge, server)
    edge.apply(StreamSend("market", "PING"), clock.read())
    venue.hear()
    venue.protocol.send_ping(b"beat")
    venue.flush()
    pump(edge, lambda _: venue.peer.has_bytes())
    venue.hear()
    assert [(frame.opcode, bytes(frame.data)) for frame in venue.frames] == [
        (Opcode.TEXT, b"PING"),
        (Opcode.PONG, b"beat"),
    ]


def test_close_of_the_server_comes_with_its_code(edge: StreamEdge, server: RawServer) -> None:
    venue = open_stream(edge, server)
    venue.say("last")
    venue.protocol.send_close(1012, "restart")
    venue.flush()
    heard = pump(edge, lambda heard: len(heard) == 2)
    assert heard[1] == StreamClosed("market", 1012, "restart", fault="closed")
    assert list(edge.sockets()) == []


@pytest.mark.req("NET-1")
def test_lost_connection_is_told_without_a_code_of_its_own(
    edge: StreamEdge, server: RawServer
) -> None:
    venue = open_stream(edge, server)
    venue.peer.close()
    assert pump(edge, bool) == [StreamClosed("market", 1006, "closed by peer", fault="lost")]


@pytest.mark.req("NET-5")
def test_refused_port_is_told_apart_from_a_lost_one(edge: StreamEdge) -> None:
    server = RawServer()
    server.close()
    messages = edge.apply(StreamOpen("market", url_of(server)), clock.read())
    messages += pump(edge, lambda heard: bool(messages or heard))
    assert messages == [
        StreamClosed("market", 1006, "Connection refused", refused=True, fault="refused")
    ]


def test_refused_upgrade_closes_with_the_status(edge: StreamEdge, server: RawServer) -> None:
    edge.apply(StreamOpen("market", url_of(server)), clock.read())
    peer = server.accept()
    pump(edge, lambda _: peer.has_bytes())
    peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    (closed,) = pump(edge, bool)
    assert isinstance(closed, StreamClosed)
    assert "403" in closed.reason
    assert (closed.fault, closed.status, closed.retry_after_s) == ("denied", 403, None)


@pytest.mark.parametrize(("asked", "told"), [("7", 7), ("soon", None), ("9" * 12, None)])
def test_refused_upgrade_says_how_long_to_wait(
    edge: StreamEdge, server: RawServer, asked: str, told: int | None
) -> None:
    edge.apply(StreamOpen("market", url_of(server)), clock.read())
    peer = server.accept()
    pump(edge, lambda _: peer.has_bytes())
    head = f"HTTP/1.1 503 Busy\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n"
    peer.send(head.encode())
    (closed,) = pump(edge, bool)
    assert isinstance(closed, StreamClosed)
    assert (closed.status, closed.retry_after_s) == (503, told)


@pytest.mark.req("NET-5")
def test_port_that_answers_nothing_is_told_apart_from_a_slow_peer(edge: StreamEdge) -> None:
    """A full backlog drops the first packet, as a firewall does."""
    with BlockedPort() as blocked:
        now = clock.read()
        url = f"ws://127.0.0.1:{blocked.port}/ws/market"
        assert edge.apply(StreamOpen("market", url), now) == []
        later = Instant(BootNs(now.boot_ns + 5_000_000_000), now.monotonic_ns, now.wall_ns)
        assert edge.on_tick(later) == [
            StreamClosed("market", 1006, "took too long", fault="blocked")
        ]


@pytest.mark.req("NET-5")
def test_handshake_that_is_no_tls_is_told_apart(edge: StreamEdge, server: RawServer) -> None:
    url = f"wss://127.0.0.1:{server.port}/ws/market"
    edge.apply(StreamOpen("market", url), clock.read())
    peer = server.accept()
    pump(edge, lambda _: peer.has_bytes())
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    (closed,) = pump(edge, bool)
    assert isinstance(closed, StreamClosed)
    assert closed.fault == "tls"


@pytest.mark.req("NET-5")
def test_peer_that_accepts_and_leaves_before_the_upgrade_refuses(
    edge: StreamEdge, server: RawServer
) -> None:
    edge.apply(StreamOpen("market", url_of(server)), clock.read())
    peer = server.accept()
    pump(edge, lambda _: peer.has_bytes())
    peer.receive()
    peer.close()
    (closed,) = pump(edge, bool)
    assert isinstance(closed, StreamClosed)
    assert closed.fault == "denied"


def test_our_close_ends_when_the_server_answers_it(edge: StreamEdge, server: RawServer) -> None:
    venue = open_stream(edge, server)
    edge.apply(StreamClose("market"), clock.read())
    venue.hear()
    (closed,) = pump(edge, bool)
    assert isinstance(closed, StreamClosed)
    assert closed.code == 1000


def test_our_close_ends_at_its_deadline_when_the_server_is_silent(
    edge: StreamEdge, server: RawServer
) -> None:
    open_stream(edge, server)
    edge.apply(StreamClose("market"), clock.read())
    assert pump(edge, bool) == [StreamClosed("market", 1006, "took too long", fault="lost")]


def test_silent_server_is_given_up_after_the_opening_time(
    edge: StreamEdge, server: RawServer
) -> None:
    now = clock.read()
    edge.apply(StreamOpen("market", url_of(server)), now)
    server.accept()
    pump(edge, lambda _: bool(list(edge.sockets())))
    just_before = Instant(BootNs(now.boot_ns + 4_999_000_000), now.monotonic_ns, now.wall_ns)
    assert edge.on_tick(just_before) == []
    later = Instant(BootNs(now.boot_ns + 5_000_000_000), now.monotonic_ns, now.wall_ns)
    assert edge.on_tick(later) == [StreamClosed("market", 1006, "took too long", fault="slow")]


def test_text_for_a_stream_that_is_gone_is_dropped(edge: StreamEdge) -> None:
    heard: list[Message] = edge.apply(StreamSend("market", "x"), clock.read())
    assert heard == []


def test_stream_opened_anew_leaves_the_old_one_without_a_word(
    edge: StreamEdge, server: RawServer
) -> None:
    venue = open_stream(edge, server)
    open_stream(edge, server)
    with pytest.raises(ConnectionResetError):
        venue.peer.receive()


def test_bytes_that_are_no_text_end_the_stream(edge: StreamEdge, server: RawServer) -> None:
    venue = open_stream(edge, server)
    venue.protocol.send_binary(b"\xff\xfe")
    venue.flush()
    (closed,) = pump(edge, bool)
    assert isinstance(closed, StreamClosed)
