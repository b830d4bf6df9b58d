"""Execution and risk: their real cores around a simulated gateway, disk, kernel and desk.

The gateway is the real one down to its lanes: it reads key and credentials from files, signs,
and asks `may_send` directly before the write, with a fresh reading of the clock. The ledger
is the real one on a simulated disk (`disk.py`). Risk's database is written beside its loop, a
little later, and what was not written when risk dies is lost.
"""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from bus.edge import Edge
from bus.http import BeforeWrite, Headers, Lane
from ops.simulation.assembly import OneMessage, make_body, make_lanes
from ops.simulation.body import Body
from ops.simulation.disk import SimulatedDisk
from ops.simulation.host import HostEdge
from ops.simulation.process import Process
from ops.simulation.supervisor import SupervisorLine
from ops.simulation.world import Inbox, World
from services.execution import messages as execution_messages
from services.execution.core import ExecutionCore
from services.execution.gateway import Gateway, MaySend
from services.execution.ledger.ledger import Ledger
from services.execution.may_send import Permit, Permits
from services.risk import messages as risk_messages
from services.risk.core import RiskCore
from services.risk.messages import (
    ForgetProcess,
    KillProcess,
    Persist,
    Persisted,
    ProcessExited,
    WatchProcess,
)
from services.risk.release import Release
from services.risk.risk_file import RiskFile
from services.risk.venue_guard import KeyTeller, VenueKey, venue_lanes
from services.risk.watching import Surroundings, make_sources
from shared.effects import Effect, HttpRequest, Message, Peer
from shared.ledger_schema import LEDGER_FILE
from shared.operator import OperatorReply
from shared.risk_schema import RiskRecord
from shared.units import NS_PER_MS, NS_PER_US, Instant

DISK_NS_RANGE = (300 * NS_PER_US, 40 * NS_PER_MS)
"""A write with its sync; beside a noisy writer one took 82 ms (measured)."""

CRASH_POINTS = ("before_commit", "after_commit", "after_marker")
"""Where a write of risk's database can be cut, as its file names them."""


class ExecutionWatcher:
    """Leads every write of execution to the checkers."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._incarnation = process.peer.incarnation

    def written(self, who: str, request: HttpRequest, now: Instant) -> None:
        """Judge posts, follow cancels."""
        permit = request.permit
        if isinstance(permit, Permit | Permits):
            for one in permit.permits if isinstance(permit, Permits) else (permit,):
                self._world.watch.posted(self._incarnation, one.order_id, one.epoch, now)
        elif request.lane == "cancel":
            self._world.watch.canceled(self._world.scheduler.now_ns, request)


def make_gateway(
    world: World, process: Process, may_send: MaySend, kind: type[Gateway] = Gateway
) -> Gateway:
    """Return the real gateway over simulated lanes, every write of which is judged."""

    def make_http(
        lanes: Sequence[Lane],
        *,
        headers: Headers | None = None,
        before_write: BeforeWrite | None = None,
    ) -> Edge:
        watcher = ExecutionWatcher(world, process)
        return make_lanes(world, process, lanes, headers, before_write, watcher)

    return kind(world.settings, may_send, make_http)


def execution(
    world: World,
    process: Process,
    kind: type[ExecutionCore] = ExecutionCore,
    gateway_kind: type[Gateway] = Gateway,
    disk_kind: type[SimulatedDisk] = SimulatedDisk,
) -> Body:
    """Build execution, of the real core or of one that a test has spoiled."""
    now = world.scheduler.instant()
    ledger = Ledger(world.directory / LEDGER_FILE, now)
    core = kind(world.config, process.peer.incarnation, ledger.opened, now)
    gateway = make_gateway(world, process, core.may_send, gateway_kind)
    calm = OneMessage(execution_messages.PanicSeen(False))
    return make_body(core, disk_kind(world, process, ledger), gateway, calm)


class SimulatedKernel(Edge):
    """Risk's pidfds: exits are seen at once, kills hit exactly one incarnation."""

    handles: tuple[type[Effect], ...] = (WatchProcess, KillProcess, ForgetProcess)

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._inbox = Inbox(process.wake)
        self._watched: dict[Peer, None] = {}
        world.exit_watchers.append(self._exited)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Watch, kill or forget."""
        match effect:
            case WatchProcess(component=component, incarnation=incarnation):
                peer = Peer(component, incarnation)
                if self._world.runs(peer):
                    self._watched[peer] = None
                    return []
                return [ProcessExited(component, incarnation)]
            case KillProcess(component=component, incarnation=incarnation):
                peer = Peer(component, incarnation)
                if peer in self._watched and self._world.kills:
                    self._world.kill(peer, "killed by risk")
            case ForgetProcess(component=component, incarnation=incarnation):
                self._watched.pop(Peer(component, incarnation), None)
            case _:
                raise AssertionError(f"not of this edge: {effect}")
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Tell of exits."""
        return self._inbox.take()

    def close(self) -> None:
        """Watch nothing any more."""
        self._world.exit_watchers.remove(self._exited)

    def _exited(self, peer: Peer) -> None:
        if peer in self._watched:
            del self._watched[peer]
            self._inbox.put(ProcessExited(peer.component, peer.incarnation))


