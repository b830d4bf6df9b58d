"""RV-1 of the data: each check at its edges, and each as an item that holds trading back."""

from typing import Any

import msgspec
import pytest

from services.risk.data_sanity import GAP_NS, DataSanity
from services.risk.hour_range import BUCKET_NS
from services.risk.recovery import MOVED, check_recovery
from shared.config import RecoverySettings
from shared.control import Mismatch
from shared.effects import Gap, Received
from shared.facts import BookView, Calendar, MarketView, ReferencePrice, StateView
from shared.identifiers import Asset, ConditionId, Incarnation, TokenId
from shared.topics import FEED_PRICE, RECORDER, STATE
from shared.units import NS_PER_MS, MonotonicNs, PriceE4, ReferenceE18, SizeE6, WallMs
from tests.builders.risk import World, instant, market
from tests.unit.risk.test_recovery import GOOD

LIMITS = RecoverySettings()


def view(usd: int = 100, shares: int = 5, **spoil: Any) -> MarketView:
    levels = ((PriceE4(5_000), SizeE6(shares * 1_000_000)),)
    book = BookView(TokenId("1"), levels, ())
    empty = BookView(TokenId("2"), (), ())
    reference = ReferencePrice(
        Asset("btc"), "chainlink", ReferenceE18(usd * 10**18), WallMs(0), MonotonicNs(0)
    )
    made = MarketView(
        market=ConditionId("m"),
        asset=Asset("btc"),
        valid=True,
        reason="",
        proven_ns=None,
        tick_e4=PriceE4(100),
        books=(book, empty),
        reference=reference,
        strike_e18=None,
        volatility_e9=None,
        venue_ms=WallMs(0),
    )
    return msgspec.structs.replace(made, **spoil)


def tell(sanity: DataSanity, body: Any, ms: float = 0) -> None:
    fact = Received(STATE, Incarnation(1), "t", 1, MonotonicNs(0), MonotonicNs(0), 0, body)
    sanity.hear(fact, instant(ms))


def seen(*views: MarketView) -> DataSanity:
    sanity = DataSanity()
    tell(sanity, StateView(views))
    return sanity


@pytest.mark.req("RV-1")
@pytest.mark.parametrize(("shares", "is_thin"), [(4, True), (5, False), (6, False)])
def test_depth_is_at_least_its_minimum(shares: int, is_thin: bool) -> None:
    assert bool(seen(view(shares=shares)).thin(LIMITS)) is is_thin


@pytest.mark.req("RV-1")
def test_market_that_is_not_proven_has_no_depth() -> None:
    assert seen(view(shares=50, valid=False)).thin(LIMITS)
    assert DataSanity().thin(LIMITS)


@pytest.mark.req("RV-1")
@pytest.mark.parametrize(("usd", "is_out"), [(89, True), (90, False), (110, False), (111, True)])
def test_price_is_inside_of_what_the_hour_has_seen(usd: int, is_out: bool) -> None:
    sanity = seen(view(100))
    assert not sanity.out_of_range(LIMITS), "nobody knows a range yet"
    tell(sanity, StateView((view(usd),)), BUCKET_NS / NS_PER_MS)
    assert bool(sanity.out_of_range(LIMITS)) is is_out


@pytest.mark.req("RV-1", "NET-3")
@pytest.mark.parametrize(("usd", "is_far"), [(106, True), (105, False), (95, False), (94, True)])
def test_price_that_moved_far_since_it_was_traded_on_must_settle_there(
    usd: int, is_far: bool
) -> None:
    sanity = seen(view(100))
    assert not sanity.moved(LIMITS, instant(0)), "nothing was traded on yet"
    sanity.traded()
    tell(sanity, StateView((view(usd),)), 10)
    assert bool(sanity.moved(LIMITS, instant(10))) is is_far
    assert bool(sanity.moved(LIMITS, instant(LIMITS.settles_ms + 9))) is is_far
    assert not sanity.moved(LIMITS, instant(LIMITS.settles_ms + 10))
    sanity.traded()
    assert not sanity.moved(LIMITS, instant(LIMITS.settles_ms + 10))


@pytest.mark.req("RV-1")
def test_gap_of_what_risk_reads_counts_until_it_was_repeated() -> None:
    sanity = seen()
    sanity.hear(Gap(RECORDER, "", 1, "sequence"), instant(0))
    assert not sanity.gap(instant(0))
    sanity.hear(Gap(STATE, "state.view", 1, "sequence"), instant(0))
    assert sanity.gap(instant(GAP_NS / NS_PER_MS - 1))
    assert not sanity.gap(instant(GAP_NS / NS_PER_MS))


