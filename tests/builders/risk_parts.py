"""What stands around risk's core in its tests: an execution and a venue, at their best."""

from typing import Any

import msgspec

from services.risk.host_readings import DiskReading, HostRead, HostReading
from services.risk.time_readings import TimeReading, TimeTold
from shared.config import Config, parse
from shared.control import ExecutionPong, FenceAnswer, Mismatch, Ping, Restricted, SelfFenced
from shared.effects import HttpFailed, HttpReply, HttpRequest, Message
from shared.facts import BookView, MarketInfo, MarketView, StateView
from shared.identifiers import Incarnation
from shared.units import NS_PER_MS, BootNs, Instant, PriceE4, SizeE6, WallMs

PROFILE = """
[run]
profile = "test"
[account]
key_file = "key"
credentials_file = "credentials.json"
[venue]
clob_url = "http://127.0.0.1:18080"
discovery_url = "http://127.0.0.1:18080"
geoblock_url = "http://127.0.0.1:18080"
market_socket_url = "ws://127.0.0.1:18080/ws/market"
user_socket_url = "ws://127.0.0.1:18080/ws/user"
price_socket_url = "ws://127.0.0.1:18080/ws"
"""


def config(**timing: int) -> Config:
    """Return valid settings, with settings of `timing` replaced."""
    parsed = parse(PROFILE)
    assert isinstance(parsed, Config)
    return msgspec.structs.replace(parsed, timing=msgspec.structs.replace(parsed.timing, **timing))


def books_of(info: MarketInfo) -> tuple[BookView, BookView]:
    """Return books that are deep enough."""
    bids = ((PriceE4(4_900), SizeE6(100_000_000)),)
    asks = ((PriceE4(5_100), SizeE6(100_000_000)),)
    first, second = (BookView(token, bids, asks) for token in info.tokens)
    return first, second


def state_view(
    markets: list[MarketInfo], now: Instant, *, valid: bool, deep: bool = True
) -> StateView:
    """Return state's whole view of some markets, with books or without."""
    return StateView(
        tuple(
            MarketView(
                one.condition_id,
                one.asset,
                valid,
                "" if valid else "hash",
                now.monotonic_ns,
                PriceE4(100),
                books_of(one) if deep else None,
                None,
                None,
                None,
                WallMs(0),
            )
            for one in markets
        )
    )


class FakeExecution:
    """Answers pings as execution does; each switch spoils one habit."""

    def __init__(self, incarnation: int) -> None:
        self.incarnation = Incarnation(incarnation)
        self.pid = incarnation
        self.answers = True
        self.blocks = True
        self.quiets = True
        self.carries = True
        self.proven_start = True
        self.ledger_epoch = 0
        self.unresolved = 0
        self.unresolved_until = BootNs(0)
        self.self_fenced: SelfFenced | None = None
        self.mismatch: Mismatch | None = None
        self.restricted: Restricted | None = None
        self.venue_mode = ""
        self.ledger_fault = ""
        self.pings: list[Ping] = []
        self.answer: FenceAnswer | None = None
        self.carried: dict[tuple[Any, str], int] = {}

    @property
    def newest(self) -> Ping:
        return self.pings[-1]

    def part(self, now: Instant) -> ExecutionPong:
        """Return what only execution says."""
        carried = tuple((kind, name, gen) for (kind, name), gen in self.carried.items())
        return ExecutionPong(
            now.boot_ns,
            self.ledger_epoch,
            self.proven_start,
            "" if self.proven_start else "waits",
            self.self_fenced,
            self.answer,
            carried,
            0,
            0,
            self.unresolved,
            self.unresolved_until,
            self.mismatch,
            self.restricted,
            self.venue_mode,
            self.ledger_fault,
        )

    def hear(self, ping: Ping, now: Instant) -> None:
        """Obey a ping."""
        self.pings.append(ping)
        self.ledger_epoch = max(self.ledger_epoch, ping.epoch)
        if self.self_fenced is not None and ping.epoch > self.self_fenced.epoch:
            self.self_fenced = None
        known = self.answer
        if (
            self.blocks
            and ping.fence_id == ping.epoch
            and (known is None or known.fence_id != ping.fence_id)
        ):
            quiet = now.boot_ns if self.quiets else BootNs(0)
            self.answer = FenceAnswer(
                ping.risk_incarnation, ping.fence_id, now.boot_ns, quiet, BootNs(0)
            )
        if self.carries:
            self.carried = {(order.kind, order.scope_id): order.generation for order in ping.scopes}


class FakeVenue:
    """Open orders, and answers by path; `statuses` spoils a path."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.requests: list[tuple[Instant, HttpRequest]] = []
        self.statuses: dict[str, int] = {}
        self.silent: set[str] = set()
        self.closed_only = False
        self.beats = 0

    def paths(self, start: str) -> list[tuple[Instant, HttpRequest]]:
        """Return the requests whose path starts so."""
        return [(at, one) for at, one in self.requests if one.path.startswith(start)]

    def answer(self, request: HttpRequest, now: Instant) -> Message:
        """Return the answer to a request, given at once."""
        self.requests.append((now, request))
        path = request.path.partition("?")[0]
        if path in self.silent:
            return HttpFailed(request.request_id, True, "deadline", now.boot_ns)
        status = self.statuses.get(path, 200)
        body: Any = {"error": "spoiled"}
        if status == 200:
            body = self._body(path)
        content = msgspec.json.encode(body)
        return HttpReply(request.request_id, status, {}, content, now.boot_ns)

    def _body(self, path: str) -> Any:
        if path in ("/cancel-all", "/orders"):
            canceled, self.open = self.open, []
            return {"canceled": canceled, "not_canceled": {}}
        if path == "/v1/heartbeats":
            self.beats += 1
            return {"heartbeat_id": f"beat-{self.beats}"}
        if path == "/auth/ban-status/closed-only":
            return {"closed_only": self.closed_only}
        assert path == "/data/orders"
        rows = [
            {
                "id": name,
                "status": "LIVE",
                "market": "m",
                "asset_id": "1",
                "side": "BUY",
                "original_size": "10",
                "size_matched": "0",
                "price": "0.5",
            }
            for name in self.open
        ]
        return {"limit": 100, "count": len(rows), "next_cursor": "LTE=", "data": rows}


def host_readings(clock_off_ms: int) -> list[Message]:
    """Return what risk's own edges read of the host."""
    off_ns = clock_off_ms * NS_PER_MS
    calm = HostReading(5.0, 20.0, (DiskReading("data", 10.0, 10_000),))
    return [TimeTold(TimeReading("test", off_ns, off_ns)), HostRead(calm)]
