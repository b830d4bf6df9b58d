"""DG-1 to DG-3 in risk: what asks for each level, what everybody hears, what is held and closed."""

from typing import Any

import msgspec
import pytest

from services.risk.level_causes import RECONNECTS_OVER_NS, LevelCauses
from services.risk.level_source import LevelSource
from services.risk.liquid_markets import LiquidMarkets
from shared.config import Config, DegradationSettings
from shared.control import Ping
from shared.effects import Control, Publish, Received
from shared.facts import BookView, Calendar, FeedStatus, MarketView, StateView, Transition
from shared.identifiers import Asset, ConditionId, Incarnation, TokenId
from shared.operator import ResumeRefused
from shared.topics import (
    CARETAKER,
    DASHBOARD,
    EXECUTION,
    FEED_PERP,
    FEED_PRICE,
    MARKET_MAKING,
    RECORDER,
    STATE,
)
from shared.units import NS_PER_MS, MonotonicNs, PriceE4, SizeE6, WallMs
from tests.builders.risk import World, instant, market
from tests.builders.risk_parts import config

SETTINGS = DegradationSettings()


def settings(**spoil: int) -> Config:
    return msgspec.structs.replace(config(), degradation=DegradationSettings(**spoil))


def trading(**spoil: int) -> World:
    made = settings(**spoil)
    world = World(settings=made, sources=(LevelSource(made),))
    world.trade()
    return world


def shifts(world: World) -> list[tuple[str, str]]:
    found = [one.body for one in world.of(Publish) if isinstance(one.body, Transition)]
    return [(one.before, one.after) for one in found if one.what == "level"]


def levels_told(world: World, since_ms: float) -> set[str]:
    pings = [one.body for one in world.of(Control, since_ms) if isinstance(one.body, Ping)]
    return {ping.level for ping in pings}


def received(body: Any, component: Any = FEED_PRICE) -> Received:
    return Received(component, Incarnation(1), "t", 1, MonotonicNs(0), MonotonicNs(0), 0, body)


def feed(*, connected: bool, session: int = 1) -> Received:
    return received(FeedStatus(FEED_PRICE, connected, MonotonicNs(0), "reset", session, ()))


def held(causes: LevelCauses, ms: float) -> dict[str, str]:
    return {cause.name: cause.level for cause in causes.holding(instant(ms))}


@pytest.mark.req("DG-1", "DG-4")
@pytest.mark.parametrize("component", [RECORDER, DASHBOARD, MARKET_MAKING, CARETAKER])
def test_component_that_is_not_critical_reduces_while_it_is_down(component: Any) -> None:
    world = trading()
    world.silent.add(component)
    world.run(SETTINGS.component_down_ms + SETTINGS.worse_after_ms - 300)
    assert world.status.level == "NORMAL"
    world.run(600)
    assert world.status.level == "REDUCED"
    assert shifts(world) == [("NORMAL", "REDUCED")]
    assert world.status.trading_state == "ACTIVE", "it trades on, with less"
    assert [one for one in world.alerts() if one.name == "level REDUCED"]
    since = world.ms
    world.run(500)
    assert levels_told(world, since) == {"REDUCED"}
    world.restart(component)
    world.run(SETTINGS.better_after_ms - 300)
    assert world.status.level == "REDUCED"
    world.run(1_000)
    assert shifts(world)[-1] == ("REDUCED", "NORMAL")


@pytest.mark.req("DG-2")
def test_critical_component_down_for_its_time_is_an_emergency_that_reduces_when_it_is_back() -> (
    None
):
    """While state is missing nothing is closed: it is held, and people are told."""
    world = trading(critical_down_ms=5_000)
    world.silent.add(STATE)
    world.run(5_500)
    assert world.status.level == "NORMAL"
    world.run(1_000)
    assert world.status.level == "EMERGENCY"
    since = world.ms
    world.run(3_000)
    assert not world.leases(since)
    assert [one for one in world.alerts() if one.name == "closing held"]
    world.restart(STATE)
    world.run(9_000)
    states = {ping.lease.state for ping in world.leases(since) if ping.lease is not None}
    assert states == {"REDUCING"}, "back, and positions are closed"
    world.run(20_000)
    assert world.status.level == "NORMAL"
    world.trade()


