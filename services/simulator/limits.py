"""The venue's token buckets of one key: how many orders and cancels it takes a second.

Source: https://docs.polymarket.com/api-reference/trading-rate-limits (2026-09-28),
standard tier.
"""

import msgspec

from shared.units import NS_PER_S

ORDER_RATE_PER_S = 40
ORDER_BURST = 60
CANCEL_RATE_PER_S = 80
CANCEL_BURST = 120


class Bucket(msgspec.Struct, eq=False):
    """Tokens of one kind, in billionths, so that a nanosecond's worth of them is whole."""

    rate_per_s: int
    burst: int
    filled: int
    at_ns: int

    def take(self, cost: int, now_ns: int) -> int:
        """Take tokens, all or none; return how many ns are missing, 0 when taken."""
        self._refill(now_ns)
        missing = cost * NS_PER_S - self.filled
        if missing > 0:
            return -(-missing // self.rate_per_s)
        self.filled -= cost * NS_PER_S
        return 0

    def debit(self, cost: int, now_ns: int) -> None:
        """Take tokens afterwards; the bucket may go below zero."""
        self._refill(now_ns)
        self.filled -= cost * NS_PER_S

    def _refill(self, now_ns: int) -> None:
        gained = (now_ns - self.at_ns) * self.rate_per_s
        self.filled = min(self.burst * NS_PER_S, self.filled + gained)
        self.at_ns = now_ns


class RateLimits:
    """The buckets of all keys."""

    def __init__(self) -> None:
        """Begin with full buckets for everybody."""
        self._orders: dict[str, Bucket] = {}
        self._cancels: dict[str, Bucket] = {}

    def orders(self, key: str, now_ns: int) -> Bucket:
        """Return a key's bucket for orders."""
        return self._orders.setdefault(
            key, Bucket(ORDER_RATE_PER_S, ORDER_BURST, ORDER_BURST * NS_PER_S, now_ns)
        )

    def cancels(self, key: str, now_ns: int) -> Bucket:
        """Return a key's bucket for cancels."""
        return self._cancels.setdefault(
            key, Bucket(CANCEL_RATE_PER_S, CANCEL_BURST, CANCEL_BURST * NS_PER_S, now_ns)
        )
