"""Closing by risk's order: reduce-only through the gate, our own orders out of its way, told."""

from typing import Any

import msgspec
import pytest

from services.execution.closing import HELD_GRACE_NS
from services.execution.startup import OpenedLedger
from shared.control import Lease, ScopeOrder
from shared.facts import Alert
from shared.identifiers import StrategyName, TradeId
from shared.targets import Target, TargetSet
from shared.units import NS_PER_MS, PriceE4, SizeE6
from tests.builders.execution import MAKER, Rig, target
from tests.builders.ledger_rows import build_fill_record
from tests.builders.markets import DOWN, MARKET, UP

SHARE = 1_000_000
OTHER = StrategyName("other")


def _close(shares: int = 12, **spoil: Any) -> Target:
    """Return what the caretaker wishes for a position in UP that risk orders closed."""
    offer = target(
        side="SELL",
        price=PriceE4(4_600),
        size=SizeE6(shares * SHARE),
        post_only=False,
        reduce_only=True,
        purpose="flatten",
    )
    return msgspec.structs.replace(offer, **spoil)


def _holding(shares: int = 12) -> Rig:
    fill = build_fill_record(
        trade_id=TradeId("begin"),
        strategy=MAKER,
        market=MARKET,
        token=UP,
        size_e6=SizeE6(shares * SHARE),
        settlement="CONFIRMED",
    )
    rig = Rig(OpenedLedger(fills=(fill,)))
    rig.start()
    return rig


def _reduce(rig: Rig, state: Any = "REDUCING") -> None:
    """Let risk fence, and grant a lease that reduces once zero is proven."""
    rig.fence()
    rig.trading_state = state
    rig.run(3_000)
    rig.resume()


def _lease(rig: Rig) -> Lease:
    lease = rig.build_ping().lease
    assert lease is not None
    return msgspec.structs.replace(lease, state="REDUCING")


def _run(rig: Rig, milliseconds: int, care: tuple[Target, ...] = (_close(),)) -> None:
    """Run under a lease that reduces, the caretaker wishing for the strategy all the while."""
    for _ in range(0, milliseconds, 50):
        rig.run(50)
        rig.ping(lease=_lease(rig))
        body = TargetSet(MAKER, MARKET, rig.config.timing.target_ttl_ms, care)
        rig.hear("caretaker", "strategy.targets", body)


def _by_other(rig: Rig, *targets: Target) -> None:
    body = TargetSet(OTHER, MARKET, rig.config.timing.target_ttl_ms, targets)
    rig.hear(OTHER, "strategy.targets", body)


@pytest.mark.req("EX-17")
def test_under_a_reducing_lease_the_closing_order_alone_passes_though_its_strategy_quotes() -> None:
    rig = _holding()
    rig.wishes = (target(token=DOWN),)
    rig.run(400)
    (quote,) = rig.orders("LIVE")
    _reduce(rig)
    _run(rig, 1_000)
    posted = [post.order for post in rig.venue.posts[1:]]
    assert posted, "the caretaker's order is placed while its strategy keeps wishing"
    assert {(one.token_id, one.side_code) for one in posted} == {(UP, 1)}
    assert rig.row(quote.order_id).state == "CANCELED"
    assert rig.denials()["reducing"] >= 1


@pytest.mark.req("EX-17")
def test_nothing_is_closed_where_risk_halts() -> None:
    rig = _holding()
    _reduce(rig, "HALTED")
    _run(rig, 1_000)
    assert rig.venue.posts == []


@pytest.mark.req("EX-17")
@pytest.mark.parametrize(
    ("scope_state", "closes"), [("PAUSED", True), ("REDUCING", True), ("HALTED", False)]
)
def test_position_of_a_strategy_that_is_paused_is_closed_with_the_account(
    scope_state: Any, closes: bool
) -> None:
    rig = _holding()
    rig.scopes = (ScopeOrder("strategy", MAKER, 1, scope_state, "lost"),)
    _reduce(rig)
    _run(rig, 1_000)
    assert bool(rig.venue.posts) is closes


@pytest.mark.req("EX-26")
def test_bid_of_another_strategy_makes_way_for_a_closing_sell_and_does_not_come_back() -> None:
    rig = _holding()
    rig.scopes = (ScopeOrder("strategy", MAKER, 1, "REDUCING", "test"),)
    _by_other(rig, target(price=PriceE4(4_800)))
    rig.run(300)
    (bid,) = rig.orders("LIVE")
    for _ in range(20):
        rig.run(50)
        _by_other(rig, target(price=PriceE4(4_800)))
        body = TargetSet(MAKER, MARKET, rig.config.timing.target_ttl_ms, (_close(),))
        rig.hear("caretaker", "strategy.targets", body)
    assert rig.row(bid.order_id).reason == "closing_first"
    sells = [one for one in rig.orders() if one.side == "SELL"]
    assert sells, "the closing sell came through"
    bids = [one.order_id for one in rig.orders() if one.side == "BUY" and one.price_e4 >= 4_600]
    assert bids == [bid.order_id], "none comes back into the way between two tries"
    assert "closing_first" in rig.denials()


@pytest.mark.req("EX-17")
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda rig: rig.silent_feeds.add("state"), "state_view"),
        (lambda rig: rig.view.update(valid=False, reason="hash"), "state_view"),
        (lambda rig: setattr(rig, "grants", False), "self_fence lease ran out"),
    ],
    ids=["state", "book", "risk"],
)
def test_position_that_is_to_be_closed_and_is_held_is_told(spoil: Any, why: str) -> None:
    rig = _holding()
    _reduce(rig)
    rig.run(300)
    spoil(rig)
    rig.run(HELD_GRACE_NS // NS_PER_MS - 5_000)
    assert not [one for one in rig.published(Alert) if one.name == "closing_held"]
    rig.run(6_000)
    (alert,) = [one for one in rig.published(Alert) if one.name == "closing_held"]
    assert f"is held: {why}" in alert.text
    assert alert.severity == "critical"


def test_position_that_nobody_orders_closed_is_not_told() -> None:
    rig = _holding()
    rig.run(15_000)
    assert not [one for one in rig.published(Alert) if one.name == "closing_held"]
