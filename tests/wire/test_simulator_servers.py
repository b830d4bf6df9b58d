"""The simulator behind its real servers, driven by the venue's own client library.

`py-clob-client-v2` is not ours, so it judges independently that keys, HMACs, signatures,
routes and rows are what a real client expects.
"""

import http.client
import json
from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

import msgspec
import pytest
from coincurve import PrivateKey
from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.clob_types import (
    ApiCreds,
    BalanceAllowanceParams,
    MarketOrderArgs,
    OrderArgs,
    OrderPayload,
    OrderType,
    PartialCreateOrderOptions,
    PostOrdersV2Args,
)
from py_clob_client_v2.exceptions import PolyApiException
from websockets.sync.client import ClientConnection, connect

from services.simulator.core import SimulatorCore
from services.simulator.line_file import LineFile
from services.simulator.shell import Shell
from shared.config import SimulatorSettings
from shared.facts import Level
from shared.identifiers import ConditionId, TokenId
from shared.units import PriceE4, SizeE6, WallMs
from shared.venue.book_hash import HashedBook, book_hash
from shared.venue.decimals import parse_price, parse_size
from shared.venue.gamma_wire import MARKET, decode_texts
from shared.venue.market_wire import BOOK, PriceLevel
from shared.venue.streams_wire import (
    BookFrame,
    LastTradeFrame,
    PriceChangeFrame,
    decode_market_frames,
)
from tests.builders.venue_thread import VenueThread

WAIT_S = 60.0
KEY = PrivateKey(b"\x11" * 32).to_hex()


class Server(VenueThread):
    """A simulator of long markets, so that none rolls in a test."""

    def __init__(self, settings: SimulatorSettings, wire_log: Path) -> None:
        self.core = SimulatorCore(settings, ("btc",), 14_400)
        self.wire_log = wire_log
        super().__init__(lambda: Shell(self.core, LineFile(wire_log)))

    def socket(self, path: str) -> ClientConnection:
        return connect(self.socket_url(path), open_timeout=WAIT_S, ping_interval=None)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("simulator")
    server = Server(SimulatorSettings(mined_ms=0, taker_delay_ms=20), directory / "wire.jsonl")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(server: Server) -> ClobClient:
    client = ClobClient(server.url, 137, key=KEY)
    client.set_api_creds(client.create_api_key())
    return client


def open_market(server: Server) -> tuple[str, str, str]:
    """Return condition, Up token and Down token of the running market, as discovery tells them."""
    slug = next(market.slug for market in server.core.exchange.calendar if market.state == "OPEN")
    text = _get(server, f"/markets/slug/{slug}")
    market = MARKET.decode(text)
    up, down = decode_texts(market.clob_token_ids, "clobTokenIds")
    return market.condition_id, up, down


def _get(server: Server, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_S)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200, body
    return body


def post_far_bid(client: ClobClient, token: str, price: float = 0.01) -> str:
    order = client.create_order(
        OrderArgs(token_id=token, price=price, size=10, side="BUY"),
        PartialCreateOrderOptions(tick_size="0.01", neg_risk=False),
    )
    reply = client.post_order(order, OrderType.GTC, post_only=True)
    assert reply["success"] is True
    assert reply["status"] == "live"
    return str(reply["orderID"])


def test_official_client_gets_the_same_key_again(server: Server, client: ClobClient) -> None:
    derived = client.derive_api_key()
    assert derived == client.creds
    with pytest.raises(PolyApiException) as caught:
        client.create_api_key()
    assert caught.value.status_code == 400
    assert client.get_api_keys() == {"apiKeys": [derived.api_key]}


def test_official_client_posts_reads_and_cancels(server: Server, client: ClobClient) -> None:
    condition, up, _ = open_market(server)
    order_id = post_far_bid(client, up)
    (row,) = client.get_open_orders()
    assert row["id"] == order_id
    assert row["market"] == condition
    assert (row["price"], row["original_size"], row["status"]) == ("0.01", "10", "LIVE")
    assert client.get_order(order_id) == row
    reply = client.cancel_order(OrderPayload(orderID=order_id))
    assert reply == {"canceled": [order_id], "not_canceled": {}}
    assert client.get_open_orders() == []


