"""The one loop of every process: poll, control line to its end, facts, tick, effects.

A turn hands messages to the core in this order: the control line until it is empty, what the
edges said last turn, ready edges, a bounded batch of facts, snapshots, the tick. Then
the effects of the whole turn are applied at once (`bus/application.py`), but for those that
wait for a commit: turns go on meanwhile, and what waited leaves in the turn that finds the
commit over. The control line comes before anything that may place an order, and pongs are sent
before effects are applied, so that an answer to a fence waits for neither disk nor network.

A turn that took longer than the lease means that this process was away: the core hears
`Paused` and a gap of every source before anything else, and facts sent before are ignored. When
somebody has set the wall clock risk hears `ClockStepped`, and every other process ends in its
ordinary way and is started again.
"""

import gc
from collections.abc import Sequence

import msgspec
import zmq

from bus import clock
from bus.application import Application, Decided
from bus.collector import Collector
from bus.control_line import AsksForLease, ComponentLine, HealthState, LoopFacts, ReportsHealth
from bus.edge import Edge
from bus.envelope import UNDECODABLE
from bus.intake import Intake
from bus.outlet import SocketOutlet
from bus.process import Started
from bus.resynchronising import Resynchronising
from bus.snapshot_server import answer_requests
from bus.sockets import Sockets
from bus.turn_log import TurnLog
from bus.turn_times import TurnTimes
from shared.control import Ping, Pong
from shared.effects import (
    ClockStepped,
    ControlReceived,
    Core,
    Effect,
    Log,
    Message,
    Paused,
    Peer,
    Publish,
    Stop,
)
from shared.facts import Sequences
from shared.topics import RISK
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, MonotonicNs
from shared.wall_steps import WallSteps

TICK_NS = 10 * NS_PER_MS
"""A tenth of a ping: deadlines are seen at most this late."""

SEQUENCES_EVERY_NS = 100 * NS_PER_MS
"""A lost last message shows within this."""

FACTS_A_TURN_MAX = 256
FACTS_NS_A_TURN_MAX = 5 * NS_PER_MS
"""Facts wait for the control line, never the other way round."""

CONTROL_A_TURN_MAX = 1_024
"""More than all peers' full queues; a bound against a peer gone mad."""

STOP_NS_MAX = 30 * NS_PER_S
"""A core that was told to stop and has not ended by then is ended; supervisord waits less."""

_PING = msgspec.msgpack.Decoder(Ping)
_PONG = msgspec.msgpack.Decoder(Pong)


def run(
    started: Started,
    core: Core,
    edges: Sequence[Edge] = (),
    *,
    raw: bool = False,
    tick_ns: int = TICK_NS,
    eager: bool = True,
) -> int:
    """Run a core until it returns `Exit`; return its status for `sys.exit`.

    Args:
        started: Who this process is, from `start`.
        core: Its decisions.
        edges: What carries out the effects beyond the bus.
        raw: Deliver `EnvelopeReceived` instead of `Received`, for the recorder.
        tick_ns: Between two ticks; longer where nobody waits for this process.
        eager: Wake for every fact; otherwise facts wait for the next tick or ping.
    """
    loop = Loop(started, core, edges, raw=raw, tick_ns=tick_ns, eager=eager)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        while loop.status is None:
            loop.turn()
    finally:
        if loop.status is None:
            crash = Log("process.crashed", {"input": repr(loop.delivered)}, "critical")
            started.lines.write(crash, clock.read())
        loop.close()
    return loop.status


