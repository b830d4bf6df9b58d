"""Shell of a strategy process: `python -m services.strategy market_making`.

`python -m services.strategy market_making replay FILE...` decides recorded runs again instead.
"""

import sys

from bus import actor, process
from bus.decisions import decide_again
from services.strategy.caretaker import Caretaker
from services.strategy.core import StrategyCore
from services.strategy.interface import Strategy
from services.strategy.market_making import MarketMaking
from shared.config import Config
from shared.identifiers import Component
from shared.topics import CARETAKER, MARKET_MAKING, STRATEGIES


def strategy_named(name: Component, config: Config) -> Strategy:
    """Return the strategy of a name; there is one for each strategy component."""
    if name == MARKET_MAKING:
        return MarketMaking(
            config.strategy.market_making, config.limits, config.degradation.reduced_spread_e4
        )
    assert name == CARETAKER
    return Caretaker(config.strategy.caretaker, config.limits.unknown_position)


def main(arguments: list[str]) -> int:
    """Run one strategy until it is told to stop, or decide again; return the exit status."""
    if not arguments or arguments[0] not in STRATEGIES:
        return _usage()
    name = Component(arguments[0])
    if arguments[1:2] == ["replay"]:
        return decide_again(name, lambda config: core_of(name, config), arguments[2:])
    if len(arguments) > 1:
        return _usage()
    started = process.start(name)
    return actor.run(started, core_of(name, started.settings.config))


def core_of(name: Component, config: Config) -> StrategyCore:
    """Return the core of a strategy component."""
    takeover_ms = config.strategy.caretaker.takeover_ms
    return StrategyCore(strategy_named(name, config), config.timing, takeover_ms)


def _usage() -> int:
    sys.stderr.write(
        f"usage: python -m services.strategy {{{','.join(STRATEGIES)}}} [replay FILE...]\n"
    )
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
