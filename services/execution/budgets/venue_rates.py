"""The venue's token buckets of our key, modelled on the cautious side from its own headers.

Every request is debited when it leaves, at the most that it can cost; an answer corrects that
by what the venue says is left. Requests still under way are subtracted from it once more,
since nobody knows whether the venue had counted them: the model is never above the venue.
It refuses posts and says how many orders may be out (EX-24); it never holds a cancel.

Source: https://docs.polymarket.com/api-reference/trading-rate-limits (2026-09-28).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.units import NS_PER_S, BootNs
from shared.venue.rate_tiers import STANDARD, RateNote, Tier, read_rate

CANCEL_RESERVE: Final = 20
"""Tokens for cancels that no plan counts on: one cancel of everything costs what it cancels, and
one is repeated."""

TIER_NS_MAX: Final = 600 * NS_PER_S
"""A tier is believed this long after it was last heard; then the lowest counts again."""

LOST_NS: Final = 2 * NS_PER_S
"""A request without an answer may still arrive: the longest time-out of a socket."""

TOO_MANY: Final = 429


class VenueBucket:
    """One bucket; tokens are kept in billionths, so that a nanosecond's worth is whole.

    Attributes:
        spent: Tokens debited so far, refunds taken off.
    """

    def __init__(self, rate_per_s: int, burst: int) -> None:
        """Begin full, as the venue does."""
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._filled = burst * NS_PER_S
        self._at_ns = BootNs(0)
        self._under_way: dict[int, int] = {}
        self._lost: dict[int, tuple[int, BootNs]] = {}
        self._newest = 0
        self.spent = 0

    def resize(self, rate_per_s: int, burst: int, now_ns: BootNs) -> None:
        """Take another tier's rate and burst; what is in it stays, up to the burst."""
        self._refill(now_ns)
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._filled = min(self._filled, burst * NS_PER_S)

    def send(self, request_id: int, cost: int, now_ns: BootNs) -> None:
        """Debit a request that leaves now, at the most it can cost; never refuses."""
        self._refill(now_ns)
        self._filled -= cost * NS_PER_S
        self._under_way[request_id] = cost
        self._newest = request_id
        self.spent += cost

    def end(self, request_id: int, cost: int, now_ns: BootNs) -> None:
        """Take the end of a request, which cost less than was debited, or nothing."""
        debited = self._under_way.pop(request_id, 0)
        self._refill(now_ns)
        self._filled += max(0, debited - cost) * NS_PER_S
        self.spent -= max(0, debited - cost)

    def regroup(self, request_ids: Iterable[int], request_id: int) -> None:
        """Let one request stand for some that were debited."""
        cost = sum(self._under_way.pop(one, 0) for one in request_ids)
        self._under_way[request_id] = cost
        self._newest = request_id

    def take_answer(self, request_id: int) -> None:
        """Take the end of a request that has cost all that was debited."""
        self._under_way.pop(request_id, None)

    def lose(self, request_id: int, now_ns: BootNs) -> None:
        """Take the end of a request without an answer: it counts, and may not have arrived yet."""
        cost = self._under_way.pop(request_id, None)
        if cost is not None:
            self._lost[request_id] = (cost, BootNs(now_ns + LOST_NS))

    def hear(self, request_id: int, remaining: int, now_ns: BootNs) -> None:
        """Take the venue's own count, which it gave with an answer, less what is under way.

        None left may be far below none, and an answer that newer requests have overtaken is
        old: neither of them raises the count.
        """
        self._refill(now_ns)
        self._lost = {one: lost for one, lost in self._lost.items() if now_ns < lost[1]}
        doubtful = sum(self._under_way.values()) + sum(cost for cost, _ in self._lost.values())
        told = (remaining - doubtful) * NS_PER_S
        is_old = remaining == 0 or request_id != self._newest
        self._filled = min(self._filled, told) if is_old else told

    def empty(self, now_ns: BootNs) -> None:
        """Take a refusal that does not say what is left."""
        self._refill(now_ns)
        self._filled = min(self._filled, 0)

    def left(self, now_ns: BootNs) -> int:
        """Return the whole tokens that are surely there; below zero what is owed."""
        self._refill(now_ns)
        return self._filled // NS_PER_S

    def _refill(self, now_ns: BootNs) -> None:
        grown = max(0, now_ns - self._at_ns) * self._rate_per_s
        self._filled = min(self._burst * NS_PER_S, self._filled + grown)
        self._at_ns = max(self._at_ns, now_ns)


