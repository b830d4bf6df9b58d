"""Risk's word as it is seen from outside: what latches hold, and what trading begins and ends with.

Judges risk by its own database, by what it publishes, by the pings that reach execution, and by
what is written to the venue meanwhile.
"""

from typing import Protocol

import msgspec

from ops.simulation.checkers import Findings, LedgerTruth, VenueTruth
from shared.control import Ping
from shared.facts import RiskStatus
from shared.identifiers import Incarnation, OrderHash
from shared.switches import BY_NAME
from shared.units import NS_PER_MS, Instant


class Latched(msgspec.Struct, frozen=True):
    """One latch as it is on disk."""

    name: str
    scope: str
    scope_id: str
    version: int

    @property
    def halts(self) -> bool:
        """Whether nothing at all may be placed while it holds."""
        return self.scope == "account" and not self.reduces

    @property
    def reduces(self) -> bool:
        """Whether positions of the account may be closed under it, and nothing else."""
        switch = BY_NAME.get(self.name)
        is_reducing = switch is not None and switch.kind == "latch" and switch.state == "REDUCING"
        return self.scope == "account" and is_reducing


class RiskTruth(Protocol):
    """Reads risk's database, whoever is alive."""

    def latches(self) -> tuple[Latched, ...]:
        """Return the latches that are on disk."""
        ...


PROVEN = ("none", "zero")
"""How the newest fence stands where trading may be."""

LEASE_MARGIN_NS = 200 * NS_PER_MS
"""From a latch on disk until the order that follows from it has reached everybody, besides the
lease that was granted just before."""


class LatchChecker:
    """INV-9 and KS: what is latched stays so until an operator asks, and nothing is placed then.

    Whatever risk, however often it dies, has once put on disk it must say in each later status.
    """

    def __init__(
        self, findings: Findings, risk: RiskTruth, venue: VenueTruth, lease_ns: int
    ) -> None:
        self._findings = findings
        self._risk = risk
        self._venue = venue
        self._within_ns = lease_ns + LEASE_MARGIN_NS
        self._known: dict[Latched, int] = {}
        self._asked: set[Latched] = set()
        self._is_zero = False

    def asked(self, latches: tuple[Latched, ...]) -> None:
        """An operator asks for these to be cleared: from here on they may be over."""
        self._asked.update(latches)
        self._is_zero = False

    def refused(self, latches: tuple[Latched, ...]) -> None:
        """They were not cleared."""
        self._asked.difference_update(latches)

    def told(self, status: RiskStatus, now: Instant) -> None:
        """Judge risk's own words by its database."""
        shown = {
            (switch.name, switch.scope, switch.scope_id)
            for switch in status.switches
            if switch.kind == "latch"
        }
        for latch in self._held():
            if (latch.name, latch.scope, latch.scope_id) not in shown:
                self._findings.add("INV-9", f"{latch.name} {latch.version} is on disk and not held")
            if latch.halts and status.trading_state != "HALTED":
                text = f"risk says {status.trading_state} under {latch.name} {latch.version}"
                self._findings.add("INV-9", text)
            elif latch.reduces and status.trading_state not in ("HALTED", "REDUCING"):
                text = f"risk says {status.trading_state} under {latch.name} {latch.version}"
                self._findings.add("KS-6", text)
        stored = self._risk.latches()
        for latch in [known for known in self._known if known not in stored]:
            since_ns = self._known.pop(latch)
            is_renewed = any(
                (one.name, one.scope, one.scope_id) == (latch.name, latch.scope, latch.scope_id)
                for one in stored
            )
            if latch not in self._asked and not is_renewed:
                lasted_ms = (now.boot_ns - since_ns) // NS_PER_MS
                text = f"{latch.name} {latch.version} was cleared by nobody after {lasted_ms} ms"
                self._findings.add("INV-9", text)
        for latch in stored:
            self._known.setdefault(latch, now.boot_ns)
        halts = any(latch.halts for latch in self._held())
        self._is_zero = halts and status.fence == "zero" and status.trading_state == "HALTED"

    def posted(self, order_id: OrderHash, now: Instant) -> None:
        """Judge the first byte of an order."""
        for latch in self._held():
            held_ns = now.boot_ns - self._known[latch]
            if latch.halts and held_ns > self._within_ns:
                held_ms = held_ns // NS_PER_MS
                self._findings.add("KS", f"{order_id} left {held_ms} ms after {latch.name} latched")

    def judge_venue(self) -> None:
        """Judge that after zero was proven under a latch nothing of ours comes to be open."""
        if self._is_zero and (found := self._venue.open_ids()):
            self._findings.add("S2", f"{found[0]} is live under a latch, after the proof of zero")

    def _held(self) -> list[Latched]:
        return [latch for latch in self._known if latch not in self._asked]


class GrantChecker:
    """RV-1 and KS-6: trading begins with nothing open, and where it reduces it only reduces."""

    def __init__(self, findings: Findings, ledger: LedgerTruth, venue: VenueTruth) -> None:
        self._findings = findings
        self._ledger = ledger
        self._venue = venue
        self._epoch = 0
        self._states: dict[Incarnation, tuple[int, str]] = {}

    def told(self, status: RiskStatus) -> None:
        """Judge risk's own words: what trades has proven its newest fence.

        REDUCING says what may be and not that it is granted: it stands above PAUSED.
        """
        if status.trading_state == "ACTIVE" and status.fence not in PROVEN:
            self._findings.add("RV-1", f"ACTIVE with a fence that is {status.fence}")

    def ordered(self, incarnation: Incarnation, ping: Ping) -> None:
        """Take a ping in as it reaches an execution."""
        lease = ping.lease
        if lease is None or lease.incarnation != incarnation:
            return
        if lease.epoch > self._epoch:
            self._epoch = lease.epoch
            if found := self._venue.open_ids():
                text = f"epoch {lease.epoch} is granted while {found[0]} is open"
                self._findings.add("RV-1", text)
        self._states[incarnation] = (lease.epoch, lease.state)

    def posted(self, incarnation: Incarnation, order_id: OrderHash, epoch: int) -> None:
        """Judge the first byte of an order by the newest lease of its sender."""
        granted = self._states.get(incarnation)
        if granted is None or granted[0] != epoch or granted[1] != "REDUCING":
            return
        row = self._ledger.intent(order_id)
        if row is not None and not row.reduce_only:
            self._findings.add("KS-6", f"{order_id} is a {row.purpose} while only closing may be")
