"""What to do about cancels that fail: everything at once, then risk, then the venue's dead-man.

The ladder: single cancels, which become batches while more is doomed (`canceling.py`); one
cancel of everything with an alert; a fence of our own, which every pong repeats, so that risk
cancels by its own path; and, since risk sends no beat before zero is proven, the venue's
dead-man switch ten to fifteen seconds later. Every step has a bound in time and in count. A
venue that restarts is waited out, as nothing is matched meanwhile. Pure.

Source of the restart's answers and length:
https://docs.polymarket.com/trading/matching-engine (2026-09-28).
"""

from collections.abc import Iterable
from typing import Final

from services.execution.lifecycle import Order
from shared.units import NS_PER_MS, NS_PER_S, BootNs

FAILS_MAX: Final = 3
"""Cancels of one order in a row that brought nothing; then everything is cancelled."""

STUCK_NS_MAX: Final = NS_PER_S
"""From an order's first cancel until everything is cancelled, however few tries that were."""

ALL_EVERY_NS: Final = 5 * NS_PER_S
"""A cancel of everything costs what it cancels; no faster than this for the same trouble."""

ALLS_FAILED_MAX: Final = 3
"""Cancels of everything in a row that failed; then risk is called."""

RISK_NS_MAX: Final = 3 * NS_PER_S
"""From an order's first cancel until risk is called, however few tries that were."""

RESTART_NS_MAX: Final = 180 * NS_PER_S
"""A restart is waited out this long, twice its usual length; then it counts as a failure."""

RESTART_HEARD_NS: Final = 2 * NS_PER_S
"""An answer says that the venue restarts for so long; cancels ask four times a second."""


class Escalation:
    """How far the present trouble has come."""

    def __init__(self) -> None:
        """Begin without trouble."""
        self._all_ns = BootNs(-ALL_EVERY_NS)
        self._alls_failed = 0
        self._is_refused = False
        self._restart_since_ns: BootNs | None = None
        self._restart_ns = BootNs(0)

    @property
    def alls_failed(self) -> int:
        """How many cancels of everything in a row have failed."""
        return self._alls_failed

    def all_answered(self) -> None:
        """Take an answer to a cancel of everything."""
        self._alls_failed = 0

    def answered(self) -> None:
        """Take any answer that lists orders: the venue takes our cancels."""
        self._is_refused = False
        self._restart_since_ns = None

    def all_failed(self) -> None:
        """Take a cancel of everything that failed."""
        self._alls_failed += 1

    def refused_for_good(self) -> None:
        """Take an answer 401 or 403: asking again with the same key helps nobody."""
        self._is_refused = True

    def restarting(self, now_ns: BootNs) -> None:
        """Take an answer, or the calendar's word, that the venue restarts."""
        if self._restart_since_ns is None:
            self._restart_since_ns = now_ns
        self._restart_ns = now_ns

    def wants_all(self, orders: Iterable[Order], now_ns: BootNs) -> int:
        """Return how many orders resist so that everything is to be cancelled now; 0 for none."""
        if now_ns - self._all_ns < ALL_EVERY_NS or self._waits_for_restart(now_ns):
            return 0
        stuck = sum(_is_stuck(order, now_ns) for order in orders)
        if not stuck:
            return 0
        self._all_ns = now_ns
        return stuck

    def wants_risk(self, orders: Iterable[Order], now_ns: BootNs) -> str:
        """Return why risk is to cancel in our place; empty while it is not."""
        doomed = [order for order in orders if order.doom]
        if doomed and self._is_refused:
            return "the venue refuses our cancels"
        if self._waits_for_restart(now_ns):
            return ""
        stuck = [order for order in doomed if _is_stuck(order, now_ns)]
        if not stuck:
            return ""
        if self._alls_failed >= ALLS_FAILED_MAX:
            return f"{self._alls_failed} cancels of everything failed"
        since_ns = now_ns - min(order.cancel_since_ns for order in stuck)
        if since_ns >= RISK_NS_MAX:
            return f"{len(stuck)} orders resist their cancel for {since_ns // NS_PER_MS} ms"
        return ""

    def _waits_for_restart(self, now_ns: BootNs) -> bool:
        if self._restart_since_ns is None:
            return False
        is_heard = now_ns - self._restart_ns < RESTART_HEARD_NS
        return is_heard and now_ns - self._restart_since_ns < RESTART_NS_MAX


def _is_stuck(order: Order, now_ns: BootNs) -> bool:
    """Whether an order that is known to rest resists its cancels."""
    if not order.doom or not order.live_ns or not order.cancel_since_ns:
        return False
    waited_ns = now_ns - order.cancel_since_ns
    return order.cancels_failed >= FAILS_MAX or waited_ns >= STUCK_NS_MAX
