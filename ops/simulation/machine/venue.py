"""The venue of a machine: the simulator's real exchange behind its real request handlers.

Requests are answered when they land; what the exchange does is told as the own-order stream
would, through the venue's own frames. The crowd trades when an action says so.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from services.simulator.agenda import Agenda
from services.simulator.answers import NOT_FOUND, Answer, Held
from services.simulator.balances import Balances
from services.simulator.cancels import Cancels
from services.simulator.chance import stream
from services.simulator.edge import Request
from services.simulator.exchange_parts import make_exchange
from services.simulator.faults.orders import FaultKind, FaultOrder
from services.simulator.faults.switches import Faults
from services.simulator.happenings import Happening, OrderChanged, TradeChanged
from services.simulator.key_requests import KeyRequests
from services.simulator.keys import Keys
from services.simulator.limits import RateLimits
from services.simulator.markets import Market
from services.simulator.matching import Order, Outcome
from services.simulator.modes import Modes
from services.simulator.reads import Reads
from services.simulator.routes import (
    Private,
    PrivateRoute,
    Route,
    Table,
    public_routes,
)
from services.simulator.rows import order_frame, trade_frame
from services.simulator.stamps import Stamps
from services.simulator.trades import Trade
from services.simulator.trading import Trading
from shared.config import SimulatorSettings
from shared.facts import OwnOrder, OwnTrade, Side
from shared.identifiers import OrderHash, TokenId
from shared.units import NS_PER_MS, PRICE_ONE_E4, Instant, PriceE4, SizeE6
from shared.venue.auth import Credentials
from shared.venue.parse_user import user_event

CROWD = "crowd"
"""Account of everybody else."""

CROWD_ORDERS_MAX = 40
"""Resting orders of the crowd; beyond that the oldest goes."""

CROWD_PRICE_E4 = 4_000
CROWD_SIZE_E6 = 200_000_000
"""Its first quotes in a market, a bid for either outcome: a spread of twenty cents."""

TOLD_WITHIN_MS = 3_000
"""From the end of a settlement until a calm execution knows of it: one reconciliation."""

ASSET = "btc"


class SilentStamps(Stamps):
    """Writes no log: nobody reads it here."""

    def add(self, kind: str, now: Instant, **fields: Any) -> None:
        """Leave it out."""


class MachineVenue:
    """The venue, and what checkers may know of it.

    Attributes:
        exchange: Books, orders, trades and money.
        faults: Switches of modes and of settlements that go wrong.
        limits: Token buckets of our signer.
        events: What the own-order stream has told since somebody took it.
        strangers: Orders of our key that were not ours.
        crossed: Trades between two orders of ours, of which there must be none.
    """

    def __init__(
        self, settings: SimulatorSettings, interval_s: int, who: Credentials, now: Instant
    ) -> None:
        """Open the first markets."""
        self._who = who
        self.wallet = who.address.lower()
        self.faults = Faults(stream(settings.seed, "faults"))
        self.exchange = make_exchange(settings, (ASSET,), (ASSET,), interval_s, self.faults)
        self.exchange.accounts.open_participant(CROWD)
        self.exchange.accounts.get(self.wallet)
        self.limits = RateLimits()
        self.events: list[OwnOrder | OwnTrade] = []
        self.strangers: set[str] = set()
        self.crossed: list[str] = []
        self._agenda = Agenda()
        self._routes = self._make_routes(settings)
        keys = KeyRequests(Keys(settings.seed, settings.clock_window_s))
        self._public = Table(public_routes(keys, Reads(self.exchange)))
        self._crowd: list[Order] = []
        self._quoted: set[str] = set()
        self._settled_ms = 0
        self._count = 0
        self._offset_ns = now.wall_ns - now.monotonic_ns
        self._calendar_ns = 0
        self.advance(now)

    def _make_routes(self, settings: SimulatorSettings) -> Table[Private]:
        exchange, stamps = self.exchange, SilentStamps()
        modes = Modes(self.faults, self.limits)
        trading = Trading(
            exchange, modes, stamps, settings.taker_delay_ms, 0, self.faults, self._agenda
        )
        cancels, reads = Cancels(exchange, modes, stamps), Reads(exchange)
        balances = Balances(exchange)
        routes: tuple[PrivateRoute, ...] = (
            Route("POST", "/order", trading.post_order),
            Route("POST", "/orders", trading.post_orders),
            Route("DELETE", "/order", cancels.cancel_order),
            Route("DELETE", "/orders", cancels.cancel_orders),
            Route("DELETE", "/cancel-all", cancels.cancel_all),
            Route("DELETE", "/cancel-market-orders", cancels.cancel_market),
            Route("GET", "/data/order/*", reads.order),
            Route("GET", "/data/orders", reads.orders),
            Route("GET", "/data/trades", reads.trades),
            Route("GET", "/balance-allowance", balances.read),
            Route("GET", "/balance-allowance/update", balances.update),
        )
        return Table(routes)

    # --- requests -------------------------------------------------------------------

    def request(
        self, method: str, target: str, body: bytes, now: Instant, answer: Callable[[Answer], None]
    ) -> None:
        """Take a request in; its answer may come at a later moment."""
        self.advance(now)
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._count += 1
        asked = Request(self._count, method, parts.path, query, {}, body)
        said: Answer | Held = NOT_FOUND
        private = self._routes.find(method, parts.path)
        public = self._public.find(method, parts.path)
        if private is not None:
            said = private(asked, self._who, now)
        elif public is not None:
            said = public(asked, now)
        if isinstance(said, Held):
            held = said

            def finish(later: Instant) -> list[Any]:
                answer(held.finish(later))
                return []

            self._agenda.at(held.due_ns, finish)
        else:
            answer(said)
        self._flush()

    def switch(self, kind: FaultKind, now: Instant, **fields: Any) -> None:
        """Switch a fault of the venue on."""
        self.faults.set(FaultOrder(kind, **fields), now.monotonic_ns)

    def drain(self, now: Instant) -> None:
        """Empty our signer's bucket of orders."""
        bucket = self.limits.orders(self._who.address, now.monotonic_ns)
        bucket.debit(bucket.left(now.monotonic_ns), now.monotonic_ns)

    # --- time -----------------------------------------------------------------------

    def advance(self, now: Instant) -> None:
        """Do what is due: expiries, settlements, holds, and the markets' calendar."""
        exchange = self.exchange
        exchange.accounts.advance(now.monotonic_ns)
        due_ns = exchange.next_ns(self._offset_ns)
        is_due = due_ns is not None and due_ns <= now.monotonic_ns
        if is_due or self._calendar_ns <= now.monotonic_ns:
            for oracle in exchange.oracles.values():
                oracle.advance(now.wall_ms)
            exchange.advance(now)
            self._calendar_ns = exchange.calendar.next_ms() * NS_PER_MS - self._offset_ns
            self._open_books(now)
        while (later := self._agenda.pop_due(now.monotonic_ns)) is not None:
            later(now)
        self._flush()

    def _open_books(self, now: Instant) -> None:
        """Let the crowd quote both sides of every new market."""
        for market in self.trading():
            if market.condition_id not in self._quoted:
                self._quoted.add(market.condition_id)
                for outcome in (0, 1):
                    self.crowd_buys(market, outcome, CROWD_PRICE_E4, CROWD_SIZE_E6, now)

    # --- others who trade -------------------------------------------------------------

    def crowd_buys(
        self, market: Market, outcome: Outcome, price: int, size: int, now: Instant
    ) -> None:
        """Let the crowd buy an outcome, from whoever sells and by minting; the rest rests."""
        order = self._crowd_order(market, outcome, price, size)
        self.exchange.place(order, now)
        if order.remaining:
            self._crowd.append(order)
        if len(self._crowd) > CROWD_ORDERS_MAX:
            self.crowd_leaves(0)
        self._flush()

    def crowd_hits(self, index: int, size: int, now: Instant) -> None:
        """Let the crowd trade with one of our open orders, as far as the book lets it."""
        mine = self.open_ids()
        if not mine:
            return
        order = self.exchange.orders[mine[index % len(mine)]]
        market = self.exchange.calendar.by_condition[order.market]
        outcome: Outcome = 1 if order.outcome == 0 else 0
        price = PRICE_ONE_E4 - order.price
        if order.side == "SELL":
            outcome, price = (0 if order.outcome == 0 else 1), order.price
        taker = self._crowd_order(market, outcome, price, min(size, order.remaining))
        taker.time_in_force = "FAK"
        self.exchange.place(taker, now)
        self._flush()

    def crowd_leaves(self, index: int) -> None:
        """Let the crowd withdraw one of its resting orders."""
        self._crowd = [
            order
            for order in self._crowd
            if order.remaining and self.exchange.calendar.by_condition[order.market].is_trading
        ]
        if self._crowd:
            self.exchange.withdraw(self._crowd.pop(index % len(self._crowd)))

    def stranger(self, market: Market, price: int, now: Instant) -> None:
        """Let an order of our key come from nowhere."""
        self._count += 1
        order_id = f"0x{self._count:064x}"
        order = Order(
            order_id=order_id,
            maker=self.wallet,
            owner=self._who.api_key,
            market=market.condition_id,
            outcome=0,
            side="BUY",
            price=PriceE4(price),
            size=SizeE6(5_000_000),
            post_only=True,
            created_ms=now.wall_ms,
        )
        if self.exchange.check(order) is None:
            self.strangers.add(order_id)
            self.exchange.place(order, now)
        self._flush()

    def _crowd_order(self, market: Market, outcome: Outcome, price: int, size: int) -> Order:
        self._count += 1
        return Order(
            order_id=f"0xc{self._count:063x}",
            maker=CROWD,
            owner="",
            market=market.condition_id,
            outcome=outcome,
            side="BUY",
            price=PriceE4(price),
            size=SizeE6(size),
        )

    # --- truth ----------------------------------------------------------------------

    def trading(self) -> list[Market]:
        """Return the markets that take orders, oldest first."""
        return list(self.exchange.calendar.trading())

    def market_of(self, token: TokenId) -> Market | None:
        """Return the market of a token."""
        return self.exchange.calendar.by_token.get(token)

    def is_settling(self, now: Instant) -> bool:
        """Tell whether a trade is on its way to its end, or a market was just decided."""
        if any(trade.ahead for trade in self.exchange.trades.by_id.values()):
            self._settled_ms = now.wall_ms
        calendar = self.exchange.calendar
        for market in calendar:
            told_ms = market.end_ms + calendar.resolution_ms
            if market.end_ms <= now.wall_ms and told_ms > self._settled_ms:
                self._settled_ms = told_ms
        return now.wall_ms - self._settled_ms < TOLD_WITHIN_MS

    def is_decided(self, token: str) -> bool:
        """Tell whether the market of a token is resolved, or forgotten after that."""
        market = self.exchange.calendar.by_token.get(token)
        return market is None or market.state == "RESOLVED"

    def open_ids(self) -> list[OrderHash]:
        """Return our open orders, oldest first, without those of nobody."""
        return [
            OrderHash(name)
            for name in self.exchange.open.get(self._who.api_key, ())
            if name not in self.strangers
        ]

    def all_open_ids(self) -> list[OrderHash]:
        """Return every open order of our key."""
        return [OrderHash(name) for name in self.exchange.open.get(self._who.api_key, ())]

    def filled_e6(self, order_id: OrderHash) -> int | None:
        """Return how much of an order was matched, None when it was never taken."""
        order = self.exchange.orders.get(order_id)
        return None if order is None else order.filled

    def legs(self) -> dict[tuple[str, str], "Leg"]:
        """Return every leg of every trade that is ours."""
        found: dict[tuple[str, str], Leg] = {}
        for trade in self.exchange.trades.by_id.values():
            for leg in self.legs_of(trade):
                found[(trade.trade_id, leg.order_id)] = leg
        return found

    def leg(self, trade_id: str, order_id: str) -> "Leg | None":
        """Return one leg, None when there is none of ours."""
        trade = self.exchange.trades.by_id.get(trade_id)
        if trade is None:
            return None
        return next((leg for leg in self.legs_of(trade) if leg.order_id == order_id), None)

    def legs_of(self, trade: Trade) -> list["Leg"]:
        """Return the legs of a trade that are ours."""
        legs: list[Leg] = []
        if trade.owner == self._who.api_key:
            legs.append(
                Leg(trade.taker_order_id, trade.token, trade.side, trade.size, trade.status)
            )
        for part in trade.makers:
            if part.owner == self._who.api_key:
                token = trade.tokens[part.outcome]
                legs.append(Leg(part.order_id, token, part.side, part.size, trade.status))
        return legs

    def _flush(self) -> None:
        """Tell of what the exchange has done since the last call."""
        exchange = self.exchange
        happenings, exchange.happenings = exchange.happenings, []
        for happening in happenings:
            self._tell(happening)
        for market in exchange.dirty.values():
            market.book.touched.clear()
        exchange.dirty.clear()

    def _tell(self, happening: Happening) -> None:
        if isinstance(happening, OrderChanged):
            market = self.exchange.calendar.by_condition[happening.order.market]
            event = user_event(order_frame(happening, market))
        elif isinstance(happening, TradeChanged):
            if self._who.api_key not in happening.trade.owners:
                return
            if happening.status == "MATCHED" and len(self.legs_of(happening.trade)) > 1:
                self._judge_crossing(happening.trade)
            event = user_event(trade_frame(happening, self._who.api_key))
        else:
            return
        assert isinstance(event, OwnOrder | OwnTrade)
        self.events.append(event)

    def _judge_crossing(self, trade: Trade) -> None:
        if trade.owner == self._who.api_key:
            self.crossed.append(f"{trade.trade_id} of {trade.taker_order_id}")


class Leg(msgspec.Struct, frozen=True):
    """One order's part of a trade, as the venue knows it."""

    order_id: str
    token: str
    side: Side
    size_e6: int
    status: str
