"""The guard: what is done about a missing proof, and what it takes to resume.

Owns every noun of risk and the effects of a turn. Fencing, latching, pinging, resuming and ending
are done here and nowhere else; which message leads to what is `core.py`.
"""

from services.risk.authority import Authority, latched_state
from services.risk.breakers import Breakers, Change
from services.risk.desk import OperatorDesk
from services.risk.evidence import Evidence
from services.risk.killing import kill_effects
from services.risk.latches import LatchKey
from services.risk.liveness import Liveness, Run, patience
from services.risk.looking import samples_of
from services.risk.messages import BreakerTripped, LatchEnded, ProcessKilled, StoredState
from services.risk.notes import Notes, Severity
from services.risk.ramp import Ramp
from services.risk.recovery import MOVED, check_recovery
from services.risk.report import gather_recovery, reasons, report_status
from services.risk.samples import Sample, Sampler
from services.risk.source import Source
from services.risk.sweep import Sweep
from services.risk.watching import completed, looks, make_sources
from services.risk.writes import Writes
from shared.clean_run import MODE, RISK_STARTED
from shared.config import Config
from shared.control import Pong
from shared.effects import Control, Effect, Exit, Gap, Message, Peer, Publish, Received
from shared.facts import RiskStatus
from shared.identifiers import Component, Incarnation
from shared.operator import RecoveryCheck
from shared.risk_schema import EpochReserved, LatchRow
from shared.switches import (
    HEARTBEAT_LOST,
    MARKET_CUTOFF,
    RISK_DATABASE,
    SHUTDOWN,
    STRATEGY_DISABLED,
)
from shared.topics import EXECUTION
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant

STOP_NS_MAX = 12 * NS_PER_S
"""A stop that cannot prove zero by then ends all the same and says so in its status: six
seconds of proof with a dead execution, doubled; supervisord waits a little longer."""

DATABASE_LATCH: LatchKey = (RISK_DATABASE.name, "account", "")


