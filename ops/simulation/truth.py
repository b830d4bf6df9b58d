"""What is durable, read from the files themselves, whoever is alive or believes what.

Opens the ledger read-only beside execution, as any reader does.
"""

import sqlite3
from pathlib import Path

from ops.simulation.checkers import Intent
from shared.identifiers import OrderHash
from shared.ledger_schema import LEDGER_FILE
from shared.orders import EXPOSED

_COLUMNS = "SELECT order_id, intent, state, epoch, purpose FROM orders"
_STATES = ", ".join(f"'{state}'" for state in sorted(EXPOSED))


class LedgerFile:
    """The ledger of a run (`ops.simulation.checkers.LedgerTruth`)."""

    def __init__(self, directory: Path) -> None:
        """Open nothing before the file is there."""
        self._path = directory / LEDGER_FILE
        self._connection: sqlite3.Connection | None = None

    def intent(self, order_id: OrderHash) -> Intent | None:
        """Return the row of an order, None when there is none."""
        rows = self._read(f"{_COLUMNS} WHERE order_id = ?", order_id)
        return rows[0] if rows else None

    def exposed(self, intent: str) -> list[Intent]:
        """Return the rows of an intent that may be or may come to be in the market."""
        return self._read(f"{_COLUMNS} WHERE state IN ({_STATES}) AND intent = ?", intent)

    def all_exposed(self) -> list[Intent]:
        """Return every row that may be or may come to be in the market."""
        return self._read(f"{_COLUMNS} WHERE state IN ({_STATES})")

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()

    def _read(self, query: str, *values: str) -> list[Intent]:
        if self._connection is None:
            if not self._path.exists():
                return []
            address = f"{self._path.as_uri()}?mode=ro"
            self._connection = sqlite3.connect(address, uri=True, isolation_level=None)
        return [
            Intent(OrderHash(order_id), intent, state, epoch, purpose)
            for order_id, intent, state, epoch, purpose in self._connection.execute(query, values)
        ]
