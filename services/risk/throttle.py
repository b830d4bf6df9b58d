"""Orders and fills of a window, as risk counts them (KS-13).

Three counts stand behind the switch: execution's own, told in its status; the fills that it
tells one by one; and the orders that the venue's stream shows, of all strategies together, which
an execution that miscounts cannot hide.
"""

from collections import deque
from collections.abc import Iterator

from services.risk.samples import Sample
from services.risk.scopes import ScopeKey
from services.risk.source import Notice
from shared.config.losses import ThrottleSettings
from shared.effects import Message, Received
from shared.facts import ExecutionStatus, FillFact, OwnOrder
from shared.identifiers import StrategyName
from shared.switches import REPEATED_EXECUTION
from shared.topics import STRATEGIES
from shared.units import NS_PER_S, BootNs, Instant

COUNTED_MAX = 100_000
"""Ids remembered, so that a repeated report counts once; oldest first out."""


class ThrottleSource:
    """The source of samples about how much a strategy does."""

    def __init__(self, settings: ThrottleSettings) -> None:
        self._settings = settings
        self._orders: deque[BootNs] = deque(maxlen=settings.orders_max * len(STRATEGIES) + 1)
        self._fills: dict[StrategyName, deque[BootNs]] = {}
        self._counted: dict[tuple[str, str], None] = {}
        self._told: dict[str, str] = {}

    def hear(self, message: Message, now: Instant) -> None:
        """Count an order or a fill, once however often it is told."""
        if not isinstance(message, Received):
            return
        body = message.body
        if isinstance(body, ExecutionStatus) and body.losses is not None:
            self._told = dict(body.losses.throttled)
        elif isinstance(body, OwnOrder) and self._is_new(("", body.order_id)):
            self._orders.append(now.boot_ns)
        elif isinstance(body, FillFact) and self._is_new((body.trade_id, body.order_id)):
            kept = self._settings.fills_max + 1
            self._fills.setdefault(body.strategy, deque(maxlen=kept)).append(now.boot_ns)

    def data(self, now: Instant) -> Iterator[Sample | Notice]:
        """Yield each strategy with the worst of the counts."""
        settings = self._settings
        orders = self._count(self._orders, now)
        limit = settings.orders_max * len(STRATEGIES)
        everybody = ""
        if orders > limit:
            everybody = f"{orders} orders of the account in {settings.window_s} s, limit {limit}"
        for name in dict.fromkeys((*STRATEGIES, *self._fills, *self._told)):
            strategy = StrategyName(name)
            fills = self._count(self._fills.get(strategy, deque()), now)
            why = self._told.get(strategy, everybody)
            if fills > settings.fills_max:
                why = f"{fills} fills in {settings.window_s} s, limit {settings.fills_max}"
            key: ScopeKey = ("strategy", strategy)
            yield Sample(REPEATED_EXECUTION, "", key, bool(why), why)

    def _is_new(self, key: tuple[str, str]) -> bool:
        if key in self._counted:
            return False
        if len(self._counted) >= COUNTED_MAX:
            self._counted.pop(next(iter(self._counted)))
        self._counted[key] = None
        return True

    def _count(self, moments: deque[BootNs], now: Instant) -> int:
        """Return how many lie in the window."""
        while moments and now.boot_ns - moments[0] >= self._settings.window_s * NS_PER_S:
            moments.popleft()
        return len(moments)