class Guard:
    """Every noun of risk, and what is done with them.

    Attributes:
        out: Commands of this turn, in the order in which they leave.
        stopping_ns: Since when this process ends; None while it does not.
    """

    def __init__(
        self,
        config: Config,
        incarnation: Incarnation,
        stored: StoredState,
        now: Instant,
        sources: tuple[Source, ...] | None = None,
    ) -> None:
        timing = config.timing
        self.authority = Authority(timing, incarnation, stored, now.boot_ns, config.run.mode)
        self.liveness = Liveness(patience(config), now.boot_ns)
        self.evidence = Evidence(config.recovery)
        self.sampler = Sampler(config, self.evidence, self.liveness)
        self.sources = make_sources(config, stored) if sources is None else sources
        self.breakers = Breakers(timing.clean_data_ms * NS_PER_MS, self.evidence.scope_trouble)
        self.sweep = Sweep(timing)
        self.writes = Writes(stored)
        self.notes = Notes(self.writes)
        self.desk = OperatorDesk()
        self.ramp = Ramp(config, stored)
        self.out: list[Effect] = []
        self.stopping_ns: BootNs | None = None
        self._config = config
        self._stored = stored
        self._fence_began = now.monotonic_ns
        self._stage = ""
        self._exited = False
        self._waits_for: tuple[str, ...] = ()
        self._echoed_ping = 0

    def take_out(self, now: Instant) -> list[Effect]:
        """End a turn: commands first, then what tells of them, then the disk."""
        authority = self.authority
        fence = authority.present_fence
        if fence.stage != self._stage:
            self.note_stage(now)
        self.out += self.desk.halts_done(authority.latches, fence, authority.scopes, now.wall_ns)
        effects, self.out = self.out, []
        return effects + self.notes.take() + self.writes.flush()

    def halt_trading(self, reason: str, now: Instant, *, fresh: bool = False) -> None:
        """Fence, unless a fence stands already.

        Args:
            reason: For people.
            now: Of the decision.
            fresh: Whether a fence that is proven already does not do.
        """
        fence = self.authority.present_fence
        stands = not self.authority.trading and not (fresh and fence.is_zero)
        if not stands:
            self.new_fence(reason, now)

    def new_fence(self, reason: str, now: Instant) -> None:
        """Take a new epoch, tell everybody, cancel everything: in this order, in this turn."""
        executions = self.liveness.runs(EXECUTION)
        before = self.authority.state()
        fence = self.authority.begin_fence(reason, executions, now.boot_ns)
        self._fence_began = now.monotonic_ns
        self.ping_all(now)
        self.out += self.sweep.begin(now.boot_ns)
        self.notes.transition("fence", before, f"epoch {fence.fence_id}", reason, now, kind="fence")
        self.notes.alert("warning", "fence", reason, HEARTBEAT_LOST.runbook, now)
        self._stage = fence.stage

    def note_stage(self, now: Instant) -> None:
        """Note a stage of the fence; at zero every pause is carried out too."""
        fence = self.authority.present_fence
        self.notes.transition(
            "fence_stage", self._stage, fence.stage, fence.reason, now, kind="fence"
        )
        self._stage = fence.stage
        if fence.is_zero:
            self.authority.scopes.all_carried()

    def drive(self, now: Instant) -> None:
        """Do what is due: while trading, vouch; otherwise bring the fence to its proof."""
        for run in self.liveness.hung_to_kill(now.boot_ns):
            self.kill(run.peer.component, run.peer.incarnation, "hung", now)
        if self.authority.trading:
            self._vouch(now)
            return
        fence = self.authority.present_fence
        fence.tick(now.boot_ns)
        for incarnation in fence.overdue(now.boot_ns):
            self.kill(EXECUTION, incarnation, "BLOCKED did not come", now)
        self.out += self.sweep.tick(fence, now.boot_ns)
        if fence.is_zero and self._may_beat():
            self.out += self.sweep.keep_alive(now.boot_ns)

    def _vouch(self, now: Instant) -> None:
        """Beat, and look at what trading rests on beyond the switches."""
        if not self.sweep.dead_man.admits(now.boot_ns):
            self.halt_trading(f"dead-man switch: {self.sweep.dead_man.trouble}", now)
            return
        late = self.authority.scopes.overdue(now.boot_ns)
        if late:
            self.halt_trading(f"execution has not carried out a pause of {late[0][1]}", now)
            return
        if self.authority.state() == "ACTIVE":
            self.evidence.traded(self.authority.scopes.orders(), now)
        self.out += self.sweep.keep_alive(now.boot_ns)

    def _may_beat(self) -> bool:
        """Tell whether we would let something be in the market: not latched, not ending."""
        return self.stopping_ns is None and not self.authority.halting_latches()

    def recovery(self, now: Instant) -> tuple[RecoveryCheck, ...]:
        """Return the check list as it is now."""
        facts = gather_recovery(
            self._config,
            self.authority,
            self.breakers,
            self.liveness,
            self.evidence,
            self.sweep,
            self.writes,
            self._fence_began,
            now,
        )
        return (*check_recovery(facts), self.ramp.check())

    def try_to_resume(self, now: Instant) -> None:
        """Begin to trade when the whole check list holds."""
        due = self.authority.epochs.reservation_due()
        if due is not None:
            self.writes.add(EpochReserved(due))
        if self.authority.trading or self.stopping_ns is not None:
            return
        self._waits_for = tuple(check.name for check in self.recovery(now) if not check.holds)
        if MOVED in self._waits_for:
            self.notes.alert("warning", MOVED, "a price has moved far", "price-moved", now)
        if self._waits_for:
            return
        epoch = self.authority.begin_trading()
        self.sweep.cancels.stand_down()
        state = self.authority.state()
        cause = f"recovery validated, epoch {epoch}"
        self.notes.transition("trading_state", "PAUSED", state, cause, now)

    def _changed(self, change: Change, now: Instant) -> None:
        """Fence the account, hold a scope or write a latch; one that stands already is no news."""
        before, after = ("clear", "tripped") if change.tripped else ("tripped", "clear")
        place = f"{change.key[0]} {change.key[1]}".rstrip()
        self.notes.transition(change.hold, before, after, change.why, now, scope=place)
        latch_key: LatchKey = (change.switch.name, *change.key)
        is_known = change.switch.is_durable and self.authority.latches.holds(latch_key)
        if change.tripped and not is_known:
            self.hear(BreakerTripped(change.switch.name), now)
        if change.switch.state == "ACTIVE":
            severity: Severity = "warning" if change.tripped else "info"
            text = f"{change.hold} {after}: {change.why}"
            self.notes.alert(severity, change.switch.name, text, change.switch.runbook, now)
            return
        if change.switch.is_durable:
            if change.tripped and not is_known:
                self.latch(latch_key, change.why, change.subject, now)
            return
        if change.key[0] == "account":
            self._account_changed(change, now)
            return
        scopes = self.authority.scopes
        if not change.tripped:
            scopes.release(change.key, change.hold)
            return
        state = change.switch.state
        scopes.hold(change.key, change.hold, state, change.why, now.boot_ns, cancel=change.cancel)
        self.ping_all(now)

    def _account_changed(self, change: Change, now: Instant) -> None:
        """Fence for a pause of the account; one that reduces is also left by way of a fence."""
        self.authority.reducing = self.breakers.reduces_account()
        if change.tripped:
            self.halt_trading(f"{change.switch.name}: {change.why}", now)
        elif change.switch.state == "REDUCING":
            self.halt_trading(f"{change.switch.name} is over", now)

    def unlatched(self, row: LatchRow, now: Instant) -> None:
        """End what a latch held, once its clearing is on disk.

        What trades under a latch that reduces is fenced: more than that takes a recovery.
        """
        self.breakers.rearm((row.name, row.scope, row.scope_id))
        self.hear(LatchEnded(row.name, row.scope, row.scope_id), now)
        if row.scope != "account":
            self.authority.scopes.release((row.scope, row.scope_id), row.name)
        elif self.authority.trading:
            self.halt_trading(f"{row.name} was cleared", now)

    def hear(self, message: Message, now: Instant) -> None:
        """Hand a message to whatever draws samples from it."""
        if isinstance(message, Received | Gap):
            self.evidence.hear(message, now)
        for source in self.sources:
            source.hear(message, now)

    def latch(self, key: LatchKey, reason: str, evidence: str, now: Instant) -> LatchRow:
        """Set a latch: it holds from here on, whatever becomes of the write."""
        row = self.authority.latches.set(key, now.wall_ns, reason, evidence)
        self.writes.add(row)
        place = f"{row.scope} {row.scope_id}".rstrip()
        self.notes.transition(row.name, "clear", "latched", reason, now, scope=place)
        self.notes.alert("critical", row.name, reason, row.name.replace("_", "-"), now)
        if row.scope == "account":
            self.halt_trading(f"{row.name}: {reason}", now, fresh=True)
        else:
            self._hold(row, now)
            self.ping_all(now)
        return row

    @property
    def capital_usd(self) -> int:
        """Capital that may be at work, in USD: the step an operator has set (ST-8)."""
        return self.ramp.capital_usd

    def disable_strategy(self, strategy: str, reason: str, evidence: str, now: Instant) -> LatchRow:
        """Disable a strategy until an operator enables it, through every restart (CP-3)."""
        return self.latch((STRATEGY_DISABLED.name, "strategy", strategy), reason, evidence, now)

    def is_disabled(self, strategy: str) -> bool:
        """Tell whether a strategy is disabled."""
        return self.authority.latches.holds((STRATEGY_DISABLED.name, "strategy", strategy))

    def _hold(self, row: LatchRow, now: Instant) -> None:
        """Hold the scope of a latch below the account."""
        key = (row.scope, row.scope_id)
        state = latched_state(row)
        self.authority.scopes.hold(key, row.name, state, row.reason, now.boot_ns)

    def ping_all(self, now: Instant) -> None:
        """Repeat the whole present order to every run that is not known to have ended."""
        self._ping(self.liveness.all_living(), now)

    def echo(self, pong: Pong, now: Instant) -> None:
        """Grant the ask of a pong at once, instead of with the next ping a tenth of a second later.

        Once a ping: the pong to the echo is not echoed. So a lease lasts one ping longer.
        """
        if self.authority.trading and pong.ping_id > self._echoed_ping:
            runs = self.liveness.living(EXECUTION)
            self._ping(tuple(run for run in runs if run.pong is pong), now)
            self._echoed_ping = self.authority.pings

    def _ping(self, runs: tuple[Run, ...], now: Instant) -> None:
        why = self._why(now)
        version = self.authority.latches.version + self.breakers.version
        admitted = self.sweep.dead_man.admits(now.boot_ns)
        for run in runs:
            ping = self.authority.ping(
                run, why, version, now.boot_ns, admitted=admitted, capital_usd=self.capital_usd
            )
            self.out.append(Control(self.breakers.with_disk(ping), run.peer))

    def _why(self, now: Instant) -> tuple[str, ...]:
        return reasons(self.authority, self.breakers, self._waits_for, now)

    def publish_status(self, now: Instant) -> None:
        """Broadcast the status."""
        self.out.append(Publish("risk.status", self.status(now), now.monotonic_ns))

    def status(self, now: Instant) -> RiskStatus:
        """Return the status as it is now."""
        why = self._why(now)
        status = report_status(self.authority, self.breakers, self.liveness, self.sweep, why, now)
        return completed(status, self.sources, now)

    def kill(self, component: Component, incarnation: Incarnation, why: str, now: Instant) -> None:
        """Kill a run, and tell of it; one that a kill did not end is killed by supervisord too."""
        run = self.liveness.killed(component, incarnation)
        self.out += kill_effects(Peer(component, incarnation), run)
        if run is not None:
            self.hear(ProcessKilled(component, run.pid), now)
            why += f"; kill number {run.kills}" if run.kills > 1 else ""
        self.notes.transition(component, "alive", "killed", why, now)
        self.notes.alert("critical", f"killed {component}", f"{component}: {why}", "liveness", now)

    def stop(self, cause: str, now: Instant) -> None:
        """Begin to end: KS-12, whoever asks for it, in whatever order the group ends."""
        if self.stopping_ns is not None:
            return
        self.stopping_ns = now.boot_ns
        self.notes.transition("risk", "running", "stopping", cause, now)
        self.halt_trading(f"{SHUTDOWN.name}: {cause}", now)

    def stop_when_done(self, now: Instant) -> None:
        """End once zero is proven and everything is on disk, or when the time is over."""
        if self.stopping_ns is None or self._exited:
            return
        fence = self.authority.present_fence
        proven = fence.is_zero and self.writes.is_idle
        if not proven and now.boot_ns < self.stopping_ns + STOP_NS_MAX:
            return
        self._exited = True
        self.out += self.desk.refuse_all("risk is stopping")
        waits = fence.waits_for(now.boot_ns)
        reason = f"zero not proven: {waits}" if waits else "zero proven"
        self.out.append(Exit(0 if fence.is_zero else 1, reason))

    def sample_presence(self, now: Instant) -> None:
        """Look who is there: an exit or a hang trips at once."""
        for sample in self.sampler.presence():
            self.take_sample(sample, now)

    def sample_data(self, now: Instant) -> None:
        """Look at the data, once a ping."""
        for sample in self.sampler.data(now):
            self.take_sample(sample, now)
        seen = looks(self.sources, self.capital_usd, now)
        for sample in samples_of(seen, self.authority, self.notes, self.writes, self.out, now):
            self.take_sample(sample, now)
        for change in self.breakers.forget_old(now):
            self._changed(change, now)

    def take_sample(self, sample: Sample, now: Instant) -> None:
        """Confirm a sample, and carry out what it changes."""
        change = self.breakers.take(sample, now)
        if change is not None:
            self._changed(change, now)

    def start(self, now: Instant) -> None:
        """Begin with a fence: whatever an earlier risk allowed is over."""
        self.notes.transition(MODE, "", self._config.run.mode, RISK_STARTED, now)
        self.new_fence(RISK_STARTED, now)
        if self._stored.trouble:
            self.latch(DATABASE_LATCH, self._stored.trouble, "at start", now)
        for row in self.authority.latches.rows():
            if row.scope != "account":
                self._hold(row, now)

    def clock_stepped(self, by_ns: int, now: Instant) -> None:
        """CK-2: fence, and forget what was learned by the wall clock as it was.

        A market that a wrong clock cut off is not over for good; its calendar is told again.
        """
        self.evidence.forget()
        for change in self.breakers.forget(MARKET_CUTOFF):
            self._changed(change, now)
        self.halt_trading(f"the wall clock was set by {by_ns // NS_PER_MS} ms", now, fresh=True)

    def was_away(self, away_ns: int, now: Instant) -> None:
        """Take a new epoch after our own pause, and hear everybody afresh before any grant."""
        self.authority.grantor.woke(now.boot_ns)
        self.halt_trading(f"risk was away for {away_ns // NS_PER_MS} ms", now)
