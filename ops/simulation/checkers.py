"""What must never be seen from outside, judged at the moment it would show.

Nothing here asks a core what it believes: the checkers see what pings have reached
execution, what is durable in its ledger, what is written to the venue, what the venue
holds, and what is published. Each finding names the requirement it breaks.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from shared.control import Ping
from shared.facts import FeedStatus, FillFact, OrderFact, RiskStatus
from shared.identifiers import Incarnation, OrderHash, TradeId
from shared.orders import EXPOSED, TERMINAL
from shared.units import NS_PER_MS, BootNs, Instant

VIOLATIONS_MAX = 20
"""The first of a run tells the most; more than these only repeat it."""

CANCEL_WITHIN_NS = 120 * NS_PER_MS
"""From losing the permission to place until a running execution has written a cancel: it
sees the loss at its next tick, 20 ms, and writes in the same turn."""

CANCEL_AGAIN_NS = 1_400 * NS_PER_MS
"""A cancel that nobody answered covers its orders this long: its deadline and a margin."""

_NEVER_NS = -CANCEL_AGAIN_NS - 1


class Violation(msgspec.Struct, frozen=True):
    """One thing that must never happen, seen.

    Attributes:
        moment_ns: When, in simulated time.
        rule: Requirement or protocol rule.
        text: What was seen.
    """

    moment_ns: int
    rule: str
    text: str


class Findings:
    """The violations of one run."""

    def __init__(self, moment: Callable[[], int]) -> None:
        """Begin without any; `moment` tells the simulated time."""
        self._moment = moment
        self.violations: list[Violation] = []

    def add(self, rule: str, text: str) -> None:
        """Keep a violation."""
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(Violation(self._moment(), rule, text))


class Intent(msgspec.Struct, frozen=True):
    """What the ledger durably says of one order."""

    order_id: OrderHash
    intent: str
    state: str
    epoch: int
    purpose: str = ""
    side: str = ""
    token: str = ""
    size_e6: int = 0
    reduce_only: int = 0


class LedgerTruth(Protocol):
    """Reads what is committed, whoever is alive."""

    def intent(self, order_id: OrderHash) -> Intent | None:
        """Return the row of an order, None when there is none."""
        ...

    def exposed(self, intent: str) -> list[Intent]:
        """Return the rows of an intent that may be or may come to be in the market."""
        ...


class VenueTruth(Protocol):
    """Knows what the venue holds of ours."""

    def open_ids(self) -> list[OrderHash]:
        """Return our open orders, oldest first."""
        ...

    def filled_e6(self, order_id: OrderHash) -> int | None:
        """Return how much of an order was matched, None when it was never taken."""
        ...


class _Held(msgspec.Struct):
    """What one execution was told: newest epoch, and until when its lease runs by its asking."""

    epoch: int = 0
    until_ns: BootNs = BootNs(0)


class LeaseChecker:
    """INV-3 and S1: no first byte without a live lease of the newest epoch received.

    Counts the lease from the asking that the ping names, whatever execution makes of it.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._held: dict[Incarnation, _Held] = {}

    def ordered(self, incarnation: Incarnation, ping: Ping) -> None:
        """Take a ping in as it reaches an execution."""
        held = self._held.setdefault(incarnation, _Held())
        if ping.epoch > held.epoch:
            held.epoch = ping.epoch
            held.until_ns = BootNs(0)
        lease = ping.lease
        if lease is None or ping.epoch < held.epoch:
            return
        if lease.incarnation == incarnation and lease.epoch == held.epoch:
            until_ns = BootNs(lease.asked_ns + lease.lease_ms * NS_PER_MS)
            held.until_ns = max(held.until_ns, until_ns)

    def may_place(self, incarnation: Incarnation, now: Instant) -> bool:
        """Tell whether an execution holds a live lease."""
        held = self._held.get(incarnation)
        return held is not None and now.boot_ns < held.until_ns

    def posted(
        self, incarnation: Incarnation, order_id: OrderHash, epoch: int, now: Instant
    ) -> None:
        """Judge the first byte of a post."""
        held = self._held.get(incarnation)
        if held is None or now.boot_ns >= held.until_ns:
            over_ms = -1 if held is None else (now.boot_ns - held.until_ns) // NS_PER_MS
            self._findings.add("INV-3", f"{order_id} left {over_ms} ms after its lease")
        elif epoch != held.epoch:
            self._findings.add("INV-3", f"{order_id} of epoch {epoch} left in {held.epoch}")


