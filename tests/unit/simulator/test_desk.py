"""Parts of the trading host that need time or a restart: caches, rewards, forms, routes."""

from typing import Any

import msgspec
import pytest
from polymarket._internal.actions.account import parse_notifications
from polymarket._internal.actions.rewards import (
    parse_current_rewards_page,
    parse_market_rewards_page,
    parse_reward_percentages,
    parse_total_user_earnings,
    parse_user_earnings_page,
    parse_user_rewards_earnings_page,
)
from polymarket.models.clob.notifications import NotificationType

from services.simulator.answers import Answer, Held, ok
from services.simulator.document_form import respell
from services.simulator.edge import Request
from services.simulator.routes import Route, Table
from services.simulator.saved import Saved, fold
from services.simulator.scoring import quoter_score
from services.simulator.standings import ENTRIES_MAX, BuilderFees, Standings
from shared.identifiers import TokenId
from shared.units import Instant
from shared.venue.balances import chain_call, parse_chain
from shared.venue.order_hash import EXCHANGE_V2
from shared.venue.wallets import deposit_address
from shared.venue.wire import encode
from tests.builders.venue_rig import Client, VenueRig


def request_of(method: str, path: str) -> Request:
    return Request(1, method, path, {}, {}, b"")


def balance(rig: VenueRig, path: str = "/balance-allowance", **query: str) -> Any:
    status, row = rig.ask("GET", path, query={"asset_type": "COLLATERAL", **query})
    assert status == 200, row
    return row


# --- routes ----------------------------------------------------------------------------------


def test_exact_route_comes_before_one_with_a_star() -> None:
    table = Table(
        [Route("GET", "/a/*", 1), Route("GET", "/a/b", 2), Route("GET", "/*/b/c", 3),
         Route("POST", "/a/b", 4)]
    )  # fmt: skip
    found = {path: table.find("GET", path) for path in ("/a/b", "/a/x", "/a/", "/a", "/x/b/c")}
    assert found == {"/a/b": 2, "/a/x": 1, "/a/": None, "/a": None, "/x/b/c": 3}
    assert table.find("DELETE", "/a/b") is None


def test_every_private_route_wants_a_key() -> None:
    rig = VenueRig()
    for path in ("/notifications", "/rewards/user", "/order-scoring", "/data/order/0x1"):
        status, body = rig.ask("GET", path, headers={})
        assert (status, body["error"]) == (401, "Unauthorized/Invalid api key")


# --- balances --------------------------------------------------------------------------------


def test_what_comes_in_is_seen_after_the_lag_and_what_goes_out_at_once() -> None:
    rig = VenueRig(balance_lag_ms=5_000, collateral_usd=100)
    assert balance(rig)["balance"] == "0"
    rig.advance(5.1)
    assert balance(rig)["balance"] == "100000000"
    maker = Client(rig.settings.seed, 2)
    balance_of_maker = rig.core.exchange.accounts.get(maker.address)
    rig.advance(5.1)
    assert balance_of_maker.collateral == 100_000_000
    rig.place(maker, outcome=1, price=4_000, size=10)
    rig.place(price=6_000, size=10)
    rig.advance(0.1)
    assert balance(rig)["balance"] == str(100_000_000 - 6_000_000 - 168_000)
    token = {"asset_type": "CONDITIONAL", "token_id": rig.market.tokens[0]}
    assert balance(rig, **token)["balance"] == "0"
    status, body = rig.post(rig.client.order(rig.market, side="SELL", price=9_000))
    assert status == 400
    assert body["error"].endswith("balance: 0, order amount: 10000000")
    assert balance(rig, "/balance-allowance/update", **token)["balance"] == "10000000"
    assert rig.post(rig.client.order(rig.market, side="SELL", price=9_000))[0] == 200


def test_wallets_allowance_outlives_the_venue() -> None:
    rig = VenueRig(saved=Saved())
    wallet = deposit_address(rig.client.address)
    rig.place(kind=3)
    body = {"account": wallet, "spender": EXCHANGE_V2, "amount": 7}
    status, answer = rig.ask("POST", "/admin/allowance", encode(body))
    assert (status, len(answer["ended"])) == (200, 1)
    later = VenueRig(saved=fold(rig.journal), at_ns=rig.ns)
    row = balance(later, signature_type="3")
    assert row["allowances"][EXCHANGE_V2] == "7"


