"""Two accounts of the same orders, held against each other: the venue's own and our ledger's.

The venue's is its wire log, its balances and its open orders; ours are the ledger's rows.
Pure: files and answers are read elsewhere. Every finding is one sentence; agreement is an
empty list.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from shared.ledger_schema import OrderRecord
from shared.orders import EXPOSED, TERMINAL
from tests.processes.accounts import Balances, LedgerSide, VenueOrder, VenueSide
from tests.processes.wire_log import OPEN_STATUSES

ADOPTED = "adopted"
"""Purpose of a row that execution made for an order that it had found at the venue."""

RESTING = frozenset({"LIVE", "PARTLY_FILLED"})

ENDS = {
    "MATCHED": frozenset({"FILLED"}),
    "CANCELED": frozenset({"CANCELED", "EXPIRED"}),
    "CANCELED_MARKET_RESOLVED": frozenset({"CANCELED", "EXPIRED"}),
    "INVALID": frozenset({"CANCELED"}),
}
"""Which states of ours an order may have ended in, by the status with which the venue ended it."""

NEVER_THERE = frozenset({"NOT_SENT", "REJECTED", "EXPIRED"})
"""States of an order that the venue never took."""


# --- while it runs ----------------------------------------------------------------


def unexplained(venue: VenueSide, ledger: LedgerSide) -> list[str]:
    """INV-2: every order that the venue ever accepted was intended before (OP-13: none is adopted).

    True at any moment of a run if the venue's log was read before the ledger.
    """
    found: list[str] = []
    for order in venue.orders.values():
        row = ledger.orders.get(order.order_id)
        if row is None:
            found.append(f"{order.order_id}: at the venue without an intent")
        elif row.purpose == ADOPTED:
            found.append(f"{order.order_id}: intended by nobody, adopted afterwards")
        elif row.created_wall_ns >= order.placed_wall_ns:
            late_ns = row.created_wall_ns - order.placed_wall_ns
            found.append(f"{order.order_id}: intended {late_ns} ns after it was placed")
    return found


def revived(ended: LedgerSide, open_ids: Iterable[str]) -> list[str]:
    """INV-5: what the ledger calls ended is not open at the venue.

    True at any moment of a run if the ledger was read before the venue's open orders.
    """
    return [
        f"{order_id}: {row.state} in the ledger and open at the venue"
        for order_id in open_ids
        if (row := ended.orders.get(order_id)) is not None and row.state in TERMINAL
    ]


def duplicates(venue: VenueSide, ledger: LedgerSide) -> list[str]:
    """EX-6, INV-6, INV-8: sent once, one live order of an intent, a leg counted once."""
    found = [
        f"{order_id}: posted {venue.posts(order_id)} times"
        for order_id in venue.orders
        if venue.posts(order_id) != 1
    ]
    found += [f"{trade}/{order}: told twice by the venue" for trade, order in venue.told_twice]
    by_intent: dict[str, list[VenueOrder]] = {}
    for order in venue.orders.values():
        row = ledger.orders.get(order.order_id)
        if row is not None:
            by_intent.setdefault(row.intent, []).append(order)
    for intent, orders in by_intent.items():
        found += _overlaps(intent, orders)
    return found


def _overlaps(intent: str, orders: list[VenueOrder]) -> list[str]:
    """Return the orders of one intent that were open beside one another."""
    found: list[str] = []
    longest: VenueOrder | None = None
    for order in sorted(orders, key=lambda one: one.placed_wall_ns):
        if longest is not None and _end_of(longest) > order.placed_wall_ns:
            found.append(f"{order.order_id}: open beside {longest.order_id} of {intent}")
        if longest is None or _end_of(order) >= _end_of(longest):
            longest = order
    return found


def _end_of(order: VenueOrder) -> float:
    return order.ended_wall_ns or math.inf


# --- once all is settled ------------------------------------------------------------


def disagreements(
    venue: VenueSide, ledger: LedgerSide, balances: Balances, open_ids: Iterable[str]
) -> list[str]:
    """INV-7: what differs between the two accounts, to the base unit; nothing when they agree."""
    return [
        *_orders(venue, ledger),
        *_fills(venue, ledger),
        *_money(venue, ledger, balances),
        *orphans(ledger, open_ids),
    ]


def orphans(ledger: LedgerSide, open_ids: Iterable[str]) -> list[str]:
    """Return orders that only one of both believes to be open."""
    open_now = set(open_ids)
    exposed = {order_id for order_id, row in ledger.orders.items() if row.state in EXPOSED}
    only_there = [f"{one}: open at the venue, not in the ledger" for one in open_now - exposed]
    only_here = [
        f"{one}: {ledger.orders[one].state} in the ledger, not open at the venue"
        for one in exposed - open_now
    ]
    return sorted(only_there + only_here)


def _orders(venue: VenueSide, ledger: LedgerSide) -> list[str]:
    found: list[str] = []
    for order_id, row in ledger.orders.items():
        order = venue.orders.get(order_id)
        if order is None:
            if row.state not in NEVER_THERE or row.filled_e6:
                found.append(
                    f"{order_id}: {row.state}, filled {row.filled_e6}; the venue never took it"
                )
            continue
        found += [f"{order_id}: {what}" for what in _differences(order, row)]
    return found


def _differences(order: VenueOrder, row: OrderRecord) -> list[str]:
    pairs = {
        "market": (row.market, order.market),
        "token": (row.token, order.token),
        "side": (row.side, order.side),
        "price_e4": (row.price_e4, order.price_e4),
        "size_e6": (row.size_e6, order.size_e6),
        "filled_e6": (row.filled_e6, order.filled_e6),
    }
    found = _unequal(pairs)
    allowed = RESTING if order.status in OPEN_STATUSES else ENDS[order.status]
    if row.state not in allowed:
        found.append(f"{row.state} in the ledger, {order.status} at the venue")
    return found


def _fills(venue: VenueSide, ledger: LedgerSide) -> list[str]:
    found = [f"{key}: not in the ledger" for key in venue.fills.keys() - ledger.fills.keys()]
    found += [f"{key}: not at the venue" for key in ledger.fills.keys() - venue.fills.keys()]
    for key in venue.fills.keys() & ledger.fills.keys():
        fill, row = venue.fills[key], ledger.fills[key]
        pairs = {
            "market": (row.market, fill.market),
            "token": (row.token, fill.token),
            "side": (row.side, fill.side),
            "role": (row.role, fill.role),
            "price_e4": (row.price_e4, fill.price_e4),
            "size_e6": (row.size_e6, fill.size_e6),
            "fee_e6": (row.fee_e6, fill.fee_e6),
            "settlement": (row.settlement, venue.settlement(key[0])),
        }
        found += [f"{key}: {what}" for what in _unequal(pairs)]
    return sorted(found)


def _money(venue: VenueSide, ledger: LedgerSide, balances: Balances) -> list[str]:
    """Compare three accounts of money and shares: the venue's log, its balances, and ours."""
    paid = Counter[str]()
    for payout in ledger.payouts:
        paid[payout.token] += payout.amount_e6
    found = [
        f"token {token}: paid {paid[token]} by the ledger, {venue.paid_e6[token]} by the venue"
        for token in sorted(paid.keys() | venue.paid_e6.keys())
        if paid[token] != venue.paid_e6[token]
    ]
    logged_e6 = sum(venue.paid_e6.values()) + sum(
        _signed(fill.side, fill.money_e6) - fill.fee_e6
        for (trade_id, _), fill in venue.fills.items()
        if venue.settlement(trade_id) != "FAILED"
    )
    kept_e6 = sum(paid.values()) + sum(
        _signed(row.side, row.price_e4 * row.size_e6 // 10_000) - row.fee_e6
        for row in ledger.fills.values()
        if row.settlement != "FAILED"
    )
    pairs = {
        "earned by the ledger and by the venue's balance": (kept_e6, balances.earned_e6),
        "earned by the venue's log and by its balance": (logged_e6, balances.earned_e6),
    }
    return found + _unequal(pairs) + _shares(ledger, balances)


def _shares(ledger: LedgerSide, balances: Balances) -> list[str]:
    held = Counter[str]()
    for row in ledger.fills.values():
        if row.settlement != "FAILED":
            held[row.token] -= _signed(row.side, row.size_e6)
    for payout in ledger.payouts:
        held[payout.token] -= payout.size_e6
    return [
        f"token {token}: {held[token]} held, {balances.shares_e6.get(token, 0)} at the venue"
        for token in sorted(held.keys() | balances.shares_e6.keys())
        if held[token] != balances.shares_e6.get(token, 0)
    ]


def _signed(side: str, amount: int) -> int:
    """Return what a fill brings: above zero for a sell."""
    return amount if side == "SELL" else -amount


def _unequal(pairs: Mapping[str, tuple[object, object]]) -> list[str]:
    return [f"{name}: {ours}, {theirs}" for name, (ours, theirs) in pairs.items() if ours != theirs]
