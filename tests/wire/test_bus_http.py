"""The HTTP edge against a server played by hand: what is sent, what is not, and who is told."""

from collections.abc import Iterator

import pytest

from bus import clock
from bus.http import HttpEdge, Lane
from shared.effects import HttpFailed, HttpReply, HttpRequest, HttpReset, Message
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant
from tests.builders.raw_server import Peer, RawServer, pump

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kind: Test\r\n\r\n{}"


@pytest.fixture
def server() -> Iterator[RawServer]:
    made = RawServer()
    yield made
    made.close()


class Venue:
    """An edge with one lane of one connection, and the server's end of it."""

    def __init__(self, server: RawServer, **lane: object) -> None:
        self.allowed: list[str | None] = []
        self.asked: list[Instant] = []
        self.edge = HttpEdge(
            [Lane("post", server.url, **lane)],  # type: ignore[arg-type]
            headers=lambda request, now: {"POLY_KEY": "k"},
            before_write=self._before_write,
        )
        pump(self.edge, lambda _: self.edge.is_connected("post"))
        self.peer: Peer = server.accept()

    def _before_write(self, request: HttpRequest, now: Instant) -> str | None:
        self.asked.append(now)
        return self.allowed.pop(0) if self.allowed else None

    def send(self, request: HttpRequest) -> list[Message]:
        return self.edge.apply(request, clock.read())


@pytest.fixture
def venue(server: RawServer) -> Iterator[Venue]:
    made = Venue(server)
    yield made
    made.edge.close()


def make_request(
    request_id: int = 1, *, body: bytes = b"{}", within_ns: int = 5 * NS_PER_S
) -> HttpRequest:
    deadline_ns = BootNs(clock.read().boot_ns + within_ns)
    return HttpRequest(request_id, "post", "POST", "/order?x=1", body, deadline_ns)


def test_request_is_written_whole_and_its_reply_comes_back(venue: Venue) -> None:
    assert venue.send(make_request()) == []
    wire = venue.peer.receive()
    assert wire.startswith(b"POST /order?x=1 HTTP/1.1\r\n")
    assert b"\r\nPOLY_KEY: k\r\n" in wire
    assert wire.endswith(b"\r\n\r\n{}")
    venue.peer.send(ANSWER)
    (reply,) = pump(venue.edge, bool)
    assert isinstance(reply, HttpReply)
    assert (reply.status, reply.body, reply.headers["x-kind"]) == (200, b"{}", "Test")
    assert reply.sent_ns == venue.asked[0].boot_ns


def test_connection_carries_one_request_after_the_other(venue: Venue) -> None:
    for request_id in (1, 2):
        venue.send(make_request(request_id))
        venue.peer.receive()
        venue.peer.send(ANSWER)
        (reply,) = pump(venue.edge, bool)
        assert isinstance(reply, HttpReply)
        assert reply.request_id == request_id


def test_second_request_waits_until_the_first_is_answered(venue: Venue) -> None:
    venue.send(make_request(1))
    venue.peer.receive()
    venue.send(make_request(2))
    assert not venue.peer.has_bytes()
    venue.peer.send(ANSWER)
    pump(venue.edge, bool)
    assert venue.peer.receive().startswith(b"POST")


@pytest.mark.req("INV-3")
def test_denied_request_writes_no_byte_and_the_connection_serves_the_next(venue: Venue) -> None:
    venue.allowed = ["not_permitted"]
    assert venue.send(make_request(1)) == [HttpFailed(1, sent=False, reason="not_permitted")]
    assert not venue.peer.has_bytes()
    venue.send(make_request(2))
    venue.peer.receive()


@pytest.mark.req("INV-3")
def test_queued_request_is_asked_about_when_it_is_written_not_when_it_is_queued(
    venue: Venue,
) -> None:
    venue.allowed = [None, "not_permitted"]
    venue.send(make_request(1))
    venue.peer.receive()
    venue.send(make_request(2))
    assert len(venue.asked) == 1
    venue.peer.send(ANSWER)
    messages = pump(venue.edge, lambda heard: len(heard) == 2)
    assert messages[1] == HttpFailed(2, sent=False, reason="not_permitted")
    assert not venue.peer.has_bytes()


def test_request_of_which_a_part_is_written_counts_as_sent(venue: Venue) -> None:
    venue.peer.shrink_window()
    huge = make_request(1, body=b"x" * (32 * 1024 * 1024))
    venue.send(huge)
    reset = venue.edge.apply(HttpReset("post"), clock.read())
    assert isinstance(reset[0], HttpFailed)
    assert reset[0].sent
    assert reset[0].reason == "reset"


