"""Builders: what their codes cost, which trades came by them, and their keys.

Source: py-clob-client-v2 1.2.1 and https://docs.polymarket.com/builders (2026-09-28). Which trades
came by a code follows from the orders that named it; what a builder takes is told, not charged.
"""

from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request, last_segment
from services.simulator.exchange import Exchange
from services.simulator.keys import Keys
from services.simulator.paging import page
from services.simulator.rows import trade_row
from services.simulator.standings import Standings
from shared.units import Instant
from shared.venue.auth import Credentials

CODE_TEXT = "builder not found"


class Builders:
    """Handles requests about builders."""

    def __init__(self, exchange: Exchange, keys: Keys) -> None:
        """Set where orders, codes and keys are."""
        self._exchange = exchange
        self._standings: Standings = exchange.accounts.standings
        self._keys = keys

    def fees(self, request: Request, now: Instant) -> Answer:
        """Handle GET /fees/builder-fees/{code}."""
        fees = self._standings.builder(last_segment(request))
        if fees is None:
            return error(404, CODE_TEXT)
        return ok(
            {
                "builder_maker_fee_rate_bps": fees.maker_bps,
                "builder_taker_fee_rate_bps": fees.taker_bps,
            }
        )

    def trades(self, request: Request, now: Instant) -> Answer:
        """Handle GET /builder/trades, newest first, of orders that named a code."""
        code = request.query.get("builder_code", "").lower()
        if self._standings.builder(code) is None:
            return error(404, CODE_TEXT)
        chosen = [
            trade
            for trade in reversed(self._exchange.trades.by_id.values())
            for order in (self._exchange.orders.get(trade.taker_order_id),)
            if order is not None and order.builder == code
        ]
        cursor = request.query.get("next_cursor")
        return page(chosen, cursor, lambda trade: trade_row(trade, trade.owner))

    def create_key(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle POST /auth/builder-api-key."""
        made = self._keys.create_builder(who.address)
        if made is None:
            return error(400, "Could not create builder api key")
        return ok({"key": made.api_key, "secret": made.secret, "passphrase": made.passphrase})

    def list_keys(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /auth/builder-api-key."""
        return ok([{"key": key} for key in self._keys.builders_of(who.address)])

    def revoke_key(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle DELETE /auth/builder-api-key, which ends all of the holder's."""
        for key in self._keys.builders_of(who.address):
            self._keys.revoke(key)
        return ok("OK")
