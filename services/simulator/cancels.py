"""Cancelling: of one order, of many, of a market, of all.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28).
"""

from collections.abc import Callable, Iterable

from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.matching import Order
from services.simulator.modes import Modes
from services.simulator.stamps import Stamps
from shared.units import Instant
from shared.venue.auth import Credentials
from shared.venue.faults import Malformed
from shared.venue.orders_wire import (
    BATCH_CANCELS_MAX,
    CANCEL_MARKET_ORDERS,
    CANCEL_ORDER,
    CANCEL_ORDERS,
    CancelMarketOrders,
    CancelReply,
)
from shared.venue.wire import decode

NOT_FOUND_TEXT = "Order not found or already canceled"


class Cancels:
    """Handles the requests that end orders."""

    def __init__(self, exchange: Exchange, modes: Modes, stamps: Stamps) -> None:
        """Set the parts."""
        self._exchange = exchange
        self._modes = modes
        self._stamps = stamps

    def cancel_order(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /order."""
        try:
            order_id = decode(CANCEL_ORDER, request.body, "cancel").order_id
        except Malformed:
            return error(400, "Invalid orderID")
        refused = self._modes.check(now, is_post=False) or self._modes.spend_cancels(who, 1, now)
        return refused or self._cancel((order_id,), request, who, now)

    def cancel_orders(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /orders."""
        try:
            order_ids = decode(CANCEL_ORDERS, request.body, "cancels")
        except Malformed:
            return error(400, "Invalid order payload")
        if len(order_ids) > BATCH_CANCELS_MAX:
            text = f"Too many orders in payload, max allowed: {BATCH_CANCELS_MAX}"
            return error(400, text)
        refused = self._modes.check(now, is_post=False) or self._modes.spend_cancels(
            who, len(order_ids), now
        )
        return refused or self._cancel(dict.fromkeys(order_ids), request, who, now)

    def cancel_all(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /cancel-all."""
        return self._cancel_where(lambda order: True, request, who, now)

    def cancel_market(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /cancel-market-orders."""
        try:
            wanted = decode(CANCEL_MARKET_ORDERS, request.body or b"{}", "cancel market")
        except Malformed:
            return error(400, "Invalid order payload")
        return self._cancel_where(lambda order: self._is_wanted(order, wanted), request, who, now)

    def _is_wanted(self, order: Order, wanted: CancelMarketOrders) -> bool:
        market = self._exchange.calendar.by_condition[order.market]
        token = market.tokens[order.outcome]
        is_market = not wanted.market or wanted.market == order.market
        return is_market and (not wanted.asset_id or wanted.asset_id == token)

    def _cancel_where(
        self, chosen: Callable[[Order], bool], request: Request, who: Credentials, now: Instant
    ) -> Answer:
        refused = self._modes.check(now, is_post=False) or self._modes.spend_cancels(who, 1, now)
        if refused is not None:
            return refused
        mine = tuple(self._exchange.open.get(who.api_key, {}).values())
        order_ids = [order.order_id for order in mine if chosen(order)]
        self._modes.debit_cancels(who, len(order_ids), now)
        return self._cancel(order_ids, request, who, now)

    def _cancel(
        self, order_ids: Iterable[str], request: Request, who: Credentials, now: Instant
    ) -> Answer:
        canceled: list[str] = []
        refused: dict[str, str] = {}
        for order_id in order_ids:
            order = self._exchange.orders.get(order_id)
            if order is None or order.owner != who.api_key:
                refused[order_id] = NOT_FOUND_TEXT
                continue
            reason = self._exchange.cancel(order, now, status="CANCELED", cause="asked")
            if reason is None:
                canceled.append(order_id)
            else:
                refused[order_id] = reason
        self._stamps.add(
            "cancel",
            now,
            request_id=request.request_id,
            owner=who.api_key,
            canceled=canceled,
            not_canceled=refused,
        )
        return ok(CancelReply(tuple(canceled), refused))
