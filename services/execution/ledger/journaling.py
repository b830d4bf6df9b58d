"""What waits for the ledger, what the ledger has said it holds, and what to do when it fails.

An intent is journaled in the turn in which it is made, since its post rests on it. Every
other record may wait a moment and share a commit: lost in a crash, it is asked of the venue
again at the next start. A record counts as on disk when the ledger has said so (`JournalHeld`),
never before. While a commit takes long nothing new is intended; while it takes very long, or
has failed, everything is cancelled too, and cancels wait for no disk.

After a failure everything that was not said to be held is written again (a row twice is the
same row), in one journal; nothing is placed until that one is held. What waits is at most the
newest row of each key, however long a disk refuses.
"""

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Final

import msgspec

from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from shared.effects import Effect, JournalFailed, JournalHeld, Log, Publish
from shared.facts import Alert
from shared.ledger_schema import (
    AnchorRecord,
    AnyRecord,
    EpochRecord,
    FillRecord,
    IdentityRecord,
    Journal,
    OrderRecord,
    PayoutRecord,
)
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant

RETRY_NS: Final = NS_PER_S
"""Between tries of a ledger that refuses: a full disk does not empty faster."""

SHARE_NS: Final = 200 * NS_PER_MS
"""How long other records may wait for company: a full sync takes 1 to 100 ms beside a noisy
writer (measured), and what is intended meanwhile waits behind it."""

SLOW_NS: Final = 100 * NS_PER_MS
"""A commit of this age keeps new intents out: their posts would wait behind it, and a post may
wait 200 ms in all (`POST_WAIT_NS_MAX`). Syncs on a quiet disk take 1 to 10 ms (measured)."""

STUCK_NS: Final = 5 * NS_PER_S
"""A disk that has said nothing for so long counts as one that refuses: what is filled now would
be known to nobody after a crash, so nothing is left in the market."""

AT_ONCE: Final = frozenset({"INTENDED", "NOT_SENT"})
"""A post rests on the one, the answer QUIET on the other."""


class Given(msgspec.Struct, frozen=True):
    """Records that are on their way to the disk.

    Attributes:
        number: Of their journal.
        since_ns: When they were given.
    """

    number: int
    since_ns: BootNs
    records: tuple[AnyRecord, ...]


