"""What of perpetual futures is judged, what is usual of it, and when two sources agree. Pure.

A measure takes a fact apart into one number, says in words how far a number is from what was usual,
and whether two numbers told by different ways are the same. Books are told at other moments by each
way, so that their depths agree within a factor only.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final, Protocol

from shared.config import AbnormalSettings
from shared.facts import PerpBook, PerpContext, PerpEvent
from shared.units import NS_PER_MS, NS_PER_S

E12: Final = 10**12
E18: Final = 10**18

FUNDING_USUAL_E12_MIN: Final = 12_500_000
"""Interest alone, 0.01 % in eight hours.

Source: https://hyperliquid.gitbook.io/hyperliquid-docs/trading/funding (2026-09).
"""

FUNDING_APART_PERCENT_MAX: Final = 20
DEPTH_TIMES_MAX: Final = 4
DEPTH_SAMPLES_MIN: Final = 6
"""Half a minute of deep books, a quarter of fast ones: before that nobody knows what is usual."""


class Measure(Protocol):
    """One judged number of an asset.

    Attributes:
        name: Tells its condition apart from others of the asset.
        span_ns: How far back what was usual is remembered.
        every_ns: Least time between two numbers that are remembered.
    """

    name: str
    span_ns: int
    every_ns: int

    def of(self, fact: PerpEvent) -> int | None:
        """Return the number that a fact tells, None when it tells none."""
        ...

    def odd(self, value: int, past: Sequence[int]) -> str:
        """Return in words how a number is abnormal after others; empty when it is not."""
        ...

    def agree(self, first: int, second: int) -> bool:
        """Tell whether two sources tell the same."""
        ...

    def words(self, value: int) -> str:
        """Return a number for people."""
        ...


class Mark:
    """The mark price, in 1e-18 USD, against the lowest and highest of its window."""

    name = "perp price"
    every_ns = 250 * NS_PER_MS

    def __init__(self, settings: AbnormalSettings) -> None:
        """Set how far it may move in how long."""
        self._settings = settings
        self.span_ns = settings.move_ms * NS_PER_MS

    def of(self, fact: PerpEvent) -> int | None:
        """Return the mark price of a context."""
        return int(fact.mark_e18) if isinstance(fact, PerpContext) else None

    def odd(self, value: int, past: Sequence[int]) -> str:
        """Compare with the extremes of the window."""
        limit = self._settings.move_percent_max
        for extreme in (min(past, default=value), max(past, default=value)):
            if abs(value - extreme) * 100 > limit * extreme:
                return f"perpetual moved from {self.words(extreme)} to {self.words(value)}"
        return ""

    def agree(self, first: int, second: int) -> bool:
        """Compare with what one source may be behind the other."""
        return abs(first - second) * 100 <= self._settings.agree_percent_max * second

    def words(self, value: int) -> str:
        """Return US dollars."""
        return f"{value / E18:.2f}"


class Funding:
    """The funding of an hour, in 1e-12 of either sign, against the median of its past."""

    name = "funding"
    span_ns = 3_600 * NS_PER_S
    every_ns = 60 * NS_PER_S

    def __init__(self, settings: AbnormalSettings) -> None:
        """Set how many times the usual it may be."""
        self._times_max = settings.funding_times_max

    def of(self, fact: PerpEvent) -> int | None:
        """Return the funding of a context."""
        return int(fact.funding_e12) if isinstance(fact, PerpContext) else None

    def odd(self, value: int, past: Sequence[int]) -> str:
        """Compare with the usual, which is the venue's interest at least."""
        usual = max(FUNDING_USUAL_E12_MIN, *(round(median(map(abs, past))),) if past else (0,))
        if abs(value) <= self._times_max * usual:
            return ""
        return f"funding {self.words(value)} an hour, usually {self.words(usual)}"

    def agree(self, first: int, second: int) -> bool:
        """Compare by a share of the larger; below the interest all is the same."""
        apart, larger = abs(first - second), max(abs(first), abs(second))
        small = apart <= FUNDING_USUAL_E12_MIN
        return small or apart * 100 <= FUNDING_APART_PERCENT_MAX * larger

    def words(self, value: int) -> str:
        """Return percent."""
        return f"{100 * value / E12:.4f} %"


class Depth:
    """Coins on the thinner side of the book, in 1e-8, against the median of its past."""

    name = "depth"
    span_ns = 600 * NS_PER_S
    every_ns = 2_500 * NS_PER_MS

    def __init__(self, settings: AbnormalSettings) -> None:
        """Set how much of it may go."""
        self._left_percent_min = 100 - settings.depth_drop_percent_max

    def of(self, fact: PerpEvent) -> int | None:
        """Return the smaller sum of a book's two sides."""
        if not isinstance(fact, PerpBook):
            return None
        return min(sum(size for _, size in side) for side in (fact.bids, fact.asks))

    def odd(self, value: int, past: Sequence[int]) -> str:
        """Compare with the usual, once there is one."""
        if len(past) < DEPTH_SAMPLES_MIN:
            return ""
        usual = round(median(past))
        if value * 100 >= self._left_percent_min * usual:
            return ""
        return f"book depth {self.words(value)}, usually {self.words(usual)}"

    def agree(self, first: int, second: int) -> bool:
        """Compare by a factor."""
        return max(first, second) <= DEPTH_TIMES_MAX * min(first, second)

    def words(self, value: int) -> str:
        """Return coins."""
        return f"{value / 10**8:.4g} coins"


def measures(settings: AbnormalSettings) -> tuple[Measure, ...]:
    """Return everything that is judged."""
    return (Mark(settings), Funding(settings), Depth(settings))
