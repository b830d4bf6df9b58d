"""What is held, as execution tells it: never lost by a read that failed, never sold unconfirmed.

Judges published positions and sells by the legs that were published before, by the account at
the venue, and by the lists that the venue has really sent.
"""

from collections import deque
from typing import Protocol

from ops.simulation.checkers import Findings, LedgerTruth
from services.simulator.markets import MIN_SIZE_E6
from shared.facts import ExecutionStatus, FillFact, OrderFact, PositionFact, Positions
from shared.identifiers import ConditionId, Incarnation, OrderHash, StrategyName, TokenId, TradeId
from shared.units import NS_PER_MS, NS_PER_S, Instant

Key = tuple[ConditionId, TokenId, StrategyName]

Leg = tuple[TradeId, OrderHash]

TOLD_WITHIN_NS = 500 * NS_PER_MS
"""A position and the leg that explains it are told in one turn, or wait for one commit together."""

ANSWER_NS_MAX = 4 * NS_PER_S
"""From a read's sending until its answer can have changed what execution says: its deadline, and
what may be late besides."""

BALANCES_KEPT = 512
"""Changes of one token's balance that are remembered: far more than a window has."""

ENDED_WITHIN_NS = 15 * NS_PER_S
"""From the resolution of a market until its last position is gone: execution may be dead or cut
off for some of it."""


class AccountTruth(Protocol):
    """Knows what we have at the venue, and what the venue has told of it."""

    def holdings(self) -> dict[str, int]:
        """Return the shares of every token in our account; not to be changed."""
        ...

    def free_e6(self, token: str) -> int:
        """Return the shares of a token that no open order of ours offers."""
        ...

    def resolved_ms(self, token: str) -> int | None:
        """Return when a token's market was resolved, None while it is not."""
        ...

    def list_sent_ns(self) -> int:
        """Return when the newest whole list of open orders was sent, 0 before the first."""
        ...

    def clock_ns(self) -> int:
        """Return what CLOCK_MONOTONIC shows now; all moments here are of it."""
        ...


class LegsTruth(LedgerTruth, Protocol):
    """Reads the legs too that are committed."""

    def legs(self) -> list[tuple[Key, Leg, int]]:
        """Return every leg with its position, its name and its signed size, 0 if it failed."""
        ...


class LookUpChecker:
    """EX-22: no error of a look-up becomes an empty list, a zero or a fresh age."""

    def __init__(self, findings: Findings, ledger: LegsTruth, account: AccountTruth) -> None:
        self._findings = findings
        self._ledger = ledger
        self._account = account
        self._held: dict[str, int] = {}
        self._history: dict[str, deque[tuple[int, int]]] = {}
        self._incarnation: Incarnation | None = None
        self._base: dict[Key, int] = {}
        self._legs: dict[Key, dict[Leg, int]] = {}
        self._since_ns: dict[Key, int] = {}

    def venue_changed(self) -> None:
        """Remember what the account holds from now on."""
        holdings = self._account.holdings()
        if holdings == self._held:
            return
        moment_ns = self._account.clock_ns()
        for token in holdings.keys() | self._held.keys():
            amount = holdings.get(token, 0)
            if amount != self._held.get(token, 0):
                changes = self._history.setdefault(token, deque(maxlen=BALANCES_KEPT))
                changes.append((moment_ns, amount))
        self._held = dict(holdings)

    def told_fill(self, fact: FillFact) -> None:
        """Take a leg in: from here on it explains its position."""
        signed = fact.size if fact.side == "BUY" else -fact.size
        legs = self._legs.setdefault((fact.market, fact.token, fact.strategy), {})
        legs[(fact.trade_id, fact.order_id)] = 0 if fact.settlement == "FAILED" else signed

    def told(self, fact: Positions, incarnation: Incarnation, moment_ns: int) -> None:
        """Judge all positions of one fact."""
        told = {(one.market, one.token, one.strategy): one for one in fact.positions}
        if incarnation != self._incarnation:
            self._begin(told)
            self._incarnation = incarnation
        for key in {**dict.fromkeys(self._base), **dict.fromkeys(self._legs), **told}:
            self._judge_change(key, told.get(key), moment_ns)
        for one in fact.positions:
            self._judge_chain(one, moment_ns)

    def told_status(self, status: ExecutionStatus) -> None:
        """Judge the moment at which execution says that it agreed with the venue."""
        sent_ns = self._account.list_sent_ns()
        agreed_ns = status.reconciled_ns
        if agreed_ns is not None and agreed_ns > sent_ns + ANSWER_NS_MAX:
            late_ms = (agreed_ns - sent_ns) // NS_PER_MS
            self._findings.add("EX-22", f"reconciled {late_ms} ms after the last whole list")

    def _begin(self, told: dict[Key, PositionFact]) -> None:
        """Begin a run of execution where it began itself: with the legs of its ledger."""
        self._legs.clear()
        self._since_ns.clear()
        for key, leg, signed in self._ledger.legs():
            self._legs.setdefault(key, {})[leg] = signed
        self._base = {
            key: one.matched - sum(self._legs.get(key, {}).values()) for key, one in told.items()
        }

    def _judge_change(self, key: Key, one: PositionFact | None, moment_ns: int) -> None:
        """A position is what it was at the start and the legs since, until it is paid out."""
        expected = self._base.get(key, 0) + sum(self._legs.get(key, {}).values())
        told = 0 if one is None else one.matched
        if told == expected or self._account.resolved_ms(key[1]) is not None:
            self._since_ns.pop(key, None)
            return
        since_ns = self._since_ns.setdefault(key, moment_ns)
        if moment_ns - since_ns >= TOLD_WITHIN_NS:
            text = f"{key[2]} holds {told} of {key[1][:12]}, its legs make {expected}"
            self._findings.add("EX-22", text)
            del self._since_ns[key]

    def _judge_chain(self, one: PositionFact, moment_ns: int) -> None:
        """What the chain is said to hold it has held when it was asked."""
        if one.on_chain is None or one.on_chain_age_ns is None:
            return
        asked_ns = moment_ns - one.on_chain_age_ns
        changes = self._history.get(one.token, ())
        held = [amount for at_ns, amount in changes if asked_ns < at_ns < asked_ns + ANSWER_NS_MAX]
        held.append(next((amount for at_ns, amount in reversed(changes) if at_ns <= asked_ns), 0))
        if one.on_chain not in held:
            text = f"{one.token[:12]}: {one.on_chain} told, {held[-1]} held when asked"
            self._findings.add("EX-22", text)


