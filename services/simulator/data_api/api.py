"""The data service, second version: what wallets hold and did, as its indexer tells it.

It lags behind the exchange, leaves dust out unless asked, and is not what to trade on. Feeds hold
takers' parts alone unless asked for all.

Source: https://docs.polymarket.com/api-reference (Data API v2, 2026-09-28), recorded production
rows (September 2026), and polymarket-client 0.14.0 for the parameters' names.
"""

from collections.abc import Callable, Iterator

from services.simulator.answers import Answer
from services.simulator.data_api import paging as data_paging
from services.simulator.data_api.approvals import CHAIN_ID, approval_rows
from services.simulator.data_api.ledger import DataLedger, Holding, Part, Payout
from services.simulator.data_api.paging import (
    BadParameter,
    Key,
    conditions,
    is_market,
    number,
    refusing,
    selectors,
)
from services.simulator.data_api.rows import (
    amount,
    position_row,
    redeem_row,
    status_of,
    trade_activity_row,
    trade_row,
)
from services.simulator.edge import Request
from shared.units import Instant

POSITION_DUST = 0.1
TRADE_DUST = 0.01
_E6 = 10**6
_POSITION_STATUSES = ("OPEN", "REDEEMABLE", "REDEEMABLE_LOST", "MERGEABLE", "CLOSED")
_WALLET_CHARACTERS = 42

Handler = Callable[[Request, Instant], Answer]
Event = Part | Payout


