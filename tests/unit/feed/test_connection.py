"""The connection's table is walked, and every limit is met just below, at and just above."""

from typing import get_args

import pytest

from services.feed.connection import (
    CONFIRM_NS_MAX,
    STABLE_NS,
    TRANSITIONS,
    Connection,
    ConnectionEvent,
    ConnectionState,
    IllegalStep,
)
from services.feed.connection_rules import (
    BARRED_NS,
    CODES_BARRED,
    PAUSES_S,
    RETRY_AFTER_S_MAX,
    STATUSES_BARRED,
    ConnectionRules,
)
from shared.effects import Log, StreamClose, StreamClosed, StreamOpen, StreamSend
from shared.reach import ADVICE, NOT_REACHED, ReachFault
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


@pytest.mark.req("NET-2")
@pytest.mark.parametrize("code", CODES_BARRED)
def test_connection_refused_for_good_is_not_called_in_a_loop(code: int) -> None:
    found = ready()
    (told,) = found.on_closed(StreamClosed(found.stream, code, "auth"), at(0))
    assert isinstance(told, Log)
    assert (told.event, told.level) == ("connection.barred", "error")
    assert found.state == "barred"
    assert "auth" in found.cause
    assert found.next_try_ns is not None
    assert found.start(at(1)) == []
    pause_ms = BARRED_NS / NS_PER_MS
    assert found.on_tick(at(pause_ms - 1)) == []
    assert of_type(found.on_tick(at(pause_ms * 1.5)), StreamOpen)


@pytest.mark.parametrize("status", STATUSES_BARRED)
def test_handshake_refused_for_good_is_not_repeated_either(status: int) -> None:
    found = connection()
    found.start(at())
    refused = StreamClosed(found.stream, 1006, "upgrade", fault="denied", status=status)
    found.on_closed(refused, at(0))
    assert (found.state, found.fault) == ("barred", "denied")


def test_other_credentials_end_the_bar_at_once_and_nothing_else_does() -> None:
    found = ready()
    found.bar("auth_invalid", at(0))
    assert of_type(found.renew(at(1)), StreamOpen)
    assert ready().renew(at(1)) == []
    assert connection().renew(at(1)) == []


@pytest.mark.parametrize(("asked_s", "waited_s"), [(20, 20), (10_000, RETRY_AFTER_S_MAX)])
def test_refusal_that_names_a_time_is_waited_for_within_bounds(asked_s: int, waited_s: int) -> None:
    found = connection()
    found.start(at())
    busy = StreamClosed(found.stream, 1006, "", fault="denied", status=503, retry_after_s=asked_s)
    found.on_closed(busy, at(0))
    assert found.on_tick(at(waited_s * 1_000 - 1)) == []
    assert of_type(found.on_tick(at(waited_s * 1_500)), StreamOpen)


@pytest.mark.req("NET-5")
@pytest.mark.parametrize("fault", sorted(NOT_REACHED))
def test_endpoint_that_is_not_reached_gives_way_to_the_next(fault: ReachFault) -> None:
    rules = ConnectionRules("market", "ws://a", "PING", 10**9, alternatives=("ws://b", "ws://c"))
    found = Connection(rules, 1)
    opened = of_type(found.start(at(0)), StreamOpen)
    now = 0.0
    for _ in range(3):
        lost = StreamClosed(found.stream, 1006, "x", fault=fault)
        (told,) = of_type(found.on_closed(lost, at(now)), Log)
        assert told.fields["check"] == ADVICE[fault]
        now += 10_000
        opened += of_type(found.on_tick(at(now)), StreamOpen)
    assert [one.url for one in opened] == ["ws://a", "ws://b", "ws://c", "ws://a"]


def test_endpoint_that_was_reached_is_tried_again_first() -> None:
    rules = ConnectionRules("market", "ws://a", "PING", 10**9, alternatives=("ws://b",))
    found = Connection(rules, 1)
    found.start(at(0))
    found.on_opened(at(0))
    found.confirm(at(0))
    found.on_closed(StreamClosed(found.stream, 1006, "gone", fault="lost"), at(1))
    assert found.url == "ws://a"