class Journaling:
    """The records that wait, and those that were given and are not held yet.

    Attributes:
        is_hurried: Whether nothing may wait: on the way to zero, answers rest on the ledger.
    """

    def __init__(self, register: OrderRegister, positions: Positions) -> None:
        """Journal what these two note."""
        self._register = register
        self._positions = positions
        self._waiting: dict[Hashable, AnyRecord] = {}
        self._given: deque[Given] = deque()
        self._number = 0
        self._failed_number = 0
        self._failure = ""
        self._stuck = ""
        self._retry_ns = BootNs(0)
        self._held_ns = BootNs(0)
        self._waits_since_ns: BootNs | None = None
        self.is_hurried = False

    @property
    def fault(self) -> str:
        """Why the ledger cannot be relied on now; empty while it can."""
        return self._failure or self._stuck

    @property
    def is_settled(self) -> bool:
        """Whether every record is on disk, as the ledger itself has said."""
        return not (self._given or self.fault or self._has_waiting)

    @property
    def _has_waiting(self) -> bool:
        """Whether a record has not been given to the ledger yet."""
        return bool(self._waiting or self._register.unjournaled or self._positions.unjournaled)

    def slow_ns(self, now: Instant) -> int:
        """Return the age of the oldest journal that is not held; 0 when all are."""
        return now.boot_ns - self._given[0].since_ns if self._given else 0

    def add(self, record: AnyRecord) -> None:
        """Let a record wait for this turn's commit."""
        _keep_newest(self._waiting, (record,))

    def take(self, now: Instant) -> list[Effect]:
        """Return the journal of this moment; nothing while a ledger that has a fault rests."""
        if self._stuck or (self._failure and now.boot_ns < self._retry_ns):
            return []
        if not self._has_waiting or not self._is_due(now):
            return []
        _keep_newest(self._waiting, self._register.unjournaled.values())
        _keep_newest(self._waiting, self._positions.unjournaled)
        records = tuple(self._waiting.values())
        self._waiting.clear()
        self._register.unjournaled.clear()
        self._positions.unjournaled.clear()
        self._waits_since_ns = None
        self._retry_ns = BootNs(now.boot_ns + RETRY_NS)
        self._number += 1
        self._given.append(Given(self._number, now.boot_ns, records))
        return [Journal(records, number=self._number)]

    def _is_due(self, now: Instant) -> bool:
        """Whether a commit is needed now: something rests on it, or a record has waited."""
        orders = (*self._register.unjournaled.values(), *self._waiting.values())
        if self.is_hurried or any(
            isinstance(r, OrderRecord) and r.state in AT_ONCE for r in orders
        ):
            return True
        if self._waits_since_ns is None:
            self._waits_since_ns = now.boot_ns
        # Behind a commit that is under way a further one brings nothing to the disk sooner.
        return now.boot_ns - self._waits_since_ns >= SHARE_NS and not self._given

    def watch(self, now: Instant) -> list[Effect]:
        """Look at how long the ledger has said nothing; before anything is decided in a tick."""
        if self._stuck or not self._given:
            return []
        silent_ns = now.boot_ns - max(self._held_ns, self._given[0].since_ns)
        if silent_ns < STUCK_NS:
            return []
        self._stuck = f"a commit has been under way for {silent_ns // NS_PER_MS} ms"
        return [] if self._failure else _alarm(self._stuck, now)

    def on_held(self, held: JournalHeld, now: Instant) -> None:
        """Take in what is on disk; what a failure has cost is, once all after it is held."""
        while self._given and self._given[0].number <= held.number:
            self._given.popleft()
        self._held_ns = now.boot_ns
        self._stuck = ""
        if held.number > self._failed_number:
            self._failure = ""

    def on_failed(self, failed: JournalFailed, now: Instant) -> list[Effect]:
        """Take a failure in: nothing that was not said to be held is certain."""
        lost: dict[Hashable, AnyRecord] = {}
        for given in self._given:
            _keep_newest(lost, given.records)
        self._given.clear()
        self._register.rejournal(r for r in lost.values() if isinstance(r, OrderRecord))
        _keep_newest(lost, self._waiting.values())
        self._waiting = {k: r for k, r in lost.items() if not isinstance(r, OrderRecord)}
        self._retry_ns = BootNs(now.boot_ns + RETRY_NS)
        self._failed_number = self._number
        self._stuck = ""
        is_new = not self._failure
        self._failure = failed.reason or "the ledger refused a commit"
        return _alarm(self._failure, now) if is_new else []


def _keep_newest(kept: dict[Hashable, AnyRecord], records: Iterable[AnyRecord]) -> None:
    """Add records to others, each in place of an older row of its key."""
    for record in records:
        key = _row_key(record)
        kept.pop(key, None)
        kept[key] = record


def _row_key(record: AnyRecord) -> Hashable:
    """Return what a row replaces another one by."""
    match record:
        case OrderRecord():
            return record.order_id
        case FillRecord():
            return record.trade_id, record.order_id
        case PayoutRecord():
            return record.market, record.token, record.strategy
        case IdentityRecord() | EpochRecord() | AnchorRecord():
            return type(record)


def _alarm(why: str, now: Instant) -> list[Effect]:
    """Tell people that the ledger cannot be relied on."""
    return [
        Log("ledger.failed", {"why": why}, "critical"),
        Publish(
            "risk.alert", Alert("critical", "ledger_failed", why, "ledger-failed"), now.monotonic_ns
        ),
    ]
