"""What the venue takes now, as its answers tell, and how long posts wait for it (VEN-1).

Only posts wait; cancels are tried always. A mode ends by itself after the time that the
venue names, or after a doubling pause; the next post finds out.
Source: https://docs.polymarket.com/trading/matching-engine (2026-09-28).
"""

from typing import Final

from shared.units import NS_PER_MS, NS_PER_S, BootNs
from shared.venue.modes import POST_ONLY_WINDOW_S, ModeSignal, VenueMode

PAUSE_NS_FIRST: Final = NS_PER_S
PAUSE_NS_MAX: Final = 30 * NS_PER_S
"""A restart takes up to some minutes; asking twice a minute finds its end soon enough."""


class VenuePhase:
    """Newest mode and its end.

    Attributes:
        mode: NORMAL unless an answer has told another one that is not over.
    """

    def __init__(self) -> None:
        """Begin in normal mode: the first answer corrects it."""
        self.mode = VenueMode.NORMAL
        self._until_ns = BootNs(0)
        self._pause_ns = PAUSE_NS_FIRST

    def hear(self, signal: ModeSignal, now_ns: BootNs) -> bool:
        """Take a mode in; return whether it is news."""
        is_news = signal.mode is not self.mode
        self.mode = signal.mode
        if signal.retry_after_ms is not None:
            wait_ns = signal.retry_after_ms * NS_PER_MS
        elif signal.mode is VenueMode.POST_ONLY:
            wait_ns = POST_ONLY_WINDOW_S * NS_PER_S
        else:
            wait_ns = self._pause_ns
            self._pause_ns = min(2 * self._pause_ns, PAUSE_NS_MAX)
        self._until_ns = BootNs(now_ns + wait_ns)
        return is_news

    def accepted(self) -> None:
        """Take the acceptance of an order: the venue trades."""
        if self.mode is not VenueMode.POST_ONLY:
            self.mode = VenueMode.NORMAL
        self._pause_ns = PAUSE_NS_FIRST

    def holds(self, now_ns: BootNs, *, post_only: bool) -> str:
        """Return why a post waits; empty when it may be tried."""
        if self.mode is VenueMode.NORMAL or now_ns >= self._until_ns:
            return ""
        if self.mode is VenueMode.POST_ONLY and post_only:
            return ""
        return str(self.mode.value)