@pytest.mark.req("TST-1")
def test_shares_can_come_from_outside_and_go_there() -> None:
    rig = VenueRig()
    token = rig.market.tokens[0]

    def move(amount: int, of: str = token) -> tuple[int, Any]:
        body = {"account": rig.client.address, "token": of, "amount": amount}
        return rig.ask("POST", "/admin/balance", encode(body))

    assert move(7_000_000) == (200, {"token": token, "balance": "7000000"})
    query = {"asset_type": "CONDITIONAL", "token_id": token}
    assert balance(rig, **query)["balance"] == "7000000"
    assert rig.post(rig.client.order(rig.market, side="SELL", price=9_000, size=5))[0] == 200
    call = chain_call(TokenId(token), "v1", rig.client.address)
    assert parse_chain(encode(rig.ask("POST", "/rpc", call)[1])) == 7_000_000
    assert move(-3_000_000)[0] == 400, "what an order has reserved stays"
    assert move(-2_000_000)[1]["balance"] == "5000000"
    assert move(1, "1")[0] == 400


@pytest.mark.req("TST-1")
@pytest.mark.parametrize("winner", [0, 1])
def test_running_market_can_be_decided_at_once_and_pays_the_winner_alone(winner: int) -> None:
    rig = VenueRig()
    market = rig.market
    for token, amount in zip(market.tokens, (7_000_000, 4_000_000), strict=True):
        body = {"account": rig.client.address, "token": token, "amount": amount}
        assert rig.ask("POST", "/admin/balance", encode(body))[0] == 200
    rig.place(price=4_000, size=5)
    before = rig.ask("GET", "/admin/account", query={"address": rig.client.address})[1]
    decided = {"market": market.condition_id, "winner": winner}
    assert rig.ask("POST", "/admin/resolve", encode(decided)) == (200, {"winner": winner})
    after = rig.ask("GET", "/admin/account", query={"address": rig.client.address})[1]
    assert (market.state, market.winner, rig.open_ids()) == ("RESOLVED", winner, [])
    assert float(after["collateral"]) - float(before["collateral"]) == (7.0, 4.0)[winner]
    assert not any(float(size) for size in after["tokens"].values())
    assert rig.ask("POST", "/admin/resolve", encode(decided))[0] == 400, "it does not run any more"
    assert rig.ask("POST", "/admin/resolve", encode({**decided, "winner": 2}))[0] == 400


@pytest.mark.parametrize(
    "query", [{"asset_type": "SHELLS"}, {"asset_type": "CONDITIONAL"}], ids=str
)
def test_balance_of_nothing_in_particular_is_refused(query: dict[str, str]) -> None:
    assert VenueRig().ask("GET", "/balance-allowance", query=query)[0] == 400


# --- standings -------------------------------------------------------------------------------


def test_standings_are_bounded() -> None:
    standings = Standings()
    for number in range(ENTRIES_MAX):
        assert standings.note_builder(str(number), BuilderFees())
    assert not standings.note_builder("one more", BuilderFees())
    assert standings.note_builder("7", BuilderFees(1, 2)), "a known one can still be changed"
    assert standings.builder("7") == BuilderFees(1, 2)


@pytest.mark.parametrize("path", ["standing", "wallets", "builders", "allowance", "balance"])
def test_switch_that_cannot_be_read_is_refused(path: str) -> None:
    status, _ = VenueRig().ask("POST", f"/admin/{path}", b'{"standing":"wonderful"}')
    assert status == 400


# --- rewards ---------------------------------------------------------------------------------


def test_one_sided_quotes_score_a_third_in_the_middle_and_nothing_at_the_ends() -> None:
    rig = VenueRig()
    rig.place(price=4_800, size=100)
    rig.place(outcome=1, price=4_800, size=100)
    rig.advance(31)
    market, now_ms = rig.market, rig.now.wall_ms
    orders = list(rig.core.exchange.open[rig.client.api_key].values())
    both = quoter_score(orders, market, now_ms)
    assert both > 0
    assert quoter_score(orders[:1], market, now_ms) == pytest.approx(both / 3)
    assert quoter_score([], market, now_ms) == 0


def test_young_order_scores_nothing() -> None:
    rig = VenueRig()
    rig.place(price=4_800, size=100)
    rig.place(outcome=1, price=4_800, size=100)
    orders = list(rig.core.exchange.open[rig.client.api_key].values())
    assert quoter_score(orders, rig.market, rig.now.wall_ms) == 0


