"""What each market has traded, for discovery and the data service.

Counted since the simulator began; a market that traded in an earlier run begins at nothing.
"""

import msgspec

from services.simulator.happenings import Happening, MarketForgotten, TradePrinted
from shared.units import PRICE_ONE_E4, Instant


class Volume(msgspec.Struct, frozen=True):
    """What takers have traded: shares and money, both in 1e-6."""

    size: int = 0
    money: int = 0


_NOTHING = Volume()


class Volumes:
    """Volumes by market."""

    def __init__(self) -> None:
        """Begin with none."""
        self._volumes: dict[str, Volume] = {}

    def note(self, happening: Happening, now: Instant) -> None:
        """Count a print, and forget a market that has left the calendar."""
        match happening:
            case TradePrinted():
                known = self.of(happening.market.condition_id)
                money = happening.price * happening.size // PRICE_ONE_E4
                self._volumes[happening.market.condition_id] = Volume(
                    known.size + happening.size, known.money + money
                )
            case MarketForgotten():
                self._volumes.pop(happening.market.condition_id, None)
            case _:
                return

    def of(self, condition: str) -> Volume:
        """Return what a market has traded."""
        return self._volumes.get(condition, _NOTHING)
