"""An event with three markets beside each window: where will the price end, in which range?

Exactly one of the ranges holds the price at the end, whatever it is, so that exactly one of the
markets is paid: an event for negative risk, traded in the same books as everything else.

Source of the grouping: https://docs.polymarket.com/developers/neg-risk/overview (2026-09-28); how
far the ranges reach is the simulator's own.
"""

import msgspec

NAMES = ("Yes", "No")
"""Outcomes of such a market."""

REACH_BPS = 5
"""Half the width of the middle range, 1e-4 of the first price: what a lively minute moves."""

_BPS = 10_000


class Range(msgspec.Struct, frozen=True):
    """One range of prices at the end, the lower edge included.

    Attributes:
        title: Its name among the outcomes of the event.
        low_bps: Lower edge, from the price at the start, None for none; high_bps: the upper one.
    """

    title: str
    low_bps: int | None
    high_bps: int | None

    def edges(self, strike_e8: int) -> tuple[int | None, int | None]:
        """Return the lower and the upper edge, None where there is none."""
        return _edge(strike_e8, self.low_bps), _edge(strike_e8, self.high_bps)

    def holds(self, strike_e8: int, final_e8: int) -> bool:
        """Tell whether a final price is inside."""
        low, high = self.edges(strike_e8)
        return (low is None or final_e8 >= low) and (high is None or final_e8 < high)


RANGES = (
    Range("Below", None, -REACH_BPS),
    Range("Inside", -REACH_BPS, REACH_BPS),
    Range("Above", REACH_BPS, None),
)


def range_slug(event: str, number: int) -> str:
    """Return the slug of a market of an event."""
    return f"{event}-{RANGES[number].title.lower()}"


def _edge(strike_e8: int, bps: int | None) -> int | None:
    return None if bps is None else strike_e8 * (_BPS + bps) // _BPS