class VenueRates:
    """Both buckets of the key that trades, and its tier.

    Attributes:
        tier: Newest that was heard and is still believed.
        stranger: Name of the newest tier that was heard and is not known; empty for none.
    """

    def __init__(self) -> None:
        """Begin as the lowest tier, with full buckets."""
        self.tier = STANDARD
        self.stranger = ""
        self._tier_ns = BootNs(0)
        self._orders = VenueBucket(STANDARD.order_rate_per_s, STANDARD.order_burst)
        self._cancels = VenueBucket(STANDARD.cancel_rate_per_s, STANDARD.cancel_burst)

    @property
    def cancels_spent(self) -> int:
        """Return the tokens that all cancels have cost so far, as far as is known."""
        return self._cancels.spent

    def posts_left(self, now_ns: BootNs) -> int:
        """Return how many orders the venue would surely take now."""
        self._doubt_tier(now_ns)
        return self._orders.left(now_ns)

    def cancels_left(self, now_ns: BootNs) -> int:
        """Return how many single cancels the venue would surely take now."""
        self._doubt_tier(now_ns)
        return self._cancels.left(now_ns)

    def exposed_max(self, now_ns: BootNs) -> int:
        """Return how many orders may be open, in flight and unknown together (EX-24)."""
        return max(0, self.cancels_left(now_ns) - CANCEL_RESERVE)

    def posted(self, request_id: int, orders: int, now_ns: BootNs) -> None:
        """Debit a post of some orders."""
        self._orders.send(request_id, orders, now_ns)

    def grouped(self, request_ids: Iterable[int], request_id: int) -> None:
        """Note that posts which were debited one by one leave in one request."""
        self._orders.regroup(request_ids, request_id)

    def canceling(self, request_id: int, cost: int, now_ns: BootNs) -> None:
        """Debit a cancel at the most that it can cost."""
        self._cancels.send(request_id, cost, now_ns)

    def post_answered(
        self, request_id: int, status: int, headers: Mapping[str, str], now_ns: BootNs
    ) -> RateNote:
        """Take the answer to a post; one that is refused by the limiter costs nothing."""
        return self._answered(self._orders, request_id, None, status, headers, now_ns)

    def cancel_answered(
        self, request_id: int, cost: int, status: int, headers: Mapping[str, str], now_ns: BootNs
    ) -> RateNote:
        """Take the answer to a cancel, which tells what it has cost after all."""
        return self._answered(self._cancels, request_id, cost, status, headers, now_ns)

    def post_failed(self, request_id: int, *, sent: bool, now_ns: BootNs) -> None:
        """Take the end of a post without an answer; one that never left costs nothing."""
        _fail(self._orders, request_id, sent=sent, now_ns=now_ns)

    def cancel_failed(self, request_id: int, *, sent: bool, now_ns: BootNs) -> None:
        """Take the end of a cancel without an answer; one that never left costs nothing."""
        _fail(self._cancels, request_id, sent=sent, now_ns=now_ns)

    def _answered(
        self,
        bucket: VenueBucket,
        request_id: int,
        cost: int | None,
        status: int,
        headers: Mapping[str, str],
        now_ns: BootNs,
    ) -> RateNote:
        note = read_rate(headers)
        if status == TOO_MANY:
            bucket.end(request_id, 0, now_ns)
        elif cost is None:
            bucket.take_answer(request_id)
        else:
            bucket.end(request_id, cost, now_ns)
        self._hear_tier(note, now_ns)
        if note.remaining is not None:
            bucket.hear(request_id, note.remaining, now_ns)
        elif status == TOO_MANY:
            bucket.empty(now_ns)
        return note

    def _hear_tier(self, note: RateNote, now_ns: BootNs) -> None:
        """Take the tier that an answer names; a name that is not known means the lowest."""
        if note.tier is None and not note.stranger:
            return
        self.stranger = note.stranger
        self._tier_ns = now_ns
        self._take_tier(STANDARD if note.tier is None else note.tier, now_ns)

    def _doubt_tier(self, now_ns: BootNs) -> None:
        if self.tier is not STANDARD and now_ns - self._tier_ns > TIER_NS_MAX:
            self._take_tier(STANDARD, now_ns)

    def _take_tier(self, tier: Tier, now_ns: BootNs) -> None:
        if tier == self.tier:
            return
        self.tier = tier
        self._orders.resize(tier.order_rate_per_s, tier.order_burst, now_ns)
        self._cancels.resize(tier.cancel_rate_per_s, tier.cancel_burst, now_ns)


def _fail(bucket: VenueBucket, request_id: int, *, sent: bool, now_ns: BootNs) -> None:
    if sent:
        bucket.lose(request_id, now_ns)
    else:
        bucket.end(request_id, 0, now_ns)
