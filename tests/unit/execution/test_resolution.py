"""Orders that nobody answered for: proven accepted, filled or dead, and never sent again."""

from email.utils import formatdate
from typing import Any

import pytest

from services.execution.reconciliation.account_reads import date_s
from services.execution.startup import OpenedLedger
from shared.identifiers import OrderHash
from shared.ledger_schema import IdentityRecord
from shared.units import NS_PER_MS, NS_PER_S, SHARE_E6, BootNs, WallNs
from tests.builders.execution import Rig, identity, target
from tests.builders.ledger_rows import build_order_record
from tests.builders.markets import MARKET, START_MS, UP, instant

OURS = IdentityRecord("main", "0x" + "1" * 40, "key-1")
LEFT = OrderHash("0x" + "ab" * 32)
DEADLINE_MS = 4_000


def restarted(**spoil: Any) -> Rig:
    """Return a start over an order of an earlier run, in doubt until four seconds."""
    wall_ns = instant(900).wall_ns
    fields: dict[str, Any] = {
        "state": "UNKNOWN",
        "api_key_id": "key-1",
        "market": MARKET,
        "token": UP,
        "side": "BUY",
        "size_e6": 6 * SHARE_E6,
        "filled_e6": 0,
        "created_wall_ns": wall_ns,
        "expiration_s": wall_ns // NS_PER_S + 182,
        "deadline_wall_ns": WallNs(instant(DEADLINE_MS).wall_ns),
    }
    row = build_order_record(**{**fields, **spoil})
    rig = Rig(OpenedLedger(identity=OURS, epoch=5, orders=(row,)))
    rig.tell(identity())
    return rig


def trade_row(order_id: OrderHash, shares: int) -> dict[str, Any]:
    return {
        "id": "forgotten",
        "taker_order_id": "0x" + "ee" * 32,
        "market": MARKET,
        "asset_id": UP,
        "side": "SELL",
        "size": str(shares),
        "price": "0.49",
        "status": "MATCHED",
        "match_time": str(START_MS // 1_000 + 1),
        "maker_orders": [
            {
                "order_id": order_id,
                "matched_amount": str(shares),
                "price": "0.49",
                "asset_id": UP,
                "side": "BUY",
            }
        ],
    }


@pytest.mark.req("EX-6", "INV-8", "OP-13")
@pytest.mark.parametrize(("shares", "state"), [(6, "FILLED"), (2, "EXPIRED")])
def test_order_that_the_venue_filled_and_forgot_is_found_by_its_trades(
    shares: int, state: str
) -> None:
    rig = restarted()
    rig.venue.trades.append(trade_row(LEFT, shares))
    rig.run(8_000)
    assert rig.row(LEFT).state == state
    assert rig.row(LEFT).filled_e6 == rig.held(UP) == shares * SHARE_E6


@pytest.mark.req("EX-6", "EX-22")
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/data/trades", 500, b'{"error":"no"}'),
        ("/data/trades", 200, b'{"data":[{"id":"t"}],"next_cursor":"LTE="}'),
        ("/data/trades", 200, b"[]"),
        ("/data/orders", 502, b"<html>bad gateway</html>"),
        ("/data/orders", 200, b"[]"),
        ("/data/orders", 200, b'{"data":[],"next_cursor":""}'),
        ("/data/order/", 404, b"<html><title>404 Not Found</title></html>"),
        ("/data/order/", 500, b'{"error":"Order not found"}'),
        ("/data/order/", 200, b'{"id":"0x'),
    ],
)
def test_order_is_not_dead_while_one_of_the_three_questions_has_no_answer(
    path: str, status: int, body: bytes
) -> None:
    rig = restarted()
    rig.wishes = (target(),)
    rig.venue.answers[path] = (status, body)
    rig.run(20_000)
    assert rig.row(LEFT).state == "UNKNOWN"
    assert not rig.pong().proven_start
    assert rig.core._parts.register.open_size_e6(UP, "BUY") == 6 * SHARE_E6
    rig.venue.answers.clear()
    rig.run(8_000)
    assert rig.row(LEFT).state == "EXPIRED"
    assert LEFT not in [post.order_id for post in rig.venue.posts]


@pytest.mark.req("EX-6")
def test_order_is_dead_only_after_a_trades_read_sent_after_it_was_not_found() -> None:
    rig = restarted()
    rig.run(DEADLINE_MS - 1_000)
    rig.venue.answers["/data/trades"] = (500, b"")
    rig.run(3_000)
    order = rig.core._parts.register.find(LEFT)
    assert order is not None
    assert order.not_found_ns > order.deadline_ns
    assert rig.row(LEFT).state == "UNKNOWN"
    rig.venue.answers.clear()
    reads = len(rig.venue.seen("/data/trades"))
    rig.run(1_000)
    assert len(rig.venue.seen("/data/trades")) > reads
    assert rig.row(LEFT).state == "EXPIRED"


