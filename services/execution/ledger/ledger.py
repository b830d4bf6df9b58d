"""The ledger's writer: one transaction for each turn, on disk before anything that rests on it.

An edge that takes `Journal` effects and syncs within the call: the loop has it behind a thread
(`bus/writer.py`), a simulation behind a disk of its own. Events are hash-chained and projected
in the same transaction (`appending.py`). The file is opened by `opening.py` and
verified by `start.py`; a ledger that does not agree with itself is not traded on.
Checkpoints are made beside the loop (`checkpoints.py`).

    LedgerFault(Exception)  local: the file is of another schema or damaged
    LedgerHeld(LedgerFault) local: it is held by another connection at this moment
    CommitFailed            (of the bus) local: a turn's records are not on disk
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from bus.edge import CommitFailed, Edge
from bus.ledger_proof import Broken
from bus.ledger_reader import is_held
from services.execution.ledger.appending import ANCHOR_EVENTS, Appender
from services.execution.ledger.fault import LedgerFault, LedgerHeld
from services.execution.ledger.migration import Connect
from services.execution.ledger.opening import connect_file, open_file
from services.execution.ledger.start import open_verified
from services.execution.startup import OpenedLedger
from shared.effects import Effect, Message
from shared.ledger_schema import Journal, OrderRecord
from shared.units import Instant

ANCHOR_EVENTS_MAX: Final = 2 * ANCHOR_EVENTS
"""After so many events an anchor rides on a commit even if a post waits for it: some 5 ms, once in
a hundred orders. An order has two events at least, so that an anchor retires as many as came."""


HELD_TRIES_MAX: Final = 30
HELD_PAUSE_S: Final = 0.1
"""Nine seconds in all, of which each try waits `opening.BUSY_MS`: a log is recovered in less than
one, and a file that is held for longer is held by somebody whom people have to find."""


class Ledger(Edge):
    """Writes the ledger.

    Attributes:
        opened: What it said when it was opened.
    """

    handles = (Journal,)

    def __init__(self, path: Path, now: Instant, connect: Connect = connect_file) -> None:
        """Open, create or migrate the file, and verify what a start rests on.

        Args:
            path: Of the file; its copies and its log stand beside it.
            now: Judges what is recent.
            connect: Opens a database file for its one writer.

        Raises:
            LedgerHeld: Another connection holds the file; it may be free a moment later.
            LedgerFault: Of another schema, damaged, or held by another process.
            OSError: The directory takes no file.
        """
        try:
            self._database = open_file(path, now, connect)
        except sqlite3.Error as error:
            raise _fault(path, error) from error
        try:
            self.opened = open_verified(self._database, now)
            self._appender = Appender(self._database)
        except (Broken, sqlite3.Error) as error:
            self._database.close()
            raise _fault(path, error) from error
        self._is_begun = False
        self._has_intent = False
        self._is_lost = False

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Write a journal's records into the open transaction of this turn."""
        assert isinstance(effect, Journal), f"not of this edge: {effect}"
        try:
            if self._is_lost:
                self._go_back()
            if not self._is_begun:
                self._database.execute("BEGIN IMMEDIATE")
                self._is_begun, self._has_intent = True, False
            for record in effect.records:
                self._appender.append(record, now)
                self._has_intent |= isinstance(record, OrderRecord) and record.state == "INTENDED"
        except sqlite3.Error as error:
            self._abandon()
            raise CommitFailed(f"ledger: {error}") from error
        return []

    def commit(self, now: Instant) -> None:
        """Put this turn's records on disk.

        Raises:
            CommitFailed: They are not there; the transaction is rolled back.
        """
        if not self._is_begun:
            return
        try:
            if self._is_anchor_wanted():
                self._appender.append_anchor(now)
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._abandon()
            raise CommitFailed(f"ledger: {error}") from error
        self._is_begun = False

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._database.close()

    def _is_anchor_wanted(self) -> bool:
        """Whether this commit carries an anchor: rather one that no post waits for."""
        events = self._appender.events_since_anchor
        return events >= (ANCHOR_EVENTS_MAX if self._has_intent else ANCHOR_EVENTS)

    def _abandon(self) -> None:
        """Roll back; what the disk does not tell now is read before the next records."""
        self._is_begun, self._is_lost = False, True
        with suppress(sqlite3.Error):
            self._go_back()

    def _go_back(self) -> None:
        """Go on from what is on disk.

        Raises:
            sqlite3.Error: It cannot be read.
        """
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        self._appender.reload()
        self._is_lost = False


def open_waiting(path: Path, now: Instant, pause: Callable[[float], object]) -> Ledger:
    """Open the ledger, waiting a while for whoever holds the file.

    After a kill the first connection recovers the log and holds the file meanwhile: that may be
    a reader, of the dashboard or of a command, and must not cost a start.

    Args:
        path: Of the file.
        now: Judges what is recent.
        pause: Lets seconds pass.

    Raises:
        LedgerHeld: Somebody holds the file for longer.
        LedgerFault, OSError: As `Ledger`.
    """
    for _ in range(HELD_TRIES_MAX - 1):
        try:
            return Ledger(path, now)
        except LedgerHeld:
            pause(HELD_PAUSE_S)
    return Ledger(path, now)


def _fault(path: Path, error: Exception) -> LedgerFault:
    """Return what an error of the database means."""
    is_held_now = isinstance(error, sqlite3.OperationalError) and is_held(error)
    return (LedgerHeld if is_held_now else LedgerFault)(f"{path}: {error}")


class NoLedger(Edge):
    """Stands where a ledger cannot be used: every commit fails, so nothing is ever placed.

    Attributes:
        opened: A ledger with nothing but its fault.
    """

    handles = (Journal,)

    def __init__(self, fault: str) -> None:
        """Take why there is none."""
        self.opened = OpenedLedger(fault=fault)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Refuse.

        Raises:
            CommitFailed: Always.
        """
        raise CommitFailed(self.opened.fault)