def test_each_minute_has_one_sample_that_shares_a_part_of_the_pool() -> None:
    rig = VenueRig(interval_s=3_600, rewards_usd=1_440.0, ahead=1)
    market = rig.market
    maker = Client(rig.settings.seed, 2)
    for who in (rig.client, maker):
        rig.place(who, price=4_800, size=100)
        rig.place(who, outcome=1, price=4_800, size=100)
    rig.advance(180)
    day = "2026-09-21"
    status, page = rig.ask("GET", "/rewards/user", query={"date": day})
    assert status == 200
    (row,) = page["data"]
    assert row["condition_id"] == market.condition_id
    assert row["earnings"] == 1.0, "two makers share the samples of two minutes"


@pytest.mark.req("TST-5")
def test_the_newer_official_client_reads_rewards_and_rebates() -> None:
    rig = VenueRig(interval_s=3_600, rewards_usd=1_440.0, ahead=1)
    rig.place(price=4_800, size=100)
    rig.place(outcome=1, price=4_800, size=100)
    rig.advance(120)
    day = {"date": "2026-09-21"}
    current = parse_current_rewards_page(rig.ask("GET", "/rewards/markets/current")[1])
    assert current.items[0].rewards_config[0].rate_per_day == 1_440
    path = f"/rewards/markets/{rig.market.condition_id}"
    assert parse_market_rewards_page(rig.ask("GET", path)[1]).items[0].rewards_min_size == 50
    mine = parse_user_earnings_page(rig.ask("GET", "/rewards/user", query=day)[1])
    assert mine.items[0].earnings == 1
    total = parse_total_user_earnings(rig.ask("GET", "/rewards/user/total", query=day)[1])
    assert total[0].earnings == 1
    of_markets = rig.ask("GET", "/rewards/user/markets", query=day)[1]
    assert parse_user_rewards_earnings_page(of_markets).items[0].earning_percentage == 100
    shares = parse_reward_percentages(rig.ask("GET", "/rewards/user/percentages")[1])
    assert set(shares.values()) == {100.0}


@pytest.mark.req("TST-5")
def test_the_newer_official_client_reads_notifications() -> None:
    rig = VenueRig()
    maker = Client(rig.settings.seed, 2)
    rig.place(maker, outcome=1, price=4_000, size=10)
    rig.place(maker, outcome=1, price=1_000, size=10)
    rig.place(price=6_000, size=10)
    rig.advance(400)
    rows = parse_notifications(rig.ask("GET", "/notifications", client=maker)[1])
    assert [row.type for row in rows] == [
        NotificationType.MARKET_RESOLVED,
        NotificationType.ORDER_CANCELLATION,
        NotificationType.ORDER_FILL,
    ]
    taker = parse_notifications(rig.ask("GET", "/notifications")[1])
    assert {row.type for row in taker} == {
        NotificationType.MARKET_RESOLVED,
        NotificationType.ORDER_FILL,
    }


def test_the_last_price_of_every_minute_is_remembered() -> None:
    rig = VenueRig(interval_s=3_600)
    maker = Client(rig.settings.seed, 2)
    for price in (4_000, 3_000, 2_000):
        rig.place(maker, outcome=1, price=price, size=10)
        rig.place(price=10_000 - price, size=10)
        rig.advance(30)
    query = {"market": rig.market.tokens[0], "interval": "1h"}
    _, body = rig.ask("GET", "/prices-history", query=query)
    assert [point["p"] for point in body["history"]] == [0.7, 0.8]
    _, body = rig.ask("GET", "/prices-history", query=query | {"fidelity": "60"})
    assert [point["p"] for point in body["history"]] == [0.8]
    for spoil in ({"interval": "2h"}, {"interval": "1h", "fidelity": "x"}, {}):
        asked = {"market": rig.market.tokens[0], **spoil}
        assert rig.ask("GET", "/prices-history", query=asked)[0] == 400


# --- the documents' other form ----------------------------------------------------------------


def test_held_answer_is_respelled_when_it_comes() -> None:
    body = {"makingAmount": "1.5", "takingAmount": "", "success": True}
    held = Held(7, lambda now: ok(body))
    later = respell(request_of("POST", "/order"), held)
    assert isinstance(later, Held)
    answer = later.finish(Instant(0, 0, 0))  # type: ignore[arg-type]
    assert msgspec.json.decode(answer.body) == body | {"makingAmount": "1500000"}


def test_refusals_and_other_answers_keep_their_form() -> None:
    for request, answer in (
        (request_of("POST", "/order"), Answer(400, b'{"error":"x"}')),
        (request_of("GET", "/book"), Answer(200, b"{}")),
    ):
        assert respell(request, answer) == answer
