"""What a sample leads to: a durable latch, a lease that reduces, an alert, a refused resume."""

from collections.abc import Iterator

import pytest

from services.risk.messages import BreakerTripped, LatchEnded, Persist, StoredState
from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from shared.effects import Message
from shared.operator import Resumed, ResumeRefused
from shared.risk_schema import LatchRow
from shared.switches import (
    BREAKER_COUNT,
    CLOCK_OFF,
    LOSS_LIMIT,
    SAMPLED,
    STRATEGY_PERFORMANCE,
    Switch,
)
from shared.trading_state import TradingState
from shared.units import Instant
from tests.builders.risk import World

HERE = ("strategy", "market_making")


class FakeSource:
    """Shows one condition, good until a test makes it bad."""

    def __init__(self, switch: Switch, key: tuple[str, str] = ACCOUNT) -> None:
        self.bad = False
        self.heard: list[Message] = []
        self.notices: list[Notice] = []
        self._switch = switch
        self._key = key

    def hear(self, message: Message, now: Instant) -> None:
        self.heard.append(message)

    def data(self, now: Instant) -> Iterator[Sample | Notice]:
        yield from self.notices
        yield Sample(self._switch, "", self._key, self.bad, "seen to be bad")  # type: ignore[arg-type]


def _world(source: FakeSource) -> World:
    world = World(sources=(source,))
    world.trade()
    return world


def _granted(world: World) -> TradingState:
    lease = world.leases()[-1].lease
    assert lease is not None
    return lease.state


def _resume(world: World) -> Resumed | ResumeRefused:
    world.resume()
    world.run(100)
    reply = world.replies[-1][1]
    assert isinstance(reply, Resumed | ResumeRefused)
    return reply


@pytest.mark.req("INV-9")
def test_confirmed_sample_of_an_operators_row_is_written_as_a_latch() -> None:
    source = FakeSource(CLOCK_OFF)
    world = _world(source)
    source.bad = True
    world.run(100 * (SAMPLED.needed - 1))
    assert world.status.trading_state == "ACTIVE"
    world.run(200)
    assert world.status.trading_state == "HALTED"
    assert [(one.name, one.kind) for one in world.status.switches] == [("clock_off", "latch")]
    source.bad = False
    world.run(60_000)
    assert world.status.trading_state == "HALTED"


def test_resume_is_refused_while_the_condition_holds_and_clears_it_afterwards() -> None:
    source = FakeSource(CLOCK_OFF)
    world = _world(source)
    source.bad = True
    world.run(10_000)
    refused = _resume(world)
    assert isinstance(refused, ResumeRefused)
    assert "clock_off still holds: seen to be bad" in refused.blockers
    source.bad = False
    world.run(200)
    assert isinstance(_resume(world), Resumed)
    world.trade()
    source.bad = True
    world.run(1_000)
    assert world.status.trading_state == "HALTED"


def test_source_hears_of_the_end_of_a_latch_once_it_is_on_disk() -> None:
    source = FakeSource(CLOCK_OFF)
    world = _world(source)
    source.bad = True
    world.run(10_000)
    source.bad = False
    world.run(200)
    world.disk_answers = False
    world.resume()
    ended = LatchEnded("clock_off", "account", "")
    assert ended not in source.heard
    world.finish_writes()
    assert ended in source.heard


def test_latch_that_reduces_grants_a_lease_that_reduces_and_ends_by_a_fence() -> None:
    source = FakeSource(LOSS_LIMIT)
    world = _world(source)
    source.bad = True
    world.run(300)
    assert world.status.trading_state == "REDUCING"
    leases = len(world.leases())
    world.run(20_000)
    assert len(world.leases()) > leases
    assert _granted(world) == "REDUCING"
    epoch = world.status.epoch
    source.bad = False
    world.run(200)
    assert isinstance(_resume(world), Resumed)
    world.run(200)
    assert world.status.epoch > epoch
    assert world.status.trading_state != "ACTIVE"
    world.trade()
    assert _granted(world) == "ACTIVE"


def test_latch_below_the_account_holds_its_scope_alone() -> None:
    source = FakeSource(STRATEGY_PERFORMANCE, HERE)
    world = _world(source)
    source.bad = True
    world.run(300)
    assert world.status.trading_state == "ACTIVE"
    assert [(one.scope, one.scope_id) for one in world.status.switches] == [HERE]
    held = [(one.scope_id, one.state) for one in world.leases()[-1].scopes]
    assert held == [(HERE[1], "HALTED")]


def test_row_that_stops_nothing_alerts_and_trading_goes_on() -> None:
    source = FakeSource(BREAKER_COUNT)
    world = _world(source)
    source.bad = True
    world.run(1_000)
    assert world.status.trading_state == "ACTIVE"
    assert "breaker_count" in [one.name for one in world.alerts()]


@pytest.mark.req("CB-6")
def test_condition_that_outlasts_a_restart_is_no_second_trip_of_its_latch() -> None:
    source = FakeSource(LOSS_LIMIT)
    world = _world(source)
    source.bad = True
    world.run(200)
    assert source.heard.count(BreakerTripped("loss_limit")) == 1
    (latch,) = [
        record
        for write in world.of(Persist)
        for record in write.records
        if isinstance(record, LatchRow)
    ]
    again = FakeSource(LOSS_LIMIT)
    again.bad = True
    World(StoredState(used_max=1_000, reserved=2_000, latches=(latch,)), sources=(again,)).run(500)
    assert BreakerTripped("loss_limit") not in again.heard


def test_notice_alerts_and_trips_nothing() -> None:
    source = FakeSource(CLOCK_OFF)
    world = _world(source)
    source.notices.append(Notice("warning", "clock drifts", "1.2 s", "clock-off"))
    world.run(1_000)
    assert world.status.trading_state == "ACTIVE"
    assert [one.text for one in world.alerts() if one.name == "clock drifts"] == ["1.2 s"]


def test_every_message_is_handed_to_every_source() -> None:
    source = FakeSource(CLOCK_OFF)
    _world(source)
    assert source.heard
