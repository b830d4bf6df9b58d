"""Which handler answers which request: one line a route.

A path is matched segment by segment, and `*` stands for any one segment that is not empty; an
exact path comes before one with a star, and of those the first in the table. Handlers get the
whole request and read a star's segment with `edge.last_segment`.

The simulator serves trading, discovery and the rest on one address, though the venue has a host
for each. Where two hosts share a path, the route says by what the requests differ.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from services.simulator.answers import Answer, Held, ok
from services.simulator.beats import Beats
from services.simulator.cancels import Cancels
from services.simulator.edge import Request
from services.simulator.key_requests import KeyRequests
from services.simulator.reads import Reads
from services.simulator.trading import Trading
from shared.units import NS_PER_S, Instant
from shared.venue.auth import Credentials
from shared.venue.gamma_wire import Geoblock
from shared.venue.market_wire import Version

Public = Callable[[Request, Instant], Answer]
Private = Callable[[Request, Credentials, Instant], Answer | Held]
Handler = TypeVar("Handler")

_NOT_BLOCKED = Geoblock(blocked=False, ip="127.0.0.1", country="CH", region="ZH")


class Route(msgspec.Struct, Generic[Handler], frozen=True):
    """One line of a table.

    Attributes:
        path: Starts with a slash; `*` stands for one segment.
    """

    method: str
    path: str
    handler: Handler


PublicRoute = Route[Public]
PrivateRoute = Route[Private]


class Table(Generic[Handler]):
    """Finds the handler of a request."""

    def __init__(self, routes: Sequence[Route[Handler]]) -> None:
        """Take the routes; no two may be the same."""
        self._exact: dict[tuple[str, str], Handler] = {}
        self._starred: list[tuple[str, list[str], Handler]] = []
        for route in routes:
            if "*" in route.path:
                self._starred.append((route.method, route.path.split("/"), route.handler))
            else:
                assert (route.method, route.path) not in self._exact, route.path
                self._exact[route.method, route.path] = route.handler

    def find(self, method: str, path: str) -> Handler | None:
        """Return the handler of a method and a path, None when there is none."""
        handler = self._exact.get((method, path))
        if handler is not None:
            return handler
        segments = path.split("/")
        for wanted, pattern, starred in self._starred:
            if wanted == method and _matches(pattern, segments):
                return starred
        return None


def _matches(pattern: list[str], segments: list[str]) -> bool:
    return len(pattern) == len(segments) and all(
        segment if part == "*" else part == segment
        for part, segment in zip(pattern, segments, strict=True)
    )


def public_routes(keys: KeyRequests, reads: Reads) -> tuple[PublicRoute, ...]:
    """Return what anybody may ask; the key endpoints check a wallet's attestation themselves."""
    return (
        Route("GET", "/ok", lambda request, now: ok("OK")),
        Route("GET", "/time", lambda request, now: ok(now.wall_ns // NS_PER_S)),
        Route("GET", "/version", lambda request, now: ok(Version(version=2))),
        Route("POST", "/auth/api-key", keys.create),
        Route("GET", "/auth/derive-api-key", keys.derive),
        Route("GET", "/book", reads.book),
        Route("POST", "/books", reads.books),
        Route("GET", "/tick-size", reads.tick_size),
        Route("GET", "/neg-risk", reads.neg_risk),
        Route("GET", "/fee-rate", reads.fee_rate),
        Route("GET", "/clob-markets/*", reads.clob_market),
        Route("GET", "/markets-by-token/*", reads.market_by_token),
        Route("GET", "/api/geoblock", lambda request, now: ok(_NOT_BLOCKED)),
    )


def private_routes(
    keys: KeyRequests, trading: Trading, cancels: Cancels, beats: Beats, reads: Reads
) -> tuple[PrivateRoute, ...]:
    """Return what the holder of a key may ask."""
    return (
        Route("GET", "/auth/api-keys", keys.ls),
        Route("DELETE", "/auth/api-key", keys.delete),
        Route("POST", "/order", trading.post_order),
        Route("POST", "/orders", trading.post_orders),
        Route("DELETE", "/order", cancels.cancel_order),
        Route("DELETE", "/orders", cancels.cancel_orders),
        Route("DELETE", "/cancel-all", cancels.cancel_all),
        Route("DELETE", "/cancel-market-orders", cancels.cancel_market),
        Route("POST", "/v1/heartbeats", beats.beat),
        Route("POST", "/heartbeats", beats.beat_plainly),
        Route("GET", "/data/order/*", reads.order),
        Route("GET", "/data/orders", reads.orders),
        Route("GET", "/data/trades", reads.trades),
    )
