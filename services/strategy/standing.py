"""What risk's newest ping says to a strategy: whether it was heard, and what is to be closed.

A strategy quotes nothing where positions are to be closed: closing them is the caretaker's,
for every owner alike, so that a strategy that is broken does not have to close its own. What a
strategy held that has crashed or is disabled is handed over: managed by stops, not sold at once.
"""

from shared.control import Ping, ScopeOrder
from shared.facts import MarketInfo
from shared.identifiers import StrategyName
from shared.level import Level
from shared.reducing import reduces
from shared.trading_state import TradingState
from shared.units import BootNs, Instant


class Standing:
    """The newest ping.

    Attributes:
        level: Of degradation.
    """

    def __init__(self) -> None:
        self.level: Level = "NORMAL"
        self._pinged_ns: BootNs | None = None
        self._account: TradingState = "PAUSED"
        self._scopes: tuple[ScopeOrder, ...] = ()

    def hear(self, ping: Ping, now: Instant) -> None:
        """Take a ping in."""
        self._pinged_ns = now.boot_ns
        self._account = ping.trading_state
        self._scopes = ping.scopes
        self.level = ping.level

    def is_silent(self, hang_ns: int, now: Instant) -> bool:
        """Tell whether risk has not pinged for longer than a component may hang."""
        return self._pinged_ns is None or now.boot_ns - self._pinged_ns > hang_ns

    def reduces(self, owner: StrategyName, info: MarketInfo) -> bool:
        """Tell whether an owner's position in a market is to be closed."""
        return reduces(self._account, self._scopes, owner, info)

    def closes(self, owner: StrategyName, info: MarketInfo) -> bool:
        """Tell whether an owner's position in a market is to be sold at once."""
        ordered = tuple(scope for scope in self._scopes if not scope.care)
        return reduces(self._account, ordered, owner, info)

    def is_handed_over(self, owner: StrategyName) -> bool:
        """Tell whether an owner's positions are the caretaker's, whether it lives or not."""
        return any(
            scope.care and scope.kind == "strategy" and scope.scope_id == owner
            for scope in self._scopes
        )

    def held(self, strategy: StrategyName) -> str:
        """Return in which state risk holds a strategy, and why; empty when it does not."""
        for scope in self._scopes:
            of_strategy = scope.kind == "strategy" and scope.scope_id == strategy
            if of_strategy and scope.state != "ACTIVE":
                return f"{scope.state}: {scope.reason}"
        return ""
