"""One fence: from the decision until it is proven that nothing of ours is in the market.

    FENCING --(a)--> BLOCKED --queues empty--> QUIET --two empty reads--> ZERO

A new epoch makes a fence, and the epoch is its id: answers that name another are ignored.
Holds who must answer, and when each stage was reached; sends nothing itself. The rules of the
proof stand in `shared/proof.py`. A missing BLOCKED is the only answer that gets an execution
killed; a venue that refuses or says nothing is waited out.
"""

from typing import Final, Literal

import msgspec

from shared.control import FenceAnswer
from shared.identifiers import Incarnation
from shared.operator import FenceTimes
from shared.proof import LEASE_OVER_MARGIN_NS, ProofOfZero, intents_over_ns
from shared.units import NS_PER_S, BootNs

FenceStage = Literal["fencing", "blocked", "quiet", "zero"]

KILL_AGAIN_NS = NS_PER_S
"""A kill that has no exit for its answer is repeated this much later."""

OWN_KEY = "own"
"""The one API key whose orders there are."""


NO_OTHER_KEY_NS: Final = BootNs(0)
"""No other API key owns an order."""


class FenceTiming(msgspec.Struct, frozen=True):
    """Times of the proof, from the settings of `timing`."""

    blocked_ns: int
    read_gap_ns: int
    late_order_margin_ns: int
    socket_timeout_ns: int


class _Answerer(msgspec.Struct):
    """What one execution has answered; 0 for not yet."""

    pinged_ns: BootNs = BootNs(0)
    blocked: bool = False
    quiet: bool = False
    exited: bool = False
    killed_ns: BootNs = BootNs(0)


