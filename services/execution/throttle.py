"""How many orders and fills a strategy has had in a window: a loop gone wild is cut off (KS-13).

Counts what execution itself has decided and journaled. At its limit of orders a strategy gets
no further one; beyond its limit of fills neither. Risk latches the strategy for either, and
counts by itself what execution tells of single orders and fills.
"""

from collections import deque

from shared.config.losses import ThrottleSettings
from shared.identifiers import StrategyName
from shared.ledger_schema import FillRecord
from shared.units import NS_PER_S, BootNs, Instant

STRATEGIES_MAX = 64
"""Strategies counted, those of adopted positions included."""


class Throttle:
    """Moments of the newest orders and fills, by strategy."""

    def __init__(self, settings: ThrottleSettings) -> None:
        """Begin with none: a window is shorter than any start."""
        self._settings = settings
        self._window_ns = settings.window_s * NS_PER_S
        self._orders: dict[StrategyName, deque[BootNs]] = {}
        self._fills: dict[StrategyName, deque[BootNs]] = {}
        self._counted: dict[tuple[str, str], None] = {}

    def ordered(self, strategy: StrategyName, now: Instant) -> None:
        """Count an order that was decided."""
        _note(self._orders, strategy, self._settings.orders_max, now)

    def filled(self, fill: FillRecord, now: Instant) -> None:
        """Count a fill, once however often it is told."""
        key = (fill.trade_id, fill.order_id)
        if key in self._counted:
            return
        if len(self._counted) >= STRATEGIES_MAX * self._settings.fills_max:
            self._counted.pop(next(iter(self._counted)))
        self._counted[key] = None
        _note(self._fills, fill.strategy, self._settings.fills_max + 1, now)

    def excess(self, strategy: StrategyName, now: Instant) -> str:
        """Return why a strategy may place nothing more now; empty when it may."""
        settings = self._settings
        orders = self._count(self._orders, strategy, now)
        if orders >= settings.orders_max:
            return f"{orders} orders in {settings.window_s} s, limit {settings.orders_max}"
        fills = self._count(self._fills, strategy, now)
        if fills > settings.fills_max:
            return f"{fills} fills in {settings.window_s} s, limit {settings.fills_max}"
        return ""

    def excesses(self, now: Instant) -> tuple[tuple[str, str], ...]:
        """Return every strategy that may place nothing more, and why."""
        names = sorted({*self._orders, *self._fills})
        found = ((name, self.excess(name, now)) for name in names)
        return tuple((name, why) for name, why in found if why)

    def _count(
        self, table: dict[StrategyName, deque[BootNs]], strategy: StrategyName, now: Instant
    ) -> int:
        """Return how many of a strategy lie in the window."""
        moments = table.get(strategy)
        if moments is None:
            return 0
        while moments and now.boot_ns - moments[0] >= self._window_ns:
            moments.popleft()
        return len(moments)


def _note(
    table: dict[StrategyName, deque[BootNs]], strategy: StrategyName, kept: int, now: Instant
) -> None:
    """Keep a moment; of more than can matter the oldest goes."""
    if strategy not in table and len(table) >= STRATEGIES_MAX:
        table.pop(next(iter(table)))
    table.setdefault(strategy, deque(maxlen=kept)).append(now.boot_ns)
