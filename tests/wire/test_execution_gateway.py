"""The gateway against a server played by hand: what leaves, what never does, and who is told."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bus import clock
from bus.credentials import write_credentials, write_private
from bus.http import HttpEdge
from bus.settings import Settings
from services.execution.gateway import Gateway, lanes
from services.execution.may_send import Permit, PlaceOrder, PlaceOrders
from services.execution.messages import IdentityFound, IdentityMissing
from services.execution.panic_file import PANIC_FILE, PanicFile
from services.execution.signer import OrderSigner
from shared.effects import HttpFailed, HttpRequest, HttpReset, Message
from shared.units import NS_PER_S, BootNs, Instant
from shared.venue.auth import Credentials, check_request
from shared.venue.order_hash import UnsignedOrder, exchange_domain, order_hash
from shared.venue.orders_wire import POST_ORDER, POST_ORDERS, to_unsigned_order
from tests.builders.execution_config import build_config
from tests.builders.markets import instant
from tests.builders.raw_server import Peer, RawServer, pump

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
SIGNER = OrderSigner(bytes.fromhex(KEY))
CREDENTIALS = Credentials(SIGNER.address, "api-key-1", "c2VjcmV0", "passphrase-1")
DOMAIN = exchange_domain("v1", False)


def build_settings(directory: Path, url: str, *, dry_run: bool = False) -> Settings:
    config = build_config(dry_run=dry_run)
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


class Rig:
    """A gateway, the answers of its core, and the venue's end of its connections."""

    def __init__(self, directory: Path, server: RawServer, *, with_secrets: bool = True) -> None:
        self.answers: list[str | None] = []
        self.asked: list[Instant] = []
        self.directory = directory
        self.server = server
        if with_secrets:
            self.write_secrets()
        self.gateway = Gateway(build_settings(directory, server.url), self._may_send)
        self.heard: list[Message] = []

    def write_secrets(self) -> None:
        write_private(self.directory / "key.hex", KEY.encode())
        write_credentials(self.directory / "credentials.json", CREDENTIALS)

    def _may_send(self, permit: Permit, now: Instant) -> str | None:
        self.asked.append(now)
        return self.answers.pop(0) if self.answers else None

    def connect(self) -> None:
        http = self.gateway._http
        assert isinstance(http, HttpEdge)
        self.heard += pump(self.gateway, lambda _: http.is_connected("post"))

    def read_post(self) -> tuple[Peer, bytes, bytes]:
        """Return head and body of the one post that arrives."""
        while True:
            peer = self.server.accept()
            if peer.has_bytes() or not self.server.has_connection():
                content = peer.receive() if peer.has_bytes() else b""
                if content.startswith(b"POST"):
                    head, _, body = content.partition(b"\r\n\r\n")
                    return peer, head, body


@pytest.fixture
def server() -> Iterator[RawServer]:
    made = RawServer()
    yield made
    made.close()


@pytest.fixture
def rig(tmp_path: Path, server: RawServer) -> Iterator[Rig]:
    made = Rig(tmp_path, server)
    made.connect()
    yield made
    made.gateway.close()


def build_post(salt: int = 7) -> PlaceOrder:
    order = UnsignedOrder(
        salt=salt,
        maker=SIGNER.address,
        signer=SIGNER.address,
        token_id="111",
        maker_amount=2_880_000,
        taker_amount=6_000_000,
        side_code=0,
        signature_type=0,
        timestamp_ms=1_790_000_000_000,
    )
    now = clock.read()
    return PlaceOrder(
        request_id=5,
        order_id=order_hash(order, DOMAIN),
        order=order,
        domain=DOMAIN,
        expiration_s=1_790_000_182,
        post_only=True,
        permit=Permit(order_hash(order, DOMAIN), 3, now.boot_ns, reduce_only=False),
        deadline_ns=BootNs(now.boot_ns + 5 * NS_PER_S),
    )


def test_identity_is_told_once_key_and_credentials_are_there(rig: Rig) -> None:
    found = [m for m in rig.heard if isinstance(m, IdentityFound)]
    assert found == [IdentityFound("main", SIGNER.address, SIGNER.address, 0, "api-key-1")]


def test_nothing_leaves_before_there_are_credentials(tmp_path: Path, server: RawServer) -> None:
    rig = Rig(tmp_path, server, with_secrets=False)
    heard = rig.gateway.on_tick(clock.read())
    assert [type(m) for m in heard] == [IdentityMissing]
    post = build_post()
    assert rig.gateway.apply(post, clock.read()) == [HttpFailed(5, False, "no_credentials")]
    cancel = HttpRequest(6, "cancel", "DELETE", "/cancel-all", b"", post.deadline_ns)
    assert rig.gateway.apply(cancel, clock.read()) == [HttpFailed(6, False, "no_credentials")]
    assert rig.gateway.on_tick(clock.read()) == [], "the reason is told once"
    rig.write_secrets()
    later = instant(10**9)
    assert [type(m) for m in rig.gateway.on_tick(later)] == [IdentityFound]
    rig.gateway.close()


