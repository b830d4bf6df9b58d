"""The operator of a run: halts when the plan says so, resumes later, over the real requests.

Speaks to risk in the words of its control socket. Whatever latch else stands in the way is
looked at and cleared too after a while, as a person would; what was cleared is counted,
since a latch that no fault explains is a finding for the reader of a run.
"""

from collections.abc import Callable

from ops.simulation.authority import LatchChecker, Latched
from ops.simulation.checkers import HaltChecker
from ops.simulation.scheduler import Scheduler
from ops.simulation.trace import Trace
from shared.effects import Message
from shared.facts import SwitchStatus
from shared.operator import (
    Halt,
    Halted,
    LatchName,
    OperatorGone,
    OperatorRequest,
    Reply,
    Request,
    Resume,
    Resumed,
    ResumeRefused,
    Switches,
    SwitchList,
    decode_reply,
    encode_request,
)
from shared.units import NS_PER_MS, NS_PER_S

ASK_AGAIN_NS = 500 * NS_PER_MS
PATIENCE_NS = 12 * NS_PER_S
"""Longest wait for an answer: a proof of zero takes six seconds where the venue answers."""

ROUND_NS = 3 * NS_PER_S
"""How often the operator looks for latches that nobody has asked for."""

UID = 1000

LASTING = ("market_cutoff",)
"""Latches that no resume clears: a market past its cutoff stays closed for good."""


class Operator:
    """One person with one thing on their mind at a time.

    Attributes:
        cleared: How often each latch was cleared, by name.
        latencies_ns: From each halt's first asking to its acknowledgement.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        trace: Trace,
        halts: HaltChecker,
        latches: LatchChecker,
        deliver: Callable[[Message], bool],
    ) -> None:
        """Take the parts.

        Args:
            scheduler: Time.
            trace: Where answers are noted.
            halts: Told when a halt is acknowledged and when its resume is asked for.
            latches: Told what is asked to be cleared, and what was not.
            deliver: Hands a message to risk; False when risk is not there.
        """
        self._scheduler = scheduler
        self._trace = trace
        self._halts = halts
        self._latches = latches
        self._deliver = deliver
        self._connection = 0
        self._asked_ns = 0
        self._wish: Request | None = None
        self._wants_halt = False
        self.cleared: dict[str, int] = {}
        self.latencies_ns: list[int] = []
        self._halt_ns = 0
        scheduler.at(ROUND_NS, self._round)

    def halt(self) -> None:
        """Want a halt, until it is acknowledged."""
        self._wants_halt = True
        self._halt_ns = self._scheduler.now_ns
        self._ask(Halt(reason="simulated"))

    def resume(self) -> None:
        """Want to trade again."""
        self._wants_halt = False
        self._ask(Switches())

    def answered(self, connection: int, body: bytes) -> None:
        """Take risk's answer."""
        if connection != self._connection or self._wish is None:
            return
        wish, self._wish = self._wish, None
        reply: Reply = decode_reply(body)
        self._note("operator.answer", type(reply).__name__)
        match reply:
            case Halted():
                self.latencies_ns.append(self._scheduler.now_ns - self._halt_ns)
                if self._wants_halt:
                    self._halts.acknowledged()
            case SwitchList(switches=switches):
                self._clear([switch for switch in switches if _is_clearable(switch)])
            case Resumed(latches=latches):
                for latch in latches:
                    self.cleared[latch.name] = self.cleared.get(latch.name, 0) + 1
            case ResumeRefused(blockers=blockers):
                if isinstance(wish, Resume):
                    self._latches.refused(_as_latched(wish.latches))
                self._note("operator.refused", "; ".join(blockers))
            case _:
                self._note("operator.unexpected", body.decode())

    def _clear(self, latches: list[SwitchStatus]) -> None:
        if self._wants_halt or not latches:
            return
        names = tuple(_name_of(latch) for latch in latches)
        # From the asking on it may be over at any moment, long before its answer comes.
        self._halts.resumed()
        self._latches.asked(_as_latched(names))
        self._ask(Resume(latches=names, reason="simulated"))

    def _round(self) -> None:
        self._scheduler.after(ROUND_NS, self._round)
        if self._wish is None and not self._wants_halt:
            self._ask(Switches())

    def _ask(self, wish: Request) -> None:
        if self._wish is not None:
            self._deliver(OperatorGone(self._connection))
        self._wish = wish
        self._connection += 1
        self._asked_ns = self._scheduler.now_ns
        self._send(self._connection)

    def _send(self, connection: int) -> None:
        """Send the present wish, again while risk is not there, anew when it does not answer."""
        wish = self._wish
        if wish is None or connection != self._connection:
            return
        body = encode_request(wish)
        if not self._deliver(OperatorRequest(connection, UID, 1, body)):
            self._scheduler.after(ASK_AGAIN_NS, lambda: self._send(connection))
            return
        self._note("operator.asks", type(wish).__name__)
        self._scheduler.after(PATIENCE_NS, lambda: self._give_up(connection))

    def _give_up(self, connection: int) -> None:
        if connection != self._connection or self._wish is None:
            return
        again: Request = Halt(reason="simulated, again") if self._wants_halt else Switches()
        self._ask(again)

    def _note(self, what: str, detail: str) -> None:
        self._trace.note(self._scheduler.now_ns, "operator", what, detail)


def _as_latched(names: tuple[LatchName, ...]) -> tuple[Latched, ...]:
    return tuple(Latched(one.name, one.scope, one.scope_id, one.version) for one in names)


def _is_clearable(switch: SwitchStatus) -> bool:
    return switch.kind == "latch" and switch.name not in LASTING


def _name_of(latch: SwitchStatus) -> LatchName:
    for scope in ("account", "asset", "market", "token", "strategy"):
        if latch.scope == scope:
            return LatchName(latch.name, scope, latch.scope_id, latch.version)
    raise AssertionError(f"unknown scope {latch.scope}")
