"""What the data service tells of markets: resolutions, tokens, holders, volumes, past prices.

Source: https://docs.polymarket.com/api-reference (Data API v2, 2026-09-28) and polymarket-client
0.14.0.
"""

from services.simulator.answers import Answer
from services.simulator.data_api import paging as data_paging
from services.simulator.data_api.ledger import DataLedger
from services.simulator.data_api.paging import (
    BadParameter,
    conditions,
    is_market,
    number,
    refusing,
    selectors,
)
from services.simulator.data_api.rows import amount, resolution_row, token_row
from services.simulator.discovery.rows import Row
from services.simulator.edge import Request
from services.simulator.price_history import INTERVALS_S, PriceHistory
from services.simulator.volumes import Volumes
from shared.units import NS_PER_S, PRICE_ONE_E4, Instant

_E6 = 10**6
BUCKET_S_MIN = 60
HISTORY_S_MAX = 15 * 86_400
POINTS_MAX = 10_000


class DataMarkets:
    """Handles what is asked of markets."""

    def __init__(
        self, ledger: DataLedger, history: PriceHistory, volumes: Volumes, resolution_ms: int
    ) -> None:
        """Set where to look, and how long after its end a market is resolved."""
        self._ledger = ledger
        self._history = history
        self._volumes = volumes
        self._resolution_ms = resolution_ms
        self.resolutions = refusing(self._resolutions)
        self.tokens = refusing(self._tokens)
        self.open_interest = refusing(self._open_interest)
        self.holders = refusing(self._holders)
        self.prices = refusing(self._prices)
        self.live_volume = refusing(self._live_volume)

    def _resolutions(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/resolutions, by condition, event or question."""
        wanted, events = conditions(request), selectors(request, "event_id")
        question = request.query.get("question_id")
        if not (wanted or events or question):
            raise BadParameter("condition", "condition, event_id or question_id is required")
        rows = [
            resolution_row(market, self._resolution_ms)
            for market in self._ledger.markets()
            if ((wanted or events) and is_market(market, wanted, events)) or question
        ]
        return data_paging.data(
            [row for row in rows if not question or row["question_id"] == question]
        )

    def _tokens(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/tokens, by token or condition."""
        tokens = set(request.query.get("token_id", "").split(","))
        wanted = conditions(request)
        rows = [
            token_row(market, outcome)
            for market in self._ledger.markets()
            for outcome, token in enumerate(market.tokens)
            if token in tokens or market.condition_id in wanted
        ]
        return data_paging.data(rows)

    def _open_interest(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/oi: of the conditions asked for, or of all together."""
        wanted = conditions(request)
        found: dict[str, int] = {
            market.condition_id: self._ledger.open_interest(market)
            for market in self._ledger.markets()
            if not wanted or market.condition_id in wanted
        }
        if not wanted:
            found = {"GLOBAL": sum(found.values())}
        return data_paging.data(
            [{"condition_id": name, "value": amount(value)} for name, value in found.items()]
        )

    def _holders(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/holders: who holds each token, the largest first."""
        floor = number(request, "min_balance", 1) * _E6
        wanted = conditions(request)
        if not wanted:
            raise BadParameter("condition", "condition is required")
        tokens = [
            (market.tokens[outcome], outcome)
            for market in self._ledger.markets()
            if market.condition_id in wanted
            for outcome in range(2)
        ]

        def to_row(token: tuple[str, int]) -> Row:
            balances = sorted(self._ledger.balances(token[0]).items(), key=lambda item: -item[1])
            holders = [
                _holder_row(wallet, token, size) for wallet, size in balances if size >= floor
            ]
            return {"token_id": token[0], "holders": holders}

        return data_paging.page(tokens, request, lambda token: (0, token[0]), to_row)

    def _live_volume(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/live-volume: what takers have traded in an event, in shares."""
        events = selectors(request, "event_id")
        if not events:
            raise BadParameter("event_id", "event_id is required")
        volumes = {
            market.condition_id: self._volumes.of(market.condition_id).size
            for market in self._ledger.markets()
            if is_market(market, (), events)
        }
        rows: list[Row] = [
            {"condition_id": name, "taker_volume": amount(size)} for name, size in volumes.items()
        ]
        total = amount(sum(volumes.values()))
        return data_paging.data({"taker_volume_total": total, "conditions": rows})

    def _prices(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/prices-history: the last price of every bucket, or at one moment."""
        token = request.query.get("token_id", "")
        if not token:
            raise BadParameter("token_id", "token_id is required")
        now_s = now.wall_ns // NS_PER_S
        as_of = number(request, "as_of", 0)
        if as_of:
            seen = self._history.points(token, 0, as_of)[-1:]
            return data_paging.page(seen, request, _point_key, lambda point: _point_row(point, 0))
        start_s, end_s = _span(request, now_s)
        step_s = int(number(request, "bucket_seconds", BUCKET_S_MIN))
        if step_s < BUCKET_S_MIN:
            raise BadParameter("bucket_seconds", f"at least {BUCKET_S_MIN}")
        points = self._history.points(token, start_s, end_s)
        buckets = {at_s // step_s: (at_s, price) for at_s, price in points}
        return data_paging.page(
            buckets.values(),
            request,
            _point_key,
            lambda point: _point_row(point, step_s),
            descending=False,
            rows_max=POINTS_MAX,
        )


def _span(request: Request, now_s: int) -> tuple[float, float]:
    """Return the first and the last second asked for."""
    interval = request.query.get("interval")
    if interval is not None:
        if interval not in INTERVALS_S:
            raise BadParameter("interval", f"unknown interval {interval!r}")
        return now_s - INTERVALS_S[interval], now_s
    start_s, end_s = number(request, "start", 0), number(request, "end", now_s)
    if not start_s or not 0 <= end_s - start_s <= HISTORY_S_MAX:
        raise BadParameter("start", "interval, as_of or a start within 15 days is required")
    return start_s, end_s


def _point_key(point: tuple[int, int]) -> data_paging.Key:
    return point[0], ""


def _point_row(point: tuple[int, int], step_s: int) -> Row:
    at_s, price = point
    return {"timestamp": at_s, "price": price / PRICE_ONE_E4, "resolution_seconds": step_s}


def _holder_row(wallet: str, token: tuple[str, int], size: int) -> Row:
    return {
        "proxy_wallet": wallet,
        "token_id": token[0],
        "amount": amount(size),
        "outcome_index": token[1],
        "display_username_public": False,
        "verified": False,
        "name": "",
        "pseudonym": "",
        "bio": "",
    }
