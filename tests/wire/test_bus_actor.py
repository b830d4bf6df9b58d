"""Loops over real sockets: facts, gaps, snapshots, the control line, pauses, the end."""

import os
from collections.abc import Iterator

import msgspec
import pytest
import zmq

from bus import clock
from bus.edge import CommitFailed, Edge
from shared.control import ExecutionPong, Ping, Pong
from shared.effects import (
    Control,
    ControlReceived,
    Durable,
    Effect,
    EnvelopeReceived,
    Exit,
    Gap,
    JournalFailed,
    Message,
    Paused,
    Peer,
    Publish,
    Received,
    Stop,
)
from shared.facts import StateView
from shared.identifiers import Incarnation
from shared.topics import CARETAKER, EXECUTION, MARKET_MAKING, RECORDER, RISK, STATE, subscriptions
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs
from tests.builders.bus_rig import Rig, Scripted, rig

VIEW = Publish("state.view", StateView(()), MonotonicNs(5))


@pytest.fixture
def bus() -> Iterator[Rig]:
    with rig() as made:
        yield made


def make_ping(*, incarnation: int = 7, ping_id: int = 1, epoch: int = 3) -> Ping:
    return Ping(
        risk_incarnation=Incarnation(incarnation),
        ping_id=ping_id,
        sent_ns=BootNs(11),
        epoch=epoch,
        fence_id=0,
        fence_reason="",
        trading_state="HALTED",
        reasons=(),
        scopes=(),
        switch_version=2,
    )


def test_fact_arrives_in_sequence_with_its_stamps(bus: Rig) -> None:
    state, reader = Scripted(), Scripted()
    started = bus.add(STATE, state)
    bus.add(MARKET_MAKING, reader)

    def publish_until_heard() -> bool:
        state.next = [VIEW]
        return len(reader.of(Received)) >= 3

    bus.turn_until(publish_until_heard)
    facts = [fact for fact in reader.of(Received) if fact.topic == "state.view"]
    numbers = [fact.sequence for fact in facts]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert facts[0].incarnation == started.incarnation
    assert facts[0].input_ns == 5
    assert facts[0].sent_ns > 5
    assert facts[0].body == StateView(())
    assert reader.of(Gap) == []


def test_reader_hears_of_a_new_incarnation_as_a_gap(bus: Rig) -> None:
    reader = Scripted()
    bus.add(MARKET_MAKING, reader)
    bus.add(STATE, first := Scripted())
    first.next = [VIEW]
    bus.turn_until(
        lambda: any(fact.component == STATE for fact in reader.of(Received)) or _say(first, VIEW)
    )
    bus.remove(STATE)
    bus.add(STATE, second := Scripted())
    bus.turn_until(lambda: bool(reader.of(Gap)) or _say(second, VIEW))
    assert reader.of(Gap)[0] == Gap(STATE, "", -1, "incarnation")


def _say(core: Scripted, *effects: Effect) -> bool:
    core.next = list(effects)
    return False


class Snapshotting(Scripted):
    """Publishes nothing unless told, but has a state to tell."""

    def snapshot(self, now: Instant) -> list[Publish]:
        return [VIEW]


def test_late_reader_gets_a_snapshot_without_a_gap(bus: Rig) -> None:
    bus.add(STATE, state := Snapshotting())
    state.next = [VIEW, VIEW]
    bus.turn_until(lambda: state.next == [])
    bus.add(MARKET_MAKING, reader := Scripted())
    bus.turn_until(lambda: bool(reader.of(Received)))
    assert reader.of(Received)[0].topic == "state.view"
    assert reader.of(Received)[0].sequence == 2
    assert reader.of(Gap) == []


def test_recorder_gets_envelopes_as_they_travelled(bus: Rig) -> None:
    bus.add(STATE, state := Scripted())
    bus.add(RECORDER, recorder := Scripted(), raw=True)
    bus.turn_until(
        lambda: (
            any(one.topic == "state.view" for one in recorder.of(EnvelopeReceived))
            or _say(state, VIEW)
        )
    )
    envelope = next(one for one in recorder.of(EnvelopeReceived) if one.topic == "state.view")
    assert envelope.frames[0] == b"state.view"
    assert envelope.component == STATE
    assert recorder.of(Received) == []


class Execution(Scripted):
    """Answers pings with what it has heard so far."""

    def execution_pong(self, now: Instant) -> ExecutionPong:
        return ExecutionPong(
            asked_ns=now.boot_ns,
            ledger_epoch=len(self.of(ControlReceived)),
            proven_start=False,
            start_state="",
            self_fenced=None,
            fence_answer=None,
            carried=(),
            open_orders=0,
            in_flight=0,
            unresolved=0,
            unresolved_until_ns=BootNs(0),
        )