class DataApi:
    """Handles what is asked of wallets."""

    def __init__(self, ledger: DataLedger) -> None:
        """Set where to look."""
        self._ledger = ledger
        self.positions = refusing(self._positions)
        self.trades = refusing(self._trades)
        self.activity = refusing(self._activity)
        self.value = refusing(self._value)
        self.volume = refusing(self._volume)
        self.approvals = refusing(self._approvals)

    # --- wallets --------------------------------------------------------------------

    def _positions(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/positions, the most valuable first."""
        wanted = conditions(request)
        user = "" if len(wanted) == 1 and not request.query.get("user") else _user(request)
        status = request.query.get("status", "OPEN")
        if status not in _POSITION_STATUSES:
            raise BadParameter("status", f"unknown status {status!r}")
        holdings = [
            holding
            for holding in self._ledger.holdings(now.wall_ms)
            if user in ("", holding.wallet)
            and (not wanted or holding.market.condition_id in wanted)
        ]
        held = {(holding.wallet, holding.token) for holding in holdings if holding.size > 0}
        is_large = _dust_filter(request)
        chosen = [
            holding
            for holding in holdings
            if _has_status(holding, status, held) and (status == "CLOSED" or is_large(holding))
        ]
        return data_paging.page(
            chosen,
            request,
            lambda holding: (holding.value, f"{holding.token}:{holding.wallet}"),
            lambda holding: position_row(holding, has_complement=_complement(holding) in held),
        )

    def _value(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/value."""
        user, wanted = _user(request), conditions(request)
        total = sum(
            holding.value
            for holding in self._ledger.holdings(now.wall_ms)
            if holding.wallet == user and (not wanted or holding.market.condition_id in wanted)
        )
        return data_paging.data({"proxy_wallet": user, "value": amount(total)})

    def _volume(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/user-volume."""
        user = _user(request)
        start, end = number(request, "start", 0), number(request, "end", float("inf"))
        mine = [
            part
            for part in self._ledger.parts(now.wall_ms)
            if part.wallet == user and start <= part.trade.match_ms / 1000 <= end
        ]
        return data_paging.data(
            {
                "volume": amount(sum(part.size for part in mine)),
                "volume_usdc": amount(sum(part.money for part in mine)),
                "trade_count": len(mine),
            }
        )

    def _approvals(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/approvals: all is approved that nobody has restricted."""
        user = _user(request)
        rows = approval_rows(self._ledger.account(user))
        return data_paging.data({"address": user, "chain_id": CHAIN_ID, "contracts": rows})

    # --- feeds ----------------------------------------------------------------------

    def _trades(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/trades, newest first."""
        takers_only = request.query.get("taker_only", "true") == "true"
        floor = number(request, "filter_amount", TRADE_DUST) or TRADE_DUST
        is_cash = request.query.get("filter_type") == "CASH"
        chosen = [
            part
            for part in self._parts(request, now)
            if (part.is_taker or not takers_only)
            and (part.money if is_cash else part.size) >= floor * _E6
        ]
        return data_paging.page(chosen, request, _part_key, trade_row)

    def _activity(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v2/activity, newest first, or oldest first on request."""
        _user(request)
        kinds = selectors(request, "type")
        events: list[Event] = []
        if not kinds or "TRADE" in kinds:
            events += self._parts(request, now)
        if not kinds or "REDEEM" in kinds:
            events += self._redemptions(request, now)
        return data_paging.page(
            events,
            request,
            _activity_key,
            lambda event: (
                trade_activity_row(event) if isinstance(event, Part) else redeem_row(event)
            ),
            descending=request.query.get("sort_direction") != "ASC",
        )

    def _parts(self, request: Request, now: Instant) -> list[Part]:
        user = _user(request) if request.query.get("user") else ""
        wanted, events = conditions(request), selectors(request, "event_id")
        side = request.query.get("side")
        start, end = _window(request, has_user=bool(user))
        return [
            part
            for part in self._ledger.parts(now.wall_ms)
            if user in ("", part.wallet)
            and is_market(part.market, wanted, events)
            and side in (None, "", part.side)
            and start <= part.trade.match_ms // 1000 <= end
        ]

    def _redemptions(self, request: Request, now: Instant) -> Iterator[Payout]:
        user = _user(request)
        wanted, events = conditions(request), selectors(request, "event_id")
        start, end = _window(request, has_user=True)
        for payout in self._ledger.payouts(now.wall_ms):
            holding = payout.holding
            is_mine = holding.wallet == user and is_market(holding.market, wanted, events)
            if is_mine and start <= payout.at_s <= end and not request.query.get("side"):
                yield payout


def _user(request: Request) -> str:
    user = request.query.get("user", "").lower()
    if not user.startswith("0x") or len(user) != _WALLET_CHARACTERS:
        raise BadParameter("user", "user must be a wallet address")
    return user


def _complement(holding: Holding) -> tuple[str, str]:
    return holding.wallet, holding.market.tokens[1 - holding.outcome]


def _has_status(holding: Holding, status: str, held: set[tuple[str, str]]) -> bool:
    """Tell whether a filter meets a holding; `OPEN` has what is resolved and still held too."""
    match status:
        case "OPEN":
            return holding.size > 0
        case "CLOSED" | "REDEEMABLE":
            return status_of(holding) == status and holding.bought > 0
        case "REDEEMABLE_LOST":
            return status_of(holding) == "REDEEMABLE" and holding.price_e4 == 0
        case _:
            is_live = status_of(holding) == "OPEN"
            return is_live and _complement(holding) in held


def _dust_filter(request: Request) -> Callable[[Holding], bool]:
    floor = number(request, "filter_amount", POSITION_DUST) * _E6
    is_cash = request.query.get("filter_type") == "CASH"
    return lambda holding: (holding.value if is_cash else holding.size) >= floor


def _part_key(part: Part) -> Key:
    return part.trade.match_ms, f"{part.trade.trade_id}:{part.count:03}"


def _activity_key(event: Event) -> Key:
    if isinstance(event, Part):
        return event.trade.match_ms, f"{event.trade.trade_id}:{event.count:03}"
    return event.at_s * 1000, event.holding.token


def _window(request: Request, *, has_user: bool) -> tuple[float, float]:
    """Return the first and the last second; only a wallet's feed can be bounded."""
    if not has_user:
        return 0, float("inf")
    return number(request, "start", 0), number(request, "end", 0) or float("inf")
