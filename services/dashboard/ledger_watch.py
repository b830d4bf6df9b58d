"""Reads the ledger in a thread of its own: short transactions, the newest rows, seldom everything.

Impure. The loop never waits for SQLite. Between two whole readings only what is recent is read
again: rows change while their trades settle, and are still after that.
"""

import threading
from pathlib import Path
from queue import SimpleQueue

from bus import clock
from bus.edge import Edge
from bus.ledger_reader import LedgerReader, Unreadable
from services.dashboard.messages import LedgerRead, LedgerUnread
from shared.effects import Message
from shared.units import NS_PER_S, Instant, MonotonicNs

EVERY_S = 2.0
WHOLE_EVERY_NS = 900 * NS_PER_S
"""A ledger of a hundred thousand fills takes half a second of this thread."""

SETTLING_MS = 600_000
"""How far back rows are read again: the venue settles a trade within minutes."""

TOLD_MAX = 2
"""Readings that wait for a loop that does not turn; no further one is made meanwhile."""

PAYOUTS_MAX = 500
"""Newest ones read again: a day of five-minute markets of one asset."""


class LedgerWatch(Edge):
    """Brings the ledger's rows to the core."""

    def __init__(self, path: Path, every_s: float = EVERY_S) -> None:
        """Begin to read at once; the file need not exist yet."""
        self._every_s = every_s
        self._reader = LedgerReader(path)
        self._told: SimpleQueue[LedgerRead | LedgerUnread] = SimpleQueue()
        self._ended = threading.Event()
        self._whole_ns: MonotonicNs | None = None
        self._newest_ms = 0
        self._events = -1
        self._thread = threading.Thread(target=self._read_on, name="ledger", daemon=True)
        self._thread.start()

    def on_tick(self, now: Instant) -> list[Message]:
        """Hand over what the thread has read."""
        messages: list[Message] = []
        while not self._told.empty():
            messages.append(self._told.get_nowait())
        return messages

    def close(self) -> None:
        """End the thread; it waits for nothing longer than the reader's own limit."""
        self._ended.set()
        self._thread.join(EVERY_S)

    def _read_on(self) -> None:
        while not self._ended.is_set():
            if self._told.qsize() < TOLD_MAX:
                self._told.put(self.read())
            self._ended.wait(self._every_s)

    def read(self) -> LedgerRead | LedgerUnread:
        """Read once: everything at first and now and then, what may have changed else."""
        began_ns = clock.read().monotonic_ns
        summary = self._reader.summary()
        if isinstance(summary, Unreadable):
            return self._unread(summary, began_ns)
        whole = self._whole_ns is None or began_ns - self._whole_ns > WHOLE_EVERY_NS
        if summary.events == self._events and not whole:
            return LedgerRead((), (), False, False, summary.as_of_wall_ns, began_ns)
        since_ms = 0 if whole else self._newest_ms - SETTLING_MS
        fills = self._reader.fills(since_ms=since_ms)
        if isinstance(fills, Unreadable):
            return self._unread(fills, began_ns)
        payouts = self._reader.payouts() if whole else self._reader.payouts(rows_max=PAYOUTS_MAX)
        if isinstance(payouts, Unreadable):
            return self._unread(payouts, began_ns)
        if whole:
            self._whole_ns = began_ns
        self._events = summary.events
        self._newest_ms = max([self._newest_ms, *(row.match_ms for row in fills.rows)])
        is_cut = fills.is_cut or (whole and payouts.is_cut)
        as_of_ns = min(fills.as_of_wall_ns, payouts.as_of_wall_ns)
        return LedgerRead(fills.rows, payouts.rows, whole, is_cut, as_of_ns, began_ns)

    def _unread(self, problem: Unreadable, began_ns: MonotonicNs) -> LedgerUnread:
        """Start anew when it can be read again: it may be another file then."""
        self._whole_ns = None
        return LedgerUnread(f"ledger {problem.why}", began_ns)
