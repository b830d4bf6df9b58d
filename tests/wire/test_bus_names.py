"""Names against a real name server on loopback: silent, failing, slow, cut, changed."""

import select
import socket
import threading
from collections.abc import Iterator

import pytest

from bus import clock
from bus.connection import Address, Origin
from bus.http import HttpEdge, Lane
from bus.name_book import RETRY_NS, NameFault, NameRules
from bus.name_servers import NameServers
from bus.resolver import TELL_EVERY_NS, Resolver
from bus.websocket import StreamEdge
from shared.effects import ReachTold, StreamClosed, StreamOpen
from shared.reach import HostReach
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, MonotonicNs, WallNs
from tests.builders.name_server import NameServer
from tests.builders.raw_server import RawServer, pump

NAME = "venue.example."
SERVER_NS = 300 * NS_PER_MS


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    made.records[NAME, "A"] = ("127.0.0.1",)
    yield made
    made.close()


def rules(*servers: NameServer) -> NameRules:
    return NameRules(tuple(one.address for one in servers), server_ns_max=SERVER_NS)


def ask(*servers: NameServer, host: str = "venue.example") -> list[str]:
    found = NameServers([one.address for one in servers], SERVER_NS).look_up(host, 443)
    assert all(one.socket_address[1] == 443 for one in found)
    return [one.socket_address[0] for one in found]


def broken_system(host: str, port: int) -> tuple[Address, ...]:
    raise NameFault("Temporary failure in name resolution")


class Moments:
    """A clock that the test moves; look-ups themselves take real time."""

    def __init__(self) -> None:
        self.ns = 1_000 * NS_PER_S

    def now(self) -> Instant:
        return Instant(BootNs(self.ns), MonotonicNs(self.ns), WallNs(self.ns))


def settle(resolver: Resolver, moments: Moments, until: str) -> HostReach:
    """Turn until the resolver tells of a source or a failure."""
    deadline_ns = clock.read().monotonic_ns + 10 * NS_PER_S
    while True:
        news = resolver.news(moments.now())
        if news is not None and until in (news.source or "none", "failed" if news.failure else ""):
            return news
        assert clock.read().monotonic_ns < deadline_ns
        select.select([], [], [], 0.001)


@pytest.mark.req("NET-4")
def test_server_is_asked_for_addresses_of_the_first_family_that_has_any(
    server: NameServer,
) -> None:
    assert ask(server) == ["127.0.0.1"]
    assert server.asked == [(NAME, "A")]
    del server.records[NAME, "A"]
    server.records[NAME, "AAAA"] = ("::1",)
    assert ask(server) == ["::1"]


def test_canonical_names_are_followed(server: NameServer) -> None:
    server.records = {
        (NAME, "CNAME"): ("edge.example.",),
        ("edge.example.", "A"): ("127.0.0.2", "127.0.0.3"),
    }
    assert sorted(ask(server)) == ["127.0.0.2", "127.0.0.3"]


@pytest.mark.req("NET-4")
@pytest.mark.parametrize("rcode", ["SERVFAIL", "NXDOMAIN", "REFUSED"])
def test_server_that_fails_gives_way_to_the_next(server: NameServer, rcode: str) -> None:
    other = NameServer()
    other.rcode = rcode
    try:
        assert ask(other, server) == ["127.0.0.1"]
        with pytest.raises(NameFault, match=rcode):
            ask(other)
    finally:
        other.close()


@pytest.mark.req("NET-4")
def test_silent_server_gives_way_to_the_next_within_its_deadline(server: NameServer) -> None:
    other = NameServer()
    other.is_silent = True
    try:
        assert ask(other, server) == ["127.0.0.1"]
        with pytest.raises(NameFault, match="no answer"):
            ask(other)
    finally:
        other.close()


def test_closed_port_gives_way_to_the_next_at_once(server: NameServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()
    servers = NameServers([closed, server.address], SERVER_NS)
    assert servers.look_up("venue.example", 443)


def test_answer_that_is_cut_is_asked_for_again_over_a_stream(server: NameServer) -> None:
    server.is_cutting = True
    assert ask(server) == ["127.0.0.1"]


def test_what_answers_no_question_of_ours_is_passed_over(server: NameServer) -> None:
    foreign = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    foreign.close()
    server.garbage = (b"", b"\x00" * 12, b"no message")
    assert ask(server) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "..", "venue..example"])
def test_what_is_no_name_is_a_failure_and_no_crash(server: NameServer, host: str) -> None:
    with pytest.raises(NameFault):
        ask(server, host=host)


