"""Who is there: pongs, exits and silence are three different signs."""

import msgspec
import pytest

from services.risk.liveness import LISTENED_NS_MAX, RUNS_MAX, Liveness, patience
from shared.identifiers import Component, Incarnation
from shared.topics import EXECUTION, STATE
from shared.units import NS_PER_MS, BootNs
from tests.builders.risk import World, instant
from tests.builders.risk_parts import config

NOW = instant(0).boot_ns
PATIENCE = patience(config())
HANG_NS, KILL_HUNG_NS = PATIENCE[STATE].hang_ns, PATIENCE[STATE].kill_ns
STATE_PONG = World().pong(STATE, None)


def liveness() -> Liveness:
    made = Liveness(PATIENCE, NOW)
    made.hear(STATE_PONG, NOW)
    return made


def test_first_pong_of_a_run_is_new_and_later_ones_are_known() -> None:
    made = Liveness(PATIENCE, NOW)
    assert made.hear(STATE_PONG, NOW) == "new"
    assert made.hear(STATE_PONG, NOW) == "known"


@pytest.mark.req("CP-1")
def test_pong_that_answers_a_ping_sent_after_the_exit_contradicts_the_kernel() -> None:
    made = liveness()
    assert made.exited(STATE, STATE_PONG.incarnation, NOW)
    assert made.hear(STATE_PONG, NOW) == "ignored"
    late = msgspec.structs.replace(STATE_PONG, ping_sent_ns=BootNs(NOW + 1))
    assert made.hear(late, BootNs(NOW + 2)) == "contradiction"
    assert made.condition(STATE) == "exited"


def test_exit_is_news_once() -> None:
    made = liveness()
    assert made.exited(STATE, STATE_PONG.incarnation, NOW)
    assert not made.exited(STATE, STATE_PONG.incarnation, NOW)
    assert not made.exited(STATE, Incarnation(1), NOW)


def test_new_incarnation_takes_the_place_of_one_that_ended() -> None:
    made = liveness()
    made.exited(STATE, STATE_PONG.incarnation, NOW)
    fresh = msgspec.structs.replace(STATE_PONG, incarnation=Incarnation(2))
    assert made.hear(fresh, NOW) == "new"
    assert made.condition(STATE) == "alive"
    assert made.is_answering(STATE)


@pytest.mark.parametrize("state", ["starting", "sick", "stopping"])
def test_component_that_does_not_call_itself_ready_is_not_answering(state: str) -> None:
    made = liveness()
    made.hear(msgspec.structs.replace(STATE_PONG, state=state), NOW)
    assert not made.is_answering(STATE)


def listen(made: Liveness, from_ns: BootNs, for_ns: int) -> BootNs:
    """Let a liveness turn every 10 ms; return the moment reached."""
    for passed_ns in range(10 * NS_PER_MS, for_ns, 10 * NS_PER_MS):
        made.turn(BootNs(from_ns + passed_ns))
    made.turn(BootNs(from_ns + for_ns))
    return BootNs(from_ns + for_ns)


def test_own_late_turn_says_nothing_about_anybody_else() -> None:
    made = liveness()
    made.turn(BootNs(NOW + 10_000 * NS_PER_MS))
    assert made.condition(STATE) == "alive"
    listen(made, BootNs(NOW + 10_000 * NS_PER_MS), HANG_NS - LISTENED_NS_MAX)
    assert made.condition(STATE) == "hung"


@pytest.mark.req("CP-7")
def test_hung_component_is_killed_once_and_again_only_later() -> None:
    made = liveness()
    assert made.hung_to_kill(listen(made, NOW, KILL_HUNG_NS - 1)) == ()
    due = BootNs(NOW + KILL_HUNG_NS)
    made.turn(due)
    assert [run.peer.component for run in made.hung_to_kill(due)] == [STATE]
    assert made.hung_to_kill(BootNs(due + 1)) == ()
    assert made.hung_to_kill(BootNs(due + KILL_HUNG_NS))


def test_hung_execution_is_killed_at_its_own_limit() -> None:
    """Its fence kills it far sooner, unless it has answered BLOCKED before."""
    made = Liveness(PATIENCE, NOW)
    made.hear(World().pong(EXECUTION, None), NOW)
    kill_ns = PATIENCE[EXECUTION].kill_ns
    assert made.hung_to_kill(listen(made, NOW, kill_ns - NS_PER_MS)) == ()
    (run,) = made.hung_to_kill(listen(made, NOW, kill_ns))
    assert run.peer.component == EXECUTION


def test_unknown_component_is_ignored() -> None:
    made = liveness()
    stranger = msgspec.structs.replace(STATE_PONG, component=Component("stranger"))
    assert made.hear(stranger, NOW) == "ignored"


def test_runs_are_bounded_and_ended_ones_make_room() -> None:
    made = liveness()
    for number in range(1, RUNS_MAX):
        made.hear(msgspec.structs.replace(STATE_PONG, incarnation=Incarnation(number)), NOW)
    crowd = msgspec.structs.replace(STATE_PONG, incarnation=Incarnation(99))
    assert made.hear(crowd, NOW) == "ignored"
    made.exited(STATE, Incarnation(1), NOW)
    assert made.hear(crowd, NOW) == "new"