class IntentChecker:
    """INV-2 and INV-6: recorded before it leaves, written once, one an intent."""

    def __init__(self, findings: Findings, ledger: LedgerTruth) -> None:
        self._findings = findings
        self._ledger = ledger
        self._written: set[OrderHash] = set()
        self._intents: dict[OrderHash, str] = {}

    def posted(self, order_id: OrderHash) -> None:
        """Judge the first byte of a post."""
        if order_id in self._written:
            self._findings.add("EX-6", f"{order_id} was written twice")
        self._written.add(order_id)
        row = self._ledger.intent(order_id)
        if row is None:
            self._findings.add("INV-2", f"{order_id} left without a durable record")
            return
        for other in self._ledger.exposed(row.intent):
            if other.order_id != order_id:
                self._findings.add(
                    "INV-6", f"{order_id} left beside {other.order_id} {other.state} {row.intent}"
                )

    def judge_venue(self, venue: VenueTruth) -> None:
        """Judge that no intent has two live orders at the venue."""
        seen: dict[str, OrderHash] = {}
        for order_id in venue.open_ids():
            intent = self._intent_of(order_id)
            if intent is None:
                self._findings.add("INV-2", f"{order_id} is live without a durable record")
            elif intent in seen:
                self._findings.add("INV-6", f"{order_id} and {seen[intent]} are both live")
            else:
                seen[intent] = order_id

    def _intent_of(self, order_id: OrderHash) -> str | None:
        """Return what an order is for, which never changes once it is durable."""
        known = self._intents.get(order_id)
        if known is None:
            row = self._ledger.intent(order_id)
            if row is None:
                return None
            known = self._intents[order_id] = row.intent
        return known


class LifecycleChecker:
    """INV-5 and INV-8: sizes stay in bounds, the terminal stays dead, a fill counts once."""

    def __init__(self, findings: Findings, venue: VenueTruth) -> None:
        self._findings = findings
        self._venue = venue
        self._incarnation: Incarnation | None = None
        self._states: dict[OrderHash, str] = {}
        self._legs: dict[OrderHash, dict[TradeId, int]] = {}

    def live(self) -> list[OrderHash]:
        """Return the orders that were last published as resting, oldest first."""
        return [
            order_id
            for order_id, state in self._states.items()
            if state in ("LIVE", "PARTLY_FILLED")
        ]

    def told(self, fact: OrderFact, incarnation: Incarnation) -> None:
        """Judge one published row.

        A new run may doubt again what a dead one knew but had not put on disk; it may not
        have been wrong.
        """
        if incarnation != self._incarnation:
            self._incarnation = incarnation
            self._states.clear()
        former = self._states.get(fact.order_id)
        self._states[fact.order_id] = fact.state
        if former in TERMINAL and fact.state in EXPOSED:
            self._findings.add("INV-5", f"{fact.order_id} came back: {former} to {fact.state}")
        if fact.state in TERMINAL and fact.order_id in self._venue.open_ids():
            self._findings.add("INV-5", f"{fact.order_id} is told {fact.state} and is live")
        if not 0 <= fact.filled <= fact.size:
            self._findings.add("INV-5", f"{fact.order_id} filled {fact.filled} of {fact.size}")
        matched = self._venue.filled_e6(fact.order_id)
        if fact.filled and matched is not None and fact.filled > matched:
            self._findings.add(
                "INV-8", f"{fact.order_id} filled {fact.filled}, the venue matched {matched}"
            )

    def told_fill(self, fact: FillFact) -> None:
        """Judge one published leg: all legs of an order are no more than the venue matched.

        Legs are told apart by nothing but the trade that execution names, and a failed one
        counts too: it was matched once, whatever the chain made of it.
        """
        legs = self._legs.setdefault(fact.order_id, {})
        legs[fact.trade_id] = fact.size
        counted = sum(legs.values())
        matched = self._venue.filled_e6(fact.order_id)
        if matched is not None and counted > matched:
            text = f"{fact.order_id} counts {counted}, the venue matched {matched}"
            self._findings.add("INV-8", text)


