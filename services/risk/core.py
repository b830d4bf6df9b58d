"""Risk's decisions: when trading may be, when it must not, and what is done about it.

One thing is decided here: is every proof of health there. While it is, execution's asks are
granted; when one is missing the account is fenced: a new epoch, no lease, everybody told,
everything cancelled by our own hand at once, and zero proven before trading can resume. It
resumes by one way only, the recovery check list, into an epoch newer than the fence.

Which message leads to what stands here; what is then done, in `guard.py`; how each noun
works, in its own file. No socket, clock or disk.
Source: the fence protocol, whose rules are listed in ARCHITECTURE.md; each is a test.
"""

from services.risk.guard import DATABASE_LATCH, Guard
from services.risk.latches import LatchKey
from services.risk.messages import (
    KeyFound,
    PanicSeen,
    Persisted,
    PersistFailed,
    ProcessExited,
    ProcessUnwatchable,
    StoredState,
    SupervisorGone,
    WatchProcess,
)
from services.risk.open_orders import ReadResult
from services.risk.operation import Operation
from services.risk.source import Source
from shared.config import Config
from shared.control import ExecutionPong, Pong
from shared.effects import (
    ClockStepped,
    ControlReceived,
    Effect,
    HttpFailed,
    HttpReply,
    Message,
    Paused,
    Stop,
)
from shared.facts import RiskStatus
from shared.identifiers import Incarnation
from shared.operator import OperatorForbidden, OperatorGone, OperatorRequest, RecoveryCheck
from shared.risk_schema import CapitalSet, EpochReserved, KeyUsed, LatchRow
from shared.switches import HEARTBEAT_LOST, PANIC, RECONCILIATION_MISMATCH
from shared.topics import EXECUTION
from shared.units import NS_PER_MS, BootNs, Instant


