"""RV-1 of perpetual markets: mark price and open interest inside their range of the last hour."""

from services.risk.hour_range import HourRange
from services.risk.strategy_inputs import StrategyInput
from shared.config import RecoverySettings
from shared.facts import PerpContext
from shared.units import Instant

ASSETS_MAX = 64

FIGURES: tuple[StrategyInput, ...] = ("mark price", "open interest")


class PerpSanity:
    """What every asset's perpetual market has told within the hour."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._ranges: dict[tuple[str, StrategyInput], HourRange] = {}

    def take(self, context: PerpContext, now: Instant) -> None:
        """Take a context of the stream in; what a read tells is a second source and no more."""
        if context.source != "socket":
            return
        for figure, value in zip(
            FIGURES, (int(context.mark_e18), int(context.open_interest_e8)), strict=True
        ):
            key = (context.asset, figure)
            if key not in self._ranges:
                if len(self._ranges) >= ASSETS_MAX * len(FIGURES):
                    return
                self._ranges[key] = HourRange(value)
            self._ranges[key].take(value, now)

    def out_of_range(self, settings: RecoverySettings, figure: StrategyInput) -> str:
        """Return of which assets a figure is far outside of what the hour before has seen."""
        limits = {
            "mark price": settings.range_percent_max,
            "open interest": settings.interest_range_percent_max,
        }
        percent = limits[figure]
        return ", ".join(
            f"{asset} {figure}"
            for (asset, name), known in self._ranges.items()
            if name == figure and known.is_outside(percent)
        )