def test_official_client_posts_a_batch_and_cancels_all(server: Server, client: ClobClient) -> None:
    _, up, down = open_market(server)
    options = PartialCreateOrderOptions(tick_size="0.01", neg_risk=False)
    orders = [
        client.create_order(OrderArgs(token_id=token, price=0.02, size=6, side="BUY"), options)
        for token in (up, down)
    ]
    replies = client.post_orders(
        [PostOrdersV2Args(order=order, orderType=OrderType.GTC) for order in orders],
        post_only=True,
    )
    assert [reply["status"] for reply in replies] == ["live", "live"]
    canceled = client.cancel_all()["canceled"]
    assert canceled == [reply["orderID"] for reply in replies]


def test_official_client_takes_and_is_charged_the_fee(server: Server, client: ClobClient) -> None:
    _, up, _ = open_market(server)
    order = client.create_market_order(
        MarketOrderArgs(token_id=up, amount=10, side="BUY", price=0.99),
        PartialCreateOrderOptions(tick_size="0.01", neg_risk=False),
    )
    reply = client.post_order(order, OrderType.FAK)
    assert reply["status"] == "matched"
    assert reply["tradeIDs"]
    assert reply["transactionsHashes"], "the client waits until its trades are mined"
    bought = client.get_balance_allowance(
        BalanceAllowanceParams(asset_type="CONDITIONAL", token_id=up)
    )
    trades = client.get_trades()
    shares = sum(Decimal(trade["size"]) for trade in trades)
    assert int(bought["balance"]) == shares * 1_000_000
    money = client.get_balance_allowance(BalanceAllowanceParams(asset_type="COLLATERAL"))
    spent = Decimal(reply["makingAmount"])
    fees = sum(_fee(Decimal(trade["size"]), Decimal(trade["price"])) for trade in trades)
    assert Decimal(money["balance"]) / 1_000_000 == 1000 - spent - fees


def _fee(size: Decimal, price: Decimal) -> Decimal:
    exact = size * Decimal("0.07") * price * (1 - price)
    return exact.quantize(Decimal("0.00001"), ROUND_FLOOR)


def test_wrong_secret_is_refused_with_401(server: Server, client: ClobClient) -> None:
    creds = client.creds
    other = ClobClient(
        server.url,
        137,
        key=KEY,
        creds=ApiCreds(creds.api_key, creds.api_secret[::-1], creds.api_passphrase),
    )
    with pytest.raises((PolyApiException, ValueError)) as caught:
        other.get_open_orders()
    assert getattr(caught.value, "status_code", 401) == 401


def test_market_socket_folds_to_the_book_and_its_hash(server: Server) -> None:
    condition, up, down = open_market(server)
    with server.socket("/ws/market") as socket:
        socket.send(json.dumps({"type": "market", "assets_ids": [up, down]}))
        first, _ = decode_market_frames(socket.recv(WAIT_S))
        assert isinstance(first, BookFrame)
        assert first.last_trade_price is not None
        bids, asks, last = _side(first.bids), _side(first.asks), first.last_trade_price
        proven = 0
        while proven < 10:
            (frame,) = decode_market_frames(socket.recv(WAIT_S))
            match frame:
                case BookFrame() if frame.asset_id == up:
                    bids, asks = _side(frame.bids), _side(frame.asks)
                case LastTradeFrame():
                    price = parse_price(frame.price, "")
                    last = f"{(price if frame.asset_id == up else 10_000 - price) / 10_000:.3f}"
                case PriceChangeFrame():
                    entry = next(row for row in frame.price_changes if row.asset_id == up)
                    side = bids if entry.side == "BUY" else asks
                    side[parse_price(entry.price, "")] = parse_size(entry.size, "")
                    proven += _is_proven(condition, up, bids, asks, frame, entry.hash, last)
        socket.send("PING")
        while socket.recv(WAIT_S) != "PONG":
            pass


def _side(rows: tuple[PriceLevel, ...]) -> dict[PriceE4, SizeE6]:
    return {parse_price(row.price, ""): parse_size(row.size, "") for row in rows}


def _is_proven(
    condition: str,
    token: str,
    bids: dict[PriceE4, SizeE6],
    asks: dict[PriceE4, SizeE6],
    frame: PriceChangeFrame,
    wanted: str,
    last: str,
) -> bool:
    """Tell whether the folded book has the frame's hash; within a batch only the last has."""
    book = HashedBook(
        market=ConditionId(condition),
        token=TokenId(token),
        venue_ms=WallMs(int(frame.timestamp)),
        bids=_levels(bids, reverse=False),
        asks=_levels(asks, reverse=True),
        min_size_e6=SizeE6(5_000_000),
        tick_e4=PriceE4(100),
        neg_risk=False,
        version="v1",
    )
    return book_hash(book, last) == wanted