@pytest.mark.req("EX-6")
def test_each_of_the_three_questions_must_be_late_and_the_trades_must_reach_back() -> None:
    rig = restarted()
    rig.venue.answers["/data/trades"] = (500, b"")
    rig.run(7_000)
    order = rig.core._parts.register.find(LEFT)
    assert order is not None
    bury = rig.core._parts.reconciler.bury
    made_ns = order.record.created_wall_ns
    late_ns = BootNs(order.not_found_ns + 1)
    bury(order.not_found_ns, made_ns, rig.now)
    assert order.record.state == "UNKNOWN", "trades were asked for before the order was"
    bury(late_ns, made_ns + 1, rig.now)
    assert order.record.state == "UNKNOWN", "trades since after its making"
    listed_ns, order.unlisted_ns = order.unlisted_ns, order.deadline_ns
    bury(late_ns, made_ns, rig.now)
    assert order.record.state == "UNKNOWN", "open orders were asked for before its deadline"
    order.unlisted_ns = listed_ns
    bury(late_ns, made_ns, rig.now)
    assert rig.row(LEFT).state == "EXPIRED"


@pytest.mark.req("EX-6")
def test_order_that_is_listed_again_is_looked_for_no_more() -> None:
    rig = restarted()
    rig.venue.answers["/data/trades"] = (500, b"")
    rig.run(6_000)
    rig.hear("feed_user", "feed.user", rig.own_order(LEFT))
    order = rig.core._parts.register.find(LEFT)
    assert order is not None
    assert order.not_found_ns == 0
    assert rig.row(LEFT).state == "LIVE"


@pytest.mark.req("EX-6")
def test_venue_whose_clock_is_behind_is_waited_for() -> None:
    rig = restarted()
    behind_s = START_MS // 1_000 - 30
    rig.venue.date = formatdate(behind_s, usegmt=True)
    rig.run(20_000)
    assert rig.row(LEFT).state == "UNKNOWN"
    rig.venue.date = formatdate(START_MS // 1_000 + 20, usegmt=True)
    rig.run(2_000)
    assert rig.row(LEFT).state == "EXPIRED"


def test_date_of_an_answer_is_read_or_is_unknown() -> None:
    assert date_s({"date": "Sat, 21 Nov 2026 00:05:27 GMT"}) == 1_795_219_527
    for headers in ({}, {"date": ""}, {"date": "soon"}, {"date": "Sat, 99 Nov 2026"}):
        assert date_s(headers) is None


@pytest.mark.req("EX-6", "OP-13")
def test_trades_are_read_back_to_the_making_of_an_order_in_doubt() -> None:
    long_ago_ns = WallNs(instant(900).wall_ns - 7_200 * NS_PER_S)
    rig = restarted(created_wall_ns=long_ago_ns)
    rig.run(8_000)
    after_s = [
        int(one.path.split("after=")[1].split("&")[0]) for one in rig.venue.seen("/data/trades")
    ]
    assert min(after_s) <= long_ago_ns // NS_PER_S
    assert rig.row(LEFT).state == "EXPIRED"


@pytest.mark.req("EX-5", "EX-25")
def test_start_cancels_market_by_market_when_cancel_all_keeps_failing() -> None:
    rig = Rig()
    for digit, market in (("7", MARKET), ("8", "0x" + "b2" * 32)):
        order_id = OrderHash("0x" + digit * 64)
        rig.venue.strangers[order_id] = {
            "id": order_id,
            "status": "LIVE",
            "market": market,
            "asset_id": "333",
            "side": "BUY",
            "original_size": "5",
            "size_matched": "0",
            "price": "0.3",
            "created_at": 1_790_000_000,
        }
    rig.venue.answers["/cancel-all"] = (500, b"")
    rig.tell(identity())
    rig.run(12_000)
    assert rig.venue.strangers == {}
    markets = [one.body for one in rig.venue.seen("/cancel-market-orders")]
    assert any(MARKET.encode() in body for body in markets)
    assert rig.pong().proven_start, rig.pong().start_state


@pytest.mark.req("EX-5")
def test_start_says_which_stage_waits_and_for_how_long() -> None:
    rig = Rig()
    rig.run(500)
    assert [stage.state for stage in rig.status().start] == ["done", "waits", *["later"] * 5]
    rig.venue.answers["/data/orders"] = (500, b"")
    rig.tell(identity())
    rig.run(3_000)
    shown = {stage.name: stage for stage in rig.status().start}
    assert shown["identity"].state == "done"
    assert shown["zero"].state == "waits"
    assert shown["zero"].why.startswith("zero: newer epoch: ")
    assert shown["zero"].since_ns is not None
    assert rig.now.monotonic_ns - shown["zero"].since_ns > 2_500 * NS_PER_MS
    rig.venue.answers.clear()
    rig.run(6_000)
    assert {stage.state for stage in rig.status().start} == {"done"}