class HaltChecker:
    """INV-9, S2 and S4: an acknowledged halt lasts, with nothing live, until it is resumed."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.halted = False

    def acknowledged(self) -> None:
        """The operator was told: halted, and zero proven."""
        self.halted = True

    def resumed(self) -> None:
        """The operator asked for a resume: from here on it may be over."""
        self.halted = False

    def told(self, status: RiskStatus) -> None:
        """Judge risk's own words."""
        if self.halted and status.trading_state != "HALTED":
            self._findings.add("INV-9", f"after a halt risk says {status.trading_state}")

    def judge_venue(self, venue: VenueTruth) -> None:
        """Judge that nothing of ours is live."""
        if self.halted and (found := venue.open_ids()):
            self._findings.add("S2", f"{found[0]} is live after the proof of zero")


class FrameChecker:
    """Both ends speak the same dialect: nothing here corrupts a frame, so none is refused."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def told(self, status: FeedStatus) -> None:
        """Judge a feed's own count."""
        if status.rejected_frames:
            text = f"{status.feed} has rejected {status.rejected_frames} frames"
            self._findings.add("DQ-5", text)


class HungRiskChecker:
    """S5: no write once risk has not run for longer than a lease."""

    def __init__(self, findings: Findings, lease_ns: int) -> None:
        self._findings = findings
        self._lease_ns = lease_ns

    def posted(self, order_id: OrderHash, risk_silent_ns: int) -> None:
        """Judge the first byte of a post, given since when risk has not run."""
        if risk_silent_ns > self._lease_ns:
            silent_ms = risk_silent_ns // NS_PER_MS
            self._findings.add("S5", f"{order_id} left {silent_ms} ms after risk's last turn")


class CancelChecker:
    """INV-4: an execution that may no longer place writes a cancel at once, whatever waits.

    Only orders that this execution itself says are live are judged, and only while it runs:
    one that is stopped is risk's to cover.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._all_ns = _NEVER_NS
        self._one_ns: dict[OrderHash, int] = {}
        self._since_ns: int | None = None

    def canceled(self, moment_ns: int, order_ids: tuple[OrderHash, ...] | None) -> None:
        """A cancel was written, of these orders or, with None, of all of a market or account."""
        if order_ids is None:
            self._all_ns = moment_ns
        else:
            self._one_ns.update(dict.fromkeys(order_ids, moment_ns))

    def excused(self) -> None:
        """Execution may place, is stopped, or is dead: nothing is due from it."""
        self._since_ns = None

    def judge(self, moment_ns: int, live: list[OrderHash]) -> None:
        """Judge an execution that runs and may not place, with what it knows to be live."""
        if self._since_ns is None:
            self._since_ns = moment_ns
        waited_ns = moment_ns - self._since_ns
        if waited_ns < CANCEL_WITHIN_NS:
            return
        late = [
            order_id
            for order_id in live
            if moment_ns - max(self._all_ns, self._one_ns.get(order_id, _NEVER_NS))
            > CANCEL_AGAIN_NS
        ]
        if late:
            waited_ms = waited_ns // NS_PER_MS
            self._findings.add(
                "INV-4", f"{len(late)} orders without a cancel, {waited_ms} ms without permission"
            )
            self._since_ns = moment_ns
