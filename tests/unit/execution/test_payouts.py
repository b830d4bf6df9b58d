"""Markets that are decided: one, nothing, a half each, or nobody knows; in any order with fills."""

from itertools import permutations

import msgspec
import pytest

from services.execution.order_register import OrderRegister
from services.execution.positions import Positions as Holdings
from services.execution.reconciliation.reconcile import Reconciler
from shared.facts import Alert, MarketResolved, OwnOrder, OwnTrade, Positions, TradeLeg
from shared.identifiers import TokenId, TradeId
from shared.ledger_schema import FillRecord, OrderRecord, PayoutRecord
from shared.units import PriceE4, SizeE6, WallMs
from tests.builders.execution import Rig, target
from tests.builders.ledger_rows import build_order_record
from tests.builders.markets import DOWN, MARKET, UP, instant

SHARE = 1_000_000
STRANGE = TokenId("333")
NOW = instant()


def quoting() -> tuple[Rig, OrderRecord]:
    """Return a world in which six shares of UP are bid, and that order."""
    rig = Rig()
    rig.quote(target())
    (order,) = rig.orders("LIVE")
    return rig, order


def decide(rig: Rig, winner: int | None) -> None:
    """Let discovery say how the market ended."""
    rig.info = msgspec.structs.replace(rig.info, winner=winner, closed=winner is not None)
    rig.run(400)


def payouts(rig: Rig) -> dict[TokenId, PayoutRecord]:
    """Return the newest payout of each token."""
    return {row.token: row for row in rig.journal if isinstance(row, PayoutRecord)}


def made_today_e6(rig: Rig) -> int:
    return rig.core._parts.positions.realised_today_e6(rig.now)


@pytest.mark.req("VEN-8")
@pytest.mark.parametrize(("winner", "pays_e4"), [(0, 10_000), (1, 0), (-1, 5_000)])
def test_each_outcome_pays_to_the_last_unit(winner: int, pays_e4: int) -> None:
    rig, order = quoting()
    rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 3))
    decide(rig, winner)
    payout = payouts(rig)[UP]
    assert (payout.payout_e4, payout.size_e6) == (pays_e4, 3 * SHARE)
    assert payout.amount_e6 == 3 * pays_e4 * 100
    assert payout.realised_e6 == payout.amount_e6 - 3 * 480_000
    assert rig.published(Positions)[-1].positions == ()


@pytest.mark.req("VEN-8")
def test_undecided_market_pays_nothing_and_keeps_the_position() -> None:
    rig, order = quoting()
    rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 3))
    rig.info = msgspec.structs.replace(rig.info, closed=True)
    rig.run(2_000)
    assert payouts(rig) == {}
    assert rig.held(UP) == 3 * SHARE


@pytest.mark.req("VEN-8")
@pytest.mark.req("EX-8")
@pytest.mark.parametrize("end", ["CONFIRMED", "FAILED"])
def test_fills_settlement_and_resolution_come_to_the_same_in_any_order(end: str) -> None:
    steps = ["MATCHED", "MINED", end, "count", "gone", "stream", "record"]
    ends = set()
    for arrival in permutations(steps):
        record = build_order_record(market=MARKET, token=UP, state="LIVE")
        register = OrderRegister([record], NOW)
        holdings = Holdings((), ())
        reconciler = Reconciler(register, holdings, 1)
        for step in arrival:
            if step in ("stream", "record"):
                pays = {UP: PriceE4(10_000), DOWN: PriceE4(0)}
                holdings.settle(MARKET, pays, NOW, asked=step == "record")
            elif step in ("count", "gone"):
                status = "LIVE" if step == "count" else "CANCELED"
                reconciler.take_order(build_report(record, status), NOW)
            else:
                reconciler.take_trade(build_trade(record, step), NOW)
        (order,) = register
        ends.add(
            (
                holdings.realised_today_e6(NOW),
                holdings.matched_e6(UP),
                order.record.filled_e6,
                order.record.state,
                order.outstanding_e6,
            )
        )
    made = 2 * 510_000 if end == "CONFIRMED" else 0
    assert ends == {(made, 0, 2 * SHARE, "CANCELED", 0)}


