"""What risk wants on disk: latches, reserved epochs and the audit chain, in one order.

Gathers the records of a turn into one write, and tells which records have become durable. Waits
for nothing: what must wait for a write (announcing a latch, its proof, a resume) asks here
whether it is done.
"""

from collections import deque

from services.risk.messages import Persist, StoredState
from shared.effects import Effect
from shared.risk_schema import (
    AuditEntry,
    CapitalSet,
    EpochReserved,
    Kept,
    KeyUsed,
    LatchCleared,
    LatchRow,
    RiskRecord,
    chain,
)
from shared.units import WallNs

WAITING_MAX = 1_000
"""Writes waiting for a disk that does not answer. Above it audit entries are counted instead of
kept; latches and epochs are kept always, and there are few of them."""


class Writes:
    """Records on their way to the disk.

    Attributes:
        trouble: Why the newest attempt failed; empty when it did not.
        dropped: Audit entries that found no room.
        clean_run: What the trail says of the present run, its newest entry included.
    """

    def __init__(self, stored: StoredState) -> None:
        self.trouble = stored.trouble
        self.dropped = 0
        self.clean_run = stored.clean_run
        self._sequence = stored.audit_sequence
        self._tip = stored.audit_hash
        self._next_id = 1
        self._gathered: list[RiskRecord] = []
        self._waiting: deque[Persist] = deque()

    @property
    def next_id(self) -> int:
        """Number of the write that the records of this turn will be in."""
        return self._next_id

    @property
    def is_idle(self) -> bool:
        """Whether everything is on disk."""
        return not self._waiting and not self._gathered

    def audit(self, entry: AuditEntry, wall_ns: WallNs) -> None:
        """Add an entry to the trail."""
        if len(self._waiting) >= WAITING_MAX:
            self.dropped += 1
            return
        self._sequence += 1
        row = chain(self._sequence, wall_ns, entry, self._tip)
        self._tip = row.hash
        self.clean_run = self.clean_run.after(entry, wall_ns)
        self._gathered.append(row)

    def add(
        self, *records: LatchRow | LatchCleared | EpochReserved | CapitalSet | Kept | KeyUsed
    ) -> None:
        """Add records that are not of the trail."""
        self._gathered.extend(records)

    def flush(self) -> list[Effect]:
        """Return the write of this turn, if there is anything to write."""
        if not self._gathered:
            return []
        write = Persist(self._next_id, tuple(self._gathered))
        self._next_id += 1
        self._gathered = []
        self._waiting.append(write)
        return [write]

    def persisted(self, write_id: int) -> tuple[Persist, ...]:
        """Take a write as done, with all before it, and return them."""
        self.trouble = ""
        done = []
        while self._waiting and self._waiting[0].write_id <= write_id:
            done.append(self._waiting.popleft())
        return tuple(done)

    def failed(self, reason: str) -> None:
        """Take note that the disk refuses; the write will be tried again."""
        self.trouble = reason
