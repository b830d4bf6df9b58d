"""Maker rebates: a fifth of the taker fees of a market and day, shared among its makers.

The share of a maker is his part of the fee-equivalents of all makers, and these sum up to the
fees, so that a rebate is a fifth of the maker's own fee-equivalent. Told, not paid; a day under one
dollar is not told either, as it is not paid.

Source: https://docs.polymarket.com/trading/fees (2026-09-28); rows as read by polymarket-client
0.14.0.
"""

from services.simulator.answers import Answer, error, ok
from services.simulator.clearing import FEE_RATE_E6
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.market_records import COLLATERAL_ADDRESS
from services.simulator.rewards import day_of
from services.simulator.trades import Trade
from shared.units import NS_PER_MS, Instant, MoneyE6, WallNs
from shared.venue.decimals import format_money
from shared.venue.rules import taker_fee

REBATE_DIVISOR = 5
REBATE_MIN_E6 = 1_000_000


class Rebates:
    """Handles GET /rebates/current."""

    def __init__(self, exchange: Exchange) -> None:
        """Set where trades are."""
        self._exchange = exchange

    def current(self, request: Request, now: Instant) -> Answer:
        """Handle GET /rebates/current of a day and a maker."""
        day, maker = request.query.get("date", ""), request.query.get("maker_address", "").lower()
        if not day or not maker:
            return error(400, "date and maker_address are required")
        earned: dict[str, int] = {}
        for trade in self._exchange.trades.by_id.values():
            if trade.status != "FAILED" and _day(trade, now) == day:
                amount = sum(
                    taker_fee(part.price, part.size, FEE_RATE_E6)
                    for part in trade.makers
                    if part.maker == maker
                )
                earned[trade.market] = earned.get(trade.market, 0) + amount
        rows = {market: amount // REBATE_DIVISOR for market, amount in earned.items()}
        if sum(rows.values()) < REBATE_MIN_E6:
            return ok([])
        return ok(
            [
                {
                    "date": day,
                    "condition_id": market,
                    "asset_address": COLLATERAL_ADDRESS,
                    "maker_address": maker,
                    "rebated_fees_usdc": format_money(MoneyE6(amount)),
                }
                for market, amount in rows.items()
                if amount
            ]
        )


def _day(trade: Trade, now: Instant) -> str:
    return day_of(Instant(now.boot_ns, now.monotonic_ns, WallNs(trade.match_ms * NS_PER_MS)))
