"""The venue's recommended client, `polymarket-client`, trades at the simulator, both ways of it.

It is not ours, so it judges independently that keys, signatures, orders of every kind, cancels,
reads and heartbeats are what a real client expects. Its environment object is all that points it
here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import TypeVar

import pytest
from eth_account import Account
from polymarket import AsyncSecureClient, SecureClient
from polymarket.errors import (
    OrderHeartbeatMismatchError,
    RequestRejectedError,
    TransactionFailedError,
)
from polymarket.models.clob.order_response import AcceptedOrder

from tests.builders.simulator_server import ANY_ASK, ANY_BID, SimulatorServer, serving

KEY = "0x" + "11" * 32
T = TypeVar("T")


@pytest.fixture(scope="module", params=["v1", "neg_risk", "v2"])
def server(request: pytest.FixtureRequest) -> Iterator[SimulatorServer]:
    with serving(protocol=request.param, takers_per_second=0, rate_limits=False) as server:
        yield server


def wallet_of(key: str) -> str:
    return str(Account.from_key(key).address)


def trade(
    server: SimulatorServer,
    how: Callable[[AsyncSecureClient], Awaitable[T]],
    key: str = KEY,
    wallet: str | None = "",
) -> T:
    """Do something with a client of the wallet given, of the plain key if none is named."""

    async def run() -> T:
        async with await AsyncSecureClient.create(
            private_key=key,
            wallet=wallet_of(key) if wallet == "" else wallet,
            environment=server.environment(),
        ) as client:
            return await how(client)

    return asyncio.run(run())


def accepted(order: object) -> AcceptedOrder:
    assert isinstance(order, AcceptedOrder), order
    return order


@pytest.mark.req("TST-5")
def test_key_is_created_derived_listed_and_deleted(server: SimulatorServer) -> None:
    key = "0x" + "12" * 32

    async def use(client: AsyncSecureClient) -> tuple[str, tuple[str, ...]]:
        assert await client.get_closed_only_mode() is False
        return client.credentials.key, await client.fetch_api_keys()

    first, listed = trade(server, use, key)
    assert listed == (first,)
    assert trade(server, use, key)[0] == first

    async def delete(client: AsyncSecureClient) -> None:
        await client.delete_api_key()
        with pytest.raises(RequestRejectedError) as refused:
            await client.fetch_api_keys()
        assert refused.value.status == 401

    trade(server, delete, key)


@pytest.mark.req("TST-5")
@pytest.mark.req("VEN-2")
def test_limit_orders_rest_are_read_and_cancelled(server: SimulatorServer) -> None:
    market = server.market
    up, down = market.tokens

    async def use(client: AsyncSecureClient) -> None:
        bid = accepted(
            await client.place_limit_order(
                asset_id=up, price=0.02, size=10, side="BUY", post_only=True
            )
        )
        assert bid.status == "live"
        expiration = server.now_s + 400
        timed = accepted(
            await client.place_limit_order(
                asset_id=down, price=0.03, size="7.5", side="BUY", expiration=expiration
            )
        )
        row = await client.get_order(order_id=bid.order_id)
        assert row is not None
        assert (row.price, row.original_size, row.side) == (Decimal("0.02"), Decimal(10), "BUY")
        found = (await client.list_open_orders(asset_id=down).first_page()).items
        assert [order.id for order in found] == [timed.order_id]
        canceled = await client.cancel_order(order_id=bid.order_id)
        assert canceled.canceled == (bid.order_id,)
        again = await client.cancel_order(order_id=bid.order_id)
        assert set(again.not_canceled) == {bid.order_id}
        both = await client.cancel_market_orders(market=market.condition_id)
        assert both.canceled == (timed.order_id,)

    trade(server, use)


@pytest.mark.req("TST-5")
def test_batch_has_bad_orders_among_good_ones(server: SimulatorServer) -> None:
    up, _ = server.market.tokens

    async def use(client: AsyncSecureClient) -> None:
        good = [
            await client.create_limit_order(asset_id=up, price=0.02, size=5 + n, side="BUY")
            for n in range(14)
        ]
        poor = await client.create_limit_order(asset_id=up, price=0.5, size=100_000, side="BUY")
        replies = await client.post_orders([*good, poor])
        assert [reply.ok for reply in replies] == [True] * 14 + [False]
        ids = [accepted(reply).order_id for reply in replies[:14]]
        canceled = await client.cancel_orders(order_ids=ids[:4])
        assert set(canceled.canceled) == set(ids[:4])
        rest = await client.cancel_all()
        assert set(rest.canceled) == set(ids[4:])

    trade(server, use)


@pytest.mark.req("TST-5")
def test_market_orders_fill_and_settle_and_are_found_among_the_trades(
    server: SimulatorServer,
) -> None:
    up, _ = server.market.tokens

    async def use(client: AsyncSecureClient) -> None:
        bought = accepted(
            await client.place_market_order(
                asset_id=up, side="BUY", amount=4, max_price=ANY_ASK, order_type="FAK"
            )
        )
        assert (bought.status, bought.making_amount) == ("matched", Decimal(4))
        hashes = await client.wait_for_order_fill_settlement(bought)
        assert len(hashes) == len(bought.trade_ids)
        trades = (await client.list_account_trades(asset_id=up).first_page()).items
        mine = {trade.id: trade for trade in trades}
        assert set(bought.trade_ids) <= set(mine)
        assert mine[bought.trade_ids[0]].status == "CONFIRMED"
        assert mine[bought.trade_ids[0]].trader_side == "TAKER"
        held = await client.get_balance_allowance(asset_type="CONDITIONAL", token_id=up)
        shares = Decimal(held.balance) / 10**6
        assert shares >= bought.taking_amount
        sold = accepted(
            await client.place_market_order(
                asset_id=up, side="SELL", shares=2, min_price=ANY_BID, order_type="FOK"
            )
        )
        assert sold.status == "matched"
        with pytest.raises(RequestRejectedError, match="fully filled"):
            await client.place_market_order(
                asset_id=up, side="BUY", amount=5, max_price=0.05, order_type="FOK"
            )

    trade(server, use)


@pytest.mark.req("TST-5")
def test_fill_that_fails_on_the_chain_is_told_as_failed(server: SimulatorServer) -> None:
    up, _ = server.market.tokens
    server.fault(kind="fail_settlement")

    async def use(client: AsyncSecureClient) -> None:
        bought = accepted(
            await client.place_market_order(
                asset_id=up, side="BUY", amount=2, max_price=ANY_ASK, order_type="FAK"
            )
        )
        with pytest.raises(TransactionFailedError):
            await client.wait_for_order_fill_settlement(bought)

    try:
        trade(server, use, "0x" + "13" * 32)
    finally:
        server.fault(off=True)


@pytest.mark.req("TST-5")
def test_pages_hold_every_open_order_once(server: SimulatorServer) -> None:
    up, _ = server.market.tokens

    async def use(client: AsyncSecureClient) -> None:
        placed: set[str] = set()
        for _ in range(8):
            batch = [
                await client.create_limit_order(asset_id=up, price=0.01, size=5, side="BUY")
                for _ in range(15)
            ]
            placed |= {accepted(reply).order_id for reply in await client.post_orders(batch)}
        pages = [page async for page in client.list_open_orders()]
        assert len(pages) == 2
        ids = [order.id for page in pages for order in page.items]
        assert len(ids) == len(placed) == 120
        assert set(ids) == placed
        await client.cancel_all()

    trade(server, use, "0x" + "14" * 32)


@pytest.mark.req("TST-5")
def test_heartbeat_ids_follow_each_other(server: SimulatorServer) -> None:
    async def use(client: AsyncSecureClient) -> None:
        first = await client.send_order_heartbeat()
        second = await client.send_order_heartbeat(heartbeat_id=first.heartbeat_id)
        with pytest.raises(OrderHeartbeatMismatchError) as refused:
            await client.send_order_heartbeat(heartbeat_id=first.heartbeat_id)
        assert refused.value.heartbeat_id == second.heartbeat_id

    trade(server, use, "0x" + "15" * 32)


@pytest.mark.req("TST-5")
@pytest.mark.req("VEN-3")
def test_default_wallet_is_the_deposit_wallet_and_trades(server: SimulatorServer) -> None:
    """The relayer says that the legacy form does not stand, so the client takes the present one."""
    up, _ = server.market.tokens

    async def use(client: AsyncSecureClient) -> None:
        assert client.wallet_type == "DEPOSIT_WALLET"
        order = accepted(
            await client.place_limit_order(asset_id=up, price=0.02, size=10, side="BUY")
        )
        row = await client.get_order(order_id=order.order_id)
        assert row is not None
        assert row.maker_address.lower() == client.wallet.lower()
        bought = accepted(
            await client.place_market_order(
                asset_id=up, side="BUY", amount=2, max_price=ANY_ASK, order_type="FAK"
            )
        )
        await client.wait_for_order_fill_settlement(bought)
        (position,) = (await client.list_positions(user=client.wallet).first_page()).items
        assert position.wallet.lower() == client.wallet.lower()
        await client.cancel_all()

    trade(server, use, "0x" + "16" * 32, wallet=None)


@pytest.mark.req("TST-5")
def test_client_without_a_loop_does_the_same(server: SimulatorServer) -> None:
    market = server.market
    up, _ = market.tokens
    key = "0x" + "17" * 32
    with SecureClient.create(
        private_key=key, wallet=wallet_of(key), environment=server.environment()
    ) as client:
        bid = accepted(client.place_limit_order(asset_id=up, price=0.02, size=10, side="BUY"))
        assert [o.id for o in client.list_open_orders().first_page().items] == [bid.order_id]
        bought = accepted(
            client.place_market_order(
                asset_id=up, side="BUY", amount=3, max_price=ANY_ASK, order_type="FAK"
            )
        )
        assert client.wait_for_order_fill_settlement(bought)
        signed = [
            client.create_limit_order(asset_id=up, price=0.03, size=5, side="BUY") for _ in range(2)
        ]
        assert all(reply.ok for reply in client.post_orders(signed))
        beat = client.send_order_heartbeat()
        assert client.send_order_heartbeat(heartbeat_id=beat.heartbeat_id) != beat
        assert len(client.cancel_all().canceled) == 3
        assert client.get_balance_allowance(asset_type="COLLATERAL").balance < 1_000_000_000
        assert client.get_market(slug=market.slug).id == market.number
        assert client.list_account_trades().first_page().items
        assert client.list_positions(user=client.wallet).first_page().items
