"""Whether orders count for liquidity rewards at this moment.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28).
"""

import msgspec

from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.scoring import is_scoring
from shared.units import Instant
from shared.venue.auth import Credentials
from shared.venue.faults import Malformed
from shared.venue.wire import decode

ORDERS_MAX = 500
"""Orders in one question; the venue's own bound is not documented."""

_IDS = msgspec.json.Decoder(tuple[str, ...])


class ScoringRequests:
    """Handles questions for orders' scoring."""

    def __init__(self, exchange: Exchange) -> None:
        """Set where orders are."""
        self._exchange = exchange

    def one(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /order-scoring."""
        order_id = request.query.get("order_id", "")
        if not order_id:
            return error(400, "Invalid orderID")
        return ok({"scoring": self._is_scoring(order_id, who, now)})

    def many(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle POST /orders-scoring; unknown orders do not score."""
        try:
            order_ids = decode(_IDS, request.body, "orders")
        except Malformed:
            return error(400, "Invalid payload")
        if len(order_ids) > ORDERS_MAX:
            return error(400, "Payload exceeds the limit")
        return ok({order_id: self._is_scoring(order_id, who, now) for order_id in order_ids})

    def _is_scoring(self, order_id: str, who: Credentials, now: Instant) -> bool:
        order = self._exchange.orders.get(order_id)
        if order is None or order.owner != who.api_key:
            return False
        market = self._exchange.calendar.by_condition[order.market]
        return is_scoring(order, market, now.wall_ms)
