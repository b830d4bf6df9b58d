"""Shell of a strategy process: `python -m services.strategy market_making`."""

import sys

from bus import actor, settings
from services.strategy.caretaker import Caretaker
from services.strategy.core import StrategyCore
from services.strategy.interface import Strategy
from services.strategy.market_making import MarketMaking
from shared.config import Config
from shared.identifiers import Component


def strategy_named(name: str, config: Config) -> Strategy:
    """Return the strategy of a name.

    Raises:
        SystemExit: There is none of that name.
    """
    if name == MarketMaking.name:
        return MarketMaking(config.strategy.market_making, config.limits)
    if name == Caretaker.name:
        return Caretaker(config.strategy.caretaker)
    sys.exit(f"no strategy is named {name!r}; known: {MarketMaking.name}, {Caretaker.name}")
