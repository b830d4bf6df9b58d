"""Switching faults, reading stamps and state: for tests and people on this machine.

Nothing of it exists at the venue. The package docstring lists the endpoints.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from services.simulator.account_admin import AccountAdmin
from services.simulator.answers import NOT_FOUND, Answer, error, ok
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.fault_desk import FaultDesk
from services.simulator.faults.orders import FaultOrder
from services.simulator.faults.switches import Faults
from services.simulator.heartbeat import Heartbeats
from services.simulator.matching import Order
from services.simulator.queries import query_number
from services.simulator.stamps import Stamps
from services.simulator.storm import Storm
from shared.units import Instant, MoneyE6
from shared.venue.decimals import (
    format_money,
    format_price,
    format_size,
    parse_money,
)
from shared.venue.faults import Malformed, Unparseable
from shared.venue.wire import decode

LOG_ROWS_MAX = 5_000


class Drop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/drop` asks for: end open sockets now.

    Attributes:
        stream: Kind; empty for all.
        key: API key of user sockets; empty for all.
        asset: Token id that market sockets have to follow; empty for all.
        code: Close code; 0 resets the connection.
    """

    stream: str = ""
    key: str = ""
    asset: str = ""
    code: int = 0


class Restart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/restart` asks for: the engine restarts, orders survive.

    Attributes:
        down_ms: Time of HTTP 425; sockets are dropped at its start.
        post_only_ms: Time after that in which only post-only orders are taken.
    """

    down_ms: int = 90_000
    post_only_ms: int = 120_000


class Deposit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/deposit` asks for: collateral for an account, in USD."""

    account: str
    amount: str


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/resolve` asks for: a running market ends now.

    Attributes:
        winner: Index of the winning outcome.
    """

    market: str
    winner: Literal[0, 1]


