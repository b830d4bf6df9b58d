"""py-clob-client-v2 1.2.1 reads markets, books and prices."""

from pathlib import Path
from typing import Any

import pytest
from py_clob_client_v2 import endpoints
from py_clob_client_v2.clob_types import BookParams, PricesHistoryParams

from tests.builders.clob_server import ListedMarket, Server, Trader, refusal, serving

PROTOCOLS = ["v1", "neg_risk", "v2"]


@pytest.fixture(scope="module")
def quoted(server: Server) -> Trader:
    """Return somebody who quotes 0.30 to 0.40 in every market, and has traded once in each."""
    quoter, taker = server.trader(), server.trader()
    for market in server.markets():
        quoter.rest(market, "BUY", 0.3, 100)
        quoter.rest(market, "BUY", 0.6, 100, outcome=1)
        taker.take(market, "BUY", 2, 0.4)
    return quoter


@pytest.fixture
def market(server: Server, quoted: Trader) -> ListedMarket:
    return server.market("v1")


@pytest.mark.req("TST-5")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_books_constants_and_hash_are_read(server: Server, quoted: Trader, protocol: str) -> None:
    client, market = quoted.client, server.market(protocol)
    book = client.get_order_book(market.tokens[0])
    assert (book["bids"], book["asks"]) == (
        [{"price": "0.3", "size": "100"}],
        [{"price": "0.4", "size": "95"}],
    )
    assert book["neg_risk"] is (protocol == "neg_risk")
    assert book.get("version") == ("v2" if protocol == "v2" else None)
    if protocol != "v2":
        # The client's own hash knows no version, so that it proves books of the first protocol.
        assert client.get_order_book_hash(dict(book)) == book["hash"]
    assert client.get_neg_risk(market.tokens[0]) is (protocol == "neg_risk")
    assert client.get_tick_size(market.tokens[0]) == "0.01"
    assert client.get_fee_rate_bps(market.tokens[0]) == 1000
    assert client.get_fee_exponent(market.tokens[0]) == 1
    info = client.get_clob_market_info(market.condition)
    assert (info["v"], info["nr"]) == (market.version, market.neg_risk)
    assert info["r"] == {"mi": 50, "ma": 4.5, "moas": 30}
    assert [token["t"] for token in info["t"]] == list(market.tokens)


def test_many_books_come_in_their_own_order(market: ListedMarket, quoted: Trader) -> None:
    wanted = [BookParams(token_id=token) for token in (*market.tokens, "123")]
    books = quoted.client.get_order_books(wanted)
    assert [book["asset_id"] for book in books] == sorted(market.tokens)


@pytest.mark.req("TST-5")
def test_prices_of_one_token(market: ListedMarket, quoted: Trader) -> None:
    client, (up, down) = quoted.client, market.tokens
    assert client.get_price(up, "BUY") == {"price": "0.4"}
    assert client.get_price(up, "SELL") == {"price": "0.3"}
    assert client.get_price(down, "BUY") == {"price": "0.7"}
    assert client.get_midpoint(up) == {"mid": "0.35"}
    assert client.get_midpoint(down) == {"mid": "0.65"}
    assert client.get_spread(up) == {"spread": "0.1"}
    assert client.get_last_trade_price(up) == {"price": "0.4", "side": "BUY"}
    assert client.get_last_trade_price(down) == {"price": "0.6", "side": "SELL"}
    text = "No orderbook exists for the requested token id"
    assert refusal(client.get_midpoint, "123") == (404, text)
    assert refusal(client.get_price, up, "HOLD") == (400, "Invalid side")


@pytest.mark.req("TST-5")
def test_prices_of_many_tokens(server: Server, market: ListedMarket, quoted: Trader) -> None:
    client, (up, down) = quoted.client, market.tokens
    both = [BookParams(token_id=up, side="BUY"), BookParams(token_id=down, side="SELL")]
    assert client.get_prices(both) == {up: {"BUY": "0.4"}, down: {"SELL": "0.6"}}
    assert client.get_midpoints(both) == {up: "0.35", down: "0.65"}
    assert client.get_spreads(both) == {up: "0.1", down: "0.1"}
    assert client.get_last_trades_prices(both) == [
        {"token_id": up, "price": "0.4", "side": "BUY"},
        {"token_id": down, "price": "0.6", "side": "SELL"},
    ]
    tokens = f"token_ids={up},{down}"
    assert server.ask("GET", f"/midpoints?{tokens}") == (200, {up: "0.35", down: "0.65"})
    prices = {up: {"BUY": "0.4"}, down: {"SELL": "0.6"}}
    assert server.ask("GET", f"/prices?{tokens}&sides=BUY,SELL") == (200, prices)
    assert server.ask("GET", f"/spreads?{tokens}") == (200, {up: "0.1", down: "0.1"})
    assert server.ask("GET", f"/last-trades-prices?{tokens}")[1][0]["price"] == "0.4"
    many = [{"token_id": up}] * 501
    assert server.ask("POST", "/midpoints", many) == (400, {"error": "Payload exceeds the limit"})


