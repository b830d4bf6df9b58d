"""Folds the ledger's write-ahead log into its file, from a thread beside the loop.

Impure. A checkpoint copies pages and syncs the file, which beside a noisy writer takes as
long as a lease: it has no place in the loop that renews one. The thread has a connection of
its own, and SQLite lets go of the interpreter while it works. A passive checkpoint waits for
nobody and makes nobody wait: readers and the writer go on, and what they hold stays for the
next one. Source: SQLite's documentation of PRAGMA wal_checkpoint.
"""

import sqlite3
import threading
from pathlib import Path
from typing import Final

EVERY_S: Final = 30.0
"""Some hundred orders of log; the automatic one falls into whatever turn fills the log."""

CLOSE_S: Final = 1.0
"""How long the end of the process waits for one that is under way; the kernel ends it then."""


class Checkpoints:
    """The thread; it takes no part in anything that is decided or sent."""

    def __init__(self, path: Path, every_s: float = EVERY_S) -> None:
        """Begin.

        Args:
            path: Of a ledger that has been opened, and so has its tables.
            every_s: Seconds between two checkpoints, above zero.
        """
        self._every_s = every_s
        self._database = sqlite3.connect(
            path, timeout=0.0, isolation_level=None, check_same_thread=False
        )
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; what is not folded stays in the log, where the next start finds it."""
        self._closing.set()
        self._thread.join(CLOSE_S)

    def _work(self) -> None:
        """Fold now and then until the end."""
        while not self._closing.wait(self._every_s):
            fold(self._database)
        self._database.close()


def fold(database: sqlite3.Connection) -> bool:
    """Fold what can be folded now; False when the file did not let us, which harms nothing."""
    try:
        database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except sqlite3.Error:
        # The log stays as it is, and the next try folds more; the writer tells of a bad disk.
        return False
    return True