def _levels(side: dict[PriceE4, SizeE6], *, reverse: bool) -> tuple[Level, ...]:
    return tuple((price, size) for price, size in sorted(side.items(), reverse=reverse) if size)


def test_user_socket_tells_of_placing_and_cancelling(server: Server, client: ClobClient) -> None:
    _, up, _ = open_market(server)
    creds = client.creds
    auth = {
        "apiKey": creds.api_key,
        "secret": creds.api_secret,
        "passphrase": creds.api_passphrase,
    }
    with server.socket("/ws/user") as socket:
        socket.send(json.dumps({"type": "user", "auth": auth}))
        socket.send("PING")
        assert socket.recv(WAIT_S) == "PONG"
        order_id = post_far_bid(client, up)
        client.cancel_order(OrderPayload(orderID=order_id))
        frames = [json.loads(socket.recv(WAIT_S)) for _ in range(2)]
    assert [frame["type"] for frame in frames] == ["PLACEMENT", "CANCELLATION"]
    assert {frame["id"] for frame in frames} == {order_id}


def test_price_socket_authenticates_and_numbers_its_frames(
    server: Server, client: ClobClient
) -> None:
    creds = client.creds
    with server.socket("/ws") as socket:
        item = {"channel": "price.crypto", "filter": {"symbol": "btcusd"}}
        socket.send(json.dumps({"op": "subscribe", "rid": "0", "subscriptions": [item]}))
        assert json.loads(socket.recv(WAIT_S))["code"] == "auth_required"
        auth = {
            "apiKey": creds.api_key,
            "secret": creds.api_secret,
            "passphrase": creds.api_passphrase,
        }
        socket.send(json.dumps({"op": "auth", "rid": "a", "auth": auth}))
        assert json.loads(socket.recv(WAIT_S)) == {"op": "authed", "rid": "a"}
        socket.send(json.dumps({"op": "subscribe", "rid": "1", "subscriptions": [item]}))
        assert json.loads(socket.recv(WAIT_S)) == {
            "op": "subscribed",
            "channel": "price.crypto",
            "rid": "1",
        }
        frames = [json.loads(socket.recv(WAIT_S)) for _ in range(3)]
    assert [frame["seq"] for frame in frames] == [1, 2, 3]
    assert frames[0]["snapshot"] is True
    assert frames[0]["payload"]["data"]


def test_official_client_signs_for_a_market_of_the_second_protocol(tmp_path: Path) -> None:
    server = Server(SimulatorSettings(protocol="v2"), tmp_path / "wire.jsonl")
    server.start()
    try:
        market = next(market for market in server.core.exchange.calendar)
        client = ClobClient(server.url, 137, key=KEY)
        client.set_api_creds(client.create_or_derive_api_key())
        order = client.create_order(
            OrderArgs(token_id=None, position_id=market.tokens[1], price=0.01, size=10, side="BUY"),
            PartialCreateOrderOptions(tick_size="0.01"),
        )
        reply = client.post_order(order, OrderType.GTC, post_only=True)
        assert reply["status"] == "live"
    finally:
        server.stop()


def test_wire_log_file_is_the_admin_log(server: Server) -> None:
    answer = msgspec.json.decode(_get(server, "/admin/log?since=0&limit=3"))
    lines = server.wire_log.read_bytes().splitlines()[:3]
    assert [msgspec.json.decode(line) for line in lines] == answer["records"]


def test_rest_book_is_hashed_like_the_stream(server: Server) -> None:
    condition, up, _ = open_market(server)
    book = BOOK.decode(_get(server, f"/book?token_id={up}"))
    hashed = HashedBook(
        market=ConditionId(condition),
        token=TokenId(up),
        venue_ms=WallMs(int(book.timestamp)),
        bids=tuple((parse_price(r.price, ""), parse_size(r.size, "")) for r in book.bids),
        asks=tuple((parse_price(r.price, ""), parse_size(r.size, "")) for r in book.asks),
        min_size_e6=parse_size(book.min_order_size, ""),
        tick_e4=parse_price(book.tick_size, ""),
        neg_risk=book.neg_risk,
        version="v1",
    )
    assert book_hash(hashed, book.last_trade_price) == book.hash