def test_history_of_prices(market: ListedMarket, quoted: Trader) -> None:
    client, (up, down) = quoted.client, market.tokens
    (point,) = client.get_prices_history(PricesHistoryParams(market=up, interval="1h"))["history"]
    assert point["p"] == 0.4
    now_s = int(client.get_server_time())
    assert abs(now_s - point["t"]) < 60
    span = PricesHistoryParams(market=down, start_ts=now_s - 600, end_ts=now_s + 1, fidelity=5)
    assert [row["p"] for row in client.get_prices_history(span)["history"]] == [0.6]
    before = PricesHistoryParams(market=up, start_ts=1, end_ts=2)
    assert client.get_prices_history(before) == {"history": []}
    unknown = PricesHistoryParams(market="123", interval="1h")
    assert refusal(client.get_prices_history, unknown) == (404, "market not found")


@pytest.mark.req("TST-5")
def test_market_records(server: Server, market: ListedMarket, quoted: Trader) -> None:
    client = quoted.client
    record = client.get_market(market.condition)
    assert record["condition_id"] == market.condition
    assert record["market_slug"] == market.slug
    assert [token["token_id"] for token in record["tokens"]] == list(market.tokens)
    assert [token["price"] for token in record["tokens"]] == [0.35, 0.65]
    assert (record["accepting_orders"], record["closed"]) == (True, False)
    pages = client.get_markets()
    assert (pages["next_cursor"], pages["count"]) == ("LTE=", 3)
    assert {row["neg_risk"] for row in pages["data"]} == {False, True}
    simple = client.get_simplified_markets()["data"]
    assert {row["condition_id"] for row in simple} == {row.condition for row in server.markets()}
    assert client.get_sampling_markets()["data"] == []
    assert client.get_sampling_simplified_markets()["data"] == []
    (event,) = client.get_market_trades_events(market.condition)
    assert (event["side"], event["price"], event["size"]) == ("BUY", "0.4", "5")
    assert refusal(client.get_market, "0x12") == (404, "market not found")


def test_price_of_a_market_order_is_read_off_the_book(market: ListedMarket, quoted: Trader) -> None:
    assert quoted.client.calculate_market_price(market.tokens[0], "BUY", 5) == 0.4
    assert quoted.client.calculate_market_price(market.tokens[0], "SELL", 5) == 0.3


def test_time_version_and_health(server: Server, quoted: Trader) -> None:
    assert quoted.client.get_ok() == "OK"
    assert quoted.client.get_version() == 2
    assert isinstance(quoted.client.get_server_time(), int)


@pytest.mark.req("TST-5")
def test_every_path_that_the_client_knows_is_served(server: Server) -> None:
    """RFQ is left out: it is for blocks of combinations, which nobody trades here."""
    paths = {
        value + ("x" if value.endswith("/") else "")
        for name, value in vars(endpoints).items()
        if isinstance(value, str) and value.startswith("/") and not value.startswith("/rfq/")
        if name == name.upper()
    }
    assert len(paths) > 50
    unserved = {
        path
        for path in paths
        if all(
            server.ask(method, path)[1] == {"error": "not found"}
            for method in ("GET", "POST", "DELETE")
        )
    }
    assert unserved == set()


def test_other_form_of_the_documents_can_be_served(tmp_path: Path) -> None:
    with serving(tmp_path, document_form="openapi") as server:
        maker, taker, market = server.trader(), server.trader(), server.market()
        order_id = maker.rest(market, "BUY", 0.3, 10)
        maker.rest(market, "BUY", 0.6, 10, outcome=1)
        row: Any = maker.client.get_order(order_id)
        assert (row["status"], row["original_size"]) == ("ORDER_STATUS_LIVE", "10000000")
        assert maker.client.get_open_orders()[0] == row
        up = market.tokens[0]
        assert maker.client.get_midpoint(up) == {"mid_price": "0.35"}
        assert maker.client.get_price(up, "BUY") == {"price": "0.3"}
        reply = taker.take(market, "BUY", 2, 0.4)
        assert (reply["makingAmount"], reply["takingAmount"]) == ("2000000", "5000000")
        (trade,) = taker.client.get_trades()
        assert trade["status"] in ("TRADE_STATUS_MINED", "TRADE_STATUS_CONFIRMED")
