"""What waits for the ledger, and what to do when a commit fails.

An intent is journaled in the turn in which it is made, since its post rests on it. Every
other record may wait a moment and share a commit: lost in a crash, it is asked of the venue
again at the next start. When a commit fails, everything that may have been in it is written
again (a row twice is the same row), nothing is placed until a later commit holds, and
cancels go on: they never wait for a disk.
"""

from typing import Final

from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from shared.effects import Effect, JournalFailed, Log, Publish
from shared.facts import Alert
from shared.ledger_schema import AnyRecord, Journal, OrderRecord
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant

RETRY_NS: Final = NS_PER_S
"""Between tries of a ledger that refuses: a full disk does not empty faster."""

SHARE_NS: Final = 200 * NS_PER_MS
"""How long other records may wait for company: a full sync takes 1 to 100 ms beside a noisy
writer (measured), and holds the whole loop up."""

AT_ONCE: Final = frozenset({"INTENDED", "NOT_SENT"})
"""A post rests on the one, the answer QUIET on the other."""

QUIET_TICKS: Final = 2
"""A commit's failure is heard before the second tick after it."""


class Journaling:
    """The records of this turn and of those whose commit is not certain yet.

    Attributes:
        fault: Why the newest commit failed; empty once a later one has held.
        is_hurried: Whether nothing may wait: on the way to zero, answers rest on the ledger.
    """

    def __init__(self, register: OrderRegister, positions: Positions) -> None:
        """Journal what these two note."""
        self._register = register
        self._positions = positions
        self._waiting: list[AnyRecord] = []
        self._given: list[AnyRecord] = []
        self._older: list[AnyRecord] = []
        self._retry_ns = BootNs(0)
        self._quiet_ticks = 0
        self._waits_since_ns: BootNs | None = None
        self.is_hurried = False
        self.fault = ""

    @property
    def is_settled(self) -> bool:
        """Whether every record is on disk for certain."""
        waits = self._waiting or self._register.unjournaled or self._positions.unjournaled
        return not (waits or self._given or self._older or self.fault)

    def add(self, record: AnyRecord) -> None:
        """Let a record wait for this turn's commit."""
        self._waiting.append(record)

    def take(self, now: Instant) -> list[Effect]:
        """Return the journal of this moment; nothing while a failed ledger rests."""
        if self.fault and now.boot_ns < self._retry_ns:
            return []
        records = [
            *self._waiting,
            *self._register.unjournaled.values(),
            *self._positions.unjournaled,
        ]
        if not records or not self._is_due(records, now):
            return []
        self._waiting.clear()
        self._register.unjournaled.clear()
        self._positions.unjournaled.clear()
        self._given += records
        self._waits_since_ns = None
        self._quiet_ticks = 0
        self._retry_ns = BootNs(now.boot_ns + RETRY_NS)
        return [Journal(tuple(records))]

    def _is_due(self, records: list[AnyRecord], now: Instant) -> bool:
        """Whether a commit is needed now: something rests on it, or a record has waited."""
        if self.is_hurried or any(
            isinstance(r, OrderRecord) and r.state in AT_ONCE for r in records
        ):
            return True
        if self._waits_since_ns is None:
            self._waits_since_ns = now.boot_ns
        return now.boot_ns - self._waits_since_ns >= SHARE_NS

    def tick(self, now: Instant) -> None:
        """Let time pass: what was given two ticks ago without a failure is on disk."""
        self._older, self._given = self._given, []
        if self._older:
            self._quiet_ticks = 0
            return
        self._quiet_ticks += 1
        if self.fault and self._quiet_ticks >= QUIET_TICKS and self.has_nothing_waiting:
            self.fault = ""

    @property
    def has_nothing_waiting(self) -> bool:
        """Whether no record waits to be written again."""
        return not (self._waiting or self._register.unjournaled or self._positions.unjournaled)

    def on_failed(self, failed: JournalFailed, now: Instant) -> list[Effect]:
        """Take a failure in: what was given is not on disk."""
        lost = [*self._older, *self._given]
        self._older, self._given = [], []
        orders = {r.order_id: r for r in lost if isinstance(r, OrderRecord)}
        self._register.rejournal(orders.values())
        others: list[AnyRecord] = [r for r in lost if not isinstance(r, OrderRecord)]
        self._waiting = [*others, *self._waiting]
        self._retry_ns = BootNs(now.boot_ns + RETRY_NS)
        self._quiet_ticks = 0
        is_new = not self.fault
        self.fault = failed.reason or "the ledger refused a commit"
        if not is_new:
            return []
        alert = Alert("critical", "ledger_failed", self.fault, "ledger_failed")
        return [
            Log("ledger.failed", {"why": self.fault}, "critical"),
            Publish("risk.alert", alert, now.monotonic_ns),
        ]