class Fence:
    """The newest fence of this risk.

    Attributes:
        fence_id: Its epoch.
        reason: For people.
        began_ns: When it was decided.
        stage: How far it is.
    """

    def __init__(
        self,
        fence_id: int,
        reason: str,
        now_ns: BootNs,
        *,
        risk_incarnation: Incarnation,
        executions: tuple[Incarnation, ...],
        granted_until_ns: BootNs,
        timing: FenceTiming,
        other_key_over_ns: BootNs | None = NO_OTHER_KEY_NS,
    ) -> None:
        """Begin a fence.

        Args:
            fence_id: The new epoch.
            reason: For people.
            now_ns: Of the decision.
            risk_incarnation: Ours; answers to another's fence are ignored.
            executions: Every incarnation known that has not exited.
            granted_until_ns: End of the longest lease that anybody may hold.
            timing: Times of the proof.
            other_key_over_ns: As of `other_key_over`.
        """
        self.fence_id = fence_id
        self.reason = reason
        self.began_ns = now_ns
        self.stage: FenceStage = "fencing"
        self._timing = timing
        self._risk_incarnation = risk_incarnation
        self._granted_until_ns = granted_until_ns
        self._other_key_over_ns = other_key_over_ns
        self._answerers = {incarnation: _Answerer() for incarnation in executions}
        self._proof = self._new_proof()
        self._blocked_ns: BootNs | None = None
        self._quiet_ns: BootNs | None = None
        self._zero_ns: BootNs | None = None
        self._cancel_ns: BootNs | None = None
        self._empty_ns: BootNs | None = None

    @property
    def is_zero(self) -> bool:
        """Whether zero is proven."""
        return self.stage == "zero"

    @property
    def open_orders(self) -> int | None:
        """What the newest read showed; None while nobody has said."""
        return self._proof.open_orders

    def execution_known(self, incarnation: Incarnation) -> None:
        """Add an execution that has appeared: it must answer as well."""
        if incarnation not in self._answerers:
            self._answerers[incarnation] = _Answerer()
            self._proof.execution_known(incarnation)

    def pinged(self, incarnation: Incarnation, now_ns: BootNs) -> None:
        """Note when an execution could first have heard of this fence."""
        answerer = self._answerers.get(incarnation)
        if answerer is not None and answerer.pinged_ns == 0:
            answerer.pinged_ns = now_ns

    def answered(self, incarnation: Incarnation, answer: FenceAnswer, now_ns: BootNs) -> None:
        """Take an answer; one to another fence, or to another risk, is ignored."""
        if answer.fence_id != self.fence_id or answer.risk_incarnation != self._risk_incarnation:
            return
        answerer = self._answerers.get(incarnation)
        if answerer is None or answer.blocked_ns == 0:
            return
        if not answerer.blocked:
            answerer.blocked = True
            self._proof.execution_blocked(incarnation, answer.fence_id, now_ns)
        answerer.quiet = answerer.quiet or answer.quiet_ns != 0
        self._advance(now_ns)

    def exited(self, incarnation: Incarnation, now_ns: BootNs) -> None:
        """Take an exit: the kernel's word that nothing is written any more."""
        answerer = self._answerers.get(incarnation)
        if answerer is not None and not answerer.exited:
            answerer.exited = True
            self._proof.execution_exited(incarnation, now_ns)
            self._advance(now_ns)

    def intents_reported(self, unresolved: int, until_ns: BootNs, made_ns: BootNs) -> None:
        """Take what a ledger said of its intents at a moment."""
        self._proof.intents_reported(unresolved, until_ns, made_ns)

    def other_key_over(self, over_ns: BootNs | None) -> None:
        """Take from when on no other API key can own an order; None while that is not known."""
        self._other_key_over_ns = over_ns
        self._proof.other_key_over(over_ns)

    def overdue(self, now_ns: BootNs) -> tuple[Incarnation, ...]:
        """Return the executions to kill now: they were told, and BLOCKED did not come."""
        late = []
        for incarnation, answerer in self._answerers.items():
            if answerer.blocked or answerer.exited or answerer.pinged_ns == 0:
                continue
            if now_ns < answerer.pinged_ns + self._timing.blocked_ns:
                continue
            if answerer.killed_ns and now_ns < answerer.killed_ns + KILL_AGAIN_NS:
                continue
            answerer.killed_ns = now_ns
            late.append(incarnation)
        return tuple(late)

    def read_would_count(self, now_ns: BootNs) -> bool:
        """Tell whether a read sent now would bring the proof forward."""
        return self._proof.read_may_be_sent(OWN_KEY, now_ns)

    def read_answered(self, sent_ns: BootNs, answered_ns: BootNs, open_orders: int | None) -> None:
        """Take one whole read of the open orders; None when nobody said."""
        if open_orders == 0 and self._empty_ns is None and sent_ns >= self.began_ns:
            self._empty_ns = answered_ns
        self._proof.read_answered(
            OWN_KEY, sent_ns=sent_ns, answered_ns=answered_ns, open_orders=open_orders
        )
        self._advance(answered_ns)

    def cancel_written(self, sent_ns: BootNs | None) -> None:
        """Take note of when risk's own cancel-all left; None while nobody knows."""
        if self._cancel_ns is None and sent_ns is not None and sent_ns >= self.began_ns:
            self._cancel_ns = sent_ns

    def broken(self, now_ns: BootNs) -> None:
        """Begin the proof anew: an order appeared after zero was proven."""
        assert self.stage == "zero", "only a complete proof can break"
        self.stage = "quiet"
        self._zero_ns = None
        self._proof = self._new_proof()
        for incarnation, answerer in self._answerers.items():
            if answerer.blocked and not answerer.exited:
                self._proof.execution_blocked(incarnation, self.fence_id, now_ns)
            if answerer.exited:
                self._proof.execution_exited(incarnation, now_ns)

    def tick(self, now_ns: BootNs) -> None:
        """Reach the stages that time alone brings: the end of the last lease."""
        self._advance(now_ns)

    def waits_for(self, now_ns: BootNs) -> str:
        """Say in plain words what the fence still waits for; empty when zero is proven."""
        return self._proof.missing(now_ns)

    def times(self) -> FenceTimes:
        """Return the durations of the stages from the decision on."""
        return FenceTimes(
            fence_id=self.fence_id,
            blocked_ns=self._since(self._blocked_ns),
            quiet_ns=self._since(self._quiet_ns),
            zero_ns=self._since(self._zero_ns),
            cancel_ns=self._since(self._cancel_ns),
            empty_ns=self._since(self._empty_ns),
        )

    def _since(self, at_ns: BootNs | None) -> int | None:
        return None if at_ns is None else at_ns - self.began_ns

    def _new_proof(self) -> ProofOfZero:
        timing = self._timing
        lease_over = BootNs(self._granted_until_ns + LEASE_OVER_MARGIN_NS)
        proof = ProofOfZero(
            self.fence_id,
            read_gap_ns=timing.read_gap_ns,
            lease_over_ns=lease_over,
            intents_over_ns=intents_over_ns(
                lease_over, timing.late_order_margin_ns, timing.socket_timeout_ns
            ),
            keys=(OWN_KEY,),
        )
        proof.other_key_over(self._other_key_over_ns)
        for incarnation in self._answerers:
            proof.execution_known(incarnation)
        return proof

    def _advance(self, now_ns: BootNs) -> None:
        """Move along the stages as far as the facts reach."""
        if self.stage == "fencing" and self._proof.executions_still_ns(now_ns) is not None:
            self.stage = "blocked"
            self._blocked_ns = self._blocked_ns or now_ns
        if self.stage == "blocked" and self._queues_empty(now_ns):
            self.stage = "quiet"
            self._quiet_ns = self._quiet_ns or now_ns
        if self.stage != "zero" and self._proof.zero_ns is not None:
            self.stage = "zero"
            self._blocked_ns = self._blocked_ns or now_ns
            self._quiet_ns = self._quiet_ns or now_ns
            self._zero_ns = self._proof.zero_ns

    def _queues_empty(self, now_ns: BootNs) -> bool:
        """Tell whether no queue holds anything: each said so, is gone, or its intents are over."""
        if self._proof.intents_resolved_ns(now_ns) is not None:
            return True
        answerers = self._answerers.values()
        return bool(self._answerers) and all(
            answerer.quiet or answerer.exited for answerer in answerers
        )
