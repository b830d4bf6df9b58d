"""Everything together: one run of the whole system from one seed.

Starts every component, restarts what ends (as supervisord does), carries out the plan of
faults, and looks through the checkers all the while.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from bus.control_line import Identity
from ops.simulation.account import make_account
from ops.simulation.assembly import Builder
from ops.simulation.bus import Bus
from ops.simulation.checkers import Findings
from ops.simulation.faults import AT_ONCE, Fault, Plan
from ops.simulation.host import Host
from ops.simulation.line import ControlLine
from ops.simulation.operator import Operator
from ops.simulation.process import Process, Surroundings
from ops.simulation.read_faults import moves_prices
from ops.simulation.recordings import Recording
from ops.simulation.scheduler import WALL_BASE_S, Scheduler
from ops.simulation.supervisor import Supervisor
from ops.simulation.trace import Trace
from ops.simulation.truth import LedgerFile, RiskDatabase
from ops.simulation.venue import SimulatedVenue
from ops.simulation.venue_faults import tells_lies
from ops.simulation.visitors import Visitors
from ops.simulation.watch import Standing, Watch
from ops.simulation.world import World
from services.simulator.chance import stream
from services.simulator.core import SimulatorCore
from shared.config import Config
from shared.effects import ClockStepped, Message, Peer
from shared.identifiers import Component
from shared.topics import EXECUTION, RISK
from shared.units import NS_PER_MS, NS_PER_S

START_NS_MAX = 300 * NS_PER_MS
"""Within this all processes start, in an order that nobody may rely on."""

RESTART_NS_RANGE = (250 * NS_PER_MS, 900 * NS_PER_MS)
"""From the end of a process to the first turn of its successor: supervisord and imports."""

LOOK_EVERY_NS = 20 * NS_PER_MS


class Whole:
    """One run.

    Attributes:
        world: What the processes stand in.
        processes: The newest incarnation of each component.
        findings: Violations so far.
        kills: Processes that ended, by component.
    """

    def __init__(
        self,
        seed: int,
        config: Config,
        plan: Plan,
        directory: Path,
        builders: Mapping[Component, Builder],
        recording: Recording | None = None,
    ) -> None:
        """Set everything up; nothing runs before `start`.

        Args:
            seed: Of all chance.
            config: Settings of all components and of the venue.
            plan: What goes wrong.
            directory: Empty; takes the databases.
            builders: What each component is made of, in start order.
            recording: What the venue plays; the run begins with its first window, at its time.
        """
        self._plan = plan
        self._builders = dict(builders)
        self._chance = stream(seed, "whole")
        offset_s = self._chance.below(config.markets.interval_s)
        if recording is not None:
            offset_s = recording.from_ms // 1000 - WALL_BASE_S
        scheduler = Scheduler(stream(seed, "order"), wall_offset_s=offset_s)
        trace = Trace()
        rates = msgspec.structs.replace(plan.rates)
        self.processes: dict[Component, Process] = {}
        self.kills: dict[Component, int] = {}
        self.findings = Findings(lambda: scheduler.now_ns)
        self._lease_ns = config.timing.lease_ms * NS_PER_MS
        settings, credentials = make_account(seed, config, directory)
        markets = config.markets
        core = SimulatorCore(
            config.simulator, markets.assets, markets.interval_s, recording=recording
        )
        venue = SimulatedVenue(core, credentials, scheduler, trace, config.simulator.resolution_ms)
        venue.hold_in(config.account.wallet_address)
        self._ledger = LedgerFile(directory)
        self._risk = RiskDatabase(directory)
        watch = self._make_watch(config, venue)
        self.operator = Operator(scheduler, trace, watch.halts, watch.latches, self._tell_risk)
        self._visitors = Visitors(stream(seed, "visitors"), self._tell_risk)
        self._other_release: set[Component] = set()
        self.supervisor = Supervisor(
            scheduler, trace, tuple(self._builders), self.processes.get, self._start_after
        )
        self.world = World(
            seed,
            settings,
            scheduler,
            trace,
            rates,
            venue,
            watch,
            credentials,
            self._runs,
            self._kill_peer,
            self.operator.answered,
            self.supervisor,
            plan.kills,
            Host(),
        )
        watch.tell = lambda who, what, text: trace.note(scheduler.now_ns, who, what, text)
        bus = Bus(scheduler, stream(seed, "bus"), rates, trace, self._wake)
        line = ControlLine(scheduler, stream(seed, "line"), rates, trace, self._wake)
        self._around = Surroundings(scheduler, bus, line, trace, watch, self._lease_ns, self._ended)
        self._line = line

    def _make_watch(self, config: Config, venue: SimulatedVenue) -> Watch:
        """Return all checkers, told of our trades by the venue's log and of its turns."""
        orders_max = config.limits.open_orders_max
        watch = Watch(
            self.findings,
            self._ledger,
            self._risk,
            venue,
            self._lease_ns,
            self._standing,
            orders_max,
        )
        venue.filled = watch.own_trades.filled
        venue.changed = watch.venue_changed
        watch.garbles = self._plan.garbles
        watch.holdings.sure.lies = tells_lies(self._plan)
        watch.prices.lies = moves_prices(self._plan)
        return watch

    def start(self) -> None:
        """Start every process and schedule the faults."""
        scheduler = self.world.scheduler
        for component in self._builders:
            self._start_after(component, self._chance.below(START_NS_MAX))
        for fault in self._plan.schedule:
            scheduler.at(fault.moment_ns, lambda fault=fault: self._strike(fault))  # type: ignore[misc]
        scheduler.at(self._plan.calm_from_ns, self._calm_down)

    def run_for(self, seconds: int) -> None:
        """Let time pass, until the first violation at most."""
        scheduler = self.world.scheduler
        end_ns = scheduler.now_ns + seconds * NS_PER_S
        while scheduler.now_ns < end_ns and not self.findings.violations:
            scheduler.run_until(min(end_ns, scheduler.now_ns + LOOK_EVERY_NS))
            self.world.watch.look(scheduler.now_ns, scheduler.instant())

    def close(self) -> None:
        """End every process and let go of the files."""
        for process in self.processes.values():
            if process.alive:
                process.body.die()
        self._ledger.close()
        self._risk.close()

    # --- life of processes ------------------------------------------------------------

    def _start_after(self, component: Component, delay_ns: int) -> None:
        self.world.scheduler.after(delay_ns, lambda: self._start(component))

    def _start(self, component: Component) -> None:
        world = self.world
        incarnation = world.draw_incarnation(component)
        count = self.kills.get(component, 0) + 1
        pid = 1_000 * (list(self._builders).index(component) + 1) + count
        config_hash = "another config" if component in self._other_release else "config"
        self._other_release.discard(component)
        identity = Identity(component, incarnation, pid, "build", config_hash, "dependencies")
        world.trace.note(world.scheduler.now_ns, component, "started", f"{incarnation:016x}")
        builder = self._builders[component]
        self.processes[component] = Process(
            identity, self._around, lambda process: builder(world, process)
        )

    def _ended(self, process: Process, cause: str) -> None:
        component = process.component
        self.kills[component] = self.kills.get(component, 0) + 1
        for told in self.world.exit_watchers:
            told(process.peer)
        if self.supervisor.ended(process):
            self._start_after(component, self._chance.between(*RESTART_NS_RANGE))

    def _runs(self, peer: Peer) -> bool:
        process = self.processes.get(peer.component)
        return process is not None and process.peer == peer and process.alive

    def _kill_peer(self, peer: Peer, cause: str) -> None:
        process = self.processes.get(peer.component)
        if process is not None and process.peer == peer:
            process.kill(cause)

    def _wake(self, component: Component, moment_ns: int) -> None:
        process = self.processes.get(component)
        if process is not None:
            process.wake_at(moment_ns)

    def _tell_risk(self, message: Message) -> bool:
        process = self.processes.get(RISK)
        if process is None or not process.alive or process.is_stopped:
            return False
        process.tell(message)
        return True

    # --- what the checkers ask --------------------------------------------------------

    def _standing(self) -> Standing:
        now_ns = self.world.scheduler.now_ns
        execution = self.processes.get(EXECUTION)
        risk = self.processes.get(RISK)
        runs = execution is not None and execution.alive and not execution.is_stopped
        silent_ns = 0
        if risk is not None and (not risk.alive or risk.is_stopped):
            silent_ns = now_ns - risk.silent_since_ns
        return Standing(
            execution.peer.incarnation if runs and execution is not None else None, silent_ns
        )

    # --- faults -----------------------------------------------------------------------

    def _strike(self, fault: Fault) -> None:
        world = self.world
        now_ns = world.scheduler.now_ns
        detail = f"{fault.target} {fault.lasts_ns // NS_PER_MS} ms {fault.mode}"
        world.trace.note(now_ns, "fault", fault.kind, detail)
        strikes: dict[str, Callable[[], None]] = {
            "halt": self.operator.halt,
            "resume": self.operator.resume,
            "cut_line": lambda: self._line.cut(fault.target, fault.lasts_ns),
            "fail_settlement": lambda: world.venue.fail_settlements(1),
            "entry": lambda: world.venue.switch_on(fault.mode, fault.lasts_ns),
            "venue_fault": lambda: world.venue.strike(fault.mode, fault.lasts_ns),
            "visitor": lambda: self._visitors.ask(fault.mode),
            "host": lambda: world.host.strike(fault.mode, now_ns + fault.lasts_ns),
            "clock_step": lambda: self._step_clock(fault.lasts_ns),
            "other_release": lambda: self._replace(fault.target),
            "venue_mode": lambda: world.venue.refuse(fault.mode, fault.lasts_ns),
        }
        strike = strikes.get(fault.kind)
        if strike is not None:
            strike()
        elif fault.kind == "disk_fails":
            world.disk_fails_until_ns = now_ns + fault.lasts_ns
        elif fault.kind == "disk_slow":
            world.disk_slow_until_ns = now_ns + fault.lasts_ns
        else:
            self._strike_process(fault)

    def _step_clock(self, by_ns: int) -> None:
        """CK-2: somebody sets the clock; risk hears of it, all others start anew."""
        self._tell_risk(ClockStepped(by_ns))
        for process in tuple(self.processes.values()):
            if process.component != RISK and process.alive and not process.is_stopped:
                process.terminate("the wall clock was set")

    def _replace(self, target: Component) -> None:
        """Let a component come back as another release."""
        process = self.processes.get(target)
        if process is not None and process.alive:
            self._other_release.add(target)
            process.kill("replaced by another release")

    def _calm_down(self) -> None:
        """Begin the quiet end: what still waits for its effect to come is forgotten too."""
        self.world.rates.calm_down()
        for process in self.processes.values():
            process.stepping.disarm()

    def _strike_process(self, fault: Fault) -> None:
        process = self.processes.get(fault.target)
        if process is None or not process.alive:
            return
        match fault.kind:
            case "kill" if fault.mode == AT_ONCE:
                process.kill("killed at once")
            case "kill":
                process.stepping.arm(fault.effects_before, before=fault.before)
            case "stop":
                process.stepping.arm(fault.effects_before, fault.lasts_ns, fault.before)
            case "drop_streams":
                process.streams_do(lambda streams: streams.drop(fault.lasts_ns // 2))
            case _:
                assert fault.kind == "stall_streams"
                process.streams_do(lambda streams: streams.stall(fault.lasts_ns))