class SureChecker:
    """EX-23: what is sure is part of what is less sure, and only what is sure is sold.

    Attributes:
        lies: Whether the venue may tell ends of trades that are none: then it may refuse a sell.
    """

    def __init__(self, findings: Findings, ledger: LedgerTruth, account: AccountTruth) -> None:
        self._findings = findings
        self._ledger = ledger
        self._account = account
        self.lies = False

    def told(self, fact: Positions) -> None:
        """Judge how much of each position is said to be how sure."""
        for one in fact.positions:
            if not one.confirmed <= one.mined <= one.matched:
                text = f"{one.confirmed} confirmed, {one.mined} mined, {one.matched} matched"
                self._findings.add("EX-23", text)
            if one.matched < 0 and not self.lies:
                self._findings.add("EX-23", f"{one.matched} of {one.token[:12]} are held")

    def posted(self, order_id: OrderHash) -> None:
        """Judge the first byte of a sell: the account has what it offers."""
        row = self._ledger.intent(order_id)
        if row is None or row.side != "SELL" or self.lies:
            return
        free_e6 = self._account.free_e6(row.token)
        if row.size_e6 > free_e6:
            self._findings.add("EX-23", f"{order_id} sells {row.size_e6}, {free_e6} are there")


class DustChecker:
    """EX-27: what cannot be sold is named, is not offered, and ends with its market."""

    def __init__(self, findings: Findings, account: AccountTruth) -> None:
        self._findings = findings
        self._account = account
        self._ended_ns: dict[str, int] = {}

    def told_order(self, fact: OrderFact) -> None:
        """Judge an order as it is intended."""
        if fact.state == "INTENDED" and fact.size < MIN_SIZE_E6:
            self._findings.add("EX-27", f"{fact.order_id} is of {fact.size}, below the minimum")

    def told(self, fact: Positions, now: Instant) -> None:
        """Judge the small positions, and those whose market is over."""
        for one in fact.positions:
            is_dust = 0 < one.matched < MIN_SIZE_E6
            resolved_ms = self._account.resolved_ms(one.token)
            if one.dust and not is_dust:
                self._findings.add("EX-27", f"{one.matched} is called dust")
            if resolved_ms is None or not one.matched:
                self._ended_ns.pop(one.token, None)
                continue
            since_ns = self._ended_ns.setdefault(one.token, now.monotonic_ns)
            if now.monotonic_ns - since_ns > ENDED_WITHIN_NS:
                text = f"{one.matched} of {one.token[:12]} outlive their market"
                self._findings.add("EX-27", text)
                self._ended_ns[one.token] = now.monotonic_ns


class HoldingsChecker:
    """All three, as `watch.py` leads to them what is published."""

    def __init__(self, findings: Findings, ledger: LegsTruth, account: AccountTruth) -> None:
        self.look_ups = LookUpChecker(findings, ledger, account)
        self.sure = SureChecker(findings, ledger, account)
        self.dust = DustChecker(findings, account)

    def told(
        self, fact: Positions | ExecutionStatus, incarnation: Incarnation, now: Instant
    ) -> None:
        """Judge all positions of one fact, decided at a moment, or the age of what is known."""
        if isinstance(fact, ExecutionStatus):
            self.look_ups.told_status(fact)
            return
        self.look_ups.told(fact, incarnation, now.monotonic_ns)
        self.sure.told(fact)
        self.dust.told(fact, now)
