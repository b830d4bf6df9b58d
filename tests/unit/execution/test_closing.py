"""Closing a position: reduce-only, never through zero, retried until flat, dust held to the end."""

from typing import Any

import msgspec
import pytest

from services.execution.placing import PAUSE_DOUBLINGS_MAX, PAUSE_NS_FIRST
from services.execution.startup import OpenedLedger
from services.strategy.caretaker import Caretaker
from services.strategy.interface import NOTHING_HELD, MarketContext, holding_of
from shared.config import CaretakerSettings
from shared.facts import Alert, Positions
from shared.identifiers import OrderHash, StrategyName, TradeId
from shared.ledger_schema import OrderRecord
from shared.targets import Target, TargetSet
from shared.units import NS_PER_MS, PriceE4, SizeE6
from tests.builders.execution import MAKER, Rig, target
from tests.builders.ledger_rows import build_fill_record
from tests.builders.markets import DOWN, MARKET, UP, market_view

SHARE = 1_000_000
OTHER = StrategyName("other")


def closing(shares: int = 12, **spoil: Any) -> Target:
    """Return an offer of shares of UP that only reduces."""
    offer = target(
        side="SELL",
        price=PriceE4(5_200),
        size=SizeE6(shares * SHARE),
        reduce_only=True,
        purpose="unwind",
    )
    return msgspec.structs.replace(offer, **spoil)


def stop(shares: int = 12, **spoil: Any) -> Target:
    """Return an order that takes bids down to a bound."""
    return closing(shares, price=PriceE4(4_700), post_only=False, purpose="stop", **spoil)


def holding(shares: int = 12, *, strategy: StrategyName = MAKER, other: int = 0) -> Rig:
    """Return a started world in which a strategy holds confirmed shares of UP."""
    fills = tuple(
        build_fill_record(
            trade_id=TradeId(f"begin-{owner}"),
            strategy=owner,
            market=MARKET,
            token=UP,
            size_e6=SizeE6(size * SHARE),
            settlement="CONFIRMED",
        )
        for owner, size in ((strategy, shares), (OTHER, other))
        if size
    )
    rig = Rig(OpenedLedger(fills=fills))
    rig.start()
    return rig


def sell(rig: Rig, order: OrderRecord, shares: int, trade_id: str, **spoil: Any) -> None:
    """Let a taker buy some of what we offer, at the venue and on the stream."""
    rig.venue.matched[order.order_id] = rig.venue.matched.get(order.order_id, 0) + shares * SHARE
    if rig.venue.matched[order.order_id] == order.size_e6:
        rig.venue.open.pop(order.order_id, None)
        rig.venue.gone[order.order_id] = "MATCHED"
    trade = rig.trade(order.order_id, shares, trade_id=trade_id, status="CONFIRMED")
    rig.hear("feed_user", "feed.user", msgspec.structs.replace(trade, **spoil))


def tell_ends(rig: Rig) -> None:
    """Let the stream say of every order that is gone how much of it was filled."""
    for order_id, status in rig.venue.gone.items():
        matched = SizeE6(rig.venue.matched.get(order_id, 0))
        size = rig.row(order_id).size_e6
        rig.hear(
            "feed_user",
            "feed.user",
            rig.own_order(
                order_id,
                side="SELL",
                status=status,
                original_size_e6=size,
                size_matched_e6=matched,
            ),
        )


def wish_of(rig: Rig, strategy: StrategyName, *targets: Target) -> None:
    """Let another strategy say its wish."""
    body = TargetSet(strategy, MARKET, rig.config.timing.target_ttl_ms, targets)
    rig.hear(strategy, "strategy.targets", body)


@pytest.mark.req("EX-17")
@pytest.mark.req("EX-23")
def test_several_closing_orders_together_never_exceed_what_is_confirmed() -> None:
    rig = holding(12)
    rig.venue.holds = True  # in flight counts as much as what rests
    rig.wishes = tuple(closing(5, level=level) for level in range(4))
    rig.run(300)
    assert [order.size_e6 for order in rig.orders("INTENDED")] == [5 * SHARE] * 2
    assert rig.denials() == {"inventory": 2}


