"""Which requests cancel a set of orders: by id, by market or all, the cheapest that is fast.

By id costs a token an order beforehand, and a request that the bucket cannot pay whole is
refused whole. A market or everything costs one beforehand and the rest afterwards. So ids are
the cheapest while they can be paid, and what is paid afterwards is the only sure form when
they cannot. Nothing is ever left out or put off for want of tokens: our count of them may be
wrong, and a refusal costs nothing. Pure.

Source: https://docs.polymarket.com/api-reference/trading-rate-limits (2026-09-28).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from services.execution.lifecycle import Order
from services.execution.requests import CancelAllAsk, CancelAsk, CancelMarketAsk, CancelsAsk
from shared.identifiers import ConditionId, OrderHash
from shared.venue.orders_wire import (
    CANCEL_ALL_PATH,
    CANCEL_MARKET_PATH,
    ORDER_PATH,
    ORDERS_PATH,
    CancelMarketOrders,
    CancelOrder,
)
from shared.venue.wire import encode

BATCH_MAX: Final = 100
"""Ids in one request: below every tier's burst, since a larger one would never be taken."""

MARKET_ORDERS_MIN: Final = 2
"""A single order of a market is as cheap beforehand by its id, and cheaper afterwards."""


def choose(due: Sequence[Order], exposed: Sequence[Order], left: int) -> list[CancelsAsk]:
    """Return the requests that cancel what is due.

    Args:
        due: Orders to be cancelled now, each of them exposed and doomed.
        exposed: All orders that are or may come to be in the market.
        left: Tokens that are surely there.
    """
    if len(due) <= max(left, 1):
        return _by_id(due)
    if all(order.doom for order in exposed):
        return [CancelAllAsk(_ids(exposed))]
    asks: list[CancelsAsk] = []
    rest: list[Order] = []
    for market, orders in _by_market(due).items():
        others = [one for one in exposed if one.record.market == market]
        if len(orders) >= MARKET_ORDERS_MIN and all(one.doom for one in others):
            asks.append(CancelMarketAsk(market, _ids(others)))
        else:
            rest += orders
    payable = max(0, left - len(asks))
    return [*asks, *_by_id(rest[:payable]), *_by_id(rest[payable:])]


def cost_max(ask: CancelsAsk) -> int:
    """Return the most that a cancel can cost: what is cancelled of a market is counted after."""
    return len(ask.order_ids) + (0 if isinstance(ask, CancelAsk) else 1)


def cost_of(ask: CancelsAsk, canceled: int) -> int:
    """Return what a cancel has cost, given how many orders the venue says it took out."""
    return len(ask.order_ids) if isinstance(ask, CancelAsk) else 1 + canceled


def wire_form(ask: CancelsAsk) -> tuple[str, bytes]:
    """Return path and body; a single id has a path of its own."""
    if isinstance(ask, CancelAllAsk):
        return CANCEL_ALL_PATH, b""
    if isinstance(ask, CancelMarketAsk):
        return CANCEL_MARKET_PATH, encode(CancelMarketOrders(market=ask.market))
    if len(ask.order_ids) == 1:
        return ORDER_PATH, encode(CancelOrder(ask.order_ids[0]))
    return ORDERS_PATH, encode(ask.order_ids)


def _by_id(orders: Sequence[Order]) -> list[CancelsAsk]:
    return [
        CancelAsk(_ids(orders[start : start + BATCH_MAX]))
        for start in range(0, len(orders), BATCH_MAX)
    ]


def _by_market(orders: Iterable[Order]) -> dict[ConditionId, list[Order]]:
    found: dict[ConditionId, list[Order]] = {}
    for order in orders:
        found.setdefault(order.record.market, []).append(order)
    return found


def _ids(orders: Iterable[Order]) -> tuple[OrderHash, ...]:
    return tuple(order.record.order_id for order in orders)
