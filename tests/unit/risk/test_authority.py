"""The present order: what every ping repeats, and what no ping may carry."""

import pytest

from services.risk.authority import Authority
from services.risk.liveness import Run
from services.risk.messages import StoredState
from shared.control import FenceAnswer, Ping
from shared.effects import Peer
from shared.topics import EXECUTION, STATE
from shared.units import NS_PER_MS, BootNs
from tests.builders.risk import RISK_INCARNATION, World, instant
from tests.builders.risk_parts import config

START = instant(0).boot_ns


def ms(after: float) -> BootNs:
    return BootNs(START + int(after * NS_PER_MS))


def trading(reserved: int = 2_000) -> tuple[Authority, Run]:
    """Return an authority that trades, and the execution that has asked at 5000 ms."""
    authority = Authority(
        config().timing, RISK_INCARNATION, StoredState(used_max=1_000, reserved=reserved), START
    )
    pong = World().pong(EXECUTION, None)
    run = Run(Peer(EXECUTION, pong.incarnation), pong.pid, pong, START, 0)
    fence = authority.begin_fence("test", (run,), START)
    answer = FenceAnswer(RISK_INCARNATION, fence.fence_id, ms(1), ms(1), BootNs(0))
    fence.answered(pong.incarnation, answer, ms(2))
    fence.intents_reported(0, BootNs(0), ms(3))
    fence.read_answered(ms(10), ms(11), 0)
    fence.read_answered(ms(3_000), ms(3_001), 0)
    authority.begin_trading()
    authority.grantor._asked[pong.incarnation] = ms(5_000)
    return authority, run


def ping(authority: Authority, run: Run, *, admitted: bool = True) -> Ping:
    return authority.ping(run, (), 1, ms(5_010), admitted=admitted)


def test_lease_goes_to_the_execution_that_asked() -> None:
    authority, run = trading()
    lease = ping(authority, run).lease
    assert lease is not None
    assert lease.epoch == authority.epochs.current > authority.present_fence.fence_id


@pytest.mark.req("EX-18")
def test_ping_carries_no_lease_before_the_first_beat_or_without_admission() -> None:
    authority, run = trading()
    assert ping(authority, run, admitted=False).lease is None


def test_ping_carries_no_lease_in_an_epoch_that_a_later_run_could_take_again() -> None:
    authority, run = trading(reserved=1_001)
    assert ping(authority, run).lease is None
    authority.epochs.reserved_up_to(1_002)
    assert ping(authority, run).lease is not None


def test_ping_to_anybody_else_carries_no_lease() -> None:
    authority, run = trading()
    other = Run(Peer(STATE, run.peer.incarnation), run.pid, run.pong, START, 0)
    assert ping(authority, other).lease is None


def test_fence_ends_trading_and_takes_a_new_epoch() -> None:
    authority, run = trading()
    epoch = authority.epochs.current
    authority.begin_fence("again", (run,), ms(5_000))
    made = ping(authority, run)
    assert (made.lease, made.epoch, made.fence_id) == (None, epoch + 1, epoch + 1)
    assert made.trading_state == "PAUSED"


def test_generations_of_a_new_run_stand_above_those_of_any_earlier() -> None:
    first, _ = trading()
    for number in range(1_000):
        first.scopes.hold(("market", "m"), str(number), "PAUSED", "why", START)
    second = Authority(
        config().timing, RISK_INCARNATION, StoredState(used_max=2_000, reserved=3_000), START
    )
    second.scopes.hold(("market", "m"), "one", "PAUSED", "why", START)
    assert second.scopes.orders()[0].generation > first.scopes.orders()[0].generation