def build_report(record: OrderRecord, status: str) -> OwnOrder:
    return OwnOrder(
        order_id=record.order_id,
        market=MARKET,
        token=UP,
        side="BUY",
        price=record.price_e4,
        original_size_e6=record.size_e6,
        size_matched_e6=SizeE6(2 * SHARE),
        status=status,
        status_text=status,
        trades=(),
        venue_ms=NOW.wall_ms,
        source="socket",
    )


def build_trade(record: OrderRecord, status: str) -> OwnTrade:
    leg = TradeLeg(record.order_id, UP, "BUY", record.price_e4, SizeE6(2 * SHARE), "MAKER")
    return OwnTrade(TradeId("t"), MARKET, status, (leg,), NOW.wall_ms, NOW.wall_ms, "socket")


@pytest.mark.req("VEN-8")
def test_fill_of_an_order_in_doubt_is_paid_when_it_is_told_after_the_end() -> None:
    rig = Rig()
    rig.start()
    rig.venue.loses = True
    rig.venue.silent = {"read"}
    rig.wishes = (target(),)
    rig.run(400)
    (order,) = rig.orders("UNKNOWN")
    decide(rig, 0)
    assert payouts(rig) == {}
    rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 2))
    rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 1, trade_id="t2"))
    rig.run(400)
    assert payouts(rig)[UP].amount_e6 == 3 * SHARE
    assert made_today_e6(rig) == 3 * 520_000
    assert len([r for r in rig.journal if isinstance(r, FillRecord)]) == 2


@pytest.mark.req("VEN-8")
@pytest.mark.parametrize("winner", [STRANGE, DOWN])
def test_stream_is_believed_of_the_markets_own_tokens_alone(winner: TokenId) -> None:
    rig, order = quoting()
    rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 3))
    rig.hear("feed_market", "feed.market", MarketResolved(MARKET, winner, rig.now.wall_ms))
    rig.run(300)
    assert (UP in payouts(rig)) is (winner == DOWN)


@pytest.mark.req("VEN-8")
def test_split_that_the_stream_called_a_win_is_put_right_by_the_record() -> None:
    rig, order = quoting()
    rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 3))
    rig.hear("feed_market", "feed.market", MarketResolved(MARKET, UP, rig.now.wall_ms))
    decide(rig, -1)
    assert payouts(rig)[UP].amount_e6 == 1_500_000
    assert made_today_e6(rig) == 1_500_000 - 3 * 480_000
    names = [alert.name for alert in rig.published(Alert)]
    assert names.count("resolution_contradicted") == 1


@pytest.mark.req("EX-10")
def test_failed_trade_is_told_to_people_and_the_order_stays_consumed() -> None:
    rig, order = quoting()
    rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 6))
    effects = rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 6, status="FAILED"))
    rig.run(300)
    assert rig.held(UP) == 0
    row = rig.row(order.order_id)
    assert (row.state, row.filled_e6) == ("FILLED", 6 * SHARE)
    alerts = [alert for alert in rig.published(Alert) if alert.name == "trade_failed"]
    assert [alert.severity for alert in alerts] == ["critical"]
    assert effects
    settled = [r.settlement for r in rig.journal if isinstance(r, FillRecord)]
    assert settled[-1] == "FAILED"


@pytest.mark.req("EX-10")
def test_trade_that_does_not_settle_is_asked_for_and_told() -> None:
    rig, order = quoting()
    late_ms = WallMs(rig.now.wall_ms - 119_000)
    trade = rig.trade(order.order_id, 6)
    rig.hear("feed_user", "feed.user", msgspec.structs.replace(trade, match_ms=late_ms))
    assert "trade_unsettled" not in {alert.name for alert in rig.published(Alert)}
    rig.run(8_000)
    (*_, newest) = rig.venue.seen("/data/trades")
    after_s = int(newest.path.split("after=")[1].split("&")[0])
    assert after_s * 1_000 <= late_ms, "every read goes back to it"
    alerts = [alert.name for alert in rig.published(Alert)]
    assert alerts.count("trade_unsettled") == 1
