"""What is durable, read from the files themselves, whoever is alive or believes what.

Opens the ledger read-only beside execution, as any reader does.
"""

import sqlite3
from pathlib import Path

from ops.simulation.authority import Latched
from ops.simulation.checkers import Intent
from ops.simulation.holdings import Key, Leg
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import LEDGER_FILE
from shared.orders import EXPOSED
from shared.risk_schema import RISK_FILE

_COLUMNS = (
    "SELECT order_id, intent, state, epoch, purpose, side, token, size_e6, reduce_only FROM orders"
)
_LEGS = (
    "SELECT market, token, strategy, trade_id, order_id, CASE WHEN settlement = 'FAILED' THEN 0 "
    "WHEN side = 'BUY' THEN size_e6 ELSE -size_e6 END FROM fills"
)
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

    def legs(self) -> list[tuple[Key, Leg, int]]:
        """Return every leg with its position, its name and its signed size, 0 if it failed."""
        connection = self._open()
        if connection is None:
            return []
        return [
            (
                (ConditionId(market), TokenId(token), StrategyName(strategy)),
                (TradeId(trade_id), OrderHash(order_id)),
                signed_e6,
            )
            for market, token, strategy, trade_id, order_id, signed_e6 in connection.execute(_LEGS)
        ]

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()

    def _read(self, query: str, *values: str) -> list[Intent]:
        connection = self._open()
        rows = () if connection is None else connection.execute(query, values)
        return [Intent(OrderHash(row[0]), *row[1:]) for row in rows]

    def _open(self) -> sqlite3.Connection | None:
        """Return a reader of the file; None before there is one."""
        if self._connection is None and self._path.exists():
            address = f"{self._path.as_uri()}?mode=ro"
            self._connection = sqlite3.connect(address, uri=True, isolation_level=None)
        return self._connection


class RiskDatabase:
    """Risk's database of a run (`ops.simulation.authority.RiskTruth`)."""

    def __init__(self, directory: Path) -> None:
        """Open nothing before the file is there."""
        self._path = directory / RISK_FILE
        self._connection: sqlite3.Connection | None = None

    def latches(self) -> tuple[Latched, ...]:
        """Return the latches that are on disk."""
        if self._connection is None:
            if not self._path.exists():
                return ()
            address = f"{self._path.as_uri()}?mode=ro"
            self._connection = sqlite3.connect(address, uri=True, isolation_level=None)
        rows = self._connection.execute("SELECT name, scope, scope_id, version FROM latches")
        return tuple(Latched(*row) for row in rows)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
