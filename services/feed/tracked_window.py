"""One window that discovery follows: what is known of it, since when, and when it was asked for.

Decides nothing.
"""

from services.feed.windows import Window
from shared.facts import MarketInfo
from shared.units import MonotonicNs


class TrackedWindow:
    """What is known of one window, and since when.

    Attributes:
        verified_ns: When the newest answer about it was asked for; None before the first.
        asked_ns: When it was asked for last, whether or not that was answered.
    """

    def __init__(self, window: Window) -> None:
        """Start with nothing known."""
        self.window = window
        self.info: MarketInfo | None = None
        self.verified_ns: MonotonicNs | None = None
        self.asked_ns: MonotonicNs | None = None
        self.is_asking = False

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing about it can change any more."""
        return self.info is not None and self.info.winner is not None
