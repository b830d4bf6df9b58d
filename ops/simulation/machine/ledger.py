"""The ledger of a machine: what was committed and nothing else, faithful record by record.

Keeps the rows that the real file's projections would hold, each through the bytes of its
event, and opens again as the real one does. No file: a walk makes thousands of commits.
"""

from collections.abc import Iterable

from ops.simulation.checkers import Intent
from services.execution.startup import OpenedLedger
from shared.identifiers import OrderHash, TradeId
from shared.ledger_schema import (
    AnyRecord,
    EpochRecord,
    FillRecord,
    IdentityRecord,
    OrderRecord,
    PayoutRecord,
    decode_record,
    encode_record,
)
from shared.orders import EXPOSED


class MemoryLedger:
    """Committed rows (`ops.simulation.checkers.LedgerTruth`).

    Attributes:
        orders: Newest row of each order, in the order of their making; fills and payouts likewise.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.orders: dict[OrderHash, OrderRecord] = {}
        self.fills: dict[tuple[TradeId, OrderHash], FillRecord] = {}
        self.payouts: dict[tuple[str, str, str], PayoutRecord] = {}
        self._identity: IdentityRecord | None = None
        self._epoch = 0
        self._by_intent: dict[str, dict[OrderHash, None]] = {}

    def commit(self, records: Iterable[AnyRecord]) -> None:
        """Take one turn's records in, all of them or, if this is not called, none."""
        for record in records:
            self._project(decode_record(encode_record(record)))

    def opened(self) -> OpenedLedger:
        """Return what a new run reads."""
        return OpenedLedger(
            identity=self._identity,
            epoch=self._epoch,
            orders=tuple(self.orders.values()),
            fills=tuple(self.fills.values()),
            payouts=tuple(self.payouts.values()),
        )

    def intent(self, order_id: OrderHash) -> Intent | None:
        """Return the row of an order, None when there is none."""
        row = self.orders.get(order_id)
        return None if row is None else Intent(order_id, row.intent, row.state, row.epoch)

    def exposed(self, intent: str) -> list[Intent]:
        """Return the rows of an intent that may be or may come to be in the market."""
        rows = (self.orders[order_id] for order_id in self._by_intent.get(intent, ()))
        return [
            Intent(row.order_id, row.intent, row.state, row.epoch)
            for row in rows
            if row.state in EXPOSED
        ]

    def _project(self, record: AnyRecord) -> None:
        match record:
            case OrderRecord():
                self.orders[record.order_id] = record
                self._by_intent.setdefault(record.intent, {})[record.order_id] = None
            case FillRecord():
                self.fills[(record.trade_id, record.order_id)] = record
            case PayoutRecord():
                self.payouts[(record.market, record.token, record.strategy)] = record
            case EpochRecord():
                self._epoch = record.epoch
            case IdentityRecord():
                self._identity = record
