"""How many posts may leave: our own rate, halved by each 429, recovering by itself.

Only posts are counted and backed off; cancels have the venue's whole cancel budget, and
nothing here ever holds one. After a 429 the rate is halved, grows again in steps, and is
normal after five clean minutes (EX-13). Pure; jitter comes from the counter of refusals.

Source: https://docs.polymarket.com/api-reference/rate-limits (2026-09-28).
"""

from typing import Final

from shared.units import NS_PER_S, BootNs

RATE_PARTS: Final = 1_000
"""The rate is kept in thousandths of the normal one."""

RATE_PARTS_MIN: Final = 62
"""Four halvings: slower than two posts a second tells nothing more."""

RECOVERY_NS: Final = 300 * NS_PER_S
"""Normal again after five clean minutes."""

RETRY_NS_DEFAULT: Final = NS_PER_S
"""Pause after a 429 that names none."""

JITTER_PARTS: Final = 8
"""Pauses are lengthened by up to this many sixteenths, so that two groups do not march."""


class RateBudget:
    """A token bucket of posts, one second deep.

    Attributes:
        refusals: 429 answers and warnings so far.
    """

    def __init__(self, orders_per_second_max: int) -> None:
        """Begin full."""
        self._per_second = orders_per_second_max
        self._milli_tokens = orders_per_second_max * 1_000
        self._filled_ns = BootNs(0)
        self._parts = RATE_PARTS
        self._halved_ns = BootNs(0)
        self._held_until_ns = BootNs(0)
        self.refusals = 0

    def take(self, now_ns: BootNs) -> bool:
        """Spend one post; False when there is none to spend now."""
        self._refill(now_ns)
        if now_ns < self._held_until_ns or self._milli_tokens < 1_000:
            return False
        self._milli_tokens -= 1_000
        return True

    def refused(self, retry_after_ns: int | None, now_ns: BootNs) -> None:
        """Take a 429 in: halve the rate and hold posts for as long as the venue says."""
        self._halve(now_ns)
        pause_ns = RETRY_NS_DEFAULT if retry_after_ns is None else retry_after_ns
        pause_ns += pause_ns * (self.refusals * 5 % JITTER_PARTS) // 16
        self._held_until_ns = BootNs(max(self._held_until_ns, now_ns + pause_ns))
        self._milli_tokens = 0

    def warned(self, now_ns: BootNs) -> None:
        """Take a warning in: the venue would have refused, so the rate is halved without a hold.

        Source: https://docs.polymarket.com/api-reference/trading-rate-limits (2026-09-28).
        """
        self._halve(now_ns)

    def hold(self, until_ns: BootNs) -> None:
        """Send no post before a moment: the venue takes none."""
        self._held_until_ns = BootNs(max(self._held_until_ns, until_ns))

    def rate_parts(self, now_ns: BootNs) -> int:
        """Return the present rate in thousandths of the normal one."""
        return self._parts_now(now_ns)

    def _halve(self, now_ns: BootNs) -> None:
        self.refusals += 1
        self._parts = max(RATE_PARTS_MIN, self._parts_now(now_ns) // 2)
        self._halved_ns = now_ns

    def _parts_now(self, now_ns: BootNs) -> int:
        """The rate grows back evenly over the recovery time."""
        if self._parts == RATE_PARTS:
            return RATE_PARTS
        clean_ns = min(now_ns - self._halved_ns, RECOVERY_NS)
        return self._parts + (RATE_PARTS - self._parts) * clean_ns // RECOVERY_NS

    def _refill(self, now_ns: BootNs) -> None:
        """Add what has grown since the last look, up to a second's worth."""
        parts = self._parts_now(now_ns)
        if parts >= RATE_PARTS:
            self._parts = RATE_PARTS
        most = self._per_second * parts
        grown = (now_ns - self._filled_ns) * self._per_second * parts // NS_PER_S
        if grown > 0:
            self._milli_tokens = min(max(most, 1_000), self._milli_tokens + grown)
            self._filled_ns = now_ns