@pytest.mark.req("EX-17")
def test_closing_order_is_cancelled_at_once_when_its_shares_are_put_in_doubt() -> None:
    rig = holding(12)
    rig.wishes = (closing(12),)
    rig.run(400)
    (order,) = rig.orders("LIVE")
    rig.core._parts.positions.take(
        build_fill_record(
            trade_id=TradeId("begin-market_making"),
            market=MARKET,
            token=UP,
            settlement="FAILED",
        )
    )
    rig.run(10)
    assert rig.venue.open == {}
    assert rig.row(order.order_id).reason == "inventory"
    assert any(alert.name == "trade_contradicted" for alert in rig.published(Alert))
    rig.run(1_000)
    assert rig.venue.open == {}
    assert "inventory" in rig.denials()


@pytest.mark.req("EX-23")
def test_chain_that_shows_less_than_we_knew_shrinks_what_is_offered() -> None:
    rig = holding(12)
    rig.wishes = (closing(6), closing(6, level=1))
    rig.run(400)
    rig.core._parts.positions.take_chain(UP, 6 * SHARE, rig.now.boot_ns)
    rig.run(300)
    assert [order.level for order in rig.orders("LIVE")] == [0], "the newest goes first"
    rig.core._parts.positions.take_chain(UP, None, rig.now.boot_ns)
    rig.run(8_000)
    assert len(rig.venue.open) == 2, "unknown limits nothing beyond what is confirmed"


@pytest.mark.req("EX-17")
def test_rest_of_a_closing_order_that_takes_is_cancelled_and_offered_anew() -> None:
    rig = holding(12)
    rig.wishes = (stop(12),)
    rig.run(300)
    (first,) = rig.orders("LIVE")
    sell(rig, first, 5, "t1")
    rig.wishes = (stop(7),)
    rig.run(100)
    assert rig.row(first.order_id).state == "PARTLY_FILLED"
    rig.run(300)
    row = rig.row(first.order_id)
    assert (row.state, row.reason, row.filled_e6) == ("CANCELED", "remainder", 5 * SHARE)
    rig.run(10_000)
    assert {post.order.maker_amount for post in rig.venue.posts[1:]} == {7 * SHARE}


@pytest.mark.req("EX-17")
def test_closing_order_that_nobody_takes_is_tried_ever_more_slowly() -> None:
    rig = holding(12)
    rig.wishes = (stop(12),)
    rig.run(60_000)
    longest_ms = (PAUSE_NS_FIRST << PAUSE_DOUBLINGS_MAX) // NS_PER_MS
    assert 60_000 // (longest_ms + 1_000) <= len(rig.venue.posts) <= 40
    assert len(rig.venue.open) <= 1


