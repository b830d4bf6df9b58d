"""From a strategy's withdrawn wish to the venue's own stamp of the cancel, under the worst load.

The real execution process and the real simulated venue; this process plays everybody else. The
venue has refused a post by 429, so that posts are backed off, and holds every post that it
gets, so that all their connections are busy and others wait behind them. Then single wishes are
withdrawn. The floor is the same request, written at once by a bare blocking socket to the same
venue at the same time.
"""

import socket
from collections.abc import Callable

import requests

from bus import clock
from bus.credentials import write_credentials
from bus.http import USER_AGENT
from ops.bench.place import WITHIN_NS, Place, execution_process, place
from ops.bench.results import BenchFailed, Result, TooBusy, summarise
from ops.bench.simulator import venue_process
from ops.bench.stand_ins import Stage, stage
from ops.bench.venue_log import ANSWER_S, VenueLog
from ops.keys import make_throwaway_key
from ops.venue import Unanswered, Venue
from shared.facts import MarketInfo
from shared.identifiers import Asset, ConditionId, TokenId
from shared.targets import Target
from shared.units import NS_PER_MS, NS_PER_S, PriceE4, SizeE6, WallMs
from shared.venue.auth import Credentials, request_headers
from shared.venue.gamma_wire import MARKETS_PAGE, decode_texts
from shared.venue.orders_wire import ORDER_PATH, CancelOrder
from shared.venue.wire import encode

NAME = "cancel"
ROUNDS = 4
CANCELS_A_ROUND = 26

LEVELS = 13
"""Quotes on each outcome that are withdrawn one by one."""

QUEUED = 12
"""Further quotes in each round, one decided in each turn: more than there are connections."""

PACE_NS = 40 * NS_PER_MS
HELD_MS = 1_300
"""How long the venue holds each post: a round of cancels fits in, and their deadline does not."""

TICK = PriceE4(100)
SIZE = SizeE6(5_000_000)
TOUCH = (PriceE4(1_400), PriceE4(1_600))
"""What state's stand-in shows; quotes rest far from the venue's own touch, which is about 5000."""

READ_BYTES = 65_536

CHANGES = {
    "interval_s = 60": "interval_s = 900",
    "[markets]\n": (
        "[limits]\nshares_per_outcome_max = 1000\nunpaired_shares_global_max = 1000\n"
        "exposure_usd_max = 1000\n\n[markets]\n"
    ),
}


def measure(rounds: int = ROUNDS) -> Result:
    """Measure; takes about half a minute.

    Raises:
        BenchFailed: Something did not come about in time.
        TooBusy: Other load kept half of the cancels from the venue.
    """
    with place(CHANGES) as where, venue_process(where):
        who = _credentials(where)
        log = VenueLog(where.settings.config.venue.clob_url)
        try:
            log.order("POST", "/admin/participants", {"paused": True})
            market = _market(where)
            with stage(where, market, TOUCH) as scene, execution_process(where):
                measured, floors = _Rounds(where, who, scene, log, market).run(rounds)
        finally:
            log.close()
    what = (
        "a wish withdrawn by the strategy to its cancel at the venue, by the venue's stamp, while "
        "posts are backed off, in flight and queued"
    )
    floor = "the same cancel by a bare blocking socket, to the same stamp"
    return summarise(NAME, what, measured, floor, floors)


