"""The connection's table is walked, and every limit is met just below, at and just above."""

from typing import get_args

import pytest

from services.feed.connection import (
    CONFIRM_NS_MAX,
    PAUSES_S,
    POLICY_PAUSE_NS,
    STABLE_NS,
    TRANSITIONS,
    Connection,
    ConnectionEvent,
    ConnectionRules,
    ConnectionState,
    IllegalStep,
)
from shared.effects import Log, StreamClose, StreamClosed, StreamOpen, StreamSend
from shared.units import NS_PER_MS, NS_PER_S
from tests.builders.feeds import at, of_type

RULES = ConnectionRules("market", "ws://venue", "PING", 10 * NS_PER_S)


def connection(seed: int = 1) -> Connection:
    return Connection(RULES, seed)


def ready(milliseconds: float = 0) -> Connection:
    found = connection()
    found.start(at(milliseconds))
    found.on_opened(at(milliseconds))
    found.confirm(at(milliseconds))
    assert found.is_ready
    return found


def lost(found: Connection, milliseconds: float, code: int = 1006) -> float:
    """Lose the connection; return the pause in milliseconds until it opens again."""
    found.on_closed(StreamClosed(found.stream, code, "gone"), at(milliseconds))
    for step in range(200_000):
        effects = found.on_tick(at(milliseconds + step))
        if of_type(effects, StreamOpen):
            return step
    raise AssertionError("never opened")


@pytest.mark.parametrize("state", get_args(ConnectionState))
@pytest.mark.parametrize("event", get_args(ConnectionEvent))
def test_connection_takes_only_the_steps_of_its_table(
    state: ConnectionState, event: ConnectionEvent
) -> None:
    found = connection()
    found.state = state
    following = TRANSITIONS[state].get(event)
    if following is None:
        with pytest.raises(IllegalStep):
            found._step(event, "test", at())
        assert found.state == state
    else:
        found._step(event, "test", at())
        assert found.state == following


def test_connection_opens_at_once_and_counts_sessions() -> None:
    found = connection()
    assert found.start(at()) == [StreamOpen("market.1", "ws://venue")]
    assert not found.is_open
    found.on_opened(at(5))
    assert (found.session, found.is_open, found.is_ready) == (1, True, False)
    found.confirm(at(6))
    assert found.is_ready
    assert found.since_ns == at(6).monotonic_ns


def test_connection_started_twice_opens_once() -> None:
    found = connection()
    assert found.start(at())
    assert found.start(at()) == []


@pytest.mark.req("NET-2")
def test_connection_backs_off_with_bounded_jitter_for_ever() -> None:
    found = connection()
    found.start(at())
    now = 0.0
    for pause_s in (*PAUSES_S, 60, 60):
        waited = lost(found, now)
        assert pause_s * 1_000 <= waited <= pause_s * 1_500 + 1
        now += waited


@pytest.mark.req("NET-2")
def test_connection_reconnects_at_once_after_a_stable_time_only() -> None:
    for alive_ms, pauses in ((STABLE_NS / NS_PER_MS - 1, True), (STABLE_NS / NS_PER_MS, False)):
        found = ready()
        lost(found, 0)  # the first loss costs nothing
        found.on_opened(at(0))
        found.confirm(at(0))
        assert (lost(found, alive_ms) > 0) == pauses


@pytest.mark.req("NET-2")
def test_connection_says_error_from_the_fifth_failure_on() -> None:
    found = connection()
    found.start(at())
    levels = []
    now = 0.0
    for _ in range(6):
        effects = found.on_closed(StreamClosed(found.stream, 1006, ""), at(now))
        levels.append(of_type(effects, Log)[0].level)
        while not of_type(found.on_tick(at(now)), StreamOpen):
            now += 100
    assert levels == ["warning"] * 4 + ["error"] * 2


def test_connection_waits_long_after_a_policy_close() -> None:
    assert lost(ready(), 0, code=4008) >= POLICY_PAUSE_NS / NS_PER_MS
    assert lost(ready(), 0, code=4001) >= POLICY_PAUSE_NS / NS_PER_MS


def test_connection_spreads_its_return_after_a_drain() -> None:
    assert 0 <= lost(ready(), 0, code=4003) <= 10_000


@pytest.mark.parametrize(("milliseconds", "is_given_up"), [(4_999, False), (5_000, True)])
def test_handshake_has_a_deadline(milliseconds: int, *, is_given_up: bool) -> None:
    found = connection()
    found.start(at())
    effects = found.on_tick(at(milliseconds))
    assert bool(of_type(effects, StreamClose)) == is_given_up


def test_unconfirmed_subscription_has_a_deadline() -> None:
    for late_ms, is_given_up in ((-1, False), (0, True)):
        found = connection()
        found.start(at())
        found.on_opened(at())
        effects = found.on_tick(at(CONFIRM_NS_MAX / NS_PER_MS + late_ms))
        assert bool(of_type(effects, StreamClose)) == is_given_up


def test_connection_pings_at_once_and_then_in_its_rhythm() -> None:
    found = ready()
    assert of_type(found.on_tick(at(0)), StreamSend) == [StreamSend("market.1", "PING")]
    found.on_pong(at(1))
    assert found.on_tick(at(9_999)) == []
    assert of_type(found.on_tick(at(10_000)), StreamSend)


@pytest.mark.req("NET-1")
def test_late_pong_makes_the_connection_suspect() -> None:
    found = ready()
    found.on_tick(at(0))
    assert not found.is_suspect(at(1_000))
    assert found.is_suspect(at(1_001))
    found.on_pong(at(1_002))
    assert not found.is_suspect(at(5_000))


@pytest.mark.req("NET-1")
def test_third_missed_pong_ends_the_connection() -> None:
    found = ready()
    for second in (0, 10, 20):
        assert not of_type(found.on_tick(at(second * 1_000)), StreamClose)
    effects = found.on_tick(at(30_000))
    assert of_type(effects, StreamClose) == [StreamClose("market.1")]
    assert not found.is_ready
    assert found.cause == "3 pongs missed"


def test_messages_of_an_older_attempt_are_not_its_own() -> None:
    found = ready()
    found.drop("test", at(1))
    assert not found.owns("market.1")
    found.on_tick(at(1))
    assert found.owns("market.2")
    assert not found.owns("market.1")


def test_same_seed_waits_the_same_and_another_differs() -> None:
    def waits(seed: int) -> list[float]:
        found = Connection(RULES, seed)
        found.start(at())
        return [lost(found, 0) for _ in range(5)]

    assert waits(7) == waits(7)
    assert waits(7) != waits(8)


def test_stopped_connection_stays_closed() -> None:
    found = ready()
    assert found.stop("test", at(1)) == [StreamClose("market.1")]
    assert found.on_tick(at(100_000)) == []
    assert found.stop("test", at(2)) == []


def test_dropping_what_is_not_connected_does_nothing() -> None:
    assert connection().drop("test", at()) == []