@pytest.mark.req("EX-17")
@pytest.mark.parametrize("price", [5_200, 4_700])
def test_caretaker_and_execution_reach_flat_through_partial_fills_and_refusals(price: int) -> None:
    rig = holding(40)
    caretaker, sold = Caretaker(CaretakerSettings(), "caretaker"), 0
    for turn in range(60):
        facts = {fact.token: fact for fact in rig.published(Positions)[-1].positions}
        held = (holding_of(facts.get(UP)), NOTHING_HELD)
        view = market_view(rig.now)
        wish = caretaker.wish(
            MarketContext(rig.info, view, (NOTHING_HELD, NOTHING_HELD), ((MAKER, held),), rig.now)
        )
        rig.wishes = tuple(
            msgspec.structs.replace(one, price=PriceE4(price), post_only=price == 5_200)
            for one in wish.targets
        )
        rig.venue.refusal = (400, "order crosses book") if turn % 7 == 3 else None
        has_sold = False
        for _ in range(10):
            rig.run(100)
            tell_ends(rig)
            open_orders = [rig.row(order_id) for order_id in rig.venue.open]
            if open_orders and not has_sold:
                (order,) = open_orders
                part = min(3, (order.size_e6 - order.filled_e6) // SHARE)
                sold += part
                has_sold = True
                sell(rig, order, part, f"t{turn}")
        assert rig.held(UP) == (40 - sold) * SHARE >= 0
    assert rig.held(UP) < 5 * SHARE
    if price == 5_200:
        assert rig.held(UP) == 0, "what rests is sold to the last share, below the minimum too"


@pytest.mark.req("EX-27")
def test_dust_is_named_shown_and_never_tried() -> None:
    rig = holding(4)
    rig.wishes = (closing(4),)
    rig.run(5_000)
    assert rig.venue.posts == []
    assert rig.denials() == {"dust": 1}
    (fact,) = rig.published(Positions)[-1].positions
    assert fact.dust


@pytest.mark.req("EX-27")
def test_rest_of_an_order_that_nothing_can_match_comes_to_an_end() -> None:
    rig = Rig()
    rig.quote(target())
    (order,) = rig.orders("LIVE")
    rig.wishes = (target(size=SizeE6(10_000)),)
    matched = SizeE6(5_994_000)
    rig.hear("feed_user", "feed.user", rig.own_order(order.order_id, size_matched_e6=matched))
    rig.venue.matched[order.order_id] = matched
    del rig.venue.open[order.order_id]
    rig.venue.gone[order.order_id] = "MATCHED"
    rig.run(1_000)
    row = rig.row(order.order_id)
    assert (row.state, row.filled_e6) == ("FILLED", matched)


# --- several strategies on one account ---


@pytest.mark.req("EX-20")
def test_strategy_never_sells_what_another_holds() -> None:
    rig = holding(12, other=6)
    rig.run(100)
    wish_of(rig, OTHER, closing(7))
    assert rig.venue.posts == []
    wish_of(rig, OTHER, closing(6))
    rig.wishes = (closing(12),)
    rig.run(400)
    sizes = {order.strategy: order.size_e6 for order in rig.orders("LIVE")}
    assert sizes == {MAKER: 12 * SHARE, OTHER: 6 * SHARE}


@pytest.mark.req("EX-20")
def test_strategy_never_cancels_nor_moves_the_order_of_another() -> None:
    rig = Rig()
    rig.quote(target())
    rig.run(100)
    for price in (4_700, 4_600):
        wish_of(rig, OTHER, target(price=PriceE4(price)))
        rig.run(100)
    wish_of(rig, OTHER)
    rig.run(100)
    rows = {order.strategy: order for order in rig.orders("LIVE")}
    assert list(rows) == [MAKER]
    assert rows[MAKER].price_e4 == 4_800
    assert len([post for post in rig.venue.posts if post.order_id == rows[MAKER].order_id]) == 1


@pytest.mark.req("EX-20")
def test_fill_belongs_to_the_strategy_whose_order_it_was() -> None:
    rig = Rig()
    rig.quote(target())
    wish_of(rig, OTHER, target(token=DOWN))
    rig.run(300)
    for number, order in enumerate(rig.orders("LIVE")):
        rig.hear("feed_user", "feed.user", rig.trade(order.order_id, 2, trade_id=f"t{number}"))
    rig.run(50)
    held = {(fact.strategy, fact.token) for fact in rig.published(Positions)[-1].positions}
    assert held == {(MAKER, UP), (OTHER, DOWN)}


@pytest.mark.req("EX-17")
@pytest.mark.req("EX-25")
def test_shares_that_a_stranger_is_selling_are_not_offered_twice() -> None:
    rig = holding(12)
    rig.wishes = (closing(6),)
    rig.run(400)
    rig.venue.cancel_status = 500
    stranger = rig.own_order(OrderHash("0x" + "cd" * 32), side="SELL", price=PriceE4(5_500))
    rig.hear("feed_user", "feed.user", stranger)
    rig.wishes = (closing(6), closing(6, level=1))
    rig.run(1_000)
    assert len(rig.venue.posts) == 1
    assert "inventory" in rig.denials()


# --- what the venue takes and then ends by itself ---


@pytest.mark.req("EX-4")
@pytest.mark.parametrize("status", ["CANCELED", "INVALID"])
def test_order_that_is_taken_and_dropped_at_once_does_not_churn(status: str) -> None:
    rig = Rig()
    rig.start()
    rig.wishes = (target(),)
    for _ in range(1_000):
        rig.run(10)
        for order_id in tuple(rig.venue.open):
            del rig.venue.open[order_id]
            rig.venue.gone[order_id] = status
            zero = SizeE6(0)
            report = rig.own_order(order_id, status=status, size_matched_e6=zero)
            rig.hear("feed_user", "feed.user", report)
    assert 5 <= len(rig.venue.posts) <= 7, "a quarter of a second, doubled each time"
    assert "refused_before" in rig.denials()


@pytest.mark.req("EX-4")
def test_order_that_stayed_a_while_before_it_was_dropped_counts_anew() -> None:
    rig = Rig()
    rig.start()
    rig.wishes = (target(),)
    for _ in range(5):
        rig.run(2_000)
        (order_id,) = tuple(rig.venue.open)
        del rig.venue.open[order_id]
        rig.venue.gone[order_id] = "CANCELED"
        report = rig.own_order(order_id, status="CANCELED")
        rig.hear("feed_user", "feed.user", report)
    rig.run(500)
    assert len(rig.venue.posts) == 6