def test_connection_spreads_its_return_after_a_drain() -> None:
    assert 0 <= lost(ready(), 0, code=4003) <= 10_000


@pytest.mark.parametrize(("milliseconds", "is_given_up"), [(5_999, False), (6_000, True)])
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


@pytest.mark.req("NET-1")
@pytest.mark.parametrize(("quiet_ms", "is_given_up"), [(29_999, False), (30_000, True)])
def test_pongs_alone_do_not_keep_a_connection(quiet_ms: int, *, is_given_up: bool) -> None:
    rules = ConnectionRules("market", "ws://a", "PING", 5 * NS_PER_S, data_idle_ns=30 * NS_PER_S)
    found = Connection(rules, 1)
    found.start(at(0))
    found.on_opened(at(0))
    found.confirm(at(0))
    found.on_life(at(1_000))
    for second in range(1, quiet_ms // 1_000 + 1):
        assert not of_type(found.on_tick(at(second * 1_000)), StreamClose)
        found.on_pong(at(second * 1_000 + 1))
    given_up = of_type(found.on_tick(at(1_000 + quiet_ms)), StreamClose)
    assert bool(given_up) == is_given_up


@pytest.mark.req("NET-1")
def test_socket_that_never_answers_pings_is_judged_by_data_alone() -> None:
    rules = ConnectionRules(
        "price", "ws://a", "PING", NS_PER_S, answers_pings=False, data_idle_ns=60 * NS_PER_S
    )
    found = Connection(rules, 1)
    found.start(at(0))
    found.on_opened(at(0))
    found.confirm(at(0))
    for second in range(60):
        assert len(of_type(found.on_tick(at(second * 1_000)), StreamSend)) == 1
        assert not found.is_suspect(at(second * 1_000 + 999))
    assert of_type(found.on_tick(at(60_000)), StreamClose)


def test_socket_that_nothing_would_show_dead_is_refused_as_our_bug() -> None:
    with pytest.raises(AssertionError):
        Connection(ConnectionRules("price", "ws://a", "", NS_PER_S, answers_pings=False), 1)


@pytest.mark.req("NET-6")
def test_text_waits_for_the_connection_and_is_said_again_until_a_pong_shows_it() -> None:
    found = ready()
    found.on_tick(at(0))  # its ping is older than what follows: its pong shows nothing of it
    assert found.send("subscribe 1") == [StreamSend("market.1", "subscribe 1")]
    found.on_pong(at(1))
    found.drop("test", at(2))
    assert found.send("subscribe 2") == []
    found.on_tick(at(2))
    found.on_opened(at(3))
    assert not [one for one in found.on_tick(at(3)) if "subscribe" in str(one)]
    found.confirm(at(4))
    said = [one.text for one in of_type(found.on_tick(at(4)), StreamSend)]
    assert said == ["subscribe 1", "subscribe 2"]
    found.on_tick(at(10_003))
    found.on_pong(at(10_004))  # to the ping at the opening
    assert found.outbox.unproven == 2
    found.on_pong(at(10_005))
    assert found.outbox.unproven == 0
    found.drop("test", at(10_006))
    assert found.outbox.waits == 0


@pytest.mark.req("NET-6")
def test_oldest_text_falls_out_of_the_full_buffer_and_is_told() -> None:
    found = connection()
    for number in range(1_000):
        assert found.send(str(number)) == []
    (told,) = found.send("1000")
    assert isinstance(told, Log)
    assert (told.level, told.fields["dropped"]) == ("error", 1)
    found.start(at(0))
    found.on_opened(at(0))
    found.confirm(at(0))
    said = [one.text for one in of_type(found.on_tick(at(0)), StreamSend)]
    assert said[0] == "1"
    assert said[-2:] == ["1000", "PING"]


def test_owner_that_says_everything_anew_supersedes_what_waits() -> None:
    found = ready()
    found.send("unsubscribe 1")
    found.drop("test", at(1))
    found.supersede()
    found.on_tick(at(1))
    found.on_opened(at(2))
    found.confirm(at(2))
    assert [one.text for one in of_type(found.on_tick(at(2)), StreamSend)] == ["PING"]
