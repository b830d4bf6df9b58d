"""Proof of zero: when may it be said that nothing of ours is, or can still come, in the market.

Decides from facts alone; sends no read itself and cancels nothing. Execution, risk and
the panic command use the same class, so that the rules stand in one place.

The rules (each is a test that fails when it is taken out):

1. A read counts only if its first byte was sent after (a) and (b).
2. (a) Each known execution incarnation has acknowledged BLOCKED for this very fence, or
   has exited, or the last lease that was granted, plus a margin, is over. An empty list
   of executions is not acknowledged.
3. (b) Every journaled intent is NOT_SENT, answered as refused, terminal at the venue, or
   past its deadline: the last moment at which the venue could take it, and no sooner than
   the post sockets' time-out after the last possible write. "Not found" before that
   resolves nothing. A report of the intents counts only when it was made after (a).
   Where an earlier API key may own orders that reads by ours cannot show, they too must be
   past the moment at which the venue drops them by itself.
4. Two empty reads by each key that owns orders; the second is sent at least the read gap
   after the first was answered. A read that shows an order starts the count again. A read
   that failed says nothing.

Source: the model check of the fence protocol; its rules are listed in ARCHITECTURE.md.
"""

from typing import Final

from shared.identifiers import Incarnation
from shared.units import NS_PER_S, BootNs
from shared.venue.rules import GTD_EXPIRATION_MIN_S, GTD_LEAD_S

LEASE_OVER_MARGIN_NS: Final = 50_000_000
"""Added to the end of the last lease: what a process may take between its last clock read
and its write while it runs; one that was stopped there is covered by the intents' deadline."""

VENUE_CLOCK_ALLOWANCE_NS: Final = NS_PER_S
"""The venue counts expiry in whole seconds of its own clock, so it may take an order up to
one second later than the arithmetic of our clock says. A clock off by more alerts (KS-9)."""


def intents_over_ns(
    last_write_ns: BootNs, late_order_margin_ns: int, socket_timeout_ns: int
) -> BootNs:
    """Return when every order written up to a moment is past its deadline, without a report.

    Args:
        last_write_ns: Last moment at which an order's first byte may have been written: now
            for an execution that is dead, the end of its last lease otherwise.
        late_order_margin_ns: Lateness after which the venue refuses an order of ours.
        socket_timeout_ns: TCP_USER_TIMEOUT of the post sockets.
    """
    late_ns = late_order_margin_ns + VENUE_CLOCK_ALLOWANCE_NS
    return BootNs(last_write_ns + max(late_ns, socket_timeout_ns))


def orders_over_ns(last_decision_ns: BootNs, late_order_margin_ns: int) -> BootNs:
    """Return when every order decided up to a moment is gone, though nobody can cancel it.

    The longest life: an expiration is rounded up to a whole second at most, and the venue may
    drop the order as late as its clock may be behind ours.
    Source: https://docs.polymarket.com/trading/place-orders (2026-09-28): a GTD order needs an
    expiration at least 180 s ahead and dies 60 s before it.

    Args:
        last_decision_ns: Last moment at which an order may have been decided.
        late_order_margin_ns: By how much its expiration is longer than it must be.
    """
    life_ns = (GTD_EXPIRATION_MIN_S - GTD_LEAD_S) * NS_PER_S
    longer_ns = max(late_order_margin_ns, NS_PER_S) + VENUE_CLOCK_ALLOWANCE_NS
    return BootNs(last_decision_ns + life_ns + longer_ns)