def side_feed(*, connected: bool, wanted: bool = True) -> Received:
    fact = FeedStatus(FEED_PERP, connected, MonotonicNs(0), "reset", 1, (), wanted=wanted)
    return received(fact, FEED_PERP)


@pytest.mark.req("DG-2", "DG-3")
def test_emergency_without_end_closes_down_under_latches_that_a_resume_does_not_clear() -> None:
    world = trading(critical_down_ms=2_000, emergency_ms_max=5_000, closing_ms_max=4_000)
    world.silent.add(FEED_PRICE)
    world.run(9_500)
    names = [one.name for one in world.status.switches if one.kind == "latch"]
    assert world.status.level == "SHUTDOWN"
    assert names == ["closing_down"]
    assert world.status.trading_state == "REDUCING"
    world.run(5_000)
    assert world.status.trading_state == "HALTED"
    world.restart(FEED_PRICE)
    world.run(60_000)
    assert world.status.level == "SHUTDOWN"
    world.resume()
    world.run(200)
    refused = world.replies[-1][1]
    assert isinstance(refused, ResumeRefused)
    assert "closing_down still holds" in " ".join(refused.blockers)


@pytest.mark.req("DG-3", "OP-11")
def test_ledger_that_commits_again_in_time_shuts_nothing_down() -> None:
    world = trading()
    world.execution.ledger_fault = "no space"
    world.run(SETTINGS.ledger_down_ms - 1_000)
    world.execution.ledger_fault = ""
    world.run(100)
    world.execution.ledger_fault = "no space"
    world.run(SETTINGS.ledger_down_ms - 1_000)
    assert world.status.level == "REDUCED"
    world.execution.ledger_fault = ""
    world.run(60_000)
    assert world.status.level == "NORMAL"
    world.trade()


@pytest.mark.req("DG-3")
def test_ledger_that_takes_no_commit_for_too_long_shuts_down() -> None:
    world = trading()
    world.execution.ledger_fault = "the chain does not hold"
    world.run(SETTINGS.ledger_down_ms)
    assert world.status.level == "REDUCED"
    world.run(SETTINGS.worse_after_ms + 500)
    assert world.status.level == "SHUTDOWN"
    assert "the chain does not hold" in " ".join(world.status.reasons)


@pytest.mark.req("DG-1", "DG-2")
@pytest.mark.parametrize(
    ("lost_ms", "level"), [(0, "REDUCED"), (29_999, "REDUCED"), (30_000, "EMERGENCY")]
)
def test_feed_without_connection_reduces_and_in_the_end_is_an_emergency(
    lost_ms: int, level: str
) -> None:
    causes = LevelCauses(settings())
    causes.hear(feed(connected=False), instant(0))
    assert not held(causes, 0), "never connected: the start waits for it"
    causes.hear(feed(connected=True), instant(10))
    causes.hear(feed(connected=False), instant(100))
    assert held(causes, 100 + lost_ms) == {"feed_price without connection": level}
    causes.hear(feed(connected=True), instant(40_000))
    assert not held(causes, 40_000)


@pytest.mark.req("NET-8")
def test_strained_reads_reduce_once_they_persist() -> None:
    causes = LevelCauses(settings())
    for lasts_ms, names in ((19_999, []), (20_000, ["feed_price reads strained"])):
        status = FeedStatus(FEED_PRICE, True, MonotonicNs(0), "", 1, ())
        told = msgspec.structs.replace(status, strained="markets at 50 %", strained_ms=lasts_ms)
        causes.hear(received(told), instant(1_000))
        assert [one.name for one in causes.holding(instant(1_000))] == names
    causes.hear(feed(connected=True), instant(1_100))
    assert causes.holding(instant(1_100)) == ()


