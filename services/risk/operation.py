"""What an operator's request does: decode, check, carry out, answer or keep the answer for later.

Halting needs a reason and nothing else; it is carried out even when nobody could be told.
Resuming names what it clears, and is refused with everything that blocks it. A request that
is none changes nothing.
"""

from collections.abc import Callable
from typing import assert_never

from services.risk.authority import Authority
from services.risk.desk import OperatorDesk, answer
from services.risk.latches import LatchKey
from services.risk.notes import Notes
from services.risk.writes import Writes
from shared.effects import Effect
from shared.facts import RiskStatus, SwitchStatus
from shared.operator import (
    Halt,
    LatchName,
    OperatorRequest,
    RecoveryCheck,
    RequestRefused,
    Resume,
    ResumeRefused,
    Status,
    StatusReport,
    Switches,
    SwitchList,
    decode_request,
)
from shared.risk_schema import LatchRow
from shared.switches import OPERATOR_HALT, PANIC, RISK_DATABASE
from shared.units import Instant

SetLatch = Callable[[LatchKey, str, str, Instant], LatchRow]
ShowStatus = Callable[[Instant], tuple[RiskStatus, tuple[RecoveryCheck, ...]]]
StillBad = Callable[[LatchKey], tuple[str, ...]]
ShowSwitches = Callable[[], tuple[SwitchStatus, ...]]


class Operation:
    """The operator's requests.

    Attributes:
        panic_file: Whether the PANIC file exists.
        execution_heard: Whether an execution has told its ledger's epoch to this risk.
        stopping: Whether this process ends.
    """

    def __init__(
        self,
        authority: Authority,
        desk: OperatorDesk,
        writes: Writes,
        notes: Notes,
        *,
        set_latch: SetLatch,
        status: ShowStatus,
        switches: ShowSwitches,
        still_bad: StillBad,
    ) -> None:
        self.panic_file = False
        self.execution_heard = False
        self.stopping = False
        self._authority = authority
        self._desk = desk
        self._writes = writes
        self._notes = notes
        self._set_latch = set_latch
        self._status = status
        self._switches = switches
        self._still_bad = still_bad

    def take(self, request: OperatorRequest, now: Instant) -> list[Effect]:
        """Carry a request out as far as it goes now, and return the answers that are due."""
        decoded = decode_request(request.body)
        match decoded:
            case RequestRefused():
                return [answer(request.connection, decoded)]
            case Halt():
                return self._halt(decoded, request, now)
            case Resume():
                return self._resume(decoded, request, now)
            case Switches():
                return [answer(request.connection, SwitchList(switches=self._switches()))]
            case Status():
                status, recovery = self._status(now)
                report = StatusReport(status=status, recovery=recovery, at_ns=now.boot_ns)
                return [answer(request.connection, report)]
            case _:
                assert_never(decoded)

    def blockers(self, names: tuple[LatchName, ...], now: Instant) -> tuple[str, ...]:
        """Return everything that blocks clearing these latches; empty when nothing does."""
        found = list(self._authority.latches.misnamed(names))
        for name in names:
            held = self._still_bad((name.name, name.scope, name.scope_id))
            found += [f"{name.name} still holds: {why}" for why in held]
        named = {name.name for name in names}
        fence = self._authority.fence
        if any(name.scope == "account" for name in names) and fence is not None:
            waits = fence.waits_for(now.boot_ns)
            if waits:
                found.append(f"zero is not proven: {waits}")
        if PANIC.name in named and self.panic_file:
            found.append("the PANIC file is still there: clear it first")
        if RISK_DATABASE.name in named and not self.execution_heard:
            found.append("execution has not told its ledger's epoch yet")
        if self._writes.trouble:
            found.append(f"the risk database cannot be written: {self._writes.trouble}")
        if self.stopping:
            found.append("risk is stopping")
        return tuple(found)

    def _halt(self, halt: Halt, request: OperatorRequest, now: Instant) -> list[Effect]:
        """Halt first; whoever asked is answered when it is done."""
        if (halt.scope == "account") != (halt.scope_id == ""):
            detail = "scope_id names what is below the account, and nothing for the account"
            return [answer(request.connection, RequestRefused(error="malformed", detail=detail))]
        actor = _actor(request)
        self._note("halt", halt.scope, halt.scope_id, halt.reason, actor, now)
        key = (OPERATOR_HALT.name, halt.scope, halt.scope_id)
        row = self._set_latch(key, halt.reason, f"asked by {actor}", now)
        if self._desk.is_full:
            detail = "the halt holds, but too many requests wait to be told of its proof"
            return [answer(request.connection, RequestRefused(error="busy", detail=detail))]
        self._desk.await_halt(request.connection, row)
        return []

    def _resume(self, resume: Resume, request: OperatorRequest, now: Instant) -> list[Effect]:
        """Begin to clear, or say everything that blocks it."""
        names = tuple(dict.fromkeys(resume.latches))
        blockers = self.blockers(names, now)
        words = ", ".join(f"{name.name} {name.scope_id}".rstrip() for name in names)[:500]
        cause = f"{resume.reason} (refused: {'; '.join(blockers)})" if blockers else resume.reason
        self._note("resume", "account", words, cause, _actor(request), now)
        if blockers:
            return [answer(request.connection, ResumeRefused(blockers=blockers))]
        if self._desk.is_full:
            refused = RequestRefused(error="busy", detail="too many requests wait")
            return [answer(request.connection, refused)]
        write_id = self._writes.next_id
        self._writes.add(*self._authority.latches.begin_clearing(names, write_id))
        self._desk.await_resume(request.connection, write_id, names)
        return []

    def _note(
        self, what: str, scope: str, scope_id: str, reason: str, actor: str, now: Instant
    ) -> None:
        place = f"{scope} {scope_id}".rstrip()
        self._notes.transition(
            what, "", "asked", reason, now, scope=place, actor=actor, kind="operator"
        )


def _actor(request: OperatorRequest) -> str:
    return f"uid {request.uid} pid {request.pid}"
