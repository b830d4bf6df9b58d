"""The lease runs from execution's asking, and one incarnation holds it at a time."""

from typing import Any

import msgspec
import pytest

from services.risk.lease import AHEAD_NS_MAX, LeaseGrantor
from shared.control import Pong
from shared.identifiers import Incarnation
from shared.topics import EXECUTION
from shared.trading_state import TradingState
from shared.units import NS_PER_MS, BootNs
from tests.builders.risk import RISK_INCARNATION, World

LEASE_NS = 400 * NS_PER_MS
FIRST, SECOND = Incarnation(500), Incarnation(501)
START = BootNs(1_000_000 * NS_PER_MS)


def ms(after: float) -> BootNs:
    return BootNs(START + int(after * NS_PER_MS))


def pong(asked: BootNs, **spoil: Any) -> Pong:
    """Return the pong of an execution that asked at a moment, answering a ping of ours."""
    world = World()
    made = world.pong(EXECUTION, None)
    assert made.execution is not None
    execution = msgspec.structs.replace(made.execution, asked_ns=asked)
    fields: dict[str, Any] = {
        "execution": execution,
        "risk_incarnation": RISK_INCARNATION,
        "ping_id": 1,
        "ping_sent_ns": asked,
    }
    return msgspec.structs.replace(made, **{**fields, **spoil})


def asked_at(asked: BootNs, **spoil: Any) -> LeaseGrantor:
    grantor = LeaseGrantor(400, LEASE_NS, START)
    grantor.ask(pong(asked, **spoil), RISK_INCARNATION)
    return grantor


def test_lease_echoes_the_askers_own_stamp_and_never_the_time_of_granting() -> None:
    lease = asked_at(ms(10)).grant(FIRST, 7, "ACTIVE", ms(200))
    assert lease is not None
    assert lease.asked_ns == ms(10)
    assert (lease.incarnation, lease.epoch, lease.lease_ms) == (FIRST, 7, 400)


@pytest.mark.parametrize(("after", "granted"), [(399, True), (400, False), (401, False)])
def test_ask_whose_lease_would_be_over_is_not_granted(after: int, granted: bool) -> None:
    assert (asked_at(ms(0)).grant(FIRST, 7, "ACTIVE", ms(after)) is not None) is granted


def test_newest_ask_evaluated_is_echoed() -> None:
    grantor = asked_at(ms(100))
    grantor.ask(pong(ms(50)), RISK_INCARNATION)
    lease = grantor.grant(FIRST, 7, "ACTIVE", ms(120))
    assert lease is not None
    assert lease.asked_ns == ms(100)


@pytest.mark.parametrize(
    "spoil",
    [
        {"risk_incarnation": Incarnation(78)},
        {"ping_id": 0},
        {"ping_sent_ns": BootNs(START - 1)},
        {"execution": None},
    ],
)
def test_ask_counts_only_in_the_answer_to_a_ping_of_this_risk(spoil: dict[str, Any]) -> None:
    assert asked_at(ms(10), **spoil).grant(FIRST, 7, "ACTIVE", ms(20)) is None


def test_nothing_is_granted_after_waking_until_a_ping_sent_since_is_answered() -> None:
    grantor = asked_at(ms(10))
    grantor.woke(ms(50))
    assert grantor.grant(FIRST, 7, "ACTIVE", ms(60)) is None
    grantor.ask(pong(ms(55), ping_sent_ns=ms(49)), RISK_INCARNATION)
    assert grantor.grant(FIRST, 7, "ACTIVE", ms(60)) is None
    grantor.ask(pong(ms(61), ping_sent_ns=ms(50)), RISK_INCARNATION)
    assert grantor.grant(FIRST, 7, "ACTIVE", ms(70)) is not None


def test_another_incarnation_gets_nothing_until_the_first_has_exited() -> None:
    grantor = asked_at(ms(10))
    grantor.ask(pong(ms(10), incarnation=SECOND), RISK_INCARNATION)
    assert grantor.grant(FIRST, 7, "ACTIVE", ms(20)) is not None
    assert grantor.grant(SECOND, 7, "ACTIVE", ms(20)) is None
    grantor.exited(FIRST)
    assert grantor.grant(SECOND, 7, "ACTIVE", ms(20)) is not None


@pytest.mark.parametrize("state", ["PAUSED", "HALTED"])
def test_states_in_which_nothing_is_placed_are_never_granted(state: TradingState) -> None:
    assert asked_at(ms(10)).grant(FIRST, 7, state, ms(20)) is None


def test_new_risk_counts_a_lease_as_granted_at_its_start() -> None:
    assert LeaseGrantor(400, LEASE_NS, START).granted_until_ns == START + LEASE_NS


def test_end_of_the_longest_lease_is_remembered() -> None:
    grantor = asked_at(ms(300))
    grantor.grant(FIRST, 7, "ACTIVE", ms(310))
    assert grantor.granted_until_ns == ms(700)


@pytest.mark.parametrize(("ahead", "granted"), [(AHEAD_NS_MAX, True), (AHEAD_NS_MAX + 1, False)])
def test_ask_from_the_future_is_no_ask(ahead: int, granted: bool) -> None:
    grantor = asked_at(BootNs(ms(10) + ahead))
    assert (grantor.grant(FIRST, 7, "ACTIVE", ms(10)) is not None) is granted