class SimulatedDesk(Edge):
    """The control socket's server: replies go to the operator of the run."""

    handles: tuple[type[Effect], ...] = (OperatorReply,)

    def __init__(self, world: World) -> None:
        self._world = world

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand a reply over."""
        assert isinstance(effect, OperatorReply)
        self._world.operator(effect.connection, effect.body)
        return []

    def close(self) -> None:
        """Nothing to let go of."""


class _Cut(Exception):
    """The process died inside a write."""


class SimulatedStore(Edge):
    """Risk's worker: writes a little later, in order; what it had not written dies with it."""

    handles: tuple[type[Effect], ...] = (Persist,)

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._inbox = Inbox(process.wake)
        self._chance = world.chance("store", str(process.peer.incarnation))
        self._waiting: deque[Persist] = deque()
        self._due_ns = 0
        self._cut_at = ""
        self._is_closed = False
        self.file = RiskFile(world.directory, world.config.account.name, self._reached)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Take a write; it is on disk after a while."""
        assert isinstance(effect, Persist)
        self._waiting.append(effect)
        scheduler = self._world.scheduler
        delay_ns = self._chance.between(*DISK_NS_RANGE)
        self._due_ns = max(self._due_ns, scheduler.now_ns + delay_ns)
        scheduler.at(self._due_ns, self._write_one)
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Tell what is on disk."""
        return self._inbox.take()

    def close(self) -> None:
        """Die, as likely as not inside a write: before its commit, or before its marker."""
        self._is_closed = True
        if self._waiting and self._chance.happens(500_000):
            self._cut_at = CRASH_POINTS[self._chance.below(len(CRASH_POINTS))]
            with suppress(_Cut):
                self.write(self._waiting[0].records)
        self.file.close()

    def write(self, records: tuple[RiskRecord, ...]) -> None:
        """Put records on disk."""
        self.file.write(records)

    def _write_one(self) -> None:
        if self._is_closed:
            return
        write = self._waiting.popleft()
        self.write(write.records)
        self._inbox.put(Persisted(write.write_id))

    def _reached(self, point: str) -> None:
        if self._cut_at == point:
            raise _Cut


def risk(
    world: World,
    process: Process,
    store_kind: type[SimulatedStore] = SimulatedStore,
    kind: type[RiskCore] = RiskCore,
) -> Body:
    """Build risk, on the real database or on one that a test has spoiled; likewise its core."""
    store = store_kind(world, process)
    now = world.scheduler.instant()
    config, identity = world.config, process.identity
    release = Release(identity.build_hash, identity.config_hash, identity.dependency_hash)
    sources = make_sources(config, store.file.stored, Surroundings(release=release))
    core = kind(config, process.peer.incarnation, store.file.stored, now, sources)
    key = VenueKey(world.settings.credentials_file)
    rules = venue_lanes(config.venue.clob_url, config.timing.socket_timeout_ms)
    lanes = make_lanes(world, process, rules, key.headers, key.before_write)
    kernel = SimulatedKernel(world, process)
    calm = OneMessage(risk_messages.PanicSeen(False))
    host = HostEdge(
        world.host,
        world.scheduler,
        config.clock.measure_every_ms * NS_PER_MS,
        config.resources.measure_every_ms * NS_PER_MS,
    )
    line = SupervisorLine(world.supervisor)
    desk = SimulatedDesk(world)
    return make_body(core, store, kernel, line, calm, host, desk, KeyTeller(key), lanes)
