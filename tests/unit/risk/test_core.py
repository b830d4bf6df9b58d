"""Risk's decisions as a whole: when asks are granted, when the account is fenced, what resumes."""

import pytest

from services.risk.messages import KillProcess, Persist
from shared.control import Ping
from shared.effects import Control, HttpRequest
from shared.topics import EXECUTION
from tests.builders.risk import World


def test_risk_grants_once_zero_is_proven_and_recovery_validated() -> None:
    world = World()
    world.trade()
    lease = world.leases()[-1]
    assert lease.epoch > lease.fence_id
    assert world.check_list() == []


def test_risk_starts_with_a_fence_and_its_own_cancel_all() -> None:
    world = World()
    world.run(10)
    first = world.of(HttpRequest)[0]
    assert first.path == "/cancel-all"
    assert world.status.fence == "fencing"
    assert not world.leases()


@pytest.mark.req("KS-7")
def test_exit_of_execution_fences_and_cancels_in_the_same_turn() -> None:
    world = World()
    world.trade()
    since = world.ms
    epoch = world.status.epoch
    world.exit_of(EXECUTION)
    assert [one.path for one in world.of(HttpRequest, since)][:1] == ["/cancel-all"]
    world.run(100)
    assert world.status.epoch == epoch + 1
    assert not world.leases(since)


@pytest.mark.req("KS-7")
def test_silence_of_execution_fences_at_the_hang_limit_and_not_before() -> None:
    world = World()
    world.trade()
    world.execution.answers = False
    silent_since = world.ms
    limit = world.config.timing.hang_ms
    world.run(limit - 150)
    assert world.status.trading_state == "ACTIVE"
    world.run(250)
    assert world.status.trading_state == "PAUSED"
    fenced = next(ms for ms, one in world.effects if ms > silent_since and is_cancel_all(one))
    assert fenced - silent_since <= limit


def is_cancel_all(effect: object) -> bool:
    return isinstance(effect, HttpRequest) and effect.path == "/cancel-all"


@pytest.mark.req("CP-7")
def test_execution_is_killed_when_blocked_does_not_come() -> None:
    world = World()
    world.trade()
    world.execution.blocks = False
    world.halt()
    limit = world.config.timing.blocked_ms
    world.run(limit - 10)
    assert not world.kills()
    world.run(20)
    assert world.kills() == [EXECUTION]
    assert world.of(KillProcess)[0].incarnation == world.execution.incarnation


def test_execution_that_hangs_behind_a_fence_that_it_has_answered_is_killed() -> None:
    """Nobody asks it for BLOCKED again, so that nothing would ever trade (found by `ops/model`)."""
    world = World()
    world.trade()
    world.halt()
    world.run(6_000)
    assert world.status.fence == "zero"
    world.execution.answers = False
    world.run(2_900)
    assert not world.kills()
    world.run(200)
    assert world.kills() == [EXECUTION]


def test_execution_that_blocks_is_not_killed_though_the_venue_refuses() -> None:
    world = World()
    world.trade()
    world.venue.statuses = {"/cancel-all": 425, "/data/orders": 503, "/orders": 425}
    world.halt()
    world.run(10_000)
    assert not world.kills()
    assert world.status.fence == "quiet"


def test_every_ping_repeats_the_whole_order() -> None:
    world = World()
    world.trade()
    world.halt(scope="asset", scope_id="btc")
    world.run(500)
    pings: list[Ping] = [one.body for one in world.of(Control, world.ms - 400)]
    assert len(pings) > 30
    assert all(ping.scopes and ping.scopes[0].scope_id == "btc" for ping in pings)
    world.halt()
    world.run(500)
    pings = [one.body for one in world.of(Control, world.ms - 400)]
    assert all(ping.fence_id == ping.epoch == world.status.epoch for ping in pings)


def test_commands_leave_before_anything_is_told_and_the_disk_is_last() -> None:
    world = World()
    world.trade()
    since = world.ms
    world.halt()
    kinds = [type(one) for ms, one in world.effects if ms >= since]
    assert kinds.index(Control) < kinds.index(HttpRequest) < kinds.index(Persist)
