"""The venue's limits of one address on each endpoint: what we have asked, and whether more may go.

The edge counts requests in sliding windows and lets excess wait before it refuses any, so a
read too many would hold back the cancel behind it. Everything that leaves is counted; reads and
posts that pass our share wait, cancels never do. Others on this machine share the address (risk,
the feeds, another group), which is why our share is a part of what is published. Pure.

Source: https://docs.polymarket.com/api-reference/rate-limits (2026-09-28).
"""

from collections import deque
from typing import Final

import msgspec

from shared.units import NS_PER_S, BootNs
from shared.venue.account_wire import OPEN_ORDERS_PATH, TRADES_PATH
from shared.venue.orders_wire import CANCEL_ALL_PATH, CANCEL_MARKET_PATH, ORDER_PATH, ORDERS_PATH

SHORT_NS: Final = 10 * NS_PER_S
LONG_NS: Final = 600 * NS_PER_S

SHARE_PARTS: Final = 2
"""We use one part in so many of each limit."""

SLOTS: Final = 20
"""A window is counted in so many parts: it is up to a twentieth longer than the venue's."""


class Limit(msgspec.Struct, frozen=True):
    """So many requests within a span, of a method and of the paths that begin so."""

    method: str
    path: str
    requests: int
    span_ns: int = SHORT_NS
    is_exact: bool = True


LIMITS: Final = (
    Limit("", "", 9_000, is_exact=False),
    Limit("POST", ORDER_PATH, 5_000),
    Limit("POST", ORDER_PATH, 120_000, LONG_NS),
    Limit("POST", ORDERS_PATH, 2_000),
    Limit("POST", ORDERS_PATH, 21_000, LONG_NS),
    Limit("DELETE", ORDER_PATH, 5_000),
    Limit("DELETE", ORDER_PATH, 120_000, LONG_NS),
    Limit("DELETE", ORDERS_PATH, 2_000),
    Limit("DELETE", ORDERS_PATH, 15_000, LONG_NS),
    Limit("DELETE", CANCEL_ALL_PATH, 250),
    Limit("DELETE", CANCEL_ALL_PATH, 6_000, LONG_NS),
    Limit("DELETE", CANCEL_MARKET_PATH, 1_500),
    Limit("DELETE", CANCEL_MARKET_PATH, 21_000, LONG_NS),
    Limit("GET", OPEN_ORDERS_PATH, 500),
    Limit("GET", TRADES_PATH, 500),
    Limit("GET", "/data/", 900, is_exact=False),
)
"""Those of the trading host that concern execution; the first is of the whole host."""


class Window:
    """How often something happened within a span, in slots of it."""

    def __init__(self, span_ns: int) -> None:
        """Begin with nothing counted."""
        self._slot_ns = span_ns // SLOTS
        self._slots: deque[tuple[int, int]] = deque()
        self._total = 0

    def add(self, now_ns: BootNs) -> None:
        """Count one."""
        slot = now_ns // self._slot_ns
        if self._slots and self._slots[-1][0] >= slot:
            newest, count = self._slots.pop()
            self._slots.append((newest, count + 1))
        else:
            self._slots.append((slot, 1))
        self._total += 1

    def count(self, now_ns: BootNs) -> int:
        """Return how many there were within the span, and a slot more."""
        oldest = now_ns // self._slot_ns - SLOTS
        while self._slots and self._slots[0][0] < oldest:
            self._total -= self._slots.popleft()[1]
        return self._total


class AddressWindows:
    """Our part in the limits of our address."""

    def __init__(self, limits: tuple[Limit, ...] = LIMITS) -> None:
        """Begin with nothing asked."""
        self._limits = tuple((limit, Window(limit.span_ns)) for limit in limits)

    def count(self, method: str, path: str, now_ns: BootNs) -> None:
        """Count a request that leaves; its query is no part of its path."""
        for _, window in self._which(method, path):
            window.add(now_ns)

    def has_room(self, method: str, path: str, now_ns: BootNs) -> bool:
        """Whether one more request stays within our share; asked for reads and posts alone."""
        return all(
            window.count(now_ns) < limit.requests // SHARE_PARTS
            for limit, window in self._which(method, path)
        )

    def _which(self, method: str, path: str) -> list[tuple[Limit, Window]]:
        bare = path.partition("?")[0]
        return [
            (limit, window)
            for limit, window in self._limits
            if limit.method in ("", method)
            and (bare == limit.path if limit.is_exact else bare.startswith(limit.path))
        ]
