"""The edge's limits of one address: what exceeds a window waits for its turn in the next.

Everybody on this machine has one address. A limit counts the requests that its method and path
name, in each ten seconds or ten minutes; a request over it is taken in when the oldest of its
window has left, which is how the edge treats excess before it refuses any.

Source: https://docs.polymarket.com/api-reference/rate-limits (2026-09-28).
"""

from collections import deque

import msgspec

from services.simulator.edge import Request
from shared.units import NS_PER_S

BURST_NS = 10 * NS_PER_S
LONG_NS = 600 * NS_PER_S
MINUTE_NS = 60 * NS_PER_S


class Limit(msgspec.Struct, frozen=True):
    """So many requests within a span.

    Attributes:
        method: Empty for all.
        paths: Which paths it counts together, exactly; empty for all, `*` at an end for a prefix.
    """

    method: str
    paths: tuple[str, ...]
    requests: int
    span_ns: int = BURST_NS


LIMITS = (
    Limit("", (), 15_000),
    Limit("", ("/ok",), 100),
    Limit("POST", ("/order",), 5_000),
    Limit("POST", ("/order",), 120_000, LONG_NS),
    Limit("DELETE", ("/order",), 5_000),
    Limit("DELETE", ("/order",), 120_000, LONG_NS),
    Limit("POST", ("/orders",), 2_000),
    Limit("POST", ("/orders",), 21_000, LONG_NS),
    Limit("DELETE", ("/orders",), 2_000),
    Limit("DELETE", ("/orders",), 15_000, LONG_NS),
    Limit("DELETE", ("/cancel-all",), 250),
    Limit("DELETE", ("/cancel-all",), 6_000, LONG_NS),
    Limit("DELETE", ("/cancel-market-orders",), 1_500),
    Limit("DELETE", ("/cancel-market-orders",), 21_000, LONG_NS),
    Limit("", ("/book",), 1_500),
    Limit("", ("/price",), 1_500),
    Limit("", ("/midpoint",), 1_500),
    Limit("", ("/books",), 500),
    Limit("", ("/prices",), 500),
    Limit("", ("/midpoints",), 500),
    Limit("", ("/tick-size*",), 200),
    Limit("", ("/prices-history",), 1_000),
    Limit("", ("/data/orders",), 500),
    Limit("", ("/data/trades",), 500),
    Limit("", ("/data/*", "/notifications"), 900),
    Limit("", ("/notifications",), 125),
    Limit("", ("/balance-allowance",), 200),
    Limit("", ("/balance-allowance/update",), 50),
    Limit("", ("/auth/*",), 100),
    Limit("", ("/events*",), 500),
    Limit("", ("/markets*",), 300),
    Limit("", ("/events*", "/markets*"), 900),
    Limit("", ("/v2/*",), 800),
    Limit("", ("/v2/trades",), 300),
    Limit("", ("/v2/positions",), 200),
    Limit("", ("/v2/activity",), 200),
    Limit("", ("/v2/status",), 100),
    Limit("", ("/submit",), 25, MINUTE_NS),
)


class Windows:
    """How much of each limit is used."""

    def __init__(self, limits: tuple[Limit, ...] = LIMITS) -> None:
        """Begin with nothing used."""
        self._limits = limits
        self._used: list[deque[int]] = [deque() for _ in limits]
        self._of_route: dict[tuple[str, str], tuple[int, ...]] = {}

    def wait_ns(self, request: Request, now_ns: int) -> int:
        """Count a request, and return how long it waits before it is taken in."""
        chosen = self._which(request)
        due_ns = now_ns
        for number in chosen:
            limit, used = self._limits[number], self._used[number]
            while used and used[0] <= now_ns - limit.span_ns:
                used.popleft()
            if len(used) >= limit.requests:
                due_ns = max(due_ns, used[len(used) - limit.requests] + limit.span_ns)
        for number in chosen:
            self._used[number].append(due_ns)
        return due_ns - now_ns

    def _which(self, request: Request) -> tuple[int, ...]:
        first = "/".join(request.path.split("/")[:3])
        route = (request.method, request.path if len(first) == len(request.path) else first + "/")
        known = self._of_route.get(route)
        if known is None:
            known = tuple(
                number
                for number, limit in enumerate(self._limits)
                if limit.method in ("", request.method) and _counts(limit, request.path)
            )
            if len(self._of_route) < ROUTES_MAX:
                self._of_route[route] = known
        return known


ROUTES_MAX = 1_000
"""Routes whose limits are remembered; others are looked up each time."""


def _counts(limit: Limit, path: str) -> bool:
    return not limit.paths or any(
        path.startswith(known[:-1]) if known.endswith("*") else path == known
        for known in limit.paths
    )
