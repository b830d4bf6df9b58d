"""What the venue says of the address that we trade from."""

from typing import Literal

from shared.facts.fact import Fact
from shared.units import MonotonicNs


class PlaceFact(Fact, frozen=True):
    """Repeated every second by discovery (KS-5).

    Attributes:
        verdict: Of the newest answer that could be read; `unknown` before the first.
        asked_ns: When the question of that answer was asked; None before the first.
        failures: Questions since then that brought no answer.
        text: Country and region, or why the newest question brought nothing; never the address.
    """

    verdict: Literal["unknown", "open", "close_only", "blocked"]
    asked_ns: MonotonicNs | None
    failures: int
    text: str