def test_dripping_answer_ends_at_the_total_deadline(venue: Venue) -> None:
    venue.send(make_request(within_ns=100 * NS_PER_MS))
    venue.peer.receive()
    venue.peer.send(ANSWER[:10])
    (failed,) = pump(venue.edge, bool)
    assert isinstance(failed, HttpFailed)
    assert (failed.sent, failed.reason) == (True, "deadline")
    assert failed.sent_ns > 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"", "closed"), (ANSWER[:-1], "closed"), (b"nonsense\r\n\r\n", "protocol")],
)
def test_broken_answer_leaves_the_outcome_unknown(venue: Venue, answer: bytes, reason: str) -> None:
    venue.send(make_request())
    venue.peer.receive()
    venue.peer.send(answer)
    venue.peer.close()
    (failed,) = pump(venue.edge, bool)
    assert isinstance(failed, HttpFailed)
    assert (failed.sent, failed.reason) == (True, reason)


def test_answer_without_length_ends_with_the_connection(venue: Venue) -> None:
    venue.send(make_request())
    venue.peer.receive()
    venue.peer.send(b"HTTP/1.1 503 No\r\n\r\nrestarting")
    venue.peer.close()
    (reply,) = pump(venue.edge, bool)
    assert isinstance(reply, HttpReply)
    assert (reply.status, reply.body) == (503, b"restarting")


def test_idle_connection_closed_by_the_peer_is_opened_anew(venue: Venue, server: RawServer) -> None:
    venue.peer.close()
    pump(venue.edge, lambda _: server.has_connection())
    pump(venue.edge, lambda _: venue.edge.is_connected("post"))
    venue.peer = server.accept()
    venue.send(make_request())
    assert venue.peer.receive().startswith(b"POST")


def test_request_on_a_connection_the_peer_has_closed_is_not_written_to_it(
    venue: Venue, server: RawServer
) -> None:
    venue.peer.close()
    venue.send(make_request())
    pump(venue.edge, lambda _: server.has_connection())
    renewed = server.accept()
    pump(venue.edge, lambda _: renewed.has_bytes())
    assert renewed.receive().startswith(b"POST")


def test_reset_tells_written_from_waiting_and_drops_the_connection(venue: Venue) -> None:
    venue.send(make_request(1))
    venue.peer.receive()
    venue.send(make_request(2))
    told = venue.edge.apply(HttpReset("post"), clock.read())
    assert [(one.request_id, one.sent) for one in told if isinstance(one, HttpFailed)] == [
        (2, False),
        (1, True),
    ]
    with pytest.raises(ConnectionResetError):
        venue.peer.receive()


@pytest.mark.req("NET-6")
def test_impatient_lane_refuses_while_unconnected(server: RawServer) -> None:
    venue = Venue(server, waits_unconnected=False)
    venue.edge.apply(HttpReset("post"), clock.read())
    assert venue.send(make_request()) == [HttpFailed(1, sent=False, reason="unconnected")]
    venue.edge.close()


def test_waiting_request_ends_unsent_at_its_deadline(server: RawServer) -> None:
    venue = Venue(server)
    venue.send(make_request(1))
    venue.send(make_request(2, within_ns=50 * NS_PER_MS))
    (failed,) = pump(venue.edge, bool)
    assert failed == HttpFailed(2, sent=False, reason="deadline")
    venue.edge.close()


@pytest.mark.parametrize(("queued", "refused"), [(1, 0), (2, 1)])
def test_queue_takes_its_bound_and_no_more(server: RawServer, queued: int, refused: int) -> None:
    venue = Venue(server, queue_max=1)
    venue.send(make_request(1))
    answers = [venue.send(make_request(2 + number)) for number in range(queued)]
    assert sum(len(answer) for answer in answers) == refused
    venue.edge.close()


def test_refused_port_is_tried_again_until_somebody_listens() -> None:
    server = RawServer()
    edge = HttpEdge([Lane("read", server.url)])
    server.close()
    pump(edge, lambda _: not list(edge.sockets()))
    assert not edge.is_connected("read")
    edge.close()


def test_only_resets_and_urgent_lanes_go_before_the_commit(server: RawServer) -> None:
    edge = HttpEdge([Lane("post", server.url), Lane("cancel", server.url, is_urgent=True)])
    assert edge.is_urgent(HttpReset("post"))
    assert not edge.is_urgent(make_request())
    request = HttpRequest(1, "cancel", "DELETE", "/cancel-all", b"", BootNs(1))
    assert edge.is_urgent(request)
    assert edge.withhold(make_request(), clock.read()) == [
        HttpFailed(1, sent=False, reason="not_journaled")
    ]
