"""Reads: books, market constants, a key's orders and trades, its balances.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28); that `/books`
answers in an order of its own: a third party's conformance review (2026-09-12).
"""

from services.simulator.answers import Answer, error, ok
from services.simulator.clearing import FEE_RATE_E6
from services.simulator.edge import Request, last_segment
from services.simulator.exchange import Exchange
from services.simulator.frames import rest_book
from services.simulator.markets import MIN_SIZE_E6, Market
from services.simulator.matching import Order
from services.simulator.paging import page
from services.simulator.rows import order_row, trade_row
from services.simulator.scoring import MAX_SPREAD_CENTS, MIN_AGE_S, MIN_SIZE_SHARES
from services.simulator.trades import Trade
from services.simulator.verdicts import NO_BOOK_TEXT
from shared.identifiers import TokenId
from shared.units import Instant
from shared.venue.account_wire import (
    OpenOrder,
)
from shared.venue.auth import Credentials
from shared.venue.faults import Malformed
from shared.venue.market_wire import (
    BOOK_REQUESTS,
    BOOKS_MAX,
    ClobFees,
    ClobMarket,
    ClobRewards,
    ClobToken,
    FeeRate,
    NegRisk,
    TickSize,
)
from shared.venue.wire import decode

FEE_CEILING_BPS = 1000
_MS_PER_S = 1000


class Reads:
    """Handles the requests that change nothing."""

    def __init__(self, exchange: Exchange) -> None:
        """Set where to look."""
        self._exchange = exchange

    # --- public ---------------------------------------------------------------------

    def book(self, request: Request, now: Instant) -> Answer:
        """Handle GET /book."""
        token = request.query.get("token_id", "")
        market = self._trading(token)
        if market is None:
            return error(404, NO_BOOK_TEXT)
        return Answer(200, rest_book(market, market.outcome_of(token)).encode())

    def books(self, request: Request, now: Instant) -> Answer:
        """Handle POST /books; unknown ids are missing, and the order is that of the ids."""
        try:
            wanted = decode(BOOK_REQUESTS, request.body, "books")
        except Malformed:
            return error(400, "Invalid payload")
        if len(wanted) > BOOKS_MAX:
            return error(400, "Payload exceeds the limit")
        books: list[str] = []
        for token in sorted({item.token_id for item in wanted}):
            market = self._trading(token)
            if market is not None:
                books.append(rest_book(market, market.outcome_of(token)))
        return Answer(200, ("[" + ",".join(books) + "]").encode())

    def tick_size(self, request: Request, now: Instant) -> Answer:
        """Handle GET /tick-size."""
        market = self._trading(request.query.get("token_id", ""))
        if market is None:
            return error(404, "market not found")
        return ok(TickSize(minimum_tick_size=market.tick / 10_000))

    def neg_risk(self, request: Request, now: Instant) -> Answer:
        """Handle GET /neg-risk."""
        market = self._exchange.calendar.by_token.get(request.query.get("token_id", ""))
        if market is None:
            return error(404, "market not found")
        return ok(NegRisk(neg_risk=market.neg_risk))

    def fee_rate(self, request: Request, now: Instant) -> Answer:
        """Handle GET /fee-rate, whose answer is a ceiling and not the fee."""
        return ok(FeeRate(base_fee=FEE_CEILING_BPS))

    def clob_market(self, request: Request, now: Instant) -> Answer:
        """Handle GET /clob-markets/{condition}."""
        market = self._exchange.calendar.by_condition.get(last_segment(request))
        if market is None:
            return error(404, "market not found")
        up, down = market.tokens
        return ok(
            ClobMarket(
                condition_id=market.condition_id,
                tokens=(ClobToken(up, market.names[0]), ClobToken(down, market.names[1])),
                version=market.version,
                min_order_size=MIN_SIZE_E6 // 1_000_000,
                min_tick_size=market.tick / 10_000,
                neg_risk=market.neg_risk,
                fees=ClobFees(FEE_RATE_E6 / 1_000_000, 1, taker_only=True),
                accepting_orders=market.is_trading,
                taker_order_delay=True,
                maker_base_fee=FEE_CEILING_BPS,
                taker_base_fee=FEE_CEILING_BPS,
                rewards=ClobRewards(MIN_SIZE_SHARES, MAX_SPREAD_CENTS, MIN_AGE_S),
            )
        )

    def market_by_token(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets-by-token/{token}."""
        market = self._exchange.calendar.by_token.get(last_segment(request))
        if market is None:
            return error(404, "market not found")
        primary, secondary = market.tokens
        return ok(
            {
                "condition_id": market.condition_id,
                "primary_token_id": primary,
                "secondary_token_id": secondary,
            }
        )

    def _trading(self, token: str) -> Market | None:
        market = self._exchange.calendar.by_token.get(token)
        return market if market is not None and market.is_trading else None

    # --- of a key -------------------------------------------------------------------

    def order(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /data/order/{id}."""
        order = self._exchange.orders.get(last_segment(request))
        if order is None or order.owner != who.api_key:
            return error(404, "Order not found")
        return ok(self._row(order))

    def orders(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /data/orders: what is open, of all or of one market, token or id."""
        query = request.query
        wanted_id = query.get("id")
        if wanted_id:
            found = self._exchange.orders.get(wanted_id)
            mine = [] if found is None or found.owner != who.api_key else [found]
        else:
            mine = list(self._exchange.open.get(who.api_key, {}).values())
        chosen = [
            order
            for order in mine
            if query.get("market") in (None, "", order.market)
            and query.get("asset_id") in (None, "", self._tokens(order)[order.outcome])
        ]
        return page(chosen, query.get("next_cursor"), self._row)

    def _tokens(self, order: Order) -> tuple[TokenId, TokenId]:
        return self._exchange.calendar.by_condition[order.market].tokens

    def _row(self, order: Order) -> OpenOrder:
        return order_row(order, self._exchange.calendar.by_condition[order.market])

    def trades(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle GET /data/trades, newest first."""
        after_s = _seconds(request.query.get("after"), 0)
        chosen: list[Trade] = []
        for trade in reversed(self._exchange.trades.by_id.values()):
            if trade.match_ms // _MS_PER_S < after_s:
                break
            if who.api_key in trade.owners and _is_wanted(trade, request):
                chosen.append(trade)
        cursor = request.query.get("next_cursor")
        return page(chosen, cursor, lambda trade: trade_row(trade, who.api_key))


def _is_wanted(trade: Trade, request: Request) -> bool:
    query = request.query
    match_s = trade.match_ms // _MS_PER_S
    return (
        query.get("id") in (None, "", trade.trade_id)
        and query.get("market") in (None, "", trade.market)
        and query.get("asset_id") in (None, "", *trade.tokens)
        and match_s <= _seconds(query.get("before"), match_s)
    )


def _seconds(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else otherwise