def test_component_says_hello_and_answers_the_ping_it_has_delivered(bus: Rig) -> None:
    bus.add(RISK, risk := Scripted())
    execution = Execution()
    started = bus.add(EXECUTION, execution)
    bus.turn_until(lambda: bool(risk.of(ControlReceived)))
    hello = risk.of(ControlReceived)[0]
    peer = Peer(EXECUTION, started.incarnation)
    assert hello.sender == peer
    assert isinstance(hello.body, Pong)
    assert hello.body.ping_id == 0
    risk.next = [Control(make_ping(ping_id=9), peer)]
    bus.turn_until(lambda: any(one.body.ping_id == 9 for one in risk.of(ControlReceived)))
    pong = risk.of(ControlReceived)[-1].body
    assert pong.epoch == 3
    assert pong.ping_sent_ns == 11
    # The core had heard the ping before its part of the pong was made.
    assert pong.execution.ledger_epoch == 1


def test_ping_to_a_peer_that_is_gone_is_dropped_and_logged_once(bus: Rig) -> None:
    bus.add(RISK, risk := Scripted())
    gone = Peer(EXECUTION, Incarnation(1))
    risk.next = [Control(make_ping(), gone), Control(make_ping(), gone)]
    bus.turn_until(lambda: risk.next == [])
    log = (bus.directory / "risk.log").read_text()
    assert log.count("control.unroutable") == 1


def test_stop_flag_becomes_one_message_and_exit_ends_the_loop(bus: Rig) -> None:
    core = Scripted()
    core.replies[Stop] = lambda message, now: [Exit(0, "asked")]
    started = bus.add(CARETAKER, core)
    started.stop.cause = "SIGTERM"
    bus.turn_until(lambda: bus.loops[CARETAKER].status is not None)
    assert core.of(Stop) == [Stop("SIGTERM")]
    assert bus.loops[CARETAKER].status == 0


@pytest.mark.req("INV-3")
def test_loop_that_was_away_longer_than_a_lease_discards_what_waited(bus: Rig) -> None:
    bus.add(STATE, state := Scripted())
    bus.add(MARKET_MAKING, reader := Scripted())
    bus.turn_until(lambda: bool(reader.of(Received)) or _say(state, VIEW))
    reader.heard.clear()
    before_ns = clock.read().boot_ns
    # Only the publisher turns: its facts pile up at the reader that is away.
    while clock.read().boot_ns - before_ns <= 450 * NS_PER_MS:
        state.next = [VIEW]
        bus.loops[STATE].turn()
    woke_ns = clock.read().monotonic_ns
    bus.turn_until(lambda: bool(reader.of(Received)) or _say(state, VIEW))
    paused, *following = reader.heard
    assert isinstance(paused, Paused)
    assert paused.lasted_ns > 400 * NS_PER_MS
    assert Gap(STATE, "", -1, "pause") in following[: len(subscriptions(MARKET_MAKING))]
    assert all(fact.sent_ns >= woke_ns for fact in reader.of(Received))


class Writing(Durable, frozen=True):
    """Something that shall be on disk."""


class Disk(Edge):
    """Fails every commit."""

    handles = (Writing,)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        return []

    def commit(self, now: Instant) -> None:
        raise CommitFailed("disk full")


@pytest.mark.req("INV-2")
def test_core_hears_of_a_failed_commit_and_its_facts_stay_untold(bus: Rig) -> None:
    state = Scripted()
    bus.add(STATE, state, [Disk()])
    bus.add(MARKET_MAKING, reader := Scripted())
    state.next = [VIEW, Writing()]
    bus.turn_until(lambda: bool(state.of(JournalFailed)))
    assert state.of(JournalFailed) == [JournalFailed("disk full")]
    assert reader.of(Received) == []


class Pipe(Edge):
    """Tells the core each byte that arrives on a descriptor."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.closed = False

    def sockets(self) -> list[tuple[int, int]]:
        return [(self.reader, zmq.POLLIN)]

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        return [Stop(os.read(descriptor, 1).decode())]

    def close(self) -> None:
        self.closed = True
        os.close(self.reader)
        os.close(self.writer)


def test_ready_edge_is_heard_and_closed_with_the_loop(bus: Rig) -> None:
    pipe = Pipe()
    bus.add(STATE, core := Scripted(), [pipe])
    os.write(pipe.writer, b"x")
    bus.turn_until(lambda: bool(core.of(Stop)))
    assert core.of(Stop) == [Stop("x")]
    bus.remove(STATE)
    assert pipe.closed


def test_pong_of_an_impostor_is_dropped(bus: Rig) -> None:
    bus.add(RISK, risk := Scripted())
    started = bus.add(EXECUTION, Execution())
    bus.turn_until(lambda: bool(risk.of(ControlReceived)))
    pong = risk.of(ControlReceived)[0].body
    forged = msgspec.structs.replace(pong, component=STATE)
    risk.heard.clear()
    bus.loops[EXECUTION]._outlet.send_pong(forged)
    bus.turn_until(lambda: "control.impostor" in (bus.directory / "risk.log").read_text())
    genuine = Peer(EXECUTION, started.incarnation)
    assert {one.sender for one in risk.of(ControlReceived)} <= {genuine}
