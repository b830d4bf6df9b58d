from collections.abc import Iterable

import msgspec
import pytest

from services.strategy.core import StrategyCore
from services.strategy.interface import MarketContext, Wish
from shared.config import TimingSettings
from shared.control import Ping, ScopeOrder
from shared.effects import ControlReceived, Effect, Exit, Gap, Paused, Publish, Stop
from shared.facts import Calendar, MarketView, StrategyStatus
from shared.identifiers import Component, Incarnation, StrategyName
from shared.targets import Target, TargetSet
from shared.topics import EXECUTION, FEED_DISCOVERY, STATE
from shared.trading_state import TradingState
from shared.units import Instant, PriceE4, SizeE6
from tests.builders.markets import (
    UP,
    instant,
    market_info,
    market_view,
    position,
    positions,
    received,
)

TARGET = Target(UP, "BUY", 0, PriceE4(4900), SizeE6(10_000_000))


class FixedWish:
    """A strategy that always wants the same, and remembers what it was shown."""

    name = StrategyName("fixed")

    def __init__(self) -> None:
        self.seen: list[MarketContext] = []
        self.forgot = 0

    def wish(self, context: MarketContext) -> Wish:
        self.seen.append(context)
        return Wish((TARGET,), "fixed")

    def forget(self) -> None:
        self.forgot += 1


def _ping(now: Instant, *scopes: ScopeOrder) -> ControlReceived:
    return ControlReceived(Ping(Incarnation(9), 1, now.boot_ns, 1, 0, "", "ACTIVE", (), scopes, 1))


def _held(name: str, state: TradingState, *, care: bool = True) -> ScopeOrder:
    return ScopeOrder("strategy", name, 1, state, "it has crashed", care and state == "REDUCING")


def _ready(milliseconds: int = 1_000) -> tuple[StrategyCore, FixedWish]:
    strategy = FixedWish()
    core = StrategyCore(strategy, TimingSettings(), takeover_ms=3_000)
    now = instant(milliseconds)
    core.on_message(_ping(now), now)
    _tell(core, FEED_DISCOVERY, "feed.calendar", Calendar((market_info(),), now.monotonic_ns), now)
    _tell(core, EXECUTION, "execution.positions", positions(), now)
    return core, strategy


def _tell(
    core: StrategyCore, component: Component, topic: str, body: msgspec.Struct, now: Instant
) -> list[Effect]:
    return core.on_message(received(component, topic, body, now), now)


def _show(core: StrategyCore, now: Instant, view: MarketView | None = None) -> list[Effect]:
    return _tell(core, STATE, "state.market", view or market_view(now), now)


def _sets(effects: Iterable[Effect]) -> list[TargetSet]:
    return [
        effect.body
        for effect in effects
        if isinstance(effect, Publish) and isinstance(effect.body, TargetSet)
    ]


def test_new_view_is_answered_in_the_same_turn_with_its_input_stamp() -> None:
    core, _ = _ready()
    now = instant(1_050)
    (effect,) = _show(core, now)
    assert isinstance(effect, Publish)
    assert effect.input_ns == now.monotonic_ns
    assert _sets([effect])[0].targets == (TARGET,)


def test_wish_is_renewed_before_it_runs_out_and_not_more_often() -> None:
    core, _ = _ready()
    _show(core, instant(1_000))
    assert _sets(core.on_tick(instant(1_099))) == []
    assert len(_sets(core.on_tick(instant(1_100)))) == 1
    assert _sets(core.on_tick(instant(1_110))) == []


def test_unchanged_wish_is_not_repeated_at_every_view() -> None:
    core, _ = _ready()
    _show(core, instant(1_000))
    assert _sets(_show(core, instant(1_010))) == []


@pytest.mark.parametrize(("silent_ms", "wishes"), [(449, True), (450, True), (451, False)])
def test_wish_is_withdrawn_when_risk_stops_pinging(silent_ms: int, wishes: bool) -> None:
    core, _ = _ready(1_000)
    _show(core, instant(1_001))
    sets = _sets(core.on_tick(instant(1_000 + silent_ms)))
    assert sets[-1].targets == ((TARGET,) if wishes else ())


def test_wish_is_withdrawn_when_the_view_turns_invalid() -> None:
    core, _ = _ready()
    _show(core, instant(1_000))
    now = instant(1_010)
    (empty,) = _sets(_show(core, now, market_view(now, valid=False, reason="hash")))
    assert empty.targets == ()


@pytest.mark.parametrize(
    "trouble",
    [
        Gap(STATE, "", -1, "sequence"),
        Gap(EXECUTION, "", -1, "sequence"),
        Gap(FEED_DISCOVERY, "", -1, "incarnation"),
        Paused(10**9),
    ],
    ids=["state", "execution", "calendar", "pause"],
)
def test_wish_is_withdrawn_when_an_input_is_in_doubt(trouble: Gap | Paused) -> None:
    core, _ = _ready()
    _show(core, instant(1_000))
    core.on_message(trouble, instant(1_010))
    (empty,) = _sets(core.on_tick(instant(1_100)))
    assert empty.targets == ()


