"""A fence that meets twenty posts: in flight, behind unfinished TLS handshakes, and queued.

The real core and the real gateway with its real TLS sockets; the clock alone is virtual, so that
deadlines of seconds pass in no time.
"""

import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
import zmq

from bus.credentials import write_credentials, write_private
from bus.http import HttpEdge
from bus.settings import Settings
from services.execution.gateway import POST_CONNECTIONS, Gateway
from services.execution.may_send import PlaceOrder, PlaceOrders
from services.execution.messages import IdentityFound
from services.execution.signer import OrderSigner
from shared.effects import Effect, HttpFailed, HttpReset, Message
from shared.targets import Target
from shared.units import PriceE4
from shared.venue.auth import Credentials
from tests.builders.certificate import make_contexts
from tests.builders.execution import Rig, identity, target
from tests.builders.execution_config import build_config
from tests.builders.markets import DOWN, UP
from tests.builders.tls_venue import TlsVenue

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
SIGNER = OrderSigner(bytes.fromhex(KEY))
POSTS = 20
IN_FLIGHT = 5
"""Of the eight connections so many are open; the others stand in the middle of TLS."""

TURNS_MAX = 2_000
POLL_MS = 2
FENCED_MS = 2_000
RECOVERY_MS = 12_000


class TlsRig(Rig):
    """A core whose posts go through the real gateway to a venue behind TLS."""

    def __init__(
        self, directory: Path, venue: TlsVenue, make_http: Callable[..., HttpEdge]
    ) -> None:
        wide = 10_000
        super().__init__(
            shares_per_outcome_max=wide,
            unpaired_shares_global_max=wide,
            exposure_usd_max=wide,
            orders_per_second_max=500,
        )
        self.tls = venue
        self.sent_failures: list[HttpFailed] = []
        write_private(directory / "key.hex", KEY.encode())
        write_credentials(
            directory / "credentials.json",
            Credentials(SIGNER.address, "key-1", "c2VjcmV0", "passphrase-1"),
        )
        self.gateway = Gateway(settings(directory, venue.url), self.core.may_send, make_http)

    def start(self) -> None:
        """Bring the core to a proven start as the owner of the gateway's key."""
        self.tell(identity(wallet=SIGNER.address, signer=SIGNER.address))
        self.run(4_000)
        assert self.pong().proven_start, self.core.health()

    def turn(self) -> None:
        """Let sockets and venue go on for a moment that takes no time."""
        poll = zmq.Poller()
        for descriptor, events in self.gateway.sockets():
            poll.register(descriptor, events)
        heard: list[Message] = []
        for ready, events in poll.poll(POLL_MS):
            assert isinstance(ready, int), "an edge polls descriptors"
            heard += self.gateway.on_ready(ready, events, self.now)
        heard += self.gateway.on_tick(self.now)
        self.tls.turn()
        for message in heard:
            if not isinstance(message, IdentityFound):
                self._hear(message)

    def turn_until(self, holds: Callable[[], bool]) -> None:
        """Turn until something holds."""
        for _ in range(TURNS_MAX):
            if holds():
                return
            self.turn()
        raise AssertionError("never held")

    def _hear(self, message: Message) -> None:
        if isinstance(message, HttpFailed):
            self.sent_failures.append(message)
        self.tell(message)

    def _send(self, effect: Effect) -> list[Message]:
        if isinstance(effect, PlaceOrder | PlaceOrders):
            return self.gateway.apply(effect, self.now)
        return super()._send(effect)

    def _reset(self) -> list[Message]:
        return self.gateway.apply(HttpReset("post"), self.now)


def settings(directory: Path, url: str) -> Settings:
    config = build_config()
    venue = msgspec.structs.replace(config.venue, clob_url=url)
    return Settings(
        config=msgspec.structs.replace(config, venue=venue),
        path=directory / "profile.toml",
        run_directory=directory,
        data_directory=directory,
        key_file=directory / "key.hex",
        credentials_file=directory / "credentials.json",
        config_hash="",
        build_hash="",
        dependency_hash="",
    )


