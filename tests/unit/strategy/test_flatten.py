"""Closing by risk's order: the caretaker for every owner, strategies nothing."""

from typing import Any

import pytest

from services.strategy.caretaker import Caretaker
from services.strategy.core import StrategyCore
from services.strategy.interface import NOTHING_HELD, Holding, MarketContext, Wish
from services.strategy.market_making import MarketMaking
from shared.config import CaretakerSettings, MarketMakingSettings, TimingSettings
from shared.config.settings import LimitSettings
from shared.control import Ping, ScopeOrder
from shared.effects import ControlReceived, Effect, Publish
from shared.facts import Calendar, LossStatus, RiskStatus, StrategyStatus
from shared.identifiers import ADOPTED, Component, Incarnation, StrategyName
from shared.targets import Target, TargetSet
from shared.topics import EXECUTION, FEED_DISCOVERY, RISK, STATE
from shared.units import SHARE_E6, Instant, PriceE4, SizeE6
from tests.builders.markets import (
    DOWN,
    MARKET,
    UP,
    book_view,
    instant,
    market_info,
    market_view,
    position,
    positions,
    received,
)

NOW = instant(10_000)
OWNER = StrategyName("market_making")
OTHER = StrategyName("other")


def _held(shares: int, confirmed: int | None = None) -> Holding:
    sure = shares if confirmed is None else confirmed
    return Holding(SizeE6(shares * SHARE_E6), SizeE6(sure * SHARE_E6), shares * 500_000)


def _closing(
    *owners: tuple[StrategyName, tuple[Holding, Holding]], bids: tuple[int | None, int | None]
) -> MarketContext:
    books = (book_view(UP, bids[0], 9_900), book_view(DOWN, bids[1], 9_900))
    view = market_view(NOW, books=books)
    return MarketContext(market_info(), view, (NOTHING_HELD,) * 2, (), NOW, owners)


def _wish(context: MarketContext, **settings: Any) -> Wish:
    return Caretaker(CaretakerSettings(**settings), "hold").wish(context)


@pytest.mark.req("EX-17")
def test_larger_holding_is_sold_at_market_within_the_bound_reduce_only() -> None:
    context = _closing((OWNER, (_held(8), _held(20))), bids=(4_900, 4_800))
    wish = _wish(context, slippage_e4_max=250)
    (target,) = wish.targets
    assert wish.owner == OWNER
    assert (target.token, target.side, target.price) == (DOWN, "SELL", 4_500)
    assert target.size == 20 * SHARE_E6
    assert (target.reduce_only, target.post_only, target.purpose) == (True, False, "flatten")


@pytest.mark.req("EX-17")
@pytest.mark.parametrize(("sets", "shares"), [(True, 20), (False, 12)])
def test_complete_sets_are_sold_or_kept_as_the_setting_says(sets: bool, shares: int) -> None:
    context = _closing((OWNER, (_held(8), _held(20))), bids=(4_900, 4_800))
    (target,) = _wish(context, flatten_sets=sets).targets
    assert target.size == shares * SHARE_E6


def test_only_what_is_confirmed_is_sold() -> None:
    context = _closing((OWNER, (_held(20, 6), NOTHING_HELD)), bids=(4_900, 4_800))
    (target,) = _wish(context).targets
    assert target.size == 6 * SHARE_E6


@pytest.mark.parametrize(
    ("holdings", "bids"),
    [
        ((_held(4), NOTHING_HELD), (4_900, 4_900)),
        ((_held(20), NOTHING_HELD), (None, 4_900)),
        ((_held(20, 0), NOTHING_HELD), (4_900, 4_900)),
    ],
    ids=["below-the-minimum", "no-bid", "not-confirmed"],
)
def test_what_cannot_be_sold_is_held_and_said(
    holdings: tuple[Holding, Holding], bids: tuple[int | None, int | None]
) -> None:
    wish = _wish(_closing((OWNER, holdings), bids=bids))
    assert wish.targets == ()
    assert wish.reason == f"held: {OWNER}, which cannot be sold now"


def test_owner_that_cannot_be_helped_never_holds_up_another() -> None:
    stuck, fine = (OWNER, (_held(4), NOTHING_HELD)), (OTHER, (_held(9), NOTHING_HELD))
    assert _wish(_closing(stuck, fine, bids=(4_900, 4_900))).owner == OTHER


@pytest.mark.req("EX-25")
def test_position_held_by_policy_is_held_under_a_close_too() -> None:
    wish = _wish(_closing((ADOPTED, (_held(20), NOTHING_HELD)), bids=(4_900, 4_900)))
    assert (wish.targets, wish.reason) == ((), f"held: {ADOPTED} by its policy")


def _ping(now: Instant, state: str, *scopes: ScopeOrder) -> ControlReceived:
    return ControlReceived(
        Ping(Incarnation(9), 1, now.boot_ns, 1, 0, "", state, (), scopes, 1)  # type: ignore[arg-type]
    )


