"""The clients' orders that there are: by id, by key, by market, and by their expiry."""

from heapq import heappop, heappush

from services.simulator.accounts import Accounts, order_reserve
from services.simulator.markets import Calendar
from services.simulator.matching import Order


class Shelf:
    """Keeps the clients' orders, and what of their money the open ones reserve.

    Attributes:
        orders: Every client order of a market that is not forgotten, by id.
        open: Open client orders by API key, oldest first.
    """

    def __init__(self, calendar: Calendar, accounts: Accounts) -> None:
        """Begin with no order."""
        self._calendar = calendar
        self._accounts = accounts
        self._expiry: list[tuple[int, int, Order]] = []
        self._expiry_count = 0
        self._of_market: dict[str, list[Order]] = {}
        self.orders: dict[str, Order] = {}
        self.open: dict[str, dict[str, Order]] = {}

    def remember(self, order: Order) -> None:
        """Keep an order that was not here before."""
        assert order.order_id not in self.orders
        self.orders[order.order_id] = order
        self._of_market.setdefault(order.market, []).append(order)
        self.open.setdefault(order.owner, {})

    def forget(self, order: Order) -> None:
        """Drop an order that was refused after all."""
        del self.orders[order.order_id]
        self._of_market[order.market].remove(order)

    def keep_open(self, order: Order) -> None:
        """Let an order be open, until its expiry if it has one."""
        self.reserve(order, order_reserve(order))
        self.open.setdefault(order.owner, {})[order.order_id] = order
        if order.expires_ms is not None:
            self._expiry_count += 1
            heappush(self._expiry, (order.expires_ms, self._expiry_count, order))

    def shut(self, order: Order) -> None:
        """Let an order be open no longer."""
        self.open[order.owner].pop(order.order_id, None)

    def reserve(self, order: Order, amount: int) -> None:
        """Change what an order reserves of its maker's money or tokens."""
        market = self._calendar.by_condition[order.market]
        token = "" if order.side == "BUY" else market.tokens[order.outcome]
        self._accounts.get(order.maker).reserve(token, amount)

    def of_market(self, condition: str) -> list[Order]:
        """Return the orders of a market."""
        return self._of_market.get(condition, [])

    def forget_market(self, condition: str) -> None:
        """Drop all orders of a market."""
        for order in self._of_market.pop(condition, []):
            del self.orders[order.order_id]

    def pop_expired(self, wall_ms: int) -> Order | None:
        """Return a live order whose time is over, None when there is none."""
        while self._expiry and self._expiry[0][0] <= wall_ms:
            order = heappop(self._expiry)[2]
            if order.status == "LIVE":
                return order
        return None

    def next_ms(self) -> int | None:
        """Return the wall-clock time at which an order may expire next."""
        return self._expiry[0][0] if self._expiry else None
