"""The recovery check list: each item alone holds trading back."""

from typing import Any

import msgspec
import pytest

from services.risk.recovery import RecoveryFacts, check_recovery
from shared.topics import FEED_USER, STATE
from tests.builders.risk import World

GOOD = RecoveryFacts(
    latches=(),
    pauses=(),
    unclean=(),
    fence_waits_for="",
    feeds=(),
    state=(),
    strategies=("market_making is exited",),
    execution=(),
    view_age_ns=10,
    view_age_ns_max=1_000,
    valid_markets=1,
    executions=1,
    start_state="",
    reconciled=True,
    asked=True,
    beat_trouble="",
    cancel_trouble="",
    epoch_durable=True,
    database_trouble="",
)


@pytest.mark.req("RV-2")
def test_everything_good_lets_trading_resume() -> None:
    assert all(check.holds for check in check_recovery(GOOD))


@pytest.mark.req("RV-1")
@pytest.mark.req("RV-2")
@pytest.mark.parametrize(
    ("spoil", "item"),
    [
        ({"latches": ("operator_halt",)}, "nothing latched"),
        ({"pauses": ("own_order_feed_stale",)}, "nothing paused"),
        ({"unclean": ("market_feed_stale",)}, "data clean for long enough"),
        ({"fence_waits_for": "first read"}, "zero proven"),
        ({"feeds": ("feed_user is hung",)}, "feeds answering"),
        ({"state": ("state is starting",)}, "state answering"),
        ({"execution": ("execution is absent",)}, "execution answering"),
        ({"view_age_ns": None}, "hot view fresh"),
        ({"view_age_ns": 1_000}, "hot view fresh"),
        ({"valid_markets": 0}, "a market vouched for"),
        ({"executions": 0}, "one execution"),
        ({"executions": 2}, "one execution"),
        ({"start_state": "reads open orders"}, "execution's start proven"),
        ({"reconciled": False}, "orders reconciled"),
        ({"asked": False}, "lease asked for"),
        ({"beat_trouble": "no beat yet"}, "dead-man switch armed"),
        ({"cancel_trouble": "403"}, "own cancel path works"),
        ({"epoch_durable": False}, "epoch reserved on disk"),
        ({"database_trouble": "disk full"}, "risk database written"),
    ],
)
def test_each_item_alone_holds_trading_back(spoil: dict[str, Any], item: str) -> None:
    checks = check_recovery(msgspec.structs.replace(GOOD, **spoil))
    assert [check.name for check in checks if not check.holds] == [item]


def test_view_just_inside_its_limit_is_fresh() -> None:
    checks = check_recovery(msgspec.structs.replace(GOOD, view_age_ns=999))
    assert all(check.holds for check in checks)


def test_trading_waits_for_executions_start_and_for_its_reconciliation() -> None:
    world = World()
    world.execution.proven_start = False
    world.run(10_000)
    assert world.check_list() == ["execution's start proven"]
    world.execution.proven_start = True
    world.stale["reconciled"] = 60_000
    world.run(1_000)
    assert world.check_list() == ["orders reconciled"]
    world.stale.clear()
    world.trade()


def test_no_order_before_the_first_acknowledged_beat() -> None:
    world = World()
    world.venue.silent.add("/v1/heartbeats")
    world.run(10_000)
    assert world.check_list() == ["dead-man switch armed"]
    assert not world.leases()
    world.venue.silent.clear()
    world.trade()


@pytest.mark.req("CP-2", "RV-2")
def test_items_stand_in_the_order_of_the_flow() -> None:
    names = [check.name for check in check_recovery(GOOD)]
    flow = [
        "feeds answering",
        "state answering",
        "hot view fresh",
        "a market vouched for",
        "strategies answering",
        "execution answering",
        "execution's start proven",
        "lease asked for",
    ]
    assert [name for name in names if name in flow] == flow


def test_component_that_is_not_ready_is_named_with_what_it_waits_for() -> None:
    world = World()
    world.silent = {FEED_USER}
    world.run(2_000)
    state = msgspec.structs.replace(world.pong(STATE, None), state="starting", reason="no snapshot")
    world.tell_as(state)
    details = {check.name: check.detail for check in world.core._show(world.now)[1]}
    assert details["feeds answering"] == "feed_user is absent"
    assert details["state answering"] == "state is starting: no snapshot"
    assert details["strategies answering"] == "all"