def twenty_quotes() -> tuple[Target, ...]:
    """Return ten quotes on each outcome, a cent apart."""
    return tuple(
        target(token=token, level=level, price=PriceE4(4_800 - 100 * level))
        for token in (UP, DOWN)
        for level in range(POSTS // 2)
    )


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[TlsVenue]:
    """A venue that leaves every handshake unanswered."""
    made = TlsVenue(make_contexts(tmp_path)[0])
    made.shakes = False
    yield made
    made.close()


@pytest.fixture
def rig(tmp_path: Path, venue: TlsVenue) -> Iterator[TlsRig]:
    """Twenty posts under way: five written and unanswered, fifteen behind them in the queue."""
    trusted = ssl.create_default_context(cafile=str(tmp_path / "tls.crt"))
    made: list[TlsRig] = []
    made.append(TlsRig(tmp_path, venue, partial(HttpEdge, tls=trusted, read=lambda: made[0].now)))
    yield made[0]
    made[0].gateway.close()


@pytest.fixture
def placing(rig: TlsRig) -> TlsRig:
    """Twenty posts under way: five written and unanswered, fifteen in the queue behind them."""
    venue = rig.tls
    rig.start()
    rig.turn_until(lambda: len(venue.peers) >= POST_CONNECTIONS)
    for peer in venue.peers[:IN_FLIGHT]:
        peer.shakes = True
    rig.turn_until(lambda: all(peer.is_open for peer in venue.peers[:IN_FLIGHT]))
    for count in range(1, POSTS + 1):
        # One more in each turn: what is decided together would leave in one request.
        rig.wishes = twenty_quotes()[:count]
        rig.wish()
    rig.turn_until(lambda: venue.posts() == IN_FLIGHT)
    assert len(rig.orders("INTENDED")) == POSTS
    return rig


@pytest.mark.req("INV-3", "INV-2")
def test_no_first_byte_leaves_after_blocked(placing: TlsRig) -> None:
    """BLOCKED in the fence's own turn; then every handshake ends, and nothing is written."""
    rig = placing
    rig.renews = False
    rig.fence()
    answer = rig.pong().fence_answer
    assert answer.fence_id == rig.epoch
    assert answer.blocked_ns == rig.now.boot_ns
    rig.tls.shakes = True
    for peer in rig.tls.peers:
        peer.shakes = True
    for _ in range(FENCED_MS // 100):
        rig.run(100)
        for _ in range(5):
            rig.turn()
    assert any(peer.is_open for peer in rig.tls.peers[POST_CONNECTIONS:]), "new connections opened"
    assert rig.tls.posts() == IN_FLIGHT
    assert all(peer.has_ended for peer in rig.tls.peers[:IN_FLIGHT]), "sockets in flight are reset"
    assert len(rig.orders("NOT_SENT")) == POSTS - IN_FLIGHT
    assert rig.pong().fence_answer.quiet_ns


@pytest.mark.req("INV-3", "INV-9")
def test_proof_waits_for_what_is_in_flight(placing: TlsRig) -> None:
    """Zero is not said before the last moment at which the venue could take one of the five.

    One of them is taken by the venue a second after the fence: it is found and cancelled.
    """
    rig = placing
    rig.renews = False
    in_flight = [one.order_id for one in rig.orders("INTENDED")][:IN_FLIGHT]
    rig.fence()
    rig.run(1_000)
    assert {one.order_id for one in rig.orders("UNKNOWN")} == set(in_flight)
    rig.venue.post(next(e for e in rig.sent(PlaceOrder) if e.order_id == in_flight[0]), rig.now)
    last_ns = max(rig.row(order_id).deadline_wall_ns for order_id in in_flight)
    while rig.now.wall_ns < last_ns:
        assert not rig.pong().fence_answer.zero_ns
        rig.run(100)
    rig.run(RECOVERY_MS)
    assert rig.pong().fence_answer.zero_ns
    assert rig.venue.open == {}
    assert rig.row(in_flight[0]).state == "CANCELED"