@pytest.mark.req("NET-4")
def test_fallback_answers_when_the_system_fails_and_the_cache_when_both_do(
    server: NameServer,
) -> None:
    moments = Moments()
    resolver = Resolver(Origin.of("https://venue.example"), rules(server), broken_system)
    news = settle(resolver, moments, "fallback")
    assert (news.host, news.addresses, news.failure) == ("venue.example", 1, "")
    server.rcode = "SERVFAIL"
    moments.ns += 60 * NS_PER_S
    news = settle(resolver, moments, "failed")
    assert "Temporary failure" in news.failure
    assert "SERVFAIL" in news.failure
    assert news.resolved_ns == moments.ns - 60 * NS_PER_S, "how old they are is told"
    assert resolver.next_address(moments.now().boot_ns) == Address(2, ("127.0.0.1", 443))
    server.rcode = "NOERROR"
    moments.ns += RETRY_NS
    news = settle(resolver, moments, "fallback")
    assert (news.failure, news.resolved_ns) == ("", moments.ns)


@pytest.mark.req("NET-4")
def test_system_that_hangs_blocks_nobody_and_is_asked_once(server: NameServer) -> None:
    answers = threading.Event()
    asked = []

    def hang(host: str, port: int) -> tuple[Address, ...]:
        asked.append(host)
        answers.wait()
        return (Address(2, ("127.0.0.9", port)),)

    moments = Moments()
    resolver = Resolver(Origin.of("https://venue.example"), rules(server), hang)
    assert resolver.next_address(moments.now().boot_ns) is None
    moments.ns += 2 * NS_PER_S
    assert settle(resolver, moments, "fallback").addresses == 1
    moments.ns += 60 * NS_PER_S
    resolver.refresh(moments.now().boot_ns)
    assert asked == ["venue.example"]
    answers.set()
    assert settle(resolver, moments, "system").source == "system"
    found = resolver.next_address(moments.now().boot_ns)
    assert found == Address(2, ("127.0.0.9", 443))


@pytest.mark.req("NET-4")
def test_address_that_changes_is_used_from_the_next_attempt_on(server: NameServer) -> None:
    moments = Moments()
    resolver = Resolver(Origin.of("https://venue.example"), rules(server), broken_system)
    settle(resolver, moments, "fallback")
    server.records[NAME, "A"] = ("127.0.0.7", "127.0.0.8")
    moments.ns += 60 * NS_PER_S
    while (news := settle(resolver, moments, "fallback")).addresses != 2:
        pass
    tried = [resolver.next_address(moments.now().boot_ns) for _ in range(3)]
    places = [one.socket_address[0] for one in tried if one is not None]
    assert set(places) == {"127.0.0.7", "127.0.0.8"}
    assert places[0] == places[2]
    assert news.lookup_ms_max >= news.lookup_ms


def test_age_of_addresses_is_told_again_now_and_then(server: NameServer) -> None:
    moments = Moments()
    resolver = Resolver(Origin.of("https://venue.example"), rules(server), broken_system)
    settle(resolver, moments, "fallback")
    moments.ns += TELL_EVERY_NS - 1
    assert resolver.news(moments.now()) is None
    moments.ns += 1
    assert resolver.news(moments.now()) is not None


def test_address_in_the_profile_is_no_news() -> None:
    assert Resolver(Origin.of("ws://127.0.0.1:1")).news(Moments().now()) is None


@pytest.mark.req("NET-4", "NET-5")
def test_stream_finds_its_venue_by_a_name_server_and_says_when_no_name_has_an_address(
    server: NameServer,
) -> None:
    venue = RawServer()
    edge = StreamEdge(names=rules(server))
    try:
        url = f"ws://venue.example:{venue.port}/ws"
        edge.apply(StreamOpen("market", url), clock.read())
        heard = pump(edge, lambda messages: venue.has_connection())
        assert [host.source for one in heard if isinstance(one, ReachTold) for host in one.hosts]
        server.rcode = "SERVFAIL"
        edge.apply(StreamOpen("market", "ws://other.example:1/ws"), clock.read())
        pump(edge, lambda messages: "SERVFAIL" in str(messages))
        now = clock.read()
        late = Instant(BootNs(now.boot_ns + 5 * NS_PER_S), now.monotonic_ns, now.wall_ns)
        (closed,) = [one for one in edge.on_tick(late) if isinstance(one, StreamClosed)]
        assert closed.fault == "name"
        assert "SERVFAIL" in closed.reason
    finally:
        edge.close()
        venue.close()


@pytest.mark.req("NET-4")
def test_requests_find_their_venue_by_a_name_server_too(server: NameServer) -> None:
    venue = RawServer()
    url = f"http://venue.example:{venue.port}"
    edge = HttpEdge([Lane("read", url), Lane("post", url)], names=rules(server))
    try:
        pump(edge, lambda _: edge.is_connected("read") and edge.is_connected("post"))
    finally:
        edge.close()
        venue.close()
