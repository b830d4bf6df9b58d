"""Whether the venue takes requests now at all: its trading mode, and a signer's rates.

Source: https://docs.polymarket.com/resources/error-codes and
https://docs.polymarket.com/api-reference/trading-rate-limits (2026-09-28);
`Service is not ready`: https://github.com/Polymarket/py-clob-client/issues/286.
"""

from services.simulator.answers import Answer, error
from services.simulator.faults.orders import FaultKind
from services.simulator.faults.switches import Faults
from services.simulator.limits import Bucket, RateLimits
from shared.units import NS_PER_S, Instant
from shared.venue.auth import Credentials
from shared.venue.orders_wire import ErrorBody, PostOrder
from shared.venue.wire import encode

RESTARTING_TEXT = "Service is not ready"
CANCEL_ONLY_TEXT = (
    "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
)
DISABLED_TEXT = "Trading is currently disabled. Check polymarket.com for updates"
POST_ONLY_TEXT = "post-only mode: only post-only orders and cancels are accepted"
RATE_TEXT = "Too Many Requests"


class Modes:
    """Turns away what the venue does not take now."""

    def __init__(self, faults: Faults, limits: RateLimits | None) -> None:
        """Set what tells the mode, and the rates if they are limited."""
        self._faults = faults
        self._limits = limits

    def check(self, now: Instant, *, is_post: bool) -> Answer | None:
        """Return the answer of a mode that takes no such request, None when it may go on."""
        mode = self._faults.mode(now.monotonic_ns)
        if mode is None:
            return None
        match mode[0]:
            case "restarting":
                return error(425, RESTARTING_TEXT, retry_after_s=1)
            case "disabled":
                return error(503, DISABLED_TEXT)
            case "cancel_only" if is_post:
                return error(503, CANCEL_ONLY_TEXT)
            case _:
                return None

    def check_restarting(self, now: Instant) -> Answer | None:
        """Return the answer of an engine that restarts, None while it runs."""
        mode = self._faults.mode(now.monotonic_ns)
        if mode is not None and mode[0] == "restarting":
            return error(425, RESTARTING_TEXT, retry_after_s=1)
        return None

    def is_barred(self, post: PostOrder, now: Instant) -> bool:
        """Tell whether an order would have to be post-only now."""
        mode = self._faults.mode(now.monotonic_ns)
        return mode is not None and mode[0] == "post_only" and not post.post_only

    def post_only_answer(self, now: Instant) -> Answer:
        """Return the answer to an order that would have to be post-only."""
        mode = self._faults.mode(now.monotonic_ns)
        left_s = 1 if mode is None else max(1, -(-mode[1] // NS_PER_S))
        body = ErrorBody(error=POST_ONLY_TEXT, code="post_only_mode", retry_after_seconds=left_s)
        return Answer(503, encode(body), {"Retry-After": str(left_s)})

    def spend_orders(self, who: Credentials, cost: int, now: Instant) -> Answer | None:
        """Take a signer's tokens for orders; return the answer when there are too few."""
        if self._limits is None:
            return None
        bucket = self._limits.orders(who.address, now.monotonic_ns)
        self._drain("drain_orders", bucket, now)
        return _limited(self._limits.take(bucket, who.address, cost, now.monotonic_ns))

    def spend_cancels(self, who: Credentials, cost: int, now: Instant) -> Answer | None:
        """Take a signer's tokens for cancels; return the answer when there are too few."""
        if self._limits is None:
            return None
        bucket = self._limits.cancels(who.address, now.monotonic_ns)
        self._drain("drain_cancels", bucket, now)
        return _limited(self._limits.take(bucket, who.address, cost, now.monotonic_ns))

    def _drain(self, kind: FaultKind, bucket: Bucket, now: Instant) -> None:
        """Let another session of the key spend first, while such a fault is on."""
        order = self._faults.struck_by(kind, now.monotonic_ns)
        if order is not None:
            bucket.debit(min(order.rows, bucket.left(now.monotonic_ns)), now.monotonic_ns)

    def debit_cancels(self, who: Credentials, count: int, now: Instant) -> None:
        """Take a signer's tokens for what was cancelled; the bucket may go below zero."""
        if self._limits is not None:
            bucket = self._limits.cancels(who.address, now.monotonic_ns)
            bucket.debit(count, now.monotonic_ns)


def _limited(missing_ns: int) -> Answer | None:
    if missing_ns == 0:
        return None
    return error(429, RATE_TEXT, retry_after_s=max(1, -(-missing_ns // NS_PER_S)))
