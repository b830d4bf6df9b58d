"""One process: a core in its loop, that may be stopped or killed between any two effects.

Follows the turn of the real loop (`bus/actor.py`): waiting messages, the control line to
its end, edges, facts, snapshots, tick, pong before effects; and it applies effects with the
very same code (`bus/application.py`), so that the order of commit and send is the real one.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from bus.application import Application, Decided
from bus.control_line import (
    AsksForLease,
    ComponentLine,
    HealthState,
    Identity,
    LoopFacts,
    ReportsHealth,
)
from bus.edge import Edge
from bus.envelope import SCHEMA, Header, encode
from bus.refill import SentFacts
from bus.sequence import Numbering
from bus.snapshot import Answer, FillRequest, decode_request, encode_answer
from bus.snapshot_server import Snapshots
from ops.simulation.asking import ask_for_facts, ask_for_snapshots, take_answers
from ops.simulation.body import Body
from ops.simulation.bus import Bus
from ops.simulation.continuity import JudgedIntake
from ops.simulation.letter import SHARED_READING, Letter
from ops.simulation.line import ControlLine
from ops.simulation.scheduler import Scheduler
from ops.simulation.stepping import Killed, SteppedEdge, Stepping
from ops.simulation.streams import Streams
from ops.simulation.trace import Trace
from shared.control import Ping
from shared.effects import (
    Control,
    ControlReceived,
    Core,
    Effect,
    Exit,
    Log,
    Message,
    Paused,
    Peer,
    Publish,
    Stop,
)
from shared.facts import Sequences
from shared.topics import EXECUTION, RISK
from shared.units import NS_PER_MS, NS_PER_US, BootNs, Instant, MonotonicNs

TICK_NS = 50 * NS_PER_MS
GUARDED_TICK_NS = 20 * NS_PER_MS
"""Longer than the real loop's: less work, and a later reaction rather than an earlier one.
Execution and risk are watched by the millisecond and tick more often than the others."""

WAKE_NS = 700 * NS_PER_US
"""From the arrival of a message to the turn that takes it; others arrive meanwhile."""

SEQUENCES_EVERY_NS = 100 * NS_PER_MS
FACTS_A_TURN_MAX = 256
SERIOUS = ("warning", "error", "critical")


class Observer(Protocol):
    """Sees what processes say and hear; decides nothing for them."""

    def published(self, peer: Peer, effect: Publish, now: Instant) -> None:
        """Learn of a fact, before anybody reads it."""
        ...

    def ordered(self, peer: Peer, ping: Ping, now: Instant) -> None:
        """Learn that a ping has reached a core."""
        ...


class Surroundings(msgspec.Struct, frozen=True):
    """What every process of one simulation shares."""

    scheduler: Scheduler
    bus: Bus
    line: ControlLine
    trace: Trace
    observer: Observer
    lease_ns: int
    exited: Callable[["Process", str], None]


class Process:
    """One incarnation of one component.

    Attributes:
        component: Its name.
        alive: Whether it has not ended.
        stopped_until_ns: Until when it gets no turn; below now while it runs.
        silent_since_ns: Since when it has not been able to take a turn, if it cannot now.
    """

    def __init__(
        self,
        identity: Identity,
        surroundings: Surroundings,
        build: Callable[["Process"], Body],
    ) -> None:
        """Start: connect, build the core from what is stored, and take the first turn soon."""
        self.identity = identity
        self.component = identity.component
        self.peer = Peer(identity.component, identity.incarnation)
        self.alive = True
        self.stopped_until_ns = 0
        self._around = surroundings
        self._scheduler = surroundings.scheduler
        self._wakes_ns: int | None = None
        self._waiting: list[Message] = []
        self._decided: list[Decided] = []
        self._intake = JudgedIntake(identity.component, opener=SHARED_READING)
        self._line = ComponentLine(identity)
        self._numbering = Numbering()
        self._sent = SentFacts(identity.component, identity.incarnation)
        self._woke = self._scheduler.instant()
        self.silent_since_ns = self._scheduler.now_ns
        self._next_tick_ns = self._woke.boot_ns
        self._next_sequences_ns = self._woke.boot_ns
        self._batch = 0
        guarded = identity.component in (EXECUTION, RISK)
        self._tick_ns = GUARDED_TICK_NS if guarded else TICK_NS
        self._stopping = ""
        self._status: Exit | None = None
        self.stepping = Stepping(self.pause)
        surroundings.bus.attach(self.peer)
        surroundings.line.connect(self.peer)
        self.body = build(self)
        core = self._core = self.body.core
        # A look at a protocol is slow, and what a core can do does not change.
        self._reports = core if isinstance(core, ReportsHealth) else None
        self._asks = core if isinstance(core, AsksForLease) else None
        edges: Sequence[Edge] = [
            SteppedEdge(edge, self.stepping, self._waiting, self._scheduler.instant)
            for edge in self.body.edges
        ]
        self._edges = edges
        self._application = Application(self, edges, self._scheduler.instant)
        self.wake()

    @property
    def core(self) -> Core:
        """The decisions of this process."""
        return self._core

    @property
    def is_stopped(self) -> bool:
        """Whether it is stopped now."""
        return self._scheduler.now_ns < self.stopped_until_ns

    # --- life -----------------------------------------------------------------------

    def tell(self, message: Message) -> None:
        """Hand a message of the world to the core in its next turn."""
        self._waiting.append(message)
        self.wake()

    def streams_do(self, act: Callable[[Streams], None]) -> None:
        """Do something to the streams of this process, if it has any."""
        for edge in self.body.edges:
            if isinstance(edge, Streams):
                act(edge)

    def wake(self) -> None:
        """Take a turn soon."""
        self.wake_at(self._scheduler.now_ns)

    def wake_at(self, moment_ns: int) -> None:
        """Take a turn soon after a moment."""
        due_ns = moment_ns + WAKE_NS
        if due_ns < self.stopped_until_ns:
            due_ns = self.stopped_until_ns
        if not self.alive or (self._wakes_ns is not None and self._wakes_ns <= due_ns):
            return
        self._wakes_ns = due_ns
        self._scheduler.at(due_ns, self._wake_up)

    def pause(self, lasts_ns: int) -> None:
        """SIGSTOP, and SIGCONT after a while; what reaches it meanwhile waits."""
        self.silent_since_ns = self._scheduler.now_ns
        self.stopped_until_ns = self._scheduler.now_ns + lasts_ns
        self._around.trace.note(
            self._scheduler.now_ns, self.component, "stopped", f"{lasts_ns // NS_PER_MS} ms"
        )
        self._wakes_ns = None
        self.wake_at(self.stopped_until_ns)

    def kill(self, cause: str) -> None:
        """SIGKILL: nothing further is applied, nothing uncommitted stays."""
        if not self.alive:
            return
        self.alive = False
        if not self.is_stopped:
            self.silent_since_ns = self._scheduler.now_ns
        self._around.trace.note(self._scheduler.now_ns, self.component, "ended", cause)
        self.body.die()
        self._around.bus.detach(self.component)
        self._around.line.disconnect(self.component)
        self._around.exited(self, cause)

    def terminate(self, cause: str) -> None:
        """SIGTERM: the core hears `Stop` in its next turn."""
        self._stopping = cause
        self.tell(Stop(cause))

    # --- the turn -------------------------------------------------------------------

    def _wake_up(self) -> None:
        """Take a turn, unless another moment was agreed on since."""
        if self._wakes_ns != self._scheduler.now_ns or not self.alive:
            return
        self._wakes_ns = None
        if self._scheduler.now_ns < self.stopped_until_ns:
            self.wake_at(self.stopped_until_ns)
            return
        try:
            self._turn()
        except Killed:
            self.kill("killed at an effect")
            return
        if self._status is not None:
            self.kill(f"exit {self._status.status}: {self._status.reason}")
            return
        if self._waiting:
            self.wake()
        self.wake_at(self._next_tick_ns - self._woke.boot_ns + self._scheduler.now_ns)

    def _turn(self) -> None:
        self.stepping.resume()
        if self.stepping.is_paused:
            return
        now = self._scheduler.instant()
        self._check_pause(now)
        if self._waiting:
            waiting = self._waiting[:]
            self._waiting.clear()
            self._deliver_all(waiting, now)
        self._control(now)
        if self._application.is_waiting:
            self._deliver_all(self._application.settle(), now)
        for edge in self.body.edges:
            told = edge.on_tick(now)
            if told:
                self._deliver_all(told, now)
        self._batch = 0
        if self._around.bus.has_arrived(self.component):
            self._facts(now)
            self._answer_requests(now)
        if now.boot_ns >= self._next_tick_ns:
            ask_for_snapshots(self._around.bus, self.component, self._intake, now)
            self._deliver_all(self._intake.expire(now), now)
            self._tick(now)
        decided, self._decided = self._decided, []
        if decided:
            self._waiting += self._application.apply(decided)

    def _check_pause(self, now: Instant) -> None:
        lasted_ns = now.boot_ns - self._woke.boot_ns
        self._woke = now
        if lasted_ns <= self._around.lease_ns:
            return
        self._deliver(Paused(lasted_ns), now)
        self._deliver_all(self._intake.pause(now), now)

    def _control(self, now: Instant) -> None:
        for received in self._around.line.receive(self.component, self._scheduler.now_ns):
            if isinstance(received.body, Ping):
                self._line.hear(received.body, now)
                self._around.observer.ordered(self.peer, received.body, now)
                self._deliver(ControlReceived(received.body), now)
            else:
                self._deliver(received, now)
        if self.component != RISK and self._line.owes_pong(now):
            self._send_pong(now)

    def _send_pong(self, now: Instant) -> None:
        health: tuple[HealthState, str] = ("ready", "")
        if self._stopping:
            health = ("stopping", self._stopping)
        elif self._reports is not None:
            health = self._reports.health()
        execution = None if self._asks is None else self._asks.execution_pong(now)
        facts = LoopFacts(self._batch, 0, self._intake.input_ages(now))
        pong = self._line.pong(now, facts, health, execution)
        self._around.line.send_to_risk(self.peer, pong)

    def _facts(self, now: Instant) -> None:
        frames_in = self._around.bus.receive(self.component, FACTS_A_TURN_MAX)
        self._batch = len(frames_in)
        take = self._intake.take
        for frames in frames_in:
            self._deliver_all(take(frames, now), now)
        if self._intake.wants_facts:
            ask_for_facts(self._around.bus, self.component, self._intake)
        assert not self._intake.take_corrupt()

    def _answer_requests(self, now: Instant) -> None:
        bus = self._around.bus
        # While facts wait for a commit the core knows more than it has published.
        if not self._application.is_waiting:
            for reader, request in bus.receive_requests(self.component):
                bus.answer(self.component, reader, self._snapshot(request, now))
        self._deliver_all(take_answers(bus, self.component, self._intake, now), now)

    def _snapshot(self, frame: bytes, now: Instant) -> list[bytes]:
        request = decode_request(frame)
        assert request is not None
        if isinstance(request, FillRequest):
            return self._sent.answer(request)
        newest = self._numbering.newest()
        core = self.core
        facts = [
            self._envelope(fact, now, max(1, newest.get(fact.topic, 0)))
            for fact in (core.snapshot(now) if isinstance(core, Snapshots) else [])
        ]
        answer = Answer(request.number, self.component, self.peer.incarnation, newest, len(facts))
        return encode_answer(answer, facts)

    def _tick(self, now: Instant) -> None:
        self._next_tick_ns = BootNs(now.boot_ns + self._tick_ns)
        self._decide(self._core.on_tick(now), now)
        if now.boot_ns >= self._next_sequences_ns:
            self._next_sequences_ns = BootNs(now.boot_ns + SEQUENCES_EVERY_NS)
            newest = Sequences(self._numbering.newest())
            self._decided.append((Publish("bus.sequences", newest, now.monotonic_ns), now))

    def _deliver_all(self, messages: Sequence[Message], now: Instant) -> None:
        for message in messages:
            self._decide(self._core.on_message(message, now), now)

    def _deliver(self, message: Message, now: Instant) -> None:
        self._decide(self._core.on_message(message, now), now)

    def _decide(self, effects: Sequence[Effect], now: Instant) -> None:
        for effect in effects:
            self._decided.append((effect, now))

    # --- the outlet (`bus.application.Outlet`) ----------------------------------------

    def publish(self, effect: Publish, decided: Instant) -> None:
        """Number, stamp and broadcast a fact."""
        self.stepping.step(lambda: self._publish(effect, decided))

    def send_control(self, effect: Control) -> None:
        """Send on the control line."""
        self.stepping.step(lambda: self._send_control(effect))

    def log(self, effect: Log) -> None:
        """Keep what an operator would have to see."""
        if effect.level in SERIOUS:
            fields = " ".join(f"{key}={value}" for key, value in effect.fields.items())
            self._around.trace.note(
                self._scheduler.now_ns, self.component, f"log.{effect.event}", fields
            )

    def exit(self, effect: Exit) -> None:
        """End the process after this turn."""
        self._status = effect

    def _publish(self, effect: Publish, decided: Instant) -> None:
        number = self._numbering.next(effect.topic)
        if effect.topic != "bus.sequences":
            self._around.observer.published(self.peer, effect, decided)
        letter = Letter(self._envelope(effect, decided, number))
        self._sent.keep(effect.topic, number, letter)
        self._around.bus.publish(self.component, letter)

    def _send_control(self, effect: Control) -> None:
        if effect.to is None:
            self._around.line.send_to_risk(self.peer, effect.body)
        else:
            self._around.line.send_to(effect.to, effect.body)

    def _envelope(self, effect: Publish, decided: Instant, number: int) -> list[bytes]:
        now = self._scheduler.instant()
        # What a fact rests on matters to a replay of a recording; here nobody reads it.
        header = Header(
            self.component,
            self.peer.incarnation,
            effect.topic,
            number,
            now.monotonic_ns,
            MonotonicNs(effect.input_ns),
            now.wall_ns,
            SCHEMA,
            (),
            decided,
        )
        return encode(header, effect.body)
