"""What an operator's request does: decode, check, carry out, answer or keep the answer for later.

Stopping needs a reason and nothing else; it is carried out even when nobody could be told. What
lets trading go on names what it clears, and is refused with everything that blocks it. Every
request is in the trail, refused and malformed ones too, within a budget: nobody can fill the
disk by asking. A request that is none changes nothing.
"""

from collections.abc import Callable
from typing import assert_never

import msgspec

from services.risk.audit_budget import AuditBudget
from services.risk.desk import answer
from services.risk.drill import NOBODY, KillDrill
from services.risk.guard import Guard
from services.risk.latches import LatchKey
from services.risk.paper_run import paper_blockers, paper_words
from services.risk.report import switch_statuses
from services.risk.switch_details import switch_details
from shared.clean_run import CAPITAL
from shared.config import Config
from shared.effects import Effect
from shared.facts import RiskStatus
from shared.operator import (
    Capital,
    Disable,
    Drill,
    Drilled,
    DrillReport,
    Enable,
    Flatten,
    Halt,
    LatchName,
    OperatorForbidden,
    OperatorRequest,
    PaperRun,
    Ramp,
    Ramped,
    RecoveryCheck,
    RequestRefused,
    Reset,
    Resume,
    ResumeRefused,
    Status,
    StatusReport,
    Switches,
    SwitchList,
    decode_request,
)
from shared.risk_schema import CapitalSet
from shared.switches import (
    OPERATOR_FLATTEN,
    OPERATOR_HALT,
    PANIC,
    RISK_DATABASE,
    STRATEGY_DISABLED,
    Switch,
)
from shared.topics import STRATEGIES
from shared.units import NS_PER_S, BootNs, Instant

READS_BURST = 60
READS_EVERY_NS = 10 * NS_PER_S
"""Looking, and what was refused unread: 8640 rows a day at most, some 3 MB."""

CHANGES_BURST = 100
CHANGES_EVERY_NS = 2 * NS_PER_S
"""What changes something: a person and his scripts stay far below one in two seconds."""

TRAIL_TEXT_MAX = 2_000
"""Longest text of a request in the trail."""

ShowStatus = Callable[[Instant], tuple[RiskStatus, tuple[RecoveryCheck, ...]]]

Hold = Halt | Flatten | Disable
Clear = Resume | Enable | Reset
Change = Hold | Clear | Drill | Ramp


