"""Our own gateway's orders of every wallet kind are taken by the simulator, over real HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus import clock
from bus.credentials import write_credentials, write_private
from bus.http import HttpEdge
from bus.settings import Settings
from services.execution.gateway import Gateway
from services.execution.may_send import Permit, PlaceOrder
from services.execution.messages import IdentityFound
from services.execution.signer import OrderSigner
from services.simulator.keys import Keys
from shared.effects import HttpReply
from shared.units import NS_PER_S, BootNs
from shared.venue.order_hash import UnsignedOrder, exchange_domain, order_hash
from shared.venue.orders_wire import POST_REPLY
from shared.venue.wallets import maker_address
from tests.builders.clob_server import ListedMarket, Server
from tests.builders.execution_config import build_config
from tests.builders.raw_server import pump

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
SIGNER = OrderSigner(bytes.fromhex(KEY))
KINDS = ["eoa", "proxy", "safe", "deposit"]
GTD_S = 600


def build_gateway(directory: Path, server: Server, kind: str) -> Gateway:
    wallet: Any = {"wallet_kind": kind}
    if kind != "eoa":
        wallet["wallet_address"] = maker_address(KINDS.index(kind), SIGNER.address)
    config = build_config()
    config = msgspec.structs.replace(
        config,
        venue=msgspec.structs.replace(config.venue, clob_url=server.url),
        account=msgspec.structs.replace(config.account, **wallet),
    )
    settings = Settings(
        config=config,
        path=directory / "profile.toml",
        run_directory=directory,
        data_directory=directory,
        key_file=directory / "key.hex",
        credentials_file=directory / "credentials.json",
        config_hash="",
        build_hash="",
        dependency_hash="",
    )
    write_private(settings.key_file, KEY.encode())
    write_credentials(settings.credentials_file, Keys(1, 60).derive(SIGNER.address, 0))
    return Gateway(settings, lambda permit, now: None)


def build_post(who: IdentityFound, market: ListedMarket) -> PlaceOrder:
    now = clock.read()
    order = UnsignedOrder(
        salt=now.wall_ns // 1000,
        maker=who.wallet,
        signer=who.signer,
        token_id=market.tokens[0],
        maker_amount=1_000_000,
        taker_amount=10_000_000,
        side_code=0,
        signature_type=who.signature_type,
        timestamp_ms=now.wall_ms,
    )
    domain = exchange_domain(market.version, market.neg_risk)
    hashed = order_hash(order, domain)
    return PlaceOrder(
        request_id=5,
        order_id=hashed,
        order=order,
        domain=domain,
        expiration_s=now.wall_ns // NS_PER_S + GTD_S,
        post_only=True,
        permit=Permit(hashed, 3, now.boot_ns, reduce_only=False),
        deadline_ns=BootNs(now.boot_ns + 5 * NS_PER_S),
    )


@pytest.fixture(params=KINDS)
def gateway(
    tmp_path: Path, server: Server, request: pytest.FixtureRequest
) -> Iterator[tuple[Gateway, IdentityFound]]:
    gateway = build_gateway(tmp_path, server, request.param)
    http = gateway._http
    assert isinstance(http, HttpEdge)
    heard = pump(gateway, lambda _: http.is_connected("post"))
    yield gateway, next(message for message in heard if isinstance(message, IdentityFound))
    gateway.close()


@pytest.mark.req("VEN-2")
@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("protocol", ["v1", "neg_risk", "v2"])
def test_our_order_rests_under_its_wallet(
    server: Server, gateway: tuple[Gateway, IdentityFound], protocol: str
) -> None:
    edge, who = gateway
    post = build_post(who, server.market(protocol))
    assert edge.apply(post, clock.read()) == []
    heard = pump(edge, lambda found: any(isinstance(item, HttpReply) for item in found))
    answer = next(item for item in heard if isinstance(item, HttpReply))
    assert answer.status == 200, answer.body
    reply = POST_REPLY.decode(answer.body)
    assert (reply.success, reply.status, reply.order_id) == (True, "live", post.order_id)
    _, state = server.ask("GET", "/admin/state")
    rows = [row for orders in state["open"].values() for row in orders]
    (row,) = [row for row in rows if row["order_id"] == post.order_id]
    assert row["account"] == maker_address(who.signature_type, SIGNER.address)
