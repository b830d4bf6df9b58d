"""The page's server over real sockets: what it answers, to whom, and when no longer yes."""

import http.client
import socket
from collections.abc import Iterator

import msgspec
import pytest

from ops.waiting import wait_for
from services.dashboard.messages import Serving, Show
from services.dashboard.server import LOOP_NS_MAX, PAGES_MAX
from tests.builders.dashboard import Dashboard
from tests.builders.served import WAIT_S, Served


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    try:
        made.wait_until_serving()
        yield made
    finally:
        made.edge.close()


@pytest.fixture
def ready(tmp_path: object) -> Show:
    """What a dashboard of a trading group shows."""
    board = Dashboard(tmp_path)
    board.run(6_000)
    assert board.shown[-1].ready
    newest = next(show.history for show in reversed(board.shown) if show.history)
    return msgspec.structs.replace(board.shown[-1], history=newest)


def read_until(page: socket.socket, words: bytes) -> bytes:
    read = bytearray()
    while read.find(words, max(0, len(read) - 65_536 - len(words))) < 0:
        more = page.recv(65_536)
        assert more, read[-500:]
        read += more
    return bytes(read)


@pytest.mark.req("OP-3")
def test_before_the_first_look_nothing_is_called_alive_or_ready(served: Served) -> None:
    assert served.json("/healthz")[0] == 503
    status, told = served.json("/readyz")
    assert (status, told["ready"]) == (503, False)
    assert served.get("/metrics")[0] == 503
    assert served.get("/page.json")[0] == 503


@pytest.mark.req("OP-3", "INV-11")
def test_ready_only_while_the_group_trades_and_every_check_has_its_age(
    served: Served, ready: Show
) -> None:
    served.show(ready)
    status, told = served.json("/readyz")
    assert (status, told["ready"], told["reasons"]) == (200, True, [])
    assert all(isinstance(check["age_ms"], int) for check in told["checks"])
    assert served.json("/healthz")[0] == 200
    served.show(msgspec.structs.replace(ready, ready=False, reasons=("risk: looking",)))
    status, told = served.json("/readyz")
    assert (status, told["reasons"]) == (503, ["risk: looking"])
    assert served.json("/healthz")[0] == 200


@pytest.mark.req("OP-3")
def test_loop_that_no_longer_turns_is_neither_alive_nor_ready(served: Served, ready: Show) -> None:
    served.show(ready, age_ns=LOOP_NS_MAX + 1)
    status, told = served.json("/healthz")
    assert (status, told["alive"]) == (503, False)
    assert told["checks"][0]["age_ms"] >= 2_000
    status, told = served.json("/readyz")
    assert (status, told["ready"]) == (503, False)
    assert "judged nothing" in told["reasons"][0]
    assert served.get("/metrics")[0] == 503


@pytest.mark.req("OP-4")
def test_stream_tells_a_new_page_everything_and_then_what_is_new(
    served: Served, ready: Show
) -> None:
    served.show(ready)
    with served.listen() as page, served.listen() as other:
        first = read_until(page, b"event: page\ndata: " + ready.page + b"\n\n")
        assert b"Content-Type: text/event-stream" in first
        assert b"event: history\ndata: " + ready.history in first
        served.show(msgspec.structs.replace(ready, page=b'{"new":1}', history=b""))
        assert b"event: history" not in read_until(page, b'{"new":1}\n\n')
        read_until(other, b'{"new":1}\n\n')
        assert wait_for(lambda: (served.pages() == (2, 0)) or None, WAIT_S)
    served.show(ready)
    assert wait_for(lambda: (served.pages() == (0, 0)) or None, WAIT_S), served.pages()


@pytest.mark.req("OP-4")
def test_page_that_does_not_read_is_cut_off_and_delays_nobody(served: Served, ready: Show) -> None:
    large = msgspec.structs.replace(ready, page=b'"' + b"x" * 8_000_000 + b'"')
    with served.listen(receive_bytes=4_096), served.listen() as page:
        read_until(page, b"\r\n\r\n")
        served.show(large)
        read_until(page, b'x"\n\n')
        assert wait_for(lambda: (served.pages() == (1, 1)) or None, WAIT_S), served.pages()
        served.show(msgspec.structs.replace(ready, page=b'{"new":2}'))
        read_until(page, b'{"new":2}\n\n')


def test_one_page_more_than_the_bound_is_refused(served: Served, ready: Show) -> None:
    pages = [served.listen() for _ in range(PAGES_MAX)]
    assert wait_for(lambda: (served.pages() == (PAGES_MAX, 0)) or None, WAIT_S)
    assert served.get("/stream")[0] == 503
    for page in pages:
        page.close()


def test_page_and_all_that_it_names_come_from_here_under_a_strict_policy(served: Served) -> None:
    status, fields, body = served.get("/")
    assert status == 200
    policy = fields["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert fields["x-content-type-options"] == "nosniff"
    assert b"http://" not in body
    assert b"https://" not in body
    for path in ("/page.css", "/main.js", "/books.js", "/charts.js", "/plotly.min.js"):
        status, fields, content = served.get(path)
        assert status == 200, path
        again, _, nothing = served.get(path, If_None_Match=fields["etag"])
        assert (again, nothing) == (304, b"")
        assert b"@import" not in content[:10_000]
    status, fields, content = served.get("/plotly.min.js", Accept_Encoding="gzip")
    assert fields["content-encoding"] == "gzip"
    assert len(content) < 2_000_000


@pytest.mark.parametrize("name", ["evil.example", "evil.example:18090", "127.0.0.1.evil.example"])
def test_page_of_somebody_else_whose_name_points_here_gets_nothing(
    served: Served, ready: Show, name: str
) -> None:
    served.show(ready)
    for path in ("/", "/page.json", "/stream", "/readyz"):
        assert served.get(path, Host=name)[0] == 403


@pytest.mark.parametrize("name", ["localhost:9999", "127.0.0.1", "[::1]:18090", "localhost"])
def test_page_is_reached_through_a_tunnel_of_any_port(served: Served, name: str) -> None:
    assert served.get("/", Host=name)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(served: Served, method: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=WAIT_S)
    connection.request(method, "/page.json", body=b"{}")
    assert connection.getresponse().status == 405
    connection.close()


def test_taken_port_is_told_and_waited_for() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        waiting = Served(other.getsockname()[1])
        try:
            told = wait_for(lambda: waiting.hear() or None, WAIT_S)
            assert told
            assert isinstance(told[0], Serving)
            assert "in use" in told[0].problem
            other.close()
            waiting.wait_until_serving()
            assert waiting.get("/")[0] == 200
        finally:
            waiting.edge.close()
