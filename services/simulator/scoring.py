"""Which resting orders count for liquidity rewards, and how much.

An order counts when it is open, is old enough, is large enough and lies within the largest spread
of the midpoint. That midpoint is adjusted by the size cut-off: only levels that hold at least the
smallest size count for it. Two-sided quoting counts in full, one side alone a third of it near the
middle of the range and nothing at its ends.

Source: https://docs.polymarket.com/developers/rewards/overview (2026-09-28); the three numbers are
those of recorded five-minute and fifteen-minute crypto markets (2026-07-24).
"""

from collections.abc import Iterable

from services.simulator.markets import Market
from services.simulator.matching import Ladder, Order
from shared.units import PRICE_ONE_E4

MIN_SIZE_SHARES = 50
MAX_SPREAD_CENTS = 4.5
MIN_AGE_S = 30

_MIN_SIZE_E6 = MIN_SIZE_SHARES * 1_000_000
_MAX_SPREAD_E4 = 450
_MS_PER_S = 1000
_SINGLE_SIDE_DIVISOR = 3.0
_RANGE_E4 = (1_000, 9_000)


def adjusted_middle_e4(market: Market) -> float | None:
    """Return the midpoint of the first outcome over levels large enough, None on an empty side."""
    bid = _best_of_size(market.book.bids)
    ask = _best_of_size(market.book.asks)
    return None if bid is None or ask is None else (bid + ask) / 2


def _best_of_size(ladder: Ladder) -> int | None:
    large = (price for price in ladder.from_best() if ladder.total(price) >= _MIN_SIZE_E6)
    return next(large, None)


def is_scoring(order: Order, market: Market, now_ms: int) -> bool:
    """Tell whether an order counts at this moment."""
    return _counts(order, market, adjusted_middle_e4(market), now_ms)


def _counts(order: Order, market: Market, middle: float | None, now_ms: int) -> bool:
    is_open = order.status == "LIVE" and market.is_trading
    is_old = now_ms - order.created_ms >= MIN_AGE_S * _MS_PER_S
    is_near = middle is not None and abs(order.book_price - middle) <= _MAX_SPREAD_E4
    return is_open and is_old and is_near and order.remaining >= _MIN_SIZE_E6


def _score(order: Order, middle: float) -> float:
    distance = abs(order.book_price - middle)
    return float((1 - distance / _MAX_SPREAD_E4) ** 2 * order.remaining)


def quoter_score(orders: Iterable[Order], market: Market, now_ms: int) -> float:
    """Return what all of one maker's orders in a market score together at this moment."""
    middle = adjusted_middle_e4(market)
    if middle is None:
        return 0.0
    one = two = 0.0
    for order in orders:
        if not _counts(order, market, middle, now_ms):
            continue
        if order.is_bid:
            one += _score(order, middle)
        else:
            two += _score(order, middle)
    least, most = min(one, two), max(one, two)
    if not _RANGE_E4[0] <= middle <= _RANGE_E4[1]:
        return least
    return max(least, most / _SINGLE_SIDE_DIVISOR)


assert MAX_SPREAD_CENTS * PRICE_ONE_E4 == _MAX_SPREAD_E4 * 100