@pytest.mark.req("DG-1")
def test_lost_feed_on_which_no_order_rests_is_never_an_emergency() -> None:
    causes = LevelCauses(settings())
    causes.hear(side_feed(connected=True), instant(0))
    causes.hear(side_feed(connected=False), instant(100))
    assert held(causes, 100_000) == {"feed_perp without connection": "REDUCED"}
    causes.hear(side_feed(connected=False, wanted=False), instant(100_000))
    assert not held(causes, 100_000), "a profile that does not want it misses nothing"


@pytest.mark.req("DG-1", "DG-2")
@pytest.mark.parametrize(
    ("count", "level"), [(3, None), (4, "REDUCED"), (6, "REDUCED"), (7, "EMERGENCY")]
)
def test_feed_that_connects_anew_too_often_is_unsteady(count: int, level: str | None) -> None:
    causes = LevelCauses(settings(reconnects_max=3))
    for session in range(count + 1):
        causes.hear(feed(connected=True, session=session + 1), instant(session))
    assert held(causes, 100).get("feed_price unsteady") == level
    over_ms = RECONNECTS_OVER_NS / NS_PER_MS
    assert "feed_price unsteady" not in held(causes, over_ms + 100)


@pytest.mark.req("DG-2")
@pytest.mark.parametrize(("blind_ms", "is_bad"), [(29_999, False), (30_000, True)])
def test_no_proven_market_for_its_time_is_an_emergency(blind_ms: int, is_bad: bool) -> None:
    causes = LevelCauses(settings())
    assert not held(causes, 100_000), "never proven: the start waits for it"
    causes.hear(received(StateView((view("m", valid=True),))), instant(0))
    causes.hear(received(StateView((view("m", valid=False),))), instant(10))
    assert ("no proven market" in held(causes, blind_ms)) is is_bad


def view(name: str, *, valid: bool = True, size: int = 10) -> MarketView:
    levels = ((PriceE4(5_000), SizeE6(size)),)
    book = BookView(TokenId("1"), levels, levels)
    return MarketView(
        ConditionId(name),
        Asset("btc"),
        valid,
        "",
        None,
        PriceE4(100),
        (book, book),
        None,
        None,
        None,
        WallMs(0),
    )


@pytest.mark.req("DG-1")
def test_most_liquid_market_goes_on_and_the_choice_is_kept_while_it_runs() -> None:
    markets = LiquidMarkets(1)
    names = ("a", "b", "c")
    infos = tuple(market(condition_id=ConditionId(name)) for name in names)
    markets.hear(received(Calendar(infos, MonotonicNs(0))))
    markets.hear(received(StateView((view("a"), view("b", size=30), view("c", size=20)))))
    assert markets.others(instant(0)) == ("a", "c")
    markets.hear(received(StateView((view("a", size=90), view("b", size=30), view("c")))))
    assert markets.others(instant(1)) == ("a", "c"), "kept"
    markets.hear(received(Calendar((infos[0], infos[2]), MonotonicNs(0))))
    assert markets.others(instant(2)) == ("c",)
    assert markets.others(instant(290_000)) == (), "past their cutoff none runs"


@pytest.mark.req("DG-1")
def test_reduced_level_holds_every_other_market_and_lets_it_go() -> None:
    world = trading()
    world.markets = [market(), market(condition_id=ConditionId("0xm2"))]
    world.silent.add(RECORDER)
    world.run(6_000)
    scopes = {scope.scope_id: scope.state for scope in world.execution.newest.scopes}
    assert list(scopes.values()) == ["PAUSED"]
    world.restart(RECORDER)
    world.run(SETTINGS.better_after_ms + 6_000)
    assert not world.execution.newest.scopes


def test_execution_is_never_called_down_before_it_was_heard() -> None:
    causes = LevelCauses(settings())
    assert not held(causes, 3_600_000)
    assert causes.missing(instant(0)) == "no book is proven"
    assert EXECUTION not in causes.missing(instant(0))
