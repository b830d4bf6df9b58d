"""The venue's recommended client listens to every socket of the simulator."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from eth_account import Account
from polymarket import AsyncSecureClient
from polymarket.errors import RequestRejectedError
from polymarket.models.clob.order_response import AcceptedOrder
from polymarket.streams import (
    CryptoPricesChainlinkTwapSpec,
    CryptoPriceSpec,
    CryptoPricesSpec,
    CryptoTwapPriceSpec,
    EquityPriceSpec,
    MarketSpec,
    UserSpec,
)

from tests.builders.simulator_server import ANY_ASK, SimulatorServer, serving

KEY = "0x" + "21" * 32
WAIT_S = 60.0
Deed = Callable[[AsyncSecureClient], Awaitable[object]]


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    with serving(oracle_latency_ms=200, price_ms=250, rate_limits=False) as server:
        yield server


def listen(
    server: SimulatorServer,
    spec: Any,
    is_enough: Callable[[list[Any]], bool],
    deed: Deed | None = None,
) -> list[Any]:
    """Return what a subscription hears until it is enough, while something is done."""

    async def run() -> list[Any]:
        heard: list[Any] = []
        wallet = Account.from_key(KEY).address
        async with (
            await AsyncSecureClient.create(
                private_key=KEY, wallet=wallet, environment=server.environment()
            ) as client,
            await client.subscribe(spec) as events,
            asyncio.timeout(WAIT_S),
        ):
            if deed is not None:
                await deed(client)
            async for event in events:
                heard.append(event)
                if is_enough(heard):
                    break
        return heard

    return asyncio.run(run())


def kinds(events: list[Any]) -> set[str]:
    return {event.type for event in events}


@pytest.mark.req("TST-5")
def test_market_stream_tells_books_changes_and_trades(server: SimulatorServer) -> None:
    up, down = server.market.tokens

    async def take(client: AsyncSecureClient) -> None:
        await client.place_market_order(
            asset_id=up, side="BUY", amount=2, max_price=ANY_ASK, order_type="FAK"
        )

    spec = MarketSpec(asset_ids=[up, down], custom_feature_enabled=True)
    wanted = {"book", "price_change", "last_trade_price"}
    events = listen(server, spec, lambda heard: wanted <= kinds(heard), take)
    book = next(event for event in events if event.type == "book")
    assert book.payload.asset_id in (up, down)
    bids = [level.price for level in book.payload.bids]
    assert bids == sorted(bids)
    trade = next(event for event in events if event.type == "last_trade_price")
    assert trade.payload.size > 0


@pytest.mark.req("TST-5")
@pytest.mark.req("VEN-6")
def test_user_stream_tells_an_orders_life_and_a_trades_road(server: SimulatorServer) -> None:
    up, _ = server.market.tokens
    ids: dict[str, str] = {}

    async def trade(client: AsyncSecureClient) -> None:
        bid = await client.place_limit_order(
            asset_id=up, price=0.02, size=10, side="BUY", post_only=True
        )
        assert isinstance(bid, AcceptedOrder)
        await client.cancel_order(order_id=bid.order_id)
        bought = await client.place_market_order(
            asset_id=up, side="BUY", amount=2, max_price=ANY_ASK, order_type="FAK"
        )
        assert isinstance(bought, AcceptedOrder)
        ids.update(bid=bid.order_id, taker=bought.order_id, trade=bought.trade_ids[0])

    def is_over(heard: list[Any]) -> bool:
        return any(e.type == "trade" and e.payload.status == "CONFIRMED" for e in heard)

    events = listen(server, UserSpec(), is_over, trade)
    of_bid = [e.payload for e in events if e.type == "order" and e.payload.id == ids["bid"]]
    assert [(order.order_event_type, order.status) for order in of_bid] == [
        ("PLACEMENT", "LIVE"),
        ("CANCELLATION", "CANCELED"),
    ]
    trades = [e.payload for e in events if e.type == "trade" and e.payload.id == ids["trade"]]
    assert [trade.status for trade in trades] == ["MATCHED", "MINED", "CONFIRMED"]
    assert {trade.taker_order_id for trade in trades} == {ids["taker"]}


@pytest.mark.req("TST-5")
def test_user_stream_of_one_market_hears_of_no_other(server: SimulatorServer) -> None:
    other = next(market for market in server.core.exchange.calendar if market.state == "LISTED")
    mine = server.market

    async def trade(client: AsyncSecureClient) -> None:
        for market in (other, mine):
            await client.place_limit_order(
                asset_id=market.tokens[0], price=0.02, size=10, side="BUY"
            )
        await client.cancel_all()

    events = listen(
        server, UserSpec(markets=[mine.condition_id]), lambda heard: len(heard) == 2, trade
    )
    assert {event.payload.market for event in events} == {mine.condition_id}


@pytest.mark.req("TST-5")
@pytest.mark.req("VEN-5")
@pytest.mark.parametrize(
    ("spec", "source"),
    [
        (CryptoPriceSpec(symbols=["btcusd"]), "pyth"),
        (CryptoPriceSpec(symbols=["btcusd"], provider="chainlink"), "chainlink"),
        (CryptoTwapPriceSpec(symbols=["btcusd"]), "chainlink"),
    ],
)
def test_price_socket_begins_with_the_past_and_counts_densely(
    server: SimulatorServer, spec: Any, source: str
) -> None:
    first, *updates = listen(server, spec, lambda heard: len(heard) == 4)
    assert first.type == "subscribe"
    stamps = [point.timestamp for point in first.payload.data]
    assert stamps == sorted(stamps)
    assert 100 <= (stamps[-1] - stamps[0]).total_seconds() <= 121
    assert {update.type for update in updates} == {"update"}
    assert [event.seq for event in (first, *updates)] == [1, 2, 3, 4]
    assert {event.payload.source for event in (first, *updates)} == {source}
    assert all(later.timestamp >= earlier.timestamp for earlier, later in pairwise(updates))


@pytest.mark.req("TST-5")
def test_price_socket_has_no_shares(server: SimulatorServer) -> None:
    with pytest.raises(RequestRejectedError) as refused:
        listen(server, EquityPriceSpec(symbol="aapl"), lambda heard: True)
    assert refused.value.code == "bad_filter"


@pytest.mark.req("TST-5")
@pytest.mark.req("VEN-5")
def test_listener_to_prices_begins_again_after_a_restart(server: SimulatorServer) -> None:
    def has_begun_again(heard: list[Any]) -> bool:
        if len(heard) == 2:
            server.drop(stream="price", code=1012)
        return kinds(heard[2:]) >= {"subscribe", "update"}

    events = listen(server, CryptoPriceSpec(symbols=["btcusd"]), has_begun_again)
    starts = [event for event in events if event.type == "subscribe"]
    assert {event.seq for event in starts} == {1}


@pytest.mark.req("TST-5")
@pytest.mark.req("VEN-5")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_price_socket_is_heard_without_filters(server: SimulatorServer) -> None:
    specs = [
        CryptoPricesSpec(topic="prices.crypto.chainlink"),
        CryptoPricesSpec(topic="prices.crypto.binance", symbols=["btcusdt"]),
        CryptoPricesChainlinkTwapSpec(window_seconds=60),
        CryptoPricesChainlinkTwapSpec(window_seconds=30, symbols=["btc/usd"]),
    ]

    def key_of(event: Any) -> tuple[str, int]:
        return event.topic, getattr(event.payload, "window_seconds", 0)

    events = listen(server, specs, lambda heard: len({key_of(event) for event in heard}) == 4)
    values = [event.payload.value for event in events]
    assert all(isinstance(value, Decimal) for value in values)
    assert max(values) / min(values) < Decimal("1.01")
    assert {event.payload.symbol for event in events} == {"btc/usd", "btcusdt"}