def _said(core: StrategyCore, ping: ControlReceived, now: Instant) -> list[TargetSet]:
    """Return what a strategy says to a fresh view, with what it holds and a ping before it."""
    core.on_message(ping, now)
    effects: list[Effect] = []
    for component, topic, body in (
        (FEED_DISCOVERY, "feed.calendar", Calendar((market_info(),), now.monotonic_ns)),
        (Component(OWNER), "strategy.status", StrategyStatus(OWNER, "active", "", ())),
        (EXECUTION, "execution.positions", positions(position(UP, 20))),
        (STATE, "state.market", market_view(now)),
    ):
        effects = core.on_message(received(component, topic, body, now), now)
    return [
        one.body for one in effects if isinstance(one, Publish) and isinstance(one.body, TargetSet)
    ]


def _targets(core: StrategyCore, ping: ControlReceived) -> tuple[Target, ...]:
    sets = _said(core, ping, NOW)
    return sets[-1].targets if sets else ()


def _market_making() -> StrategyCore:
    strategy = MarketMaking(MarketMakingSettings(), LimitSettings())
    return StrategyCore(strategy, TimingSettings(), takeover_ms=3_000)


def _caretaker() -> StrategyCore:
    return StrategyCore(Caretaker(CaretakerSettings(), "hold"), TimingSettings(), 3_000)


def _scope(kind: Any, scope_id: str, state: Any = "REDUCING") -> ScopeOrder:
    return ScopeOrder(kind, scope_id, 1, state, "test")


REDUCING = (
    _ping(NOW, "REDUCING"),
    _ping(NOW, "ACTIVE", _scope("market", MARKET)),
    _ping(NOW, "ACTIVE", _scope("asset", "btc")),
    _ping(NOW, "ACTIVE", _scope("token", UP)),
    _ping(NOW, "ACTIVE", _scope("strategy", OWNER)),
    _ping(NOW, "REDUCING", _scope("strategy", OWNER, "PAUSED")),
)
OTHERWISE = (
    _ping(NOW, "ACTIVE"),
    _ping(NOW, "PAUSED"),
    _ping(NOW, "HALTED"),
    _ping(NOW, "ACTIVE", _scope("market", "0xother")),
    _ping(NOW, "ACTIVE", _scope("strategy", "other")),
    _ping(NOW, "REDUCING", _scope("market", MARKET, "HALTED")),
)


@pytest.mark.req("EX-17")
@pytest.mark.parametrize("ping", REDUCING)
def test_strategy_withdraws_and_the_caretaker_closes_for_it_while_it_lives(
    ping: ControlReceived,
) -> None:
    assert _targets(_market_making(), ping) == ()
    (closing,) = _said(_caretaker(), ping, NOW)
    assert closing.strategy == OWNER
    assert [(one.token, one.purpose) for one in closing.targets] == [(UP, "flatten")]


@pytest.mark.req("EX-17")
@pytest.mark.parametrize("ping", OTHERWISE)
def test_nothing_is_closed_where_risk_orders_something_else(ping: ControlReceived) -> None:
    assert _targets(_market_making(), ping)
    assert _targets(_caretaker(), ping) == ()


def test_invalid_view_closes_nothing() -> None:
    core = _caretaker()
    _said(core, _ping(NOW, "REDUCING"), NOW)
    doubted = market_view(NOW, valid=False, reason="hash")
    (effect,) = core.on_message(received(STATE, "state.market", doubted, NOW), NOW)
    assert isinstance(effect, Publish)
    assert isinstance(effect.body, TargetSet)
    assert effect.body.targets == ()


def test_price_of_a_close_never_falls_below_the_tick() -> None:
    context = _closing((OWNER, (_held(30), NOTHING_HELD)), bids=(400, 9_000))
    (target,) = _wish(context, slippage_e4_max=5_000).targets
    assert target.price == PriceE4(100)


def _lost(lost_e6: int) -> RiskStatus:
    losses = LossStatus(
        500, 0, None, None, None, lost_e6, 50_000_000, 0, 45_000_000, 0, 50_000_000, 0, True
    )
    return RiskStatus("ACTIVE", (), 1, "none", "", None, (), (), 1, losses=losses)


@pytest.mark.req("CB-2")
@pytest.mark.parametrize(
    ("lost_e6", "quotes"), [(44_999_999, True), (45_000_000, False), (45_000_001, False)]
)
def test_strategy_stops_quoting_by_itself_before_the_day_has_lost_its_limit(
    lost_e6: int, quotes: bool
) -> None:
    core = _market_making()
    core.on_message(received(RISK, "risk.status", _lost(lost_e6), NOW), NOW)
    assert bool(_targets(core, _ping(NOW, "ACTIVE"))) is quotes


def test_caretaker_goes_on_whatever_the_day_has_lost() -> None:
    core = _caretaker()
    core.on_message(received(RISK, "risk.status", _lost(60_000_000), NOW), NOW)
    assert _targets(core, _ping(NOW, "REDUCING"))
