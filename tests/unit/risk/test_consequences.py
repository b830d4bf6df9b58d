"""What each loss stops, how far, and what brings it back: through the whole core."""

from collections.abc import Callable

import msgspec
import pytest

from services.risk.messages import KillProcess, StoredState
from shared.control import ScopeOrder
from shared.identifiers import Component
from shared.risk_schema import LatchRow
from shared.topics import (
    CARETAKER,
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_PRICE,
    FEED_USER,
    MARKET_MAKING,
    RECORDER,
    STATE,
)
from shared.units import WallMs, WallNs
from tests.builders.risk import MARKET, World, market
from tests.builders.risk_parts import config


def trading() -> World:
    world = World()
    world.trade()
    world.run(3_500)
    assert scopes(world) == ()
    return world


def scopes(world: World) -> tuple[ScopeOrder, ...]:
    return world.execution.newest.scopes


@pytest.mark.req("CP-1")
@pytest.mark.parametrize("component", [FEED_USER, STATE])
def test_exit_of_what_everything_rests_on_fences_the_account_at_once(
    component: Component,
) -> None:
    world = trading()
    epoch = world.status.epoch
    world.exit_of(component)
    assert world.execution.newest.epoch == epoch + 1
    assert world.execution.newest.lease is None
    world.run(5_000)
    world.restart(component)
    since = world.ms
    world.trade()
    assert world.ms - since >= world.config.timing.clean_data_ms


@pytest.mark.parametrize("component", [FEED_USER, STATE])
def test_hang_of_what_everything_rests_on_fences_and_has_it_killed(component: Component) -> None:
    world = trading()
    world.silent.add(component)
    world.run(1_300)
    assert world.status.trading_state == "PAUSED"
    assert not world.kills()
    world.run(2_500)
    assert world.kills() == [component]


@pytest.mark.req("KS-4")
def test_exit_of_the_market_feed_pauses_its_assets_and_no_more() -> None:
    world = trading()
    world.exit_of(FEED_MARKET)
    (order,) = scopes(world)
    assert (order.kind, order.scope_id, order.state) == ("asset", "btc", "PAUSED")
    assert order.generation > 0
    assert world.status.trading_state == "ACTIVE"


@pytest.mark.req("CP-3")
@pytest.mark.parametrize("strategy", [MARKET_MAKING, CARETAKER])
def test_exit_of_a_strategy_pauses_that_strategy_and_no_more(strategy: Component) -> None:
    world = trading()
    world.exit_of(strategy)
    (order,) = scopes(world)
    assert (order.kind, order.scope_id, order.state) == ("strategy", strategy, "PAUSED")
    assert world.status.trading_state == "ACTIVE"


@pytest.mark.parametrize("component", [RECORDER, FEED_DISCOVERY, FEED_PRICE])
def test_exit_of_what_nothing_rests_on_at_once_stops_nothing(component: Component) -> None:
    world = trading()
    world.exit_of(component)
    world.run(2_000)
    assert scopes(world) == ()
    assert world.status.trading_state == "ACTIVE"


@pytest.mark.req("KS-3")
def test_silent_oracle_first_places_nothing_and_later_cancels() -> None:
    world = trading()
    world.stale[FEED_PRICE] = world.config.timing.oracle_pause_ms + 1
    world.run(1_000)
    (order,) = scopes(world)
    assert (order.state, order.generation) == ("PAUSED", 0)
    world.stale[FEED_PRICE] = world.config.timing.oracle_cancel_ms + 1
    world.run(1_000)
    (order,) = scopes(world)
    assert order.generation > 0
    world.stale.clear()
    world.run(world.config.timing.clean_data_ms + 1_000)
    assert scopes(world) == ()


def stale_user(world: World) -> None:
    world.stale[FEED_USER] = world.config.timing.user_stale_ms + 1


def disconnect(world: World) -> None:
    world.connected = False


def silence_state(world: World) -> None:
    world.state_speaks = False


