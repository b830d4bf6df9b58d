"""What the simulator's wire log proves: which orders rested when, and what was earned.

Knows nothing of the system under test. Money is recomputed with Decimal from the decimal
texts of the wire, so that no rounding of ours can hide in it.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

WireRecord = dict[str, Any]

OPEN_STATUSES = {"LIVE", "DELAYED"}

STAYS_EMPTY_NS = 300_000_000
"""Ten times what a requote leaves empty, and less than any recovery takes."""


class OpenOrders:
    """Clients' open orders, folded from the log; other makers have no owner and are left out.

    Attributes:
        open: Newest record of each open order by its id.
        changes: Time and number of open orders after each change.
        placed: Record of each placement, in order.
        ended: Wall time at which each order ended, by its id.
    """

    def __init__(self, chosen: Callable[[WireRecord], bool] | None = None) -> None:
        self.open: dict[str, WireRecord] = {}
        self.changes: list[tuple[int, int]] = []
        self.placed: list[WireRecord] = []
        self.ended: dict[str, int] = {}
        self._chosen = chosen

    def take(self, records: Iterable[WireRecord]) -> None:
        """Fold records in."""
        for record in records:
            if record["kind"] != "order" or not record["owner"]:
                continue
            if self._chosen is not None and not self._chosen(record):
                continue
            self._take(record)

    def _take(self, record: WireRecord) -> None:
        if record["change"] == "PLACEMENT":
            self.placed.append(record)
        if record["status"] in OPEN_STATUSES:
            self.open[record["order_id"]] = record
        else:
            self.open.pop(record["order_id"], None)
            self.ended[record["order_id"]] = record["wall_ns"]
        self.changes.append((record["at_ns"], len(self.open)))

    def emptied_ns(self, since_ns: int, seen_to_ns: int) -> int | None:
        """Return when our book became empty for good; None while it has not.

        For good means for `STAYS_EMPTY_NS`: a requote cancels first, so that a book of two
        orders is empty for a moment without anything having vanished.

        Args:
            since_ns: From when on it counts.
            seen_to_ns: How far the log has been read.
        """
        empty_ns: int | None = since_ns
        for at_ns, count in self.changes:
            if empty_ns is not None and at_ns - empty_ns >= STAYS_EMPTY_NS:
                return empty_ns
            if count == 0:
                empty_ns = max(at_ns, since_ns) if empty_ns is None else empty_ns
            else:
                empty_ns = None
        if empty_ns is not None and seen_to_ns - empty_ns >= STAYS_EMPTY_NS:
            return empty_ns
        return None

    def resting_at(self, wall_ns: int) -> set[str]:
        """Return the orders that had been placed by a moment and had not ended."""
        return {
            row["order_id"]
            for row in self.placed
            if row["wall_ns"] < wall_ns < self.ended.get(row["order_id"], wall_ns + 1)
        }

    def placed_after(self, at_ns: int) -> list[WireRecord]:
        """Return the placements after a moment."""
        return [record for record in self.placed if record["at_ns"] > at_ns]


def profit_of(records: Iterable[WireRecord], account: str) -> Decimal:
    """Return sells less buys less fees plus payouts of an account, failed trades taken back."""
    failed: set[str] = set()
    kept = list(records)
    for record in kept:
        if record["kind"] == "trade" and record["status"] == "FAILED":
            failed.add(record["trade_id"])
    total = Decimal(0)
    for record in kept:
        if record.get("account", "").lower() != account.lower():
            continue
        if record["kind"] == "payout":
            total += Decimal(record["payout"])
        elif record["kind"] == "fill" and record["trade_id"] not in failed:
            total += money_of(record) - Decimal(record["fee"])
    return total


def money_of(fill: WireRecord) -> Decimal:
    """Return what a fill brought (above zero) or cost, by price times size."""
    money = Decimal(fill["price"]) * Decimal(fill["size"])
    assert money == Decimal(fill["money"]), "the venue's own product differs"
    return money if fill["side"] == "SELL" else -money


def in_markets(records: Iterable[WireRecord], markets: set[str]) -> list[WireRecord]:
    """Return fills, payouts and trade states that belong to some markets."""
    kept = list(records)
    trades = {row["trade_id"] for row in kept if row["kind"] == "fill" and row["market"] in markets}
    return [
        row
        for row in kept
        if (row["kind"] in ("fill", "payout") and row["market"] in markets)
        or (row["kind"] == "trade" and row["trade_id"] in trades)
    ]
