"""Market records of the trading host: whole, simplified, and those that earn rewards.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28) and recorded production
answers (2026-07-24); `markets` and `sampling-markets` are served in pages of a thousand and of five
hundred rows.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from services.simulator.answers import Answer, error, ok
from services.simulator.chance import derive
from services.simulator.edge import Request, last_segment
from services.simulator.exchange import Exchange
from services.simulator.markets import MIN_SIZE_E6, Market
from services.simulator.paging import page
from services.simulator.quotes import middle_text
from services.simulator.rows import address_of
from services.simulator.scoring import MAX_SPREAD_CENTS, MIN_SIZE_SHARES
from shared.units import PRICE_ONE_E4, Instant
from shared.venue.decimals import format_price, format_size

Row = dict[str, object]

MARKETS_ROWS_MAX = 1_000
SAMPLING_ROWS_MAX = 500
ACTIVITY_ROWS_MAX = 100
NOT_FOUND_TEXT = "market not found"
COLLATERAL_ADDRESS = "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB"
_MS_PER_S = 1000


def _iso(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms // _MS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _price(market: Market, outcome: int) -> float:
    if market.winner is not None:
        return float(market.winner == outcome)
    return float(middle_text(market, outcome))


def _tokens(market: Market) -> list[Row]:
    return [
        {
            "token_id": token,
            "outcome": market.names[outcome],
            "price": _price(market, outcome),
            "winner": market.winner == outcome,
        }
        for outcome, token in enumerate(market.tokens)
    ]


def rewards_of(daily_usd: float) -> Row:
    """Return what a market pays for resting orders; no rates when it pays nothing."""
    rate = {"asset_address": COLLATERAL_ADDRESS, "rewards_daily_rate": daily_usd}
    return {
        "rates": [rate] if daily_usd else None,
        "min_size": MIN_SIZE_SHARES,
        "max_spread": MAX_SPREAD_CENTS,
    }


def question_of(market: Market) -> str:
    """Return a market's title."""
    return f"{market.asset.upper()} Up or Down - {_iso(market.start_ms)}"


def question_id_of(market: Market) -> str:
    """Return the id of a market's question."""
    return f"0x{derive(0, 'question', market.condition_id):064x}"


def market_record(market: Market, daily_usd: float) -> Row:
    """Return a market as `GET /markets/{condition}` does."""
    neg_risk_id = question_id_of(market) if market.neg_risk else ""
    return {
        "enable_order_book": True,
        "active": True,
        "closed": market.state == "RESOLVED",
        "archived": False,
        "accepting_orders": market.is_trading,
        "accepting_order_timestamp": _iso(market.listed_ms),
        "minimum_order_size": MIN_SIZE_E6 // 10**6,
        "minimum_tick_size": market.tick / PRICE_ONE_E4,
        "condition_id": market.condition_id,
        "question_id": question_id_of(market),
        "question": question_of(market),
        "description": "",
        "market_slug": market.slug,
        "end_date_iso": _iso(market.end_ms),
        "game_start_time": None,
        "seconds_delay": 0,
        "fpmm": "",
        "maker_base_fee": 1000,
        "taker_base_fee": 1000,
        "notifications_enabled": True,
        "neg_risk": market.neg_risk,
        "neg_risk_market_id": neg_risk_id,
        "neg_risk_request_id": neg_risk_id,
        "icon": "",
        "image": "",
        "rewards": rewards_of(daily_usd),
        "is_50_50_outcome": False,
        "tokens": _tokens(market),
        "tags": ["All", "Crypto"],
    }


def _simplified(market: Market, daily_usd: float) -> Row:
    record = market_record(market, daily_usd)
    names = (
        "condition_id",
        "rewards",
        "tokens",
        "active",
        "closed",
        "archived",
        "accepting_orders",
    )
    return {name: record[name] for name in names}


class MarketRecords:
    """Handles requests for market records."""

    def __init__(self, exchange: Exchange, daily_usd: float) -> None:
        """Set where to look, and what every market pays a day for resting orders."""
        self._exchange = exchange
        self._daily_usd = daily_usd

    def market(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets/{condition}."""
        market = self._exchange.calendar.by_condition.get(last_segment(request))
        if market is None:
            return error(404, NOT_FOUND_TEXT)
        return ok(market_record(market, self._daily_usd))

    def markets(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets."""
        return self._page(request, market_record, MARKETS_ROWS_MAX, sampled=False)

    def simplified(self, request: Request, now: Instant) -> Answer:
        """Handle GET /simplified-markets."""
        return self._page(request, _simplified, MARKETS_ROWS_MAX, sampled=False)

    def sampling(self, request: Request, now: Instant) -> Answer:
        """Handle GET /sampling-markets: those whose resting orders earn rewards."""
        return self._page(request, market_record, SAMPLING_ROWS_MAX, sampled=True)

    def sampling_simplified(self, request: Request, now: Instant) -> Answer:
        """Handle GET /sampling-simplified-markets."""
        return self._page(request, _simplified, SAMPLING_ROWS_MAX, sampled=True)

    def activity(self, request: Request, now: Instant) -> Answer:
        """Handle GET /markets/live-activity/{condition}: clients' trades, newest first."""
        market = self._exchange.calendar.by_condition.get(last_segment(request))
        if market is None:
            return error(404, NOT_FOUND_TEXT)
        rows: list[Row] = []
        for trade in reversed(self._exchange.trades.by_id.values()):
            if trade.market != market.condition_id:
                continue
            rows.append(
                {
                    "event_type": "trade",
                    "market": {
                        "condition_id": trade.market,
                        "asset_id": trade.token,
                        "question": question_of(market),
                        "icon": "",
                        "slug": market.slug,
                    },
                    "user": {"address": address_of(trade.maker), "username": "", "pseudonym": ""},
                    "side": trade.side,
                    "size": format_size(trade.size),
                    "fee_rate_bps": "0",
                    "price": format_price(trade.price),
                    "outcome": trade.names[trade.outcome],
                    "outcome_index": trade.outcome,
                    "transaction_hash": trade.transaction_hash,
                    "timestamp": str(trade.match_ms // _MS_PER_S),
                }
            )
            if len(rows) == ACTIVITY_ROWS_MAX:
                break
        return ok(rows)

    def _page(
        self,
        request: Request,
        to_row: Callable[[Market, float], Row],
        rows_max: int,
        *,
        sampled: bool,
    ) -> Answer:
        chosen = [
            market
            for market in self._exchange.calendar
            if not sampled or (market.is_trading and self._daily_usd)
        ]
        cursor = request.query.get("next_cursor")
        return page(chosen, cursor, lambda market: to_row(market, self._daily_usd), rows_max)
