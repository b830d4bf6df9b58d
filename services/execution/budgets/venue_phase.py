"""What the venue takes now, as its answers and its calendar tell, and how long posts wait (VEN-1).

Only posts wait; cancels are tried always. A mode ends by itself after the time that the
venue names, or after a doubling pause; the next post finds out. Of a planned restart the
calendar tells beforehand: posts stop a little earlier, and silence then is expected.
Source: https://docs.polymarket.com/trading/matching-engine (2026-09-28).
"""

from typing import Final

from services.execution.budgets.restriction import Restriction
from shared.units import NS_PER_MS, NS_PER_S, BootNs
from shared.venue.modes import POST_ONLY_WINDOW_S, REFUSING_MODES, ModeSignal, VenueMode
from shared.venue.planned_restarts import NOTHING_PLANNED, RESTART_PLANNED, PlannedRestarts

PAUSE_NS_FIRST: Final = NS_PER_S
PAUSE_NS_MAX: Final = 30 * NS_PER_S
"""A restart takes up to some minutes; asking twice a minute finds its end soon enough."""

JITTER_PARTS: Final = 8
"""Pauses of our own are lengthened by up to so many sixteenths, so that groups do not march."""


class VenuePhase:
    """Newest mode and its end.

    Attributes:
        mode: NORMAL unless an answer has told another one that is not over.
        restriction: What the venue takes of us alone no more.
    """

    def __init__(self, planned: PlannedRestarts = NOTHING_PLANNED) -> None:
        """Begin in normal mode: the first answer corrects it."""
        self.mode = VenueMode.NORMAL
        self.restriction = Restriction()
        self._planned = planned
        self._until_ns = BootNs(0)
        self._pause_ns = PAUSE_NS_FIRST
        self._pauses = 0
        self._restart_ns = BootNs(0)

    def is_expected(self, wall_ns: int) -> bool:
        """Whether the calendar explains that the venue is silent or refuses now."""
        return self._planned.is_near(wall_ns)

    def hear(self, signal: ModeSignal, now_ns: BootNs) -> bool:
        """Take a mode in; return whether it is news."""
        is_news = signal.mode is not self.mode
        is_over = now_ns >= self._until_ns
        self.mode = signal.mode
        if signal.mode is VenueMode.RESTARTING:
            self._restart_ns = now_ns
        if signal.retry_after_ms is not None:
            wait_ns = signal.retry_after_ms * NS_PER_MS
        elif signal.mode is VenueMode.POST_ONLY:
            wait_ns = POST_ONLY_WINDOW_S * NS_PER_S
        else:
            wait_ns = self._pause_ns + self._pause_ns * (self._pauses * 5 % JITTER_PARTS) // 16
            if is_news or is_over:
                # Cancels ask all the time; only what was tried after a pause lengthens it.
                self._pause_ns = min(2 * self._pause_ns, PAUSE_NS_MAX)
                self._pauses += 1
        self._until_ns = BootNs(now_ns + wait_ns)
        return is_news

    def reopened(self, now_ns: BootNs) -> None:
        """Take an answer to a cancel that did what was asked: the venue is there again."""
        if self.mode is VenueMode.RESTARTING:
            self._begin_window(now_ns)
        elif self.mode is VenueMode.DISABLED:
            self._until_ns = now_ns

    def accepted(self, now_ns: BootNs, *, post_only: bool) -> None:
        """Take the acceptance of an order: the venue trades.

        After a restart it takes post-only orders alone for a while, and says so only to others.
        """
        self._pause_ns = PAUSE_NS_FIRST
        if not post_only:
            self.mode = VenueMode.NORMAL
            return
        if self.mode is VenueMode.RESTARTING:
            self._begin_window(now_ns)
        elif self.mode is not VenueMode.POST_ONLY or now_ns >= self._until_ns:
            self.mode = VenueMode.NORMAL

    def holds(self, now_ns: BootNs, *, post_only: bool, reduce_only: bool = False) -> str:
        """Return why a post waits; empty when it may be tried."""
        if self.mode is VenueMode.NORMAL or now_ns >= self._until_ns:
            return ""
        if self.mode is VenueMode.POST_ONLY and post_only:
            return ""
        if self.mode is VenueMode.CLOSED_ONLY and reduce_only:
            return ""
        return str(self.mode.value)

    def refuses_everybody(self, now_ns: BootNs, wall_ns: int) -> str:
        """Return why the venue takes orders of nobody now; empty when it may take some (KS-11)."""
        if self.is_expected(wall_ns):
            return RESTART_PLANNED
        is_over = now_ns >= self._until_ns
        return "" if is_over or self.mode not in REFUSING_MODES else str(self.mode.value)

    def _begin_window(self, now_ns: BootNs) -> None:
        """Begin the window after a restart, counted from the last answer that told of it."""
        until_ns = BootNs(self._restart_ns + POST_ONLY_WINDOW_S * NS_PER_S)
        self.mode = VenueMode.POST_ONLY if now_ns < until_ns else VenueMode.NORMAL
        self._until_ns = until_ns

    def holds_all(self, now_ns: BootNs, wall_ns: int) -> str:
        """Return why no post at all may be tried now; empty when some may."""
        if self.is_expected(wall_ns):
            return RESTART_PLANNED
        return self.holds(now_ns, post_only=True, reduce_only=True)