@pytest.mark.req("RV-1")
@pytest.mark.parametrize(("ahead_ms", "is_bad"), [(5_000, False), (5_001, True)])
def test_stamps_are_not_ahead_of_our_clocks(ahead_ms: int, is_bad: bool) -> None:
    now = instant(0)
    ahead = WallMs(now.wall_ms + ahead_ms)
    assert bool(seen(view(venue_ms=ahead)).from_the_future(LIMITS, now)) is is_bad
    reference = view().reference
    assert reference is not None
    later = msgspec.structs.replace(reference, venue_ms=ahead)
    assert bool(seen(view(reference=later)).from_the_future(LIMITS, now)) is is_bad
    proven = MonotonicNs(now.monotonic_ns + 1)
    assert seen(view(proven_ns=proven)).from_the_future(LIMITS, now)


@pytest.mark.req("RV-1")
@pytest.mark.parametrize(
    ("spoil", "is_bad"),
    [
        ({}, False),
        ({"end_ms": WallMs(0)}, True),
        ({"tokens": (TokenId("1"), TokenId("1"))}, True),
        ({"tick_e4": PriceE4(0)}, True),
        ({"min_size_e6": SizeE6(0)}, True),
        ({"cutoff_ms": WallMs(2**50)}, True),
    ],
)
def test_markets_are_told_with_what_can_be(spoil: dict[str, Any], is_bad: bool) -> None:
    sanity = DataSanity()
    assert sanity.wrong_market(instant(0)), "no market at all"
    tell(sanity, Calendar((market(**spoil),), MonotonicNs(0)))
    assert bool(sanity.wrong_market(instant(0))) is is_bad


@pytest.mark.req("RV-1", "RV-2")
@pytest.mark.parametrize(
    ("spoil", "item"),
    [
        ({"thin": "1 share"}, "depth over its minimum"),
        ({"out_of_range": "btc"}, "mark price in its range"),
        ({"gap": "state"}, "no gap"),
        ({"future": "btc"}, "timestamps sane"),
        ({"wrong_market": "x"}, "active markets valid"),
        ({"wrong_strategies": ("market_making",)}, "strategies in a right state"),
        ({"alerts": ("ledger",)}, "no alert in the way"),
        ({"moved": "btc"}, MOVED),
    ],
)
def test_each_item_alone_holds_trading_back(spoil: dict[str, Any], item: str) -> None:
    checks = check_recovery(msgspec.structs.replace(GOOD, **spoil))
    assert [check.name for check in checks if not check.holds] == [item]


@pytest.mark.req("RV-1")
def test_recovery_waits_for_what_execution_says_must_be_looked_at() -> None:
    world = World()
    world.run(100)
    world.execution.ledger_fault = "disk"
    world.run(6_000)
    assert "no alert in the way" in world.check_list()


@pytest.mark.req("RV-1")
def test_alert_of_the_switch_that_is_being_cleared_is_in_nobodys_way() -> None:
    world = World()
    world.trade()
    world.execution.mismatch = Mismatch(2, 2, 2, "text")
    world.run(1_000)
    world.execution.mismatch = Mismatch(3, 0, 2, "halted, reconciled since")
    world.run(5_000)
    assert "no alert in the way" not in world.check_list()


@pytest.mark.req("DG-2")
def test_closing_needs_no_price_feed_and_trading_does() -> None:
    """While the account is to be closed a lost price feed, its cause, holds no lease back."""
    settings = msgspec.structs.replace(
        World().config,
        degradation=msgspec.structs.replace(World().config.degradation, critical_down_ms=3_000),
    )
    world = World(settings=settings)
    world.trade()
    world.silent.add(FEED_PRICE)
    world.run(4_500)
    assert world.status.level == "EMERGENCY"
    since = world.ms
    world.run(8_000)
    states = {ping.lease.state for ping in world.leases(since) if ping.lease is not None}
    assert states == {"REDUCING"}


@pytest.mark.req("RV-1", "RV-2")
def test_market_that_was_held_goes_on_only_with_books_that_are_deep() -> None:
    """A scoped pause ends by the same checks, for the inputs of that scope alone."""
    world = World()
    world.trade()
    world.valid = False
    world.run(1_000)
    assert [scope.scope_id for scope in world.execution.newest.scopes] == ["0xm1"]
    world.deep = False
    world.valid = True
    world.run(10_000)
    [held] = [one for one in world.status.switches if one.scope == "market"]
    assert held.reason.startswith("recovery: 0 shares near the touch")
    world.deep = True
    world.run(4_000)
    assert not [one for one in world.status.switches if one.scope == "market"]
