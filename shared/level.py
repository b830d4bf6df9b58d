"""The four levels of degradation, and what a level leaves of a size (DG-1 to DG-4).

NORMAL; REDUCED: most liquid markets, half sizes, wider quotes, nothing advanced; EMERGENCY:
positions are closed and nothing is opened; SHUTDOWN: closed, stopped, an operator's to begin
again. Decides no level: risk does, alone.
"""

from typing import Literal

from shared.units import SizeE6

Level = Literal["NORMAL", "REDUCED", "EMERGENCY", "SHUTDOWN"]

LEVELS: tuple[Level, ...] = ("NORMAL", "REDUCED", "EMERGENCY", "SHUTDOWN")

REDUCED_PARTS = 2
"""Below NORMAL a size is one part in so many."""

SIZE_STEP_E6 = 10_000
"""Sizes carry two decimals at the venue."""


def rank(level: Level) -> int:
    """Return how far a level is from NORMAL, 0 for NORMAL itself."""
    return LEVELS.index(level)


def size_at(level: Level, full: SizeE6, least: SizeE6) -> SizeE6:
    """Return what a size may be at a level; never below what the venue takes at all.

    Args:
        level: In force.
        full: The size at NORMAL, 1e-6 share.
        least: The venue's minimum in the market, 1e-6 share.
    """
    if level == "NORMAL":
        return full
    part = full // REDUCED_PARTS // SIZE_STEP_E6 * SIZE_STEP_E6
    return SizeE6(min(full, max(part, least)))