def stale_calendar(world: World) -> None:
    world.stale[FEED_DISCOVERY] = world.config.markets.calendar_stale_ms + 1


@pytest.mark.req("KS-2")
@pytest.mark.req("KS-4")
@pytest.mark.parametrize("spoil", [stale_user, disconnect, silence_state, stale_calendar])
def test_account_is_paused_by_what_it_rests_on_and_resumes_by_itself(
    spoil: Callable[[World], None],
) -> None:
    world = trading()
    spoil(world)
    world.run(2_000)
    assert world.status.trading_state == "PAUSED"
    assert world.status.epoch == world.execution.newest.fence_id
    world.run(6_000)
    world.stale.clear()
    world.connected = world.state_speaks = True
    since = world.ms
    world.trade()
    assert world.ms - since >= world.config.timing.clean_data_ms


def test_one_bad_sample_pauses_nothing() -> None:
    world = trading()
    stale_user(world)
    world.run(100)
    world.stale.clear()
    world.run(500)
    assert world.status.trading_state == "ACTIVE"


@pytest.mark.req("KS-4")
def test_market_that_loses_its_proof_is_paused_alone() -> None:
    world = trading()
    world.valid = False
    world.run(500)
    (order,) = scopes(world)
    assert (order.kind, order.scope_id, order.state) == ("market", MARKET, "PAUSED")
    assert world.status.trading_state == "ACTIVE"
    world.valid = True
    world.run(world.config.timing.clean_data_ms + 1_000)
    assert scopes(world) == ()


@pytest.mark.req("KS-1")
def test_market_past_its_cutoff_is_cancelled_and_never_resumes() -> None:
    world = trading()
    soon = WallMs(world.now.wall_ms + 1_000)
    world.markets = [market(cutoff_ms=soon, end_ms=WallMs(soon + 5_000))]
    world.run(900)
    assert scopes(world) == ()
    world.run(300)
    (order,) = scopes(world)
    assert (order.kind, order.scope_id, order.state) == ("market", MARKET, "PAUSED")
    world.markets = [market(cutoff_ms=WallMs(soon + 100_000), end_ms=WallMs(soon + 200_000))]
    world.run(10_000)
    assert len(scopes(world)) == 1


def test_scope_halted_by_an_operator_is_held_until_the_resume() -> None:
    world = trading()
    world.halt(scope="market", scope_id=MARKET)
    world.run(300)
    assert scopes(world)[0].state == "HALTED"
    world.resume()
    world.run(300)
    assert scopes(world) == ()


@pytest.mark.req("INV-9")
def test_scope_held_by_a_latch_of_an_earlier_run_is_held_from_the_first_ping() -> None:
    row = LatchRow("operator_halt", "asset", "btc", 3, WallNs(1), "before", "")
    world = World(StoredState(used_max=1_000, reserved=2_000, latch_version=3, latches=(row,)))
    world.trade()
    assert all(ping.scopes[0].state == "HALTED" for ping in world.execution.pings)
    world.resume()
    world.run(300)
    assert scopes(world) == ()


def test_contradiction_of_kernel_and_heartbeat_is_told() -> None:
    world = trading()
    world.exit_of(RECORDER)
    world.run(200)
    pong = world.pong(RECORDER, world.execution.newest)
    world.tell_as(pong)
    assert any(alert.name == "contradiction recorder" for alert in world.alerts())


def test_kills_name_the_run_that_hangs() -> None:
    world = trading()
    world.silent.add(STATE)
    world.run(4_000)
    (kill,) = world.of(KillProcess)
    assert kill.incarnation == world.pong(STATE, None).incarnation


@pytest.mark.req("EX-21")
@pytest.mark.req("KS-2")
def test_dry_run_trades_without_any_own_order_feed() -> None:
    settings = config()
    run = msgspec.structs.replace(settings.run, dry_run=True)
    world = World(settings=msgspec.structs.replace(settings, run=run))
    world.silent.add(FEED_USER)
    world.trade()
    world.run(5_000)
    assert world.status.trading_state == "ACTIVE"
