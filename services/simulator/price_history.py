"""What each market's shares were traded at, for GET /prices-history.

Of every minute since the simulator began the last price is remembered, and of every bucket of
`fidelity` minutes the last is told. The service has moved to the data host since, and this route
still answers.

Source: https://docs.polymarket.com/api-reference/pricing/get-historical-prices (2026-09-28).
"""

from collections.abc import Mapping

from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.happenings import Happening, MarketForgotten, TradePrinted
from services.simulator.markets import Calendar
from services.simulator.matching import book_price
from shared.units import NS_PER_S, PRICE_ONE_E4, Instant

POINTS_MAX = 1_440
"""Minutes kept of each market; older ones are forgotten."""

INTERVALS_S: Mapping[str, int] = {
    "1h": 3_600,
    "6h": 21_600,
    "1d": 86_400,
    "1w": 604_800,
    "1m": 2_592_000,
    "max": 2**40,
    "all": 2**40,
}
_MINUTE_S = 60
FIDELITY_MIN_MAX = 10_080


class PriceHistory:
    """Prints by market, in prices of the first outcome."""

    def __init__(self, calendar: Calendar) -> None:
        """Set where tokens are known."""
        self._calendar = calendar
        self._points: dict[str, dict[int, tuple[int, int]]] = {}
        self._last: dict[str, TradePrinted] = {}

    def note(self, happening: Happening, now: Instant) -> None:
        """Remember a print, and forget a market that has left the calendar."""
        match happening:
            case TradePrinted():
                condition = happening.market.condition_id
                points = self._points.setdefault(condition, {})
                at_s = now.wall_ns // NS_PER_S
                price = book_price(happening.outcome, happening.price)
                points[at_s // _MINUTE_S] = (at_s, price)
                if len(points) > POINTS_MAX:
                    del points[next(iter(points))]
                self._last[condition] = happening
            case MarketForgotten():
                self._points.pop(happening.market.condition_id, None)
                self._last.pop(happening.market.condition_id, None)
            case _:
                return

    def last(self, condition: str) -> TradePrinted | None:
        """Return a market's last print, None before the first of this run."""
        return self._last.get(condition)

    def points(self, token: str, start_s: float, end_s: float) -> list[tuple[int, int]]:
        """Return what is remembered between two seconds, as second and price in 1e-4 USD."""
        market = self._calendar.by_token.get(token)
        if market is None:
            return []
        outcome = market.outcome_of(token)
        return [
            (at_s, book_price(outcome, price))
            for at_s, price in self._points.get(market.condition_id, {}).values()
            if start_s <= at_s <= end_s
        ]

    def read(self, request: Request, now: Instant) -> Answer:
        """Handle GET /prices-history, whose `market` is a token."""
        query = request.query
        token = query.get("market", "")
        market = self._calendar.by_token.get(token)
        if market is None:
            return error(404, "market not found")
        now_s = now.wall_ns // NS_PER_S
        try:
            start_s, end_s = int(query.get("startTs", "0")), int(query.get("endTs", str(now_s)))
            fidelity = int(query.get("fidelity", "1"))
        except ValueError:
            return error(400, "invalid filters: timestamps and fidelity are numbers")
        if "interval" in query:
            length_s = INTERVALS_S.get(query["interval"])
            if length_s is None:
                return error(400, "invalid filters: unknown interval")
            start_s = now_s - length_s
        elif "startTs" not in query:
            return error(400, "invalid filters: interval, or startTs and endTs are needed")
        step_s = min(max(fidelity, 1), FIDELITY_MIN_MAX) * _MINUTE_S
        outcome = market.outcome_of(token)
        buckets: dict[int, tuple[int, int]] = {}
        for at_s, price in self._points.get(market.condition_id, {}).values():
            if start_s <= at_s <= end_s:
                buckets[at_s // step_s] = (at_s, book_price(outcome, price))
        return ok(
            {
                "history": [
                    {"t": at_s, "p": price / PRICE_ONE_E4} for at_s, price in buckets.values()
                ]
            }
        )