class _Rounds:
    """Quotes rest, posts pile up, and the quotes are withdrawn one by one."""

    def __init__(
        self, where: Place, who: Credentials, scene: Stage, log: VenueLog, market: MarketInfo
    ) -> None:
        self._who = who
        self._scene = scene
        self._log = log
        self._market = market
        self._bare = _Bare(where.settings.config.simulator.port, who)
        self._stamps: dict[str, int] = {}
        self._refused = 0

    def run(self, rounds: int) -> tuple[list[int], list[int]]:
        """Return how long each cancel took, and each of the floor."""
        measured: list[int] = []
        floors: list[int] = []
        try:
            self._until(self._is_proven, "proven start")
            self._refuse_once()
            for _ in range(rounds):
                said, bare = self._round()
                self._note()
                measured += self._taken(said)
                floors += self._taken(bare)
        finally:
            self._bare.close()
        if not self._refused:
            raise BenchFailed("the venue has refused no post: nothing was backed off")
        asked = rounds * CANCELS_A_ROUND
        if not measured:
            raise BenchFailed(f"none of {asked} cancels reached the venue in time")
        if len(measured) < asked // 2:
            raise TooBusy(f"only {len(measured)} of {asked} cancels reached the venue in time")
        return measured, floors

    def _is_proven(self) -> bool:
        status = self._scene.risk.status
        return status is not None and status.proven_start and status.trading_state == "ACTIVE"

    def _refuse_once(self) -> None:
        """Let one post be refused: for five minutes the rate of posts is below its own."""
        refusal = {
            "kind": "refuse",
            "method": "POST",
            "path": ORDER_PATH,
            "count": 1,
            "status": 429,
            "text": "Too Many Requests",
            "retry_after_s": 1,
        }
        self._log.order("POST", "/admin/faults", refusal)

    def _round(self) -> tuple[dict[str, int], dict[str, int]]:
        strategy = self._scene.strategy
        resting = _ladder(self._market, LEVELS)
        strategy.wishes = resting
        self._until(lambda: len(strategy.live) == len(resting), "resting quotes")
        held = {"kind": "delay_request", "method": "POST", "path": ORDER_PATH, "delay_ms": HELD_MS}
        self._log.order("POST", "/admin/faults", held)
        extra: tuple[Target, ...] = ()
        for level in range(QUEUED):
            extra = (*extra, _quote(self._market.tokens[level % 2], LEVELS + level // 4, level))
            strategy.wishes = (*resting, *extra)
            self._scene.turn()
        said: dict[str, int] = {}
        bare: dict[str, int] = {}
        for number, target in enumerate(resting):
            order_id = strategy.live.get((str(target.token), target.level))
            if order_id is None:
                # A machine that is full has let the lease run out: everything was cancelled.
                continue
            strategy.wishes = (*resting[number + 1 :], *extra)
            self._until(lambda: strategy.wishes == strategy.said, "wish")
            said[order_id] = strategy.said_ns
            self._turn_for(PACE_NS // 2)
            name = f"0x{clock.read().monotonic_ns:064x}"
            bare[name] = self._bare.cancel(name)
            self._turn_for(PACE_NS // 2)
        self._log.order("DELETE", "/admin/faults", {})
        strategy.wishes = ()
        self._until(lambda: not strategy.live and self._is_quiet(), "empty market")
        return said, bare

    def _is_quiet(self) -> bool:
        status = self._scene.risk.status
        assert status is not None
        return status.open_orders + status.in_flight + status.unknown == 0

    def _note(self) -> None:
        """Keep when the venue took each cancel, the first time that it was named."""
        for row in self._log.read():
            if row.kind == "cancel":
                for order_id in (*row.canceled, *row.not_canceled):
                    self._stamps.setdefault(order_id, row.at_ns)
            elif row.kind == "response" and row.status == requests.codes.too_many_requests:
                self._refused += 1

    def _taken(self, sent_ns: dict[str, int]) -> list[int]:
        """Return how long each took until the venue's stamp."""
        return [
            self._stamps[order_id] - at_ns
            for order_id, at_ns in sent_ns.items()
            if order_id in self._stamps
        ]

    def _turn_for(self, span_ns: int) -> None:
        end_ns = clock.read().monotonic_ns + span_ns
        while clock.read().monotonic_ns < end_ns:
            self._scene.turn()

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        end_ns = clock.read().boot_ns + WITHIN_NS
        while not holds():
            if clock.read().boot_ns > end_ns:
                raise BenchFailed(f"no {what}: execution says {self._scene.risk.status}")
            self._scene.turn()


class _Bare:
    """A connection of its own, and nothing around it."""

    def __init__(self, port: int, who: Credentials) -> None:
        self._port = port
        self._who = who
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(ANSWER_S)

    def cancel(self, order_id: str) -> int:
        """Cancel an order that nobody has; return when the bytes were given to the kernel."""
        body = encode(CancelOrder(order_id))
        timestamp_s = clock.read().wall_ns // NS_PER_S
        own = request_headers(self._who, timestamp_s, "DELETE", ORDER_PATH, body)
        headers = {
            "Host": f"127.0.0.1:{self._port}",
            "User-Agent": USER_AGENT,
            "Content-Type": "application/json",
            **own,
            "Content-Length": str(len(body)),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        content = f"DELETE {ORDER_PATH} HTTP/1.1\r\n{lines}\r\n".encode() + body
        sent_ns = clock.read().monotonic_ns
        self._socket.sendall(content)
        self._socket.recv(READ_BYTES)
        return sent_ns

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _ladder(market: MarketInfo, levels: int) -> tuple[Target, ...]:
    """Return quotes on both outcomes, a cent and more apart from the venue's lowest price."""
    return tuple(_quote(token, level, level) for level in range(levels) for token in market.tokens)


def _quote(token: TokenId, level: int, step: int) -> Target:
    return Target(token, "BUY", level, PriceE4(100 + 100 * (step % 10)), SIZE)


def _credentials(where: Place) -> Credentials:
    """Return credentials of a new key, which is where execution looks for it."""
    key = make_throwaway_key(where.settings.key_file)
    venue = Venue(where.settings.config.venue.clob_url)
    try:
        found = venue.obtain_key(key, where.settings.config.venue.chain_id)
    finally:
        venue.close()
    if isinstance(found, Unanswered):
        raise BenchFailed(f"no API key: {found.why}")
    write_credentials(where.settings.credentials_file, found)
    return found


def _market(where: Place) -> MarketInfo:
    """Return the last market that is listed: it ends long after the run."""
    url = where.settings.config.venue.clob_url
    with requests.Session() as session:
        session.trust_env = False
        page = MARKETS_PAGE.decode(session.get(f"{url}/markets/keyset", timeout=ANSWER_S).content)
    listed = max(page.markets, key=lambda market: market.event_start_time or "")
    first, second = decode_texts(listed.clob_token_ids, "clobTokenIds")
    wall_ms = clock.read().wall_ms
    return MarketInfo(
        condition_id=ConditionId(listed.condition_id),
        slug=listed.slug,
        asset=Asset("btc"),
        version="v1",
        tokens=(TokenId(first), TokenId(second)),
        outcomes=("Up", "Down"),
        tick_e4=TICK,
        min_size_e6=SIZE,
        neg_risk=False,
        start_ms=wall_ms,
        end_ms=WallMs(wall_ms + 900_000),
        cutoff_ms=WallMs(wall_ms + 890_000),
        active=True,
        closed=False,
        accepting_orders=True,
        restricted=False,
        fee_rate_e6=70_000,
        taker_delay=False,
    )