class Loop:
    """One process's loop, a turn at a time; `delivered` is the newest input of its core."""

    def __init__(
        self,
        started: Started,
        core: Core,
        edges: Sequence[Edge] = (),
        *,
        raw: bool = False,
        tick_ns: int = TICK_NS,
        eager: bool = True,
    ) -> None:
        self._started = started
        self._core = core
        self._edges = tuple(edges)
        self._tick_ns = tick_ns
        self._lease_ns = started.settings.config.timing.lease_ms * NS_PER_MS
        self._sockets = Sockets(
            started.component, started.incarnation, str(started.settings.run_directory)
        )
        self._intake = Intake(started.component, raw=raw)
        self._line = ComponentLine(started.identity)
        self._outlet = SocketOutlet(started, self._sockets, self._intake)
        self._application = Application(self._outlet, self._edges, clock.read)
        self._poller = zmq.Poller()
        self._eager = eager
        polled = [self._sockets.control, self._sockets.snapshots]
        for socket in [*polled, self._sockets.subscriber] if eager else polled:
            self._poller.register(socket, zmq.POLLIN)
        self._polled: dict[int, tuple[Edge, int]] = {}
        self._readable: set[zmq.Socket[bytes]] = set()
        self._is_told = True
        self._requests = Resynchronising(self._sockets, self._intake, self._poller, self._outlet)
        self._waiting: list[Message] = []
        self._decided: list[Decided] = []
        now = clock.read()
        self._woke = now
        self._next_tick_ns = now.boot_ns
        self._next_sequences_ns = now.boot_ns
        self._collector = Collector(now)
        self._wall = WallSteps()
        self._stopping_since_ns: BootNs | None = None
        self._batch = 0
        self._times = TurnTimes()
        settings = started.settings
        self._log = TurnLog(started.component, settings.config, settings.build_hash, now)
        self.delivered: Message | None = None

    @property
    def status(self) -> int | None:
        """Exit status, None while running."""
        return self._outlet.status

    def turn(self) -> None:
        """Wait for something to do, at most until the next tick, and do it."""
        ready = self._poll()
        now = clock.read()
        self._check_pause(now)
        self._check_stop(now)
        self._control()
        self._times.mark("control")
        self._waiting.extend(self._application.settle())
        self._times.mark("settled")
        self._deliver_waiting()
        self._times.mark("waiting")
        self._poll_edges(ready)
        self._times.mark("edges")
        self._facts()
        self._times.mark("facts")
        self._resynchronise()
        self._tick()
        self._times.mark("tick")
        decided, self._decided = self._decided, []
        self._waiting.extend(self._application.apply(decided))
        self._times.mark("effects")
        if self._sockets.snapshots in self._readable and not self._application.is_waiting:
            # Only now does what the core holds agree with what it has published.
            answer_requests(self._started, self._core, self._sockets, self._outlet)
        slow = self._times.end(self._woke.boot_ns, len(decided))
        if slow is not None:
            self._outlet.log(slow)

    def close(self) -> None:
        """Tell what the core was given last; let go of edges and sockets."""
        for fact in self._log.flush(now := clock.read()):
            self._outlet.publish(fact, now)
        for edge in self._edges:
            edge.close()
        self._sockets.close()

    def _poll(self) -> list[tuple[int, int]]:
        self._register_edges()
        self._requests.register()
        self._register_snapshots()
        wait_ns = 0 if self._waiting else self._next_tick_ns - clock.read().boot_ns
        wait_ms = max(0, -(-wait_ns // NS_PER_MS))
        found = self._poller.poll(wait_ms)
        # An empty receive costs an exception each; the poll already knows.
        self._readable = {socket for socket, _ in found if not isinstance(socket, int)}
        return [(descriptor, events) for descriptor, events in found if isinstance(descriptor, int)]

    def _register_edges(self) -> None:
        wanted = {
            descriptor: (edge, events)
            for edge in self._edges
            for descriptor, events in edge.sockets()
        }
        if wanted == self._polled:
            return
        for descriptor in self._polled.keys() - wanted.keys():
            self._poller.unregister(descriptor)
        for descriptor, (_, events) in wanted.items():
            self._poller.register(descriptor, events)
        self._polled = wanted

    def _register_snapshots(self) -> None:
        """Poll for requests but while facts wait for a commit: they would be told too early."""
        if self._application.is_waiting == self._is_told:
            self._is_told = not self._is_told
            events = zmq.POLLIN if self._is_told else 0
            self._poller.register(self._sockets.snapshots, events)

    def _check_pause(self, now: Instant) -> None:
        self._check_wall(now)
        lasted_ns = now.boot_ns - self._woke.boot_ns
        self._woke = now
        if lasted_ns <= self._lease_ns:
            return
        self._deliver(Paused(lasted_ns))
        for gap in self._intake.pause(now):
            self._deliver(gap)

    def _check_wall(self, now: Instant) -> None:
        """CK-2: what anybody remembers by a wall clock that was set since is rebuilt by a start."""
        by_ns = self._wall.look(now)
        if by_ns and self._started.component == RISK:
            self._deliver(ClockStepped(by_ns))
        elif by_ns and self._started.stop.cause is None:
            self._started.stop.cause = f"the wall clock was set by {by_ns // NS_PER_MS} ms"

    def _check_stop(self, now: Instant) -> None:
        cause = self._started.stop.cause
        if cause is None:
            return
        if self._stopping_since_ns is None:
            self._stopping_since_ns = now.boot_ns
            self._deliver(Stop(cause))
        elif now.boot_ns - self._stopping_since_ns > STOP_NS_MAX:
            self._outlet.give_up("core did not end in time")

    def _deliver_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self._deliver(message)

    def _control(self) -> None:
        if self._sockets.control in self._readable:
            self._drain_control()
        if self._started.component != RISK:
            self._answer_ping()

    def _drain_control(self) -> None:
        for _ in range(CONTROL_A_TURN_MAX):
            received = self._sockets.receive_control()
            if received is None:
                return
            sender, body = received
            if self._started.component == RISK:
                self._hear_pong(sender, body)
            else:
                self._hear_ping(body)

    def _hear_ping(self, body: bytes) -> None:
        try:
            ping = _PING.decode(body)
        except UNDECODABLE as error:
            self._outlet.log(Log("control.corrupt", {"why": str(error)}, "error"))
            return
        self._line.hear(ping, clock.read())
        self._started.lines.only_critical = ping.only_critical_logs
        self._deliver(ControlReceived(ping))

    def _hear_pong(self, sender: Peer | None, body: bytes) -> None:
        try:
            pong = _PONG.decode(body)
        except UNDECODABLE as error:
            self._outlet.log(Log("control.corrupt", {"why": str(error)}, "error"))
            return
        peer = self._outlet.check_peer(sender, pong)
        if peer is not None:
            self._deliver(ControlReceived(pong, peer))

    def _answer_ping(self) -> None:
        if not self._line.owes_pong(clock.read()):
            return
        health: tuple[HealthState, str] = ("ready", "")
        if self._stopping_since_ns is not None:
            health = ("stopping", self._started.stop.cause or "")
        elif isinstance(self._core, ReportsHealth):
            health = self._core.health()
        # The lease runs from this reading: nothing slow may stand between it and the send.
        now = clock.read()
        execution = self._core.execution_pong(now) if isinstance(self._core, AsksForLease) else None
        facts = LoopFacts(self._batch, self._times.lag_ns, self._intake.input_ages(now))
        self._outlet.send_pong(self._line.pong(now, facts, health, execution))
        self._times.lag_ns = 0

    def _poll_edges(self, ready: list[tuple[int, int]]) -> None:
        for descriptor, events in ready:
            edge, _ = self._polled[descriptor]
            for message in edge.on_ready(descriptor, events, clock.read()):
                self._deliver(message)

    def _facts(self) -> None:
        self._batch = 0
        if self._eager and self._sockets.subscriber not in self._readable:
            return
        began_ns = clock.read().monotonic_ns
        while self._batch < FACTS_A_TURN_MAX:
            frames = self._sockets.receive_fact()
            if frames is None:
                break
            self._batch += 1
            now = clock.read()
            for message in self._intake.take(frames, now):
                self._deliver(message)
            if now.monotonic_ns - began_ns > FACTS_NS_A_TURN_MAX:
                break
        for corrupt in self._intake.take_corrupt():
            self._outlet.log_corrupt(corrupt)

    def _resynchronise(self) -> None:
        for message, whole in self._requests.exchange():
            self._deliver(message, whole=whole)

    def _tick(self) -> None:
        now = clock.read()
        for edge in self._edges:
            for message in edge.on_tick(now):
                self._deliver(message)
        if now.boot_ns < self._next_tick_ns:
            return
        self._next_tick_ns = BootNs(now.boot_ns + self._tick_ns)
        self._log.given(None, now)
        self._decide(self._core.on_tick(now), now)
        self._decide(self._log.take(now), now)
        if now.boot_ns >= self._next_sequences_ns:
            self._next_sequences_ns = BootNs(now.boot_ns + SEQUENCES_EVERY_NS)
            newest = self._outlet.newest()
            fact = Publish("bus.sequences", Sequences(newest), MonotonicNs(now.monotonic_ns))
            self._decided.append((fact, now))
        self._collector.collect(now, busy=bool(self._batch or self._waiting))

    def _deliver(self, message: Message, *, whole: bool = False) -> None:
        self.delivered = message
        now = clock.read()
        self._log.given(message, now, whole=whole)
        self._decide(self._core.on_message(message, now), now)

    def _decide(self, effects: Sequence[Effect], now: Instant) -> None:
        self._decided.extend((effect, now) for effect in effects)
