"""What the venue and the ledger each say of one account, as plain numbers of base units.

Knows nothing of the system under test but its ledger's rows. Numbers of the wire are read with
Decimal, so that no rounding of ours can hide in the judgement (`agreement.py`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from shared.ledger_schema import FillRecord, OrderRecord, PayoutRecord
from tests.processes.wire_log import OPEN_STATUSES, WireRecord


class VenueOrder(msgspec.Struct):
    """An order as the venue's log tells it.

    Attributes:
        ended_wall_ns: 0 while it is open.
        status: The venue's own word, newest.
    """

    order_id: str
    market: str
    token: str
    side: str
    price_e4: int
    size_e6: int
    filled_e6: int
    status: str
    placed_wall_ns: int
    ended_wall_ns: int = 0


class VenueFill(msgspec.Struct):
    """One leg of one trade as the venue's log tells it; money is above zero for both sides."""

    order_id: str
    market: str
    token: str
    side: str
    role: str
    price_e4: int
    size_e6: int
    money_e6: int
    fee_e6: int


class Balances(msgspec.Struct, frozen=True):
    """What the venue says an account has: money less what was deposited, and shares by token."""

    earned_e6: int
    shares_e6: Mapping[str, int]


class VenueSide:
    """Everything that the venue says of one account, folded from its log as it grows.

    Attributes:
        orders: Every order that it ever accepted, by id.
        fills: By trade and order.
        paid_e6: Payouts by token.
        told_twice: Legs of trades that its log has more than once.
    """

    def __init__(self, account: str) -> None:
        """Begin with nothing told."""
        self.orders: dict[str, VenueOrder] = {}
        self.fills: dict[tuple[str, str], VenueFill] = {}
        self.paid_e6: Counter[str] = Counter()
        self.told_twice: list[tuple[str, str]] = []
        self._account = account.lower()
        self._posts: Counter[str] = Counter()
        self._settled: dict[str, str] = {}

    def take(self, records: Iterable[WireRecord]) -> None:
        """Fold further records in."""
        for record in records:
            self._take(record)

    def posts(self, order_id: str) -> int:
        """Return how many posts of an order the venue has taken in."""
        return self._posts[order_id]

    def settlement(self, trade_id: str) -> str:
        """Return how far a trade's settlement has come."""
        return self._settled.get(trade_id, "MATCHED")

    def open_ids(self) -> set[str]:
        """Return the orders that are open by the log."""
        return {one.order_id for one in self.orders.values() if one.status in OPEN_STATUSES}

    def _take(self, record: WireRecord) -> None:
        if record["kind"] == "trade":
            self._settled[record["trade_id"]] = record["status"]
        elif record.get("account", "").lower() != self._account:
            return
        elif record["kind"] == "post":
            self._posts[record["order_id"]] += 1
        elif record["kind"] == "order":
            self._take_order(record)
        elif record["kind"] == "fill":
            self._take_fill(record)
        elif record["kind"] == "payout":
            self.paid_e6[record["token"]] += units(record["payout"], 6)

    def _take_order(self, record: WireRecord) -> None:
        if record["change"] == "PLACEMENT":
            self.orders[record["order_id"]] = VenueOrder(
                order_id=record["order_id"],
                market=record["market"],
                token=record["token"],
                side=record["side"],
                price_e4=units(record["price"], 4),
                size_e6=units(record["size"], 6),
                filled_e6=units(record["filled"], 6),
                status=record["status"],
                placed_wall_ns=record["wall_ns"],
            )
        order = self.orders[record["order_id"]]
        order.status = record["status"]
        order.filled_e6 = units(record["filled"], 6)
        if record["status"] not in OPEN_STATUSES:
            order.ended_wall_ns = record["wall_ns"]

    def _take_fill(self, record: WireRecord) -> None:
        key = (record["trade_id"], record["order_id"])
        if key in self.fills:
            self.told_twice.append(key)
        self.fills[key] = VenueFill(
            order_id=record["order_id"],
            market=record["market"],
            token=record["token"],
            side=record["side"],
            role=record["role"],
            price_e4=units(record["price"], 4),
            size_e6=units(record["size"], 6),
            money_e6=units(record["money"], 6),
            fee_e6=units(record["fee"], 6),
        )


class LedgerSide(msgspec.Struct, frozen=True):
    """Everything that the ledger says."""

    orders: Mapping[str, OrderRecord]
    fills: Mapping[tuple[str, str], FillRecord]
    payouts: tuple[PayoutRecord, ...]


def ledger_side(
    orders: Iterable[OrderRecord], fills: Iterable[FillRecord], payouts: Iterable[PayoutRecord]
) -> LedgerSide:
    """Return the ledger's side of it from its rows."""
    return LedgerSide(
        {str(row.order_id): row for row in orders},
        {(str(row.trade_id), str(row.order_id)): row for row in fills},
        tuple(payouts),
    )


def units(text: str, places: int) -> int:
    """Return a decimal of the wire in whole base units; what is finer is a fault of its own."""
    scaled = Decimal(text).scaleb(places)
    assert scaled == scaled.to_integral_value(), f"{text} is finer than a base unit"
    return int(scaled)