class ProofOfZero:
    """One attempt to prove zero for one fence. Times are CLOCK_BOOTTIME of the prover.

    Attributes:
        fence_id: Epoch of the fence; acknowledgements of another are ignored.
        zero_ns: When the last read that was needed was answered; None while not proven.
        open_orders: What the newest answered read showed; None while none was answered.
    """

    def __init__(
        self,
        fence_id: int,
        *,
        read_gap_ns: int,
        lease_over_ns: BootNs | None,
        intents_over_ns: BootNs | None,
        keys: tuple[str, ...] = ("own",),
    ) -> None:
        """Begin a proof.

        Args:
            fence_id: Epoch of the fence.
            read_gap_ns: Between the answer of the first read and the sending of the second;
                never less than the venue's longest hold of an accepted order.
            lease_over_ns: From when (a) holds even if nobody acknowledges: end of the last
                lease granted plus `LEASE_OVER_MARGIN_NS`; None when that cannot be known.
            intents_over_ns: From when (b) holds even if nobody reports (`intents_over_ns`);
                None when that cannot be known.
            keys: Names of the API keys that own orders; each must show zero twice.
        """
        assert keys, "a proof without a key proves nothing"
        assert read_gap_ns > 0, "both reads would be one"
        self.fence_id = fence_id
        self.zero_ns: BootNs | None = None
        self.open_orders: int | None = None
        self._read_gap_ns = read_gap_ns
        self._lease_over_ns = lease_over_ns
        self._intents_over_ns = intents_over_ns
        self._executions: dict[Incarnation, BootNs | None] = {}
        self._reported_ns: BootNs | None = None
        self._other_key_over_ns: BootNs | None = BootNs(0)
        self._first_answer: dict[str, BootNs | None] = dict.fromkeys(keys)
        self._second_answer: dict[str, BootNs | None] = dict.fromkeys(keys)

    def execution_known(self, incarnation: Incarnation) -> None:
        """Add an execution that must be blocked or gone; reads before that stop counting."""
        if incarnation not in self._executions:
            self._executions[incarnation] = None
            self._reported_ns = None

    def execution_blocked(self, incarnation: Incarnation, fence_id: int, now_ns: BootNs) -> None:
        """Take an acknowledgement of BLOCKED; one for another fence is ignored."""
        if fence_id == self.fence_id:
            self._still(incarnation, now_ns)

    def execution_exited(self, incarnation: Incarnation, now_ns: BootNs) -> None:
        """Take the exit of an execution, as its pidfd reports it."""
        self._still(incarnation, now_ns)

    def intents_reported(self, unresolved: int, until_ns: BootNs, now_ns: BootNs) -> None:
        """Take what the ledger says of its intents now.

        Ignored while an execution may still write intents: those would be missing in it.

        Args:
            unresolved: Intents that are neither NOT_SENT, refused, terminal nor past their
                deadline.
            until_ns: Latest deadline among them, socket time-out included; 0 for none.
            now_ns: When the report was made.
        """
        still_ns = self.executions_still_ns(now_ns)
        if still_ns is None or now_ns < still_ns:
            return
        if unresolved and until_ns > now_ns:
            # A report that takes back an earlier one is believed: reads before it were early.
            if self._reported_ns is not None and self._reported_ns <= now_ns:
                self._forget_reads()
            self._reported_ns = until_ns
        elif self._reported_ns is None or self._reported_ns > now_ns:
            self._reported_ns = now_ns

    def other_key_over(self, over_ns: BootNs | None) -> None:
        """Take from when on no key but those that are read can own an order; None: not known.

        It may be called again with what is known then; reads that a later moment makes too
        early stop counting.
        """
        if over_ns is None or over_ns > (self._other_key_over_ns or 0):
            self._forget_reads()
        self._other_key_over_ns = over_ns

    def executions_still_ns(self, now_ns: BootNs) -> BootNs | None:
        """Return since when (a) holds; None while it does not hold at `now_ns`."""
        by_lease = self._lease_over_ns
        answers = tuple(self._executions.values())
        known = [answer for answer in answers if answer is not None]
        by_answer: BootNs | None = None
        if known and len(known) == len(answers):
            by_answer = max(known)
        return _earliest_past(by_lease, by_answer, now_ns)

    def intents_resolved_ns(self, now_ns: BootNs) -> BootNs | None:
        """Return since when (b) holds; None while it does not hold at `now_ns`."""
        own_ns = _earliest_past(self._intents_over_ns, self._reported_ns, now_ns)
        over_ns = self._other_key_over_ns
        if own_ns is None or over_ns is None or now_ns < over_ns:
            return None
        return max(own_ns, over_ns)

    def ground_ns(self, now_ns: BootNs) -> BootNs | None:
        """Return since when both (a) and (b) hold; None while they do not."""
        still_ns = self.executions_still_ns(now_ns)
        resolved_ns = self.intents_resolved_ns(now_ns)
        if still_ns is None or resolved_ns is None:
            return None
        return max(still_ns, resolved_ns)

    def read_may_be_sent(self, key: str, now_ns: BootNs) -> bool:
        """Tell whether a read of a key's open orders, sent now, would count."""
        ground_ns = self.ground_ns(now_ns)
        if ground_ns is None or now_ns <= ground_ns or self._second_answer[key] is not None:
            return False
        first_ns = self._first_answer[key]
        return first_ns is None or now_ns >= first_ns + self._read_gap_ns

    def read_answered(
        self, key: str, *, sent_ns: BootNs, answered_ns: BootNs, open_orders: int | None
    ) -> None:
        """Take the answer of one whole read of a key's open orders.

        Args:
            key: Whose orders were read.
            sent_ns: When the first byte of the read (of its first page) was written.
            answered_ns: When the last page was there.
            open_orders: How many it showed; None when nobody said (no answer, or one that
                cannot be understood), which counts for nothing and against nothing.
        """
        if open_orders is None:
            return
        self.open_orders = open_orders
        if open_orders > 0:
            self._forget_reads()
            return
        ground_ns = self.ground_ns(answered_ns)
        if ground_ns is None or sent_ns <= ground_ns:
            return
        first_ns = self._first_answer[key]
        if first_ns is None:
            self._first_answer[key] = answered_ns
        elif sent_ns >= first_ns + self._read_gap_ns and self._second_answer[key] is None:
            self._second_answer[key] = answered_ns
            self._conclude()

    def missing(self, now_ns: BootNs) -> str:
        """Say in plain words what the proof still waits for; empty when it is complete."""
        if self.zero_ns is not None:
            return ""
        if self.executions_still_ns(now_ns) is None:
            return "execution has neither acknowledged nor exited, and its lease may run"
        if self._other_key_over_ns is None:
            return "whose API key owned the last orders is not known yet"
        if now_ns < self._other_key_over_ns:
            left_s = -(-(self._other_key_over_ns - now_ns) // NS_PER_S)
            return f"orders of another API key may be open for {left_s} s more"
        if self.intents_resolved_ns(now_ns) is None:
            return "an order that was sent may still arrive"
        if self.open_orders:
            return f"{self.open_orders} open at the venue"
        if all(answer is None for answer in self._first_answer.values()):
            return "first empty read of open orders"
        return "second empty read of open orders"

    def _still(self, incarnation: Incarnation, now_ns: BootNs) -> None:
        """Note since when an execution places nothing; the first answer stands."""
        if self._executions.get(incarnation) is None:
            self._executions[incarnation] = now_ns

    def _forget_reads(self) -> None:
        """Start counting reads again."""
        for key in self._first_answer:
            self._first_answer[key] = None
            self._second_answer[key] = None
        self.zero_ns = None

    def _conclude(self) -> None:
        """Set the time of the proof once every key has shown zero twice."""
        answers = tuple(self._second_answer.values())
        known = [answer for answer in answers if answer is not None]
        if len(known) == len(answers):
            self.zero_ns = max(known)


def _earliest_past(one_ns: BootNs | None, other_ns: BootNs | None, now_ns: BootNs) -> BootNs | None:
    """Return the earlier of two moments that are not in the future; None for neither."""
    past = [moment for moment in (one_ns, other_ns) if moment is not None and moment <= now_ns]
    return min(past) if past else None