@pytest.mark.req("NET-7")
def test_credentials_of_another_key_are_refused(tmp_path: Path, server: RawServer) -> None:
    rig = Rig(tmp_path, server)
    other = Credentials("0x" + "9" * 40, "api-key-1", "c2VjcmV0", "passphrase-1")
    write_credentials(tmp_path / "credentials.json", other)
    heard = rig.gateway.on_tick(clock.read())
    assert heard == [IdentityMissing("the credentials belong to another key")]
    rig.gateway.close()


def test_post_is_signed_authenticated_and_gtd(rig: Rig) -> None:
    post = build_post()
    assert rig.gateway.apply(post, clock.read()) == []
    _, head, body = rig.read_post()
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /order HTTP/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:])
    now_s = int(headers["POLY_TIMESTAMP"])
    problem = check_request(CREDENTIALS, headers, "POST", "/order", body, now_s=now_s, window_s=1)
    assert problem is None
    sent = POST_ORDER.decode(body)
    assert (sent.order_type, sent.post_only, sent.owner) == ("GTD", True, "api-key-1")
    assert sent.order.expiration == "1790000182"
    assert to_unsigned_order(sent.order) == post.order
    assert sent.order.signature == SIGNER.sign(post.order, DOMAIN)
    assert CREDENTIALS.secret.encode() not in head + body


@pytest.mark.req("INV-3")
def test_core_is_asked_again_directly_before_the_write(rig: Rig) -> None:
    rig.answers = [None, "lease"]
    assert rig.gateway.apply(build_post(), clock.read()) == [HttpFailed(5, False, "lease")]
    assert len(rig.asked) == 2
    assert rig.asked[1].boot_ns > rig.asked[0].boot_ns, "with a fresh reading"


def build_batch() -> PlaceOrders:
    posts = tuple(build_post(salt) for salt in (7, 8, 9))
    return PlaceOrders(6, posts, posts[0].deadline_ns)


@pytest.mark.req("EX-2")
def test_batch_is_one_request_of_signed_orders_in_their_places(rig: Rig) -> None:
    batch = build_batch()
    assert rig.gateway.apply(batch, clock.read()) == []
    _, head, body = rig.read_post()
    assert head.startswith(b"POST /orders HTTP/1.1\r\n")
    sent = POST_ORDERS.decode(body)
    assert [to_unsigned_order(one.order) for one in sent] == [one.order for one in batch.orders]
    for one, post in zip(sent, batch.orders, strict=True):
        assert one.order.signature == SIGNER.sign(post.order, DOMAIN)
        assert (one.order_type, one.post_only) == ("GTD", True)


@pytest.mark.req("INV-3", "EX-2")
@pytest.mark.parametrize("refused", [0, 1, 2])
def test_every_order_of_a_batch_is_asked_for_again_directly_before_the_write(
    rig: Rig, refused: int
) -> None:
    rig.answers = [None for _ in range(6)]
    rig.answers[3 + refused] = "too_late"
    told = rig.gateway.apply(build_batch(), clock.read())
    assert told == [HttpFailed(6, sent=False, reason="too_late")]
    assert len(rig.asked) == 6
    assert len({moment.boot_ns for moment in rig.asked[3:]}) == 1, "one reading for the one write"
    assert rig.asked[3].boot_ns > rig.asked[0].boot_ns


@pytest.mark.req("INV-2")
def test_batch_whose_intents_were_not_journaled_comes_back_unsent(rig: Rig) -> None:
    told = rig.gateway.withhold(build_batch(), clock.read())
    assert told == [HttpFailed(6, False, "not_journaled")]
    assert not rig.gateway.is_urgent(build_batch())


@pytest.mark.req("INV-3")
def test_posts_that_wait_for_their_commit_are_taken_back_by_a_reset_alone_or_in_a_batch(
    rig: Rig,
) -> None:
    for waiting, number in ((build_post(), 5), (build_batch(), 6)):
        told = rig.gateway.withdraw(HttpReset("post"), waiting, clock.read())
        assert told == [HttpFailed(number, False, "reset")]
        assert rig.gateway.withdraw(HttpReset("cancel"), waiting, clock.read()) == []


