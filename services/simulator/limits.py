"""The venue's token buckets of one signer: how many orders and cancels it takes a second.

A batch costs as many tokens as it has orders and is taken whole or not at all. Cancelling all, or
all of a market, costs one and afterwards one for each order that was cancelled. In the warning
mode nothing is refused, and an answer says what would have been.

Source: https://docs.polymarket.com/api-reference/trading-rate-limits (2026-09-28) with all tiers;
enforcement seen since August: https://dev.to/abrownfox001/clob-v2-rate-tiers-and-the-sdk-cutover-1lhh.
The pages name the headers without saying how they count: here `Remaining` is whole tokens and
`Reset` whole seconds until the bucket is full.
"""

import msgspec

from shared.units import NS_PER_S
from shared.venue.rate_tiers import STANDARD, TIERS

ORDER_BURST = STANDARD.order_burst
CANCEL_BURST = STANDARD.cancel_burst


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

    def left(self, now_ns: int) -> int:
        """Return how many whole tokens there are; none below zero."""
        self._refill(now_ns)
        return max(0, self.filled // NS_PER_S)

    def full_in_s(self, now_ns: int) -> int:
        """Return in how many seconds, rounded up, the bucket is full."""
        self._refill(now_ns)
        missing = self.burst * NS_PER_S - self.filled
        return -(-missing // (self.rate_per_s * NS_PER_S))

    def _refill(self, now_ns: int) -> None:
        gained = (now_ns - self.at_ns) * self.rate_per_s
        self.filled = min(self.burst * NS_PER_S, self.filled + gained)
        self.at_ns = now_ns


class RateLimits:
    """The buckets of all signers, who are all of one tier."""

    def __init__(self, tier: str = "standard", *, warns: bool = False) -> None:
        """Begin with full buckets for everybody; one that only warns refuses nobody."""
        self._tier = TIERS[tier]
        self._warns = warns
        self._orders: dict[str, Bucket] = {}
        self._cancels: dict[str, Bucket] = {}
        self._warned: dict[str, str] = {}

    def orders(self, signer: str, now_ns: int) -> Bucket:
        """Return a signer's bucket for orders."""
        tier = self._tier
        full = Bucket(tier.order_rate_per_s, tier.order_burst, tier.order_burst * NS_PER_S, now_ns)
        return self._orders.setdefault(signer, full)

    def cancels(self, signer: str, now_ns: int) -> Bucket:
        """Return a signer's bucket for cancels."""
        tier = self._tier
        burst = tier.cancel_burst
        full = Bucket(tier.cancel_rate_per_s, burst, burst * NS_PER_S, now_ns)
        return self._cancels.setdefault(signer, full)

    def take(self, bucket: Bucket, signer: str, cost: int, now_ns: int) -> int:
        """Take tokens; return how many ns are missing to refuse, 0 to go on."""
        missing_ns = bucket.take(cost, now_ns)
        if missing_ns and self._warns:
            self._warned[signer] = f"{cost} asked, {bucket.left(now_ns)} left"
            return 0
        return missing_ns

    def headers(self, signer: str, now_ns: int, *, is_cancel: bool) -> dict[str, str]:
        """Return what an answer says of a signer's bucket."""
        bucket = (self.cancels if is_cancel else self.orders)(signer, now_ns)
        headers = {
            "Poly-RateLimit-Remaining": str(bucket.left(now_ns)),
            "Poly-RateLimit-Reset": str(bucket.full_in_s(now_ns)),
            "Poly-RateLimit-Tier": self._tier.name,
        }
        warning = self._warned.pop(signer, "")
        if warning:
            headers["Poly-RateLimit-Warning"] = warning
        return headers