def test_stale_view_withdraws_the_wish() -> None:
    core, _ = _ready()
    _show(core, instant(1_000))
    for milliseconds in range(1_100, 2_001, 100):
        core.on_message(_ping(instant(milliseconds)), instant(milliseconds))
        assert _sets(core.on_tick(instant(milliseconds)))[0].targets == (TARGET,)
    core.on_message(_ping(instant(2_100)), instant(2_100))
    assert _sets(core.on_tick(instant(2_100)))[0].targets == ()


@pytest.mark.req("KS-1")
@pytest.mark.parametrize(("milliseconds", "wishes"), [(54_999, True), (55_000, False)])
def test_no_wish_at_or_after_the_cutoff(milliseconds: int, wishes: bool) -> None:
    core, _ = _ready(milliseconds)
    assert bool(_sets(_show(core, instant(milliseconds)))) is wishes


def test_no_wish_before_positions_are_known() -> None:
    core = StrategyCore(FixedWish(), TimingSettings(), takeover_ms=3_000)
    now = instant(1_000)
    core.on_message(_ping(now), now)
    _tell(core, FEED_DISCOVERY, "feed.calendar", Calendar((market_info(),), now.monotonic_ns), now)
    assert _sets(_show(core, now)) == []


def test_stop_withdraws_everything_and_exits() -> None:
    core, _ = _ready()
    _show(core, instant(1_000))
    effects = core.on_message(Stop("SIGTERM"), instant(1_010))
    assert [each.targets for each in _sets(effects)] == [()]
    assert isinstance(effects[-1], Exit)


@pytest.mark.req("CP-3")
@pytest.mark.parametrize(("silent_ms", "orphaned"), [(3_000, False), (3_001, True)])
def test_positions_of_a_silent_strategy_become_orphans(silent_ms: int, orphaned: bool) -> None:
    core, strategy = _ready(1_000)
    owner = StrategyName("market_making")
    alive = StrategyStatus(owner, "active", "", ())
    _tell(core, Component("market_making"), "strategy.status", alive, instant(1_000))
    now = instant(1_000 + silent_ms)
    _tell(core, EXECUTION, "execution.positions", positions(position(UP, 20)), now)
    core.on_message(_ping(now), now)
    _show(core, now)
    orphans = [name for name, _ in strategy.seen[-1].orphans]
    assert orphans == ([owner] if orphaned else [])


@pytest.mark.req("CP-3")
@pytest.mark.parametrize("state", ["REDUCING", "PAUSED", "HALTED"])
def test_strategy_that_is_held_withdraws_forgets_and_begins_anew(state: TradingState) -> None:
    core, strategy = _ready()
    _show(core, instant(1_000))
    effects = core.on_message(_ping(instant(1_010), _held("fixed", state)), instant(1_010))
    assert [each.targets for each in _sets(effects)] == [()]
    assert strategy.forgot == 1
    core.on_message(_ping(instant(1_110), _held("fixed", state)), instant(1_110))
    assert _sets(_show(core, instant(1_120))) == []
    assert strategy.forgot == 1
    core.on_message(_ping(instant(1_210)), instant(1_210))
    assert _sets(_show(core, instant(1_220)))[0].targets == (TARGET,)


@pytest.mark.parametrize("scope", [_held("other", "HALTED"), _held("fixed", "ACTIVE")])
def test_strategy_goes_on_while_another_is_held_or_its_own_pause_is_over(scope: ScopeOrder) -> None:
    core, _ = _ready()
    core.on_message(_ping(instant(1_010), scope), instant(1_010))
    assert _sets(_show(core, instant(1_020)))[0].targets == (TARGET,)


@pytest.mark.req("CP-3")
@pytest.mark.parametrize(
    ("state", "orphaned"), [("REDUCING", True), ("PAUSED", False), ("HALTED", False)]
)
def test_position_of_a_living_strategy_is_an_orphan_when_risk_has_handed_it_over(
    state: TradingState, orphaned: bool
) -> None:
    core, strategy = _ready(1_000)
    now = instant(1_100)
    alive = StrategyStatus(StrategyName("market_making"), "held", "", ())
    _tell(core, Component("market_making"), "strategy.status", alive, now)
    _tell(core, EXECUTION, "execution.positions", positions(position(UP, 20)), now)
    core.on_message(_ping(now, _held("market_making", state)), now)
    _show(core, now)
    assert bool(strategy.seen[-1].orphans) is orphaned
    assert not strategy.seen[-1].closing


def test_position_that_is_to_be_sold_at_once_is_closed_and_not_cared_for() -> None:
    core, strategy = _ready(1_000)
    now = instant(1_100)
    _tell(core, EXECUTION, "execution.positions", positions(position(UP, 20)), now)
    core.on_message(_ping(now, _held("market_making", "REDUCING", care=False)), now)
    _show(core, now)
    assert [owner for owner, _ in strategy.seen[-1].closing] == ["market_making"]
    assert strategy.seen[-1].orphans == ()


def test_ready_only_while_the_calendar_is_known() -> None:
    core = StrategyCore(FixedWish(), TimingSettings(), takeover_ms=3_000)
    assert core.health() == ("starting", "the market calendar is unknown")
    core, _ = _ready()
    assert core.health() == ("ready", "")
    core.on_message(Gap(FEED_DISCOVERY, "", -1, "incarnation"), instant(2_000))
    assert core.health()[0] == "starting"
