"""The lease: counted from our own asking, of the newest epoch, of this run."""

import msgspec
import pytest

from services.execution.lease import Standing
from services.execution.may_send import Grant, Permit, may_send
from services.execution.self_fence import SelfFence
from shared.control import Lease, Ping, ScopeOrder
from shared.identifiers import Incarnation, OrderHash
from shared.trading_state import TradingState
from shared.units import NS_PER_MS, BootNs
from tests.builders.markets import instant

OURS = Incarnation(7)
RISK = Incarnation(9)
LEASE_MS = 400


def build_lease(asked_ms: int, **spoil: object) -> Lease:
    lease = Lease(OURS, instant(asked_ms).boot_ns, LEASE_MS, 5, "ACTIVE")
    return msgspec.structs.replace(lease, **spoil)


def build_ping(lease: Lease | None, **spoil: object) -> Ping:
    ping = Ping(RISK, 1, BootNs(0), 5, 0, "", "ACTIVE", (), (), 1, lease)
    return msgspec.structs.replace(ping, **spoil)


def heard(*pings: tuple[int, Ping]) -> Standing:
    standing = Standing(OURS, LEASE_MS, 4)
    for at_ms, ping in pings:
        standing.hear(ping, instant(at_ms))
    return standing


@pytest.mark.req("INV-3")
@pytest.mark.parametrize(("at_ms", "leased"), [(1_399, True), (1_400, False), (1_401, False)])
def test_lease_runs_from_the_asking_never_from_receipt(at_ms: int, leased: bool) -> None:
    standing = heard((1_300, build_ping(build_lease(1_000))))
    assert standing.is_leased(instant(at_ms)) is leased


def test_queue_of_stale_pings_grants_nothing_after_a_stop() -> None:
    """A process stopped for ten seconds took eighty stale pings for eighty fresh leases."""
    pings = [(11_000 + n, build_ping(build_lease(1_000 + 100 * n))) for n in range(80)]
    standing = heard(*pings)
    assert not standing.is_leased(instant(11_080))


@pytest.mark.parametrize(
    "spoil",
    [
        {"incarnation": Incarnation(8)},
        {"epoch": 4},
        {"epoch": 6},
        {"asked_ns": instant(2_000).boot_ns},
        {"state": "PAUSED"},
        {"state": "HALTED"},
    ],
)
def test_echo_of_another_run_epoch_or_state_grants_nothing(spoil: dict[str, object]) -> None:
    standing = heard((1_050, build_ping(build_lease(1_000, **spoil))))
    assert standing.until_ns == 0


def test_lease_is_never_longer_than_the_setting() -> None:
    standing = heard((1_050, build_ping(build_lease(1_000, lease_ms=60_000))))
    assert standing.until_ns == instant(1_400).boot_ns


def test_newer_epoch_ends_the_lease() -> None:
    standing = heard((1_050, build_ping(build_lease(1_000))), (1_060, build_ping(None, epoch=6)))
    assert not standing.is_leased(instant(1_061))
    assert standing.epoch == 6


def test_ping_of_an_older_epoch_is_void() -> None:
    standing = heard(
        (1_050, build_ping(None, epoch=6, trading_state="HALTED")),
        (1_060, build_ping(build_lease(1_000))),
    )
    assert standing.trading_state == "HALTED"
    assert standing.epoch == 6
    assert standing.until_ns == 0


def test_older_echo_does_not_bring_a_newer_state_back() -> None:
    standing = heard(
        (1_050, build_ping(build_lease(1_040, state="REDUCING"))),
        (1_060, build_ping(build_lease(1_030))),
    )
    assert standing.lease_state == "REDUCING"


def test_fence_is_new_once_and_again_for_another_risk() -> None:
    standing = Standing(OURS, LEASE_MS, 4)
    ping = build_ping(None, fence_id=5)
    assert standing.hear(ping, instant()).fence_is_new
    assert standing.is_fenced
    assert not standing.hear(ping, instant()).fence_is_new
    other = build_ping(None, fence_id=5, risk_incarnation=Incarnation(10))
    assert standing.hear(other, instant()).fence_is_new
    standing.hear(build_ping(None, fence_id=5, epoch=6), instant())
    assert not standing.is_fenced


def test_scope_is_carried_out_once_for_each_generation() -> None:
    standing = Standing(OURS, LEASE_MS, 4)
    scope = ScopeOrder("market", "m", 2, "PAUSED", "")
    assert standing.hear(build_ping(None, scopes=(scope,)), instant()).scopes == (scope,)
    standing.carry_out(scope)
    assert standing.hear(build_ping(None, scopes=(scope,)), instant()).scopes == ()
    newer = msgspec.structs.replace(scope, generation=3)
    assert standing.hear(build_ping(None, scopes=(newer,)), instant()).scopes == (newer,)


@pytest.mark.req("KS-7")
def test_self_fence_comes_when_the_lease_runs_out_in_silence() -> None:
    standing, fence = heard((1_050, build_ping(build_lease(1_000)))), SelfFence(LEASE_MS)
    assert not fence.judge(standing, instant(1_399))
    assert fence.judge(standing, instant(1_450))
    assert fence.fenced is not None
    assert fence.fenced.epoch == 5
    fence.hear_epoch(5)
    assert fence.fenced is not None
    fence.hear_epoch(6)
    assert fence.fenced is None


@pytest.mark.parametrize("state", ["PAUSED", "HALTED"])
def test_no_self_fence_while_risk_itself_orders_the_stand(state: TradingState) -> None:
    standing = heard(
        (1_050, build_ping(build_lease(1_000))), (1_350, build_ping(None, trading_state=state))
    )
    fence = SelfFence(LEASE_MS)
    fence.judge(standing, instant(1_360))
    assert fence.judge(standing, instant(1_450)), "a lost lease cancels all the same"
    assert fence.fenced is None


PERMIT = Permit(OrderHash("0x"), 5, BootNs(1_000), reduce_only=False)
GRANT = Grant(5, BootNs(1_000), "ACTIVE", "")


@pytest.mark.req("INV-3")
@pytest.mark.parametrize(
    ("permit", "grant", "now", "expected"),
    [
        ({}, {}, 999, None),
        ({}, {}, 1_000, "lease"),
        ({}, {"until_ns": BootNs(0)}, 10, "lease"),
        ({}, {"blocked": "fence"}, 10, "fence"),
        ({"epoch": 4}, {}, 10, "epoch"),
        ({"epoch": 6}, {}, 10, "epoch"),
        ({}, {"state": "REDUCING"}, 10, "trading_state"),
        ({"reduce_only": True}, {"state": "REDUCING"}, 10, None),
        ({"not_after_ns": BootNs(500)}, {}, 500, None),
        ({"not_after_ns": BootNs(500)}, {}, 501, "too_late"),
    ],
)
def test_post_may_leave_only_under_what_it_was_allowed(
    permit: dict[str, object], grant: dict[str, object], now: int, expected: str | None
) -> None:
    spoiled = msgspec.structs.replace(PERMIT, **permit)
    held = msgspec.structs.replace(GRANT, **grant)
    assert may_send(spoiled, held, BootNs(now)) == expected


def test_times_are_in_nanoseconds() -> None:
    assert heard((1_050, build_ping(build_lease(1_000)))).until_ns % NS_PER_MS == 0