class Operation:
    """The operator's requests.

    Attributes:
        panic_file: Whether the PANIC file exists.
        execution_heard: Whether an execution has told its ledger's epoch to this risk.
        stopping: Whether this process ends.
    """

    def __init__(self, guard: Guard, config: Config, status: ShowStatus, now_ns: BootNs) -> None:
        self.panic_file = False
        self.execution_heard = False
        self.stopping = False
        self._guard = guard
        self._config = config
        self._status = status
        self._drill = KillDrill(config.drill.at_utc)
        self._reads = AuditBudget(READS_BURST, READS_EVERY_NS, now_ns)
        self._changes = AuditBudget(CHANGES_BURST, CHANGES_EVERY_NS, now_ns)

    def take(self, request: OperatorRequest, now: Instant) -> list[Effect]:
        """Carry a request out as far as it goes now, and return the answers that are due."""
        decoded = decode_request(request.body)
        match decoded:
            case RequestRefused():
                return self._refuse(request, "request", decoded, now)
            case Switches() | Status() | Capital():
                self._read(request, type(decoded).__name__.lower(), "asked", "", now)
                return self._show(decoded, request.connection, now)
            case _:
                return self._change(decoded, request, now)

    def forbidden(self, message: OperatorForbidden, now: Instant) -> None:
        """Take note of another user's attempt; he was refused and not heard."""
        text = f"uid {message.uid} pid {message.pid} is another user"
        if self._reads.take(now.boot_ns):
            actor = f"uid {message.uid} pid {message.pid}"
            self._note("request", "account", "refused", text, actor, now)
        self._guard.notes.alert("critical", "forbidden request", text, "control-socket", now)

    def tick(self, now: Instant) -> list[Effect]:
        """Sum up what was left out of the trail; end a drill, or begin the day's own."""
        for budget in (self._reads, self._changes):
            left_out = budget.sum_due(now.boot_ns)
            if left_out:
                text = f"{left_out} more in this minute, not written one by one"
                self._note("requests", "account", "counted", text, "risk", now)
        ended = self._drill.look(self._guard.authority.present_fence, now)
        effects = [] if ended is None else self._drill_ended(*ended, now)
        if self._drill.is_due(now) and self._drill_blockers(really=True) == ():
            self._drill.held(now)
            self._begin_drill(NOBODY, "the schedule", "drill.at_utc", now)
        return effects

    def blockers(
        self, names: tuple[LatchName, ...], now: Instant, paper: PaperRun | None = None
    ) -> tuple[str, ...]:
        """Return everything that blocks clearing these latches; empty when nothing does."""
        guard = self._guard
        latches = guard.authority.latches
        found = list(latches.misnamed(names))
        keys = [(name.name, name.scope, name.scope_id) for name in names]
        found += paper_blockers(self._config, map(latches.standing, keys), paper)
        for name in names:
            held = guard.breakers.still_bad((name.name, name.scope, name.scope_id))
            found += [f"{name.name} still holds: {why}" for why in held]
        named = {name.name for name in names}
        fence = guard.authority.fence
        if any(name.scope == "account" for name in names) and fence is not None:
            waits = fence.waits_for(now.boot_ns)
            if waits:
                found.append(f"zero is not proven: {waits}")
        if PANIC.name in named and self.panic_file:
            found.append("the PANIC file is still there: clear it first")
        if RISK_DATABASE.name in named and not self.execution_heard:
            found.append("execution has not told its ledger's epoch yet")
        if guard.writes.trouble:
            found.append(f"the risk database cannot be written: {guard.writes.trouble}")
        if self.stopping:
            found.append("risk is stopping")
        return tuple(found)

    def _show(
        self, decoded: Switches | Status | Capital, connection: int, now: Instant
    ) -> list[Effect]:
        """Answer a request that changes nothing."""
        guard = self._guard
        match decoded:
            case Switches():
                details = switch_details(
                    guard.authority, guard.breakers, lambda names: self.blockers(names, now)
                )
                rows = switch_statuses(guard.authority, guard.breakers)
                return [answer(connection, SwitchList(switches=rows, details=details))]
            case Status():
                status, recovery = self._status(now)
                report = StatusReport(status=status, recovery=recovery, at_ns=now.boot_ns)
                return [answer(connection, report)]
            case Capital():
                return [answer(connection, guard.ramp.report(guard.writes.clean_run, now.wall_ns))]
            case _:
                assert_never(decoded)

    def _change(self, change: Change, request: OperatorRequest, now: Instant) -> list[Effect]:
        """Carry out what changes something, or say why not."""
        name = type(change).__name__.lower()
        fault = self._fault(change)
        if fault:
            refused = RequestRefused(error="malformed", detail=fault)
            return self._refuse(request, name, refused, now)
        room = self._changes.take(now.boot_ns)
        if isinstance(change, Halt | Flatten | Disable):
            return self._hold(change, request, now, room=room)
        if not room:
            busy = RequestRefused(error="busy", detail="too many requests: wait a little")
            return [answer(request.connection, busy)]
        match change:
            case Resume():
                return self._clear("resume", change.latches, change.reason, request, now)
            case Reset():
                cause = f"{change.reason}{paper_words(change.paper)}"
                return self._clear("reset", change.latches, cause, request, now, change.paper)
            case Enable():
                latch = LatchName(
                    STRATEGY_DISABLED.name, "strategy", change.strategy, change.version
                )
                return self._clear("enable", (latch,), change.reason, request, now)
            case Drill():
                return self._ask_drill(change, request, now)
            case Ramp():
                return self._ramp(change, request, now)
            case _:
                assert_never(change)

    def _fault(self, change: Change) -> str:
        """Return what a request names that there is not; empty when all of it exists.

        A halt of an asset that was misspelt must not look like a halt.
        """
        match change:
            case Halt() | Flatten():
                return self._scope_fault(change.scope, change.scope_id)
            case Disable() | Enable() | Reset():
                fault = self._scope_fault("strategy", change.strategy)
                others = isinstance(change, Reset) and any(
                    (name.scope, name.scope_id) != ("strategy", change.strategy)
                    for name in change.latches
                )
                return fault or ("a latch named is not of that strategy" if others else "")
            case _:
                return ""

    def _scope_fault(self, scope: str, scope_id: str) -> str:
        if (scope == "account") != (scope_id == ""):
            return "scope_id names what is below the account, and nothing for the account"
        known = {"asset": self._config.markets.assets, "strategy": STRATEGIES}.get(scope)
        if known is not None and scope_id not in known:
            return f"there is no {scope} {scope_id[:60]!r}: {', '.join(known)}"
        return ""

    def _hold(
        self, hold: Hold, request: OperatorRequest, now: Instant, *, room: bool
    ) -> list[Effect]:
        """Hold first; whoever asked is answered when it is done.

        Without room in the trail a hold that stands already is not set anew.
        """
        switch, key = _held(hold)
        actor = _actor(request)
        latches = self._guard.authority.latches
        row = None if room else latches.standing(key)
        if row is None:
            name = type(hold).__name__.lower()
            self._note(name, f"{key[1]} {key[2]}".rstrip(), "asked", hold.reason, actor, now)
            row = self._guard.latch(key, hold.reason, f"asked by {actor}", now)
        if self._guard.desk.is_full:
            detail = f"{switch.name} holds, but too many requests wait to be told of its proof"
            return [answer(request.connection, RequestRefused(error="busy", detail=detail))]
        self._guard.desk.await_halt(request.connection, row)
        return []

    def _clear(
        self,
        what: str,
        latches: tuple[LatchName, ...],
        reason: str,
        request: OperatorRequest,
        now: Instant,
        paper: PaperRun | None = None,
    ) -> list[Effect]:
        """Begin to clear, or say everything that blocks it."""
        guard = self._guard
        names = tuple(dict.fromkeys(latches))
        blockers = self.blockers(names, now, paper)
        words = ", ".join(f"{name.name} {name.scope_id}".rstrip() for name in names)
        cause = f"{reason} (refused: {'; '.join(blockers)})" if blockers else reason
        after = "refused" if blockers else "asked"
        place = f"account {words}"[:TRAIL_TEXT_MAX]
        self._note(what, place, after, cause, _actor(request), now)
        if blockers:
            return [answer(request.connection, ResumeRefused(blockers=blockers))]
        if guard.desk.is_full:
            refused = RequestRefused(error="busy", detail="too many requests wait")
            return [answer(request.connection, refused)]
        write_id = guard.writes.next_id
        guard.writes.add(*guard.authority.latches.begin_clearing(names, write_id))
        guard.desk.await_resume(request.connection, write_id, names)
        return []

    def _ramp(self, ramp: Ramp, request: OperatorRequest, now: Instant) -> list[Effect]:
        """Set the step of the capital, or say what stands against it."""
        guard, actor = self._guard, _actor(request)
        run = guard.writes.clean_run
        blockers = guard.ramp.blockers(ramp.usd, run, ramp.paper, now.wall_ns)
        if blockers or guard.desk.is_full:
            blockers = blockers or ("too many requests wait",)
            cause = f"{ramp.usd} USD: {ramp.reason} (refused: {'; '.join(blockers)})"
            self._note("ramp", "account", "refused", cause, actor, now)
            return [answer(request.connection, ResumeRefused(blockers=blockers))]
        before = guard.ramp.capital_usd
        clean_s = run.so_far_ns(now.wall_ns) // NS_PER_S
        cause = f"{ramp.reason} (clean for {clean_s} s{paper_words(ramp.paper)})"
        write_id = guard.writes.next_id
        guard.notes.transition(
            CAPITAL, str(before), str(ramp.usd), cause, now, actor=actor, kind="operator"
        )
        guard.writes.add(CapitalSet(ramp.usd))
        guard.ramp.ask(ramp.usd)
        guard.desk.await_write(
            request.connection, write_id, Ramped(usd=ramp.usd, before_usd=before)
        )
        return []

    def _ask_drill(self, drill: Drill, request: OperatorRequest, now: Instant) -> list[Effect]:
        blockers = self._drill_blockers(really=drill.really)
        actor = _actor(request)
        after = "refused" if blockers else "asked"
        cause = f"{drill.reason} (refused: {'; '.join(blockers)})" if blockers else drill.reason
        self._note("drill", "account", after, cause, actor, now)
        if blockers:
            return [answer(request.connection, ResumeRefused(blockers=blockers))]
        self._begin_drill(request.connection, actor, drill.reason, now)
        return []

    def _drill_blockers(self, *, really: bool) -> tuple[str, ...]:
        """Return why no drill can be held now; empty when one can."""
        found = []
        authority = self._guard.authority
        if self._config.run.mode == "live" and not really:
            found.append("mode live: a drill cancels real orders; say --really")
        if self._drill.is_running:
            found.append("a drill is under way")
        elif not authority.trading or authority.state() != "ACTIVE":
            found.append(f"the account is {authority.state()}: there is nothing to stop")
        if self.stopping:
            found.append("risk is stopping")
        return tuple(found)

    def _begin_drill(self, connection: int, asked_by: str, reason: str, now: Instant) -> None:
        self._guard.new_fence(f"drill: {reason}", now)
        fence = self._guard.authority.present_fence
        self._drill.begin(connection, asked_by, reason, fence, now)

    def _drill_ended(self, connection: int, report: DrillReport, now: Instant) -> list[Effect]:
        """Keep the result in the trail and tell whoever asked."""
        after = "missed" if report.misses else "kept"
        cause = msgspec.json.encode(report).decode()
        self._note("drill", "account", after, cause, report.asked_by, now)
        if report.misses:
            text = f"a kill drill missed its bounds: {'; '.join(report.misses)}"
            self._guard.notes.alert("critical", "drill missed", text, "drill", now)
        return [] if connection == NOBODY else [answer(connection, Drilled(report=report))]

    def _refuse(
        self, request: OperatorRequest, what: str, refused: RequestRefused, now: Instant
    ) -> list[Effect]:
        """Answer a request that cannot be carried out, and keep it in the trail."""
        self._read(request, what, "refused", f"{refused.error}: {refused.detail}", now)
        return [answer(request.connection, refused)]

    def _read(
        self, request: OperatorRequest, what: str, after: str, cause: str, now: Instant
    ) -> None:
        if self._reads.take(now.boot_ns):
            self._note(what, "account", after, cause, _actor(request), now)

    def _note(
        self, what: str, scope: str, after: str, cause: str, actor: str, now: Instant
    ) -> None:
        self._guard.notes.transition(
            what, "", after, cause[:TRAIL_TEXT_MAX], now, scope=scope, actor=actor, kind="operator"
        )


def _held(hold: Hold) -> tuple[Switch, LatchKey]:
    """Return the switch that a request sets, and its latch."""
    match hold:
        case Halt():
            return OPERATOR_HALT, (OPERATOR_HALT.name, hold.scope, hold.scope_id)
        case Flatten():
            return OPERATOR_FLATTEN, (OPERATOR_FLATTEN.name, hold.scope, hold.scope_id)
        case Disable():
            return STRATEGY_DISABLED, (STRATEGY_DISABLED.name, "strategy", hold.strategy)
        case _:
            assert_never(hold)


def _actor(request: OperatorRequest) -> str:
    return f"uid {request.uid} pid {request.pid}"