class RiskCore:
    """The authority that every other process depends on and that depends on none."""

    def __init__(
        self,
        config: Config,
        incarnation: Incarnation,
        stored: StoredState,
        now: Instant,
        sources: tuple[Source, ...] | None = None,
    ) -> None:
        """Take over from whatever was before.

        Args:
            config: Settings.
            incarnation: Of this run.
            stored: What the database held.
            now: Of the start: an earlier risk may have granted a lease just before it.
            sources: What samples are drawn from; None: all that there are.
        """
        self._incarnation = incarnation
        self._stored = stored
        self._lease_ns = config.timing.lease_ms * NS_PER_MS
        self._ping_ns = config.timing.ping_ms * NS_PER_MS
        self._guard = guard = Guard(config, incarnation, stored, now, sources)
        self._operation = Operation(guard, config, self._show, now.boot_ns)
        self._mismatch_latched: tuple[Incarnation, int] | None = None
        self._turn_ns = now.boot_ns
        self._ping_due_ns = now.boot_ns
        self._ticked_ns = now.boot_ns
        self._started = False

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take a message in; gaps need nothing, since every fact read here is repeated."""
        self._begin_turn(now)
        self._guard.hear(message, now)
        match message:
            case ControlReceived():
                self._on_control(message, now)
            case HttpReply():
                self._on_reply(message, now)
            case HttpFailed():
                self._on_failure(message, now)
            case Paused():
                self._was_away(message.lasted_ns, now)
            case Stop():
                self._stop(message.cause, now)
            case KeyFound(api_key=api_key):
                self._guard.writes.add(*self._guard.authority.key_found(api_key))
            case ClockStepped(by_ns=by_ns):
                self._guard.clock_stepped(by_ns, now)
            case _:
                self._hear_edges(message, now)
        return self._guard.take_out(now)

    def on_tick(self, now: Instant) -> list[Effect]:
        """Look at every deadline."""
        self._begin_turn(now)
        self._ticked_ns = now.boot_ns
        guard = self._guard
        guard.sample_presence(now)
        if now.boot_ns >= self._ping_due_ns:
            self._ping_due_ns = BootNs(now.boot_ns + self._ping_ns)
            guard.sample_data(now)
            guard.writes.add(*guard.authority.earlier_key.settled(now.boot_ns))
            guard.try_to_resume(now)
            guard.ping_all(now)
            guard.publish_status(now)
        guard.drive(now)
        guard.out += self._operation.tick(now)
        guard.stop_when_done(now)
        return guard.take_out(now)

    def _begin_turn(self, now: Instant) -> None:
        """Notice the first turn, and an absence of our own."""
        self._guard.liveness.turn(now.boot_ns)
        away_ns = now.boot_ns - self._turn_ns
        self._turn_ns = now.boot_ns
        if not self._started:
            self._started = True
            self._guard.start(now)
        elif away_ns > self._lease_ns:
            self._was_away(away_ns, now)

    def _hear_edges(self, message: Message, now: Instant) -> None:
        """Take what risk's own edges say; anything else is not for risk."""
        match message:
            case ProcessExited():
                self._on_exit(message, now)
            case ProcessUnwatchable():
                self._on_unwatchable(message, now)
            case Persisted():
                self._on_persisted(message, now)
            case PersistFailed():
                self._on_persist_failed(message, now)
            case OperatorRequest():
                self._guard.out += self._operation.take(message, now)
            case OperatorForbidden():
                self._operation.forbidden(message, now)
            case OperatorGone():
                self._guard.desk.gone(message.connection)
            case PanicSeen():
                self._on_panic(message, now)
            case SupervisorGone():
                self._stop("supervisord is gone", now)
            case _:
                pass

    def _was_away(self, away_ns: int, now: Instant) -> None:
        """Take our own pause: nothing heard before it proves anything."""
        self._turn_ns = now.boot_ns
        self._guard.was_away(away_ns, now)

    def _stop(self, cause: str, now: Instant) -> None:
        """Begin to end."""
        self._operation.stopping = True
        self._guard.stop(cause, now)

    def _on_control(self, message: ControlReceived, now: Instant) -> None:
        guard = self._guard
        pong = message.body
        assert isinstance(pong, Pong), "components send pongs"
        heard = guard.liveness.hear(pong, now.boot_ns)
        if heard == "contradiction":
            text = f"{pong.component} answers, but the kernel says that it has exited"
            guard.notes.alert("critical", f"contradiction {pong.component}", text, "liveness", now)
        if heard == "new":
            guard.out.append(WatchProcess(pong.component, pong.incarnation, pong.pid))
            guard.notes.transition(pong.component, "absent", "heard", f"pid {pong.pid}", now)
        if heard in ("new", "known") and pong.execution is not None:
            self._on_execution(pong, pong.execution, heard == "new", now)

    def _on_execution(self, pong: Pong, told: ExecutionPong, new: bool, now: Instant) -> None:
        """Take what only execution says: its ledger's epoch, its ask, its answers."""
        guard = self._guard
        self._compare_epochs(told, now)
        self._operation.execution_heard = True
        authority = guard.authority
        if not authority.trading:
            authority.present_fence.execution_known(pong.incarnation)
        if new:
            guard.ping_all(now)
        authority.grantor.ask(pong, self._incarnation)
        authority.scopes.carried_out(told.carried)
        fenced = told.self_fenced
        if fenced is not None and fenced.epoch == authority.epochs.current:
            guard.halt_trading(f"execution fenced itself: {fenced.cause}", now)
        self._latch_mismatch(pong.incarnation, told, now)
        if told.fence_answer is not None and not authority.trading:
            fence = authority.present_fence
            fence.answered(pong.incarnation, told.fence_answer, now.boot_ns)
            made_ns = min(told.asked_ns, now.boot_ns)
            fence.intents_reported(told.unresolved, told.unresolved_until_ns, made_ns)
        # A loop that has not looked at its deadlines lately grants nothing.
        if now.boot_ns - self._ticked_ns <= self._ping_ns:
            guard.echo(pong, now)

    def _latch_mismatch(self, incarnation: Incarnation, told: ExecutionPong, now: Instant) -> None:
        """KS-14: latch once for each reconciliation that execution says an operator must see.

        It repeats the same one until the operator has resumed, which must not latch again.
        """
        mismatch = told.mismatch
        if mismatch is None or not mismatch.halt_round:
            return
        seen = (incarnation, mismatch.halt_round)
        if seen == self._mismatch_latched:
            return
        self._mismatch_latched = seen
        key: LatchKey = (RECONCILIATION_MISMATCH.name, "account", "")
        evidence = f"round {mismatch.halt_round}, {mismatch.in_a_row} in a row"
        self._guard.latch(key, mismatch.text, evidence, now)

    def _compare_epochs(self, told: ExecutionPong, now: Instant) -> None:
        """Stand above the ledger's epoch; one that no run of ours can have given means a loss.

        Nobody is pinged before it was heard, so what the first execution says first is what
        earlier runs of risk have given; afterwards this run's own epochs are in the ledger too.
        """
        guard = self._guard
        epochs = guard.authority.epochs
        given = epochs.current if self._operation.execution_heard else self._stored.used_max
        if told.ledger_epoch <= given:
            return
        if told.ledger_epoch > epochs.current:
            epochs.raise_above(told.ledger_epoch)
            guard.new_fence("the ledger knows a newer epoch", now)
        if not guard.authority.latches.holds(DATABASE_LATCH):
            evidence = f"ledger {told.ledger_epoch}, database {self._stored.used_max}"
            guard.latch(DATABASE_LATCH, "the risk database is older than the ledger", evidence, now)

    def _on_exit(self, message: ProcessExited, now: Instant) -> None:
        guard = self._guard
        if not guard.liveness.exited(message.component, message.incarnation, now.boot_ns):
            return
        guard.notes.transition(message.component, "alive", "exited", "pidfd", now)
        if message.component == EXECUTION:
            guard.authority.grantor.exited(message.incarnation)
            fence = guard.authority.fence
            if fence is not None and not guard.authority.trading:
                fence.exited(message.incarnation, now.boot_ns)
        guard.sample_presence(now)

    def _on_unwatchable(self, message: ProcessUnwatchable, now: Instant) -> None:
        text = f"{message.component}: its exit will not be seen: {message.reason}"
        self._guard.notes.alert(
            "critical", f"unwatchable {message.component}", text, "liveness", now
        )

    def _on_reply(self, message: HttpReply, now: Instant) -> None:
        guard = self._guard
        was_refused = guard.sweep.cancels.refused
        effects, result = guard.sweep.replied(message, now.boot_ns)
        guard.out += effects
        guard.authority.present_fence.cancel_written(guard.sweep.cancels.sent_ns)
        if result is not None:
            self._on_read(result, now)
        if guard.sweep.cancels.refused and not was_refused:
            text = "the venue refuses our cancels: beats stop, its dead-man switch is left"
            guard.notes.alert("critical", "cancels refused", text, "restricted", now)

    def _on_failure(self, message: HttpFailed, now: Instant) -> None:
        result = self._guard.sweep.failed(message, now.boot_ns)
        if result is not None:
            self._on_read(result, now)

    def _on_read(self, result: ReadResult, now: Instant) -> None:
        """Take a read for the proof, and cancel what it shows."""
        guard = self._guard
        fence = guard.authority.present_fence
        if guard.authority.trading:
            return
        found = result.order_ids
        if found and fence.is_zero:
            fence.broken(now.boot_ns)
            text = f"{len(found)} orders appeared after zero was proven"
            guard.notes.alert("critical", "zero broken", text, HEARTBEAT_LOST.runbook, now)
        if not fence.is_zero:
            count = None if found is None else len(found)
            fence.read_answered(result.sent_ns, result.answered_ns, count)
        guard.out += guard.sweep.cancels.cancel(found or (), now.boot_ns)

    def _on_panic(self, message: PanicSeen, now: Instant) -> None:
        guard = self._guard
        self._operation.panic_file = message.present
        key: LatchKey = (PANIC.name, "account", "")
        if message.present and not guard.authority.latches.holds(key):
            guard.latch(key, "the PANIC file exists", "", now)

    def _on_persisted(self, message: Persisted, now: Instant) -> None:
        """Take note of what is durable; latches cleared by it end here, and only here."""
        guard = self._guard
        for write in guard.writes.persisted(message.write_id):
            for record in write.records:
                if isinstance(record, EpochReserved):
                    guard.authority.epochs.reserved_up_to(record.reserved)
                elif isinstance(record, LatchRow):
                    guard.authority.latches.written(record)
                elif isinstance(record, KeyUsed):
                    guard.authority.key_written(record)
                elif isinstance(record, CapitalSet):
                    guard.ramp.take(record.usd)
            cleared = guard.authority.latches.cleared(write.write_id)
            for row in cleared:
                guard.unlatched(row, now)
                place = f"{row.scope} {row.scope_id}".rstrip()
                guard.notes.transition(row.name, "latched", "clear", "resume", now, scope=place)
            waits = tuple(check.name for check in guard.recovery(now) if not check.holds)
            guard.out += guard.desk.resumes_done(write.write_id, cleared, waits)
            guard.out += guard.desk.writes_done(write.write_id)

    def _on_persist_failed(self, message: PersistFailed, now: Instant) -> None:
        """Fail closed: what cannot be remembered may not be allowed."""
        guard = self._guard
        guard.writes.failed(message.reason)
        if not guard.authority.latches.holds(DATABASE_LATCH):
            guard.latch(DATABASE_LATCH, f"cannot be written: {message.reason}", "", now)

    def _show(self, now: Instant) -> tuple[RiskStatus, tuple[RecoveryCheck, ...]]:
        guard = self._guard
        return guard.status(now), guard.recovery(now)