class Freeze(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/participants` asks for: whether makers and takers stand still."""

    paused: bool


_DROP = msgspec.json.Decoder(Drop)
_RESTART = msgspec.json.Decoder(Restart)
_DEPOSIT = msgspec.json.Decoder(Deposit)
_DECIDE = msgspec.json.Decoder(Decide)
_FREEZE = msgspec.json.Decoder(Freeze)


class Admin:
    """Handles the requests under `/admin/`."""

    def __init__(
        self,
        exchange: Exchange,
        faults: Faults,
        storm: Storm,
        heartbeats: Heartbeats,
        stamps: Stamps,
        drop: Callable[[Drop], int],
        freeze: Callable[[bool], None],
    ) -> None:
        """Set the parts, and how to end sockets and hold the participants still."""
        self._exchange = exchange
        self._faults = faults
        self._heartbeats = heartbeats
        self._stamps = stamps
        self._drop = drop
        self._freeze = freeze
        desk = FaultDesk(faults, storm, stamps)
        self._routes: dict[tuple[str, str], Callable[[Request, Instant], Answer]] = {
            ("GET", "/admin/log"): self._log,
            ("GET", "/admin/state"): self._state,
            ("GET", "/admin/account"): self._account,
            ("GET", "/admin/markets"): self._markets,
            ("GET", "/admin/faults"): desk.list,
            ("POST", "/admin/faults"): desk.set,
            ("DELETE", "/admin/faults"): desk.clear,
            ("POST", "/admin/faults/random"): desk.random,
            ("GET", "/admin/catalogue"): desk.catalogue,
            ("POST", "/admin/drop"): self._drop_streams,
            ("POST", "/admin/restart"): self._restart,
            ("POST", "/admin/deposit"): self._deposit,
            ("POST", "/admin/participants"): self._pause,
            ("POST", "/admin/resolve"): self._resolve,
            **AccountAdmin(exchange, stamps).routes(),
        }

    def handle(self, request: Request, now: Instant) -> Answer:
        """Answer a request; what it must hold and does not is told in the answer's error."""
        handler = self._routes.get((request.method, request.path))
        if handler is None:
            return NOT_FOUND
        try:
            return handler(request, now)
        except (Malformed, Unparseable) as fault:
            return error(400, str(fault))

    # --- sockets and modes ----------------------------------------------------------

    def _drop_streams(self, request: Request, now: Instant) -> Answer:
        order = decode(_DROP, request.body or b"{}", "drop")
        dropped = self._drop(order)
        self._stamps.add("dropped", now, stream=order.stream, connections=dropped)
        return ok({"dropped": dropped})

    def _restart(self, request: Request, now: Instant) -> Answer:
        order = decode(_RESTART, request.body or b"{}", "restart")
        at = now.monotonic_ns
        down = FaultOrder("restarting", duration_ms=order.down_ms)
        after = FaultOrder("post_only", duration_ms=order.post_only_ms, after_ms=order.down_ms)
        closed = FaultOrder("refuse_stream", duration_ms=order.down_ms)
        for fault in (down, after, closed):
            if self._faults.set(fault, at) is None:
                return error(400, "too many faults")
        self._drop(Drop())
        self._stamps.add("restart", now, down_ms=order.down_ms, post_only_ms=order.post_only_ms)
        return ok({"restarting": True})

    def _pause(self, request: Request, now: Instant) -> Answer:
        paused = decode(_FREEZE, request.body, "participants").paused
        self._freeze(paused)
        self._stamps.add("participants", now, paused=paused)
        return ok({"paused": paused})

    def _resolve(self, request: Request, now: Instant) -> Answer:
        asked = decode(_DECIDE, request.body, "resolve")
        market = self._exchange.calendar.by_condition.get(asked.market)
        if market is None or not market.is_trading:
            return error(400, "no such market that runs")
        self._exchange.decide_early(market, asked.winner, now)
        self._stamps.add("resolved", now, market=market.condition_id, winner=asked.winner)
        return ok({"winner": asked.winner})

    # --- money ----------------------------------------------------------------------

    def _deposit(self, request: Request, now: Instant) -> Answer:
        order = decode(_DEPOSIT, request.body, "deposit")
        amount = parse_money(order.amount, "amount")
        account = order.account.lower()
        if amount <= 0:
            return error(400, "amount must be above zero")
        self._exchange.accounts.deposit(account, MoneyE6(amount))
        self._stamps.add("deposit", now, account=account, amount=format_money(amount))
        return ok({"deposited": format_money(amount)})

    def _account(self, request: Request, now: Instant) -> Answer:
        account = self._exchange.accounts.get(request.query.get("address", "").lower())
        return ok(
            {
                "account": account.address,
                "deposited": format_money(MoneyE6(account.deposited)),
                "collateral": format_money(MoneyE6(account.collateral)),
                "reserved": format_money(MoneyE6(account.reserved_collateral)),
                "tokens": {
                    token: format_money(MoneyE6(size)) for token, size in account.tokens.items()
                },
            }
        )

    # --- looking --------------------------------------------------------------------

    def _log(self, request: Request, now: Instant) -> Answer:
        since = query_number(request, "since") or 0
        limit = min(query_number(request, "limit") or LOG_ROWS_MAX, LOG_ROWS_MAX)
        records, last = self._stamps.since(since, limit)
        head = f'{{"at_ns":{now.monotonic_ns},"next":{last},"records":'.encode()
        return Answer(200, head + records + b"}")

    def _state(self, request: Request, now: Instant) -> Answer:
        return ok(
            {
                "at_ns": now.monotonic_ns,
                "wall_ns": now.wall_ns,
                "open": {
                    key: [self._open_row(order) for order in orders.values()]
                    for key, orders in self._exchange.open.items()
                },
                "held": [
                    order.order_id
                    for order in self._exchange.orders.values()
                    if order.status == "DELAYED"
                ],
                "beats": self._heartbeats.armed(),
            }
        )

    def _open_row(self, order: Order) -> dict[str, object]:
        market = self._exchange.calendar.by_condition[order.market]
        return {
            "order_id": order.order_id,
            "account": order.maker,
            "market": order.market,
            "token": market.tokens[order.outcome],
            "side": order.side,
            "price": format_price(order.price),
            "size": format_size(order.size),
            "filled": format_size(order.filled),
            "order_type": order.time_in_force,
            "post_only": order.post_only,
            "expires_ms": order.expires_ms,
            "created_ms": order.created_ms,
        }

    def _markets(self, request: Request, now: Instant) -> Answer:
        return ok(
            [
                {
                    "market": market.condition_id,
                    "slug": market.slug,
                    "state": market.state,
                    "tokens": market.tokens,
                    "start_ms": market.start_ms,
                    "end_ms": market.end_ms,
                    "tick": format_price(market.tick),
                    "winner": market.winner,
                }
                for market in self._exchange.calendar
            ]
        )
