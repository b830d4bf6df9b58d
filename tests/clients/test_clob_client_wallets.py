"""py-clob-client-v2 1.2.1 trades from every kind of wallet, in every kind of market."""

from pathlib import Path

import pytest
from py_clob_client_v2.clob_types import (
    OrderArgs,
    OrderArgsV1,
    OrderPayload,
    PartialCreateOrderOptions,
)

from shared.venue.wallets import legacy_deposit_address, maker_address
from tests.builders.clob_server import ListedMarket, Server, refusal, serving

PROTOCOLS = ["v1", "neg_risk", "v2"]
MAKER_TEXT = "maker address not allowed, please use the deposit wallet flow"
SIGNER_TEXT = "the order signer address has to be the address of the API KEY"


@pytest.mark.req("TST-5")
@pytest.mark.req("VEN-2")
@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_every_wallet_rests_and_cancels_in_every_market(
    server: Server, protocol: str, kind: int
) -> None:
    trader, market = server.trader(kind), server.market(protocol)
    order_id = trader.rest(market, "BUY", 0.2, 10)
    (row,) = trader.client.get_open_orders()
    assert (row["id"], row["maker_address"]) == (order_id, trader.wallet)
    reply = trader.client.cancel_order(OrderPayload(orderID=order_id))
    assert reply == {"canceled": [order_id], "not_canceled": {}}


@pytest.mark.req("TST-5")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_wallets_of_two_kinds_trade_with_each_other(server: Server, protocol: str) -> None:
    maker, taker = server.trader(3), server.trader(2)
    market = server.market(protocol)
    maker.rest(market, "BUY", 0.4, 10, outcome=1)
    reply = taker.take(market, "BUY", 6, 0.6)
    assert (reply["status"], reply["takingAmount"]) == ("matched", "10")
    for trader, outcome in ((maker, 1), (taker, 0)):
        _, account = server.ask("GET", f"/admin/account?address={trader.wallet}")
        assert account["tokens"] == {market.tokens[outcome]: "10"}


def test_order_from_another_wallet_is_refused(server: Server) -> None:
    market, other = server.market(), server.trader()
    for kind in (1, 2):
        trader = server.trader(kind)
        trader.client.builder.funder = other.address
        assert refusal(trader.post, market, "BUY", 0.2, 10) == (400, MAKER_TEXT)
    trader = server.trader(3)
    trader.client.builder.funder = legacy_deposit_address(trader.address)
    assert refusal(trader.post, market, "BUY", 0.2, 10) == (400, SIGNER_TEXT)


@pytest.mark.req("VEN-2")
def test_order_for_the_wrong_exchange_is_refused(server: Server) -> None:
    trader = server.trader()
    neg_risk, first, second = map(server.market, ("neg_risk", "v1", "v2"))

    def post_as(market: ListedMarket, version: int) -> tuple[int, str]:
        args = OrderArgs(token_id=market.tokens[0], price=0.2, size=10, side="BUY")
        options = PartialCreateOrderOptions("0.01", False, version)
        return refusal(trader.client.post_order, trader.client.create_order(args, options))

    assert post_as(neg_risk, 2) == (400, "invalid signature")
    assert post_as(first, 3) == (400, "order_version_mismatch")
    assert post_as(second, 2) == (400, "order_version_mismatch")
    old = OrderArgsV1(token_id=first.tokens[0], price=0.2, size=10, side="BUY")
    options = PartialCreateOrderOptions("0.01", False, 1)
    order = trader.client.create_order(old, options)
    assert refusal(trader.client.post_order, order) == (400, "order_version_mismatch")


@pytest.mark.req("VEN-3")
def test_venue_of_today_takes_deposit_wallets_and_what_it_knows(tmp_path: Path) -> None:
    refusing = {"eoa_makers": "refused", "legacy_makers": "refused"}
    with serving(tmp_path, **refusing) as server:
        market = server.market()
        for kind in (0, 1, 2):
            trader = server.trader(kind)
            assert refusal(trader.post, market, "BUY", 0.2, 10) == (400, MAKER_TEXT)
            server.admin("wallets", address=trader.wallet, known=True)
            trader.rest(market, "BUY", 0.2, 10)
        trader = server.trader(3)
        trader.rest(market, "BUY", 0.2, 10)
        server.admin("wallets", address=trader.wallet, known=False)
        assert refusal(trader.post, market, "BUY", 0.2, 11) == (400, SIGNER_TEXT)


def test_balances_are_the_wallets_and_keys_the_signers(server: Server) -> None:
    number = 77
    traders = [server.trader(kind, number) for kind in range(4)]
    assert len({trader.api_key for trader in traders}) == 1
    market = server.market("v2")
    traders[3].rest(market, "BUY", 0.5, 100)
    for kind, trader in enumerate(traders):
        _, account = server.ask("GET", f"/admin/account?address={trader.wallet}")
        assert account["reserved"] == ("50" if kind == 3 else "0")
        assert trader.wallet == maker_address(kind, trader.address)
    assert len(traders[0].client.get_open_orders()) == 1
    traders[0].client.cancel_all()
