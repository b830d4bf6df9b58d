"""The four trading states, and which of two stands above the other.

Priority (highest first): HALTED, REDUCING, PAUSED, ACTIVE. In HALTED and PAUSED nothing
is placed; in REDUCING only reduce-only orders pass; cancels pass always.
"""

from typing import Literal

TradingState = Literal["ACTIVE", "PAUSED", "REDUCING", "HALTED"]

PRIORITY: tuple[TradingState, ...] = ("HALTED", "REDUCING", "PAUSED", "ACTIVE")


def worst(states: "list[TradingState] | tuple[TradingState, ...]") -> TradingState:
    """Return the state that stands above all others; ACTIVE for none."""
    for state in PRIORITY:
        if state in states:
            return state
    return "ACTIVE"


def lets_pass(state: TradingState, *, reduce_only: bool) -> bool:
    """Tell whether an order may be placed in a state."""
    return state == "ACTIVE" or (state == "REDUCING" and reduce_only)