@pytest.mark.req("EX-21")
def test_dry_run_opens_no_connection_for_posts_and_sends_cancels_as_ever(
    tmp_path: Path, server: RawServer
) -> None:
    """The core is asked here, and lets everything pass: the gateway holds by itself."""
    write_private(tmp_path / "key.hex", KEY.encode())
    write_credentials(tmp_path / "credentials.json", CREDENTIALS)
    settings = build_settings(tmp_path, server.url, dry_run=True)
    gateway = Gateway(settings, lambda permit, now: None)
    http = gateway._http
    assert isinstance(http, HttpEdge)
    pump(gateway, lambda _: http.is_connected("cancel") and http.is_connected("read"))
    post = build_post()
    assert gateway.apply(post, clock.read()) == [HttpFailed(5, False, "DRY_RUN")]
    bare = HttpRequest(8, "post", "POST", "/order", b"{}", post.deadline_ns)
    assert gateway.apply(bare, clock.read()) == [HttpFailed(8, False, "DRY_RUN")]
    assert gateway._before_write(bare, clock.read()) == "DRY_RUN"
    assert gateway.apply(HttpReset("post"), clock.read()) == []
    with pytest.raises(KeyError):
        http.is_connected("post")
    cancel = HttpRequest(6, "cancel", "DELETE", "/cancel-all", b"", post.deadline_ns)
    assert gateway.apply(cancel, clock.read()) == []
    heard: list[bytes] = []
    while not heard:
        peer = server.accept()
        heard = [peer.receive()] if peer.has_bytes() else []
    assert heard[0].startswith(b"DELETE /cancel-all")
    gateway.close()


@pytest.mark.req("INV-2")
def test_post_whose_intent_was_not_journaled_comes_back_unsent(rig: Rig) -> None:
    told = rig.gateway.withhold(build_post(), clock.read())
    assert told == [HttpFailed(5, False, "not_journaled")]


def test_request_on_the_post_lane_without_a_permit_never_leaves(rig: Rig) -> None:
    bare = HttpRequest(8, "post", "POST", "/order", b"{}", build_post().deadline_ns)
    assert rig.gateway.apply(bare, clock.read()) == [HttpFailed(8, False, "no_permit")]


def test_reset_gives_back_a_post_that_was_written_as_in_doubt(rig: Rig) -> None:
    rig.gateway.apply(build_post(), clock.read())
    told = rig.gateway.apply(HttpReset("post"), clock.read())
    assert [(m.sent, m.reason) for m in told if isinstance(m, HttpFailed)] == [(True, "reset")]


@pytest.mark.req("INV-3")
def test_reset_takes_back_what_waits_for_its_commit_in_that_lane_alone(rig: Rig) -> None:
    post, reset = build_post(), HttpReset("post")
    batch = PlaceOrders(9, (post,), post.deadline_ns)
    read = HttpRequest(7, "read", "GET", "/data/orders", b"", post.deadline_ns)
    bare = HttpRequest(8, "post", "POST", "/order", b"{}", post.deadline_ns)
    now = clock.read()
    for waiting in (post, batch, bare):
        told = rig.gateway.withdraw(reset, waiting, now)
        assert told == [HttpFailed(waiting.request_id, False, "reset")]
        assert rig.gateway.withdraw(HttpReset("read"), waiting, now) == []
    assert rig.gateway.withdraw(reset, read, now) == []
    cancel = HttpRequest(6, "cancel", "DELETE", "/cancel-all", b"", post.deadline_ns)
    assert rig.gateway.withdraw(cancel, post, now) == []


@pytest.mark.req("INV-4")
def test_cancels_and_resets_are_urgent_and_posts_are_not(rig: Rig) -> None:
    post = build_post()
    cancel = HttpRequest(6, "cancel", "DELETE", "/cancel-all", b"", post.deadline_ns)
    read = HttpRequest(7, "read", "GET", "/data/orders", b"", post.deadline_ns)
    assert rig.gateway.is_urgent(cancel)
    assert rig.gateway.is_urgent(HttpReset("post"))
    assert not rig.gateway.is_urgent(post)
    assert not rig.gateway.is_urgent(read)


def test_panic_file_is_told_at_first_and_at_each_change(tmp_path: Path) -> None:
    edge = PanicFile(tmp_path)
    told = [edge.on_tick(instant()), edge.on_tick(instant())]
    (tmp_path / PANIC_FILE).touch()
    told += [edge.on_tick(instant()), edge.on_tick(instant())]
    (tmp_path / PANIC_FILE).unlink()
    told += [edge.on_tick(instant())]
    seen = [[getattr(m, "is_present", None) for m in messages] for messages in told]
    assert seen == [[False], [], [True], [], [False]]


def test_data_directory_that_is_gone_counts_as_panic(tmp_path: Path) -> None:
    told = PanicFile(tmp_path / "gone").on_tick(instant())
    assert [getattr(m, "is_present", None) for m in told] == [True]


def test_node_of_the_chain_is_told_no_credentials(rig: Rig) -> None:
    """Another's host: what signs for the venue must never reach it."""
    now = clock.read()
    call = HttpRequest(8, "chain", "POST", "/v2/key", b"{}", BootNs(now.boot_ns + NS_PER_S))
    assert rig.gateway._headers(call, now) == {"Content-Type": "application/json"}
    read = msgspec.structs.replace(call, lane="read", method="GET")
    assert any(CREDENTIALS.api_key == text for text in rig.gateway._headers(read, now).values())


def test_lane_to_a_node_is_there_only_with_a_node() -> None:
    assert "chain" not in [lane.name for lane in lanes(build_config())]
    node = "http://127.0.0.1:18545/v2/key"
    (lane,) = [one for one in lanes(build_config(node=node)) if one.name == "chain"]
    assert lane.url == node
