"""The venue's recommended client discovers, reads its positions, and speaks to the relayer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import TypeVar

import pytest
from eth_account import Account
from polymarket import AsyncPublicClient, AsyncSecureClient, PublicClient
from polymarket.auth import RelayerApiKey
from polymarket.errors import RequestRejectedError
from polymarket.models.clob.order_response import AcceptedOrder
from polymarket.types import EvmAddress

from services.simulator.discovery.rows import event_id_of, series_id_of
from shared.venue.contracts import COLLATERAL
from shared.venue.order_hash import EXCHANGE_V2
from shared.venue.wallets import deposit_address
from tests.builders.simulator_server import ANY_ASK, SimulatorServer, serving

KEY = "0x" + "31" * 32
OWNER = str(Account.from_key(KEY).address)
LOOKS_MAX = 20
T = TypeVar("T")


@pytest.fixture(scope="module", params=["v1", "v2"])
def server(request: pytest.FixtureRequest) -> Iterator[SimulatorServer]:
    with serving(protocol=request.param, takers_per_second=0, ahead=4) as server:
        yield server


def ask(server: SimulatorServer, how: Callable[[AsyncPublicClient], Awaitable[T]]) -> T:
    async def run() -> T:
        async with AsyncPublicClient(environment=server.environment()) as client:
            return await how(client)

    return asyncio.run(run())


def trade(server: SimulatorServer, how: Callable[[AsyncSecureClient], Awaitable[T]]) -> T:
    async def run() -> T:
        async with await AsyncSecureClient.create(
            private_key=KEY, wallet=OWNER, environment=server.environment()
        ) as client:
            return await how(client)

    return asyncio.run(run())


@pytest.mark.req("TST-5")
@pytest.mark.req("MR-1")
def test_market_and_event_are_found_by_slug_and_id(server: SimulatorServer) -> None:
    market = server.market

    async def look(client: AsyncPublicClient) -> None:
        by_slug = await client.get_market(slug=market.slug)
        assert (await client.get_market(id=market.number)).slug == market.slug
        event = await client.get_event(slug=market.slug)
        assert (await client.get_event(id=event_id_of(market))).slug == event.slug
        assert [inner.id for inner in event.markets] == [by_slug.id]
        assert [series.id for series in event.series] == [series_id_of(market)]
        ids = [
            outcome.position_id if market.version == "v2" else outcome.token_id
            for outcome in (by_slug.outcomes.yes, by_slug.outcomes.no)
        ]
        assert [str(token) for token in ids] == list(market.tokens)
        assert by_slug.version == market.version
        assert by_slug.state.accepting_orders is True
        assert (by_slug.tags, bool(by_slug.events)) == ((), True)
        tagged = await client.get_market(slug=market.slug, include_tag=True)
        assert [tag.slug for tag in tagged.tags][:2] == ["crypto", "up-or-down"]
        assert await client.get_market_tags(market.number)
        assert (await client.get_tag(slug="crypto")).id == tagged.tags[0].id
        with pytest.raises(RequestRejectedError) as missing:
            await client.get_market(slug="no-such-market")
        assert missing.value.status == 404

    ask(server, look)


@pytest.mark.req("TST-5")
@pytest.mark.req("MR-1")
def test_lists_are_paged_and_filtered(server: SimulatorServer) -> None:
    market = server.market

    async def look(client: AsyncPublicClient) -> None:
        pages = [page async for page in client.list_markets(page_size=2)]
        slugs = [row.slug for page in pages for row in page.items]
        assert len(slugs) == len(set(slugs)) == 5
        series = int(series_id_of(market))
        events = (await client.list_events(series_ids=[series]).first_page()).items
        assert {event.slug for event in events} == set(slugs)
        found = client.list_markets(condition_ids=[market.condition_id], version=market.version)
        assert [row.id for row in (await found.first_page()).items] == [market.number]
        assert not (await client.list_markets(closed=True).first_page()).items
        known = await client.get_series(str(series))
        assert known.events is not None
        assert len(known.events) == 5
        ((listed,),) = [page.items async for page in client.list_series()]
        assert listed.id == known.id
        with pytest.raises(RequestRejectedError) as refused:
            await client.list_markets(order="volume_24hr").first_page()
        assert refused.value.status == 422

    ask(server, look)


@pytest.mark.req("TST-5")
def test_client_without_a_loop_discovers_too(server: SimulatorServer) -> None:
    market = server.market
    with PublicClient(environment=server.environment()) as client:
        assert client.get_event(slug=market.slug).markets[0].id == market.number
        assert len(client.list_events(page_size=3).first_page().items) == 3
        book = client.get_order_book(asset_id=market.tokens[0])
        assert str(book.asset_id) == market.tokens[0]
        resolutions = client.get_resolutions(condition_ids=market.condition_id)
        assert resolutions[0].payouts is None


@pytest.mark.req("TST-5")
@pytest.mark.req("MR-2")
def test_positions_trades_activity_and_value_agree(server: SimulatorServer) -> None:
    market = server.market
    up, down = market.tokens

    async def use(client: AsyncSecureClient) -> None:
        bought = await client.place_market_order(
            asset_id=up, side="BUY", amount=6, max_price=ANY_ASK, order_type="FAK"
        )
        assert isinstance(bought, AcceptedOrder)
        hashes = await client.wait_for_order_fill_settlement(bought)
        (position,) = (await client.list_positions(user=OWNER).first_page()).items
        assert position.current_size == bought.taking_amount
        assert position.entry_cost_usdc == Decimal(6)
        assert str(position.asset_id) == up
        assert str(position.opposite_asset_id) == down
        trades = (await client.list_trades(user=OWNER).first_page()).items
        assert {trade.transaction_hash for trade in trades} == set(hashes)
        assert sum(trade.size for trade in trades) == bought.taking_amount
        pages = [page async for page in client.list_activity(user=OWNER, page_size=1)]
        assert len(pages) == len(trades)
        assert {row.type for page in pages for row in page.items} == {"TRADE"}
        # The book mends itself after a taker: value and position are of one book only between
        # two equal looks.
        for _ in range(LOOKS_MAX):
            (before,) = (await client.list_positions(user=OWNER).first_page()).items
            value = await client.get_portfolio_value(user=OWNER)
            (after,) = (await client.list_positions(user=OWNER).first_page()).items
            if before.current_value == after.current_value:
                break
        assert before.current_value == value.value == after.current_value
        volume = await client.get_user_volume(user=OWNER)
        assert (volume.volume_usdc, volume.trade_count) == (Decimal(6), len(trades))
        (reference,) = await client.get_token_references(asset_ids=down)
        assert (reference.outcome, reference.resolved) == ("Down", False)
        holders = await client.list_market_holders(condition_ids=market.condition_id).first_page()
        assert OWNER.lower() in {h.wallet.lower() for g in holders.items for h in g.holders}
        (interest,) = await client.get_open_interests(condition_ids=market.condition_id)
        assert interest.value >= bought.taking_amount
        assert (await client.get_trading_approvals_state()).is_fully_approved
        traded = await client.get_event_live_volume(event_ids=int(event_id_of(market)))
        assert traded.taker_volume_total >= bought.taking_amount
        history = client.list_price_history(asset_id=up, interval="1h")
        assert (await history.first_page()).items[-1].price == trades[0].price

    trade(server, use)


@pytest.mark.req("TST-5")
def test_refusal_of_the_data_service_has_a_code(server: SimulatorServer) -> None:
    async def look(client: AsyncPublicClient) -> None:
        with pytest.raises(RequestRejectedError) as refused:
            await client.get_portfolio_value(user="0x12")
        assert (refused.value.status, refused.value.code) == (400, "invalid_parameter")

    ask(server, look)


@pytest.mark.req("TST-5")
@pytest.mark.req("VEN-3")
def test_deposit_wallet_is_created_and_approves_through_the_relayer() -> None:
    with serving(deposit_wallets="undeployed", takers_per_second=0) as server:
        up, _ = server.market.tokens

        async def run() -> None:
            async with await AsyncSecureClient.create(
                private_key=KEY,
                environment=server.environment(),
                api_key=RelayerApiKey(key="mine", address=EvmAddress(OWNER)),
            ) as client:
                assert client.wallet.lower() == deposit_address(OWNER)
                await client.setup_trading_approvals()
                handle = await client.approve_erc20(
                    token_address=COLLATERAL, spender_address=OWNER, amount=7
                )
                assert (await handle.wait()).transaction_hash.startswith("0x")
                order = await client.place_limit_order(asset_id=up, price=0.02, size=10, side="BUY")
                assert order.ok

        asyncio.run(run())


@pytest.mark.req("TST-5")
def test_order_that_lacks_an_allowance_is_approved_for_and_sent_again() -> None:
    """The client reads that from the words of the refusal, and approves through the relayer."""
    with serving(takers_per_second=0) as server:
        up, _ = server.market.tokens
        wallet = deposit_address(OWNER)
        revoked = {"account": wallet, "spender": EXCHANGE_V2, "amount": 0}

        async def run() -> None:
            async with await AsyncSecureClient.create(
                private_key=KEY,
                environment=server.environment(),
                api_key=RelayerApiKey(key="mine", address=EvmAddress(OWNER)),
            ) as client:
                await asyncio.to_thread(server.admin, "/admin/allowance", revoked)
                state = await client.get_trading_approvals_state()
                assert [gap.spender for gap in state.missing.erc20] == [EXCHANGE_V2]
                order = await client.place_limit_order(asset_id=up, price=0.02, size=10, side="BUY")
                assert order.ok
                assert (await client.get_trading_approvals_state()).is_fully_approved

        asyncio.run(run())
