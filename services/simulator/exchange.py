"""The exchange: which orders it takes, how they match, when they end.

Ties books, accounts and trades together. Everything it does is kept as a happening until
somebody collects it; it knows no request, no stream and no fault.
"""

from collections.abc import Callable

from services.simulator.accounts import Accounts, order_reserve
from services.simulator.chance import derive
from services.simulator.clearing import Match, by_price, make_trade, taker_fee_due
from services.simulator.endings import decide, note_final, note_strike, pay_out
from services.simulator.happenings import (
    Happening,
    MarketForgotten,
    MarketMoved,
    OrderChanged,
    OrderChangeKind,
    TickChanged,
    TradeChanged,
    TradePrinted,
)
from services.simulator.markets import Calendar, Market, MarketChange, tick_at
from services.simulator.matching import Book, Fill, Order
from services.simulator.oracles.oracle import Oracle
from services.simulator.shelf import Shelf
from services.simulator.trades import FEES_ACCOUNT, Trade, TradeBook, Trouble, is_gain, trade_id_of
from services.simulator.verdicts import (
    CENT_E6,
    NO_BOOK_TEXT,
    NOT_CANCELED_GONE,
    NOT_CANCELED_HELD,
    NOT_CANCELED_MATCHED,
    POST_ONLY_TEXT,
    Placed,
    Refusal,
    check_killed,
    fills_of,
    short_of_allowance,
    short_of_balance,
)
from shared.identifiers import Asset
from shared.units import NS_PER_MS, Instant, SizeE6


class Exchange:
    """All markets, orders and money of the venue.

    Attributes:
        trade_count: Trades so far, participants' own among them; ids follow from it.
        orders: Every client order of a market that is not forgotten, by id.
        open: Open client orders by API key, oldest first.
        happenings: What was done since they were last collected.
        dirty: Markets whose book changed since then, by condition.
    """

    def __init__(
        self,
        calendar: Calendar,
        accounts: Accounts,
        trades: TradeBook,
        oracles: dict[Asset, Oracle],
        seed: int,
        trouble_of: Callable[[int], Trouble],
    ) -> None:
        """Take the parts; nothing is listed before the first `advance`.

        Args:
            calendar: Markets.
            accounts: Money.
            trades: Trades with a client's part.
            oracles: What settles the markets.
            seed: Of the trades' ids.
            trouble_of: Asked once a trade, at this monotonic time, what goes wrong with it.
        """
        self.calendar = calendar
        self.accounts = accounts
        self.trades = trades
        self.oracles = oracles
        self._seed = seed
        self.trade_count = 0
        self._shelf = Shelf(calendar, accounts)
        self.orders = self._shelf.orders
        self.open = self._shelf.open
        self.happenings: list[Happening] = []
        self.dirty: dict[str, Market] = {}
        self._trouble_of = trouble_of
        trades.is_won = self._is_won
        accounts.open_participant(FEES_ACCOUNT)

    # --- placing --------------------------------------------------------------------

    def check(self, order: Order) -> Refusal | None:
        """Return why an order may not be taken now, None when it may."""
        market = self.calendar.by_condition.get(order.market)
        if market is None or not market.is_trading:
            return Refusal(NO_BOOK_TEXT, 404)
        crosses = market.book.crosses(bid=order.is_bid, price=order.book_price)
        if order.post_only and crosses:
            return Refusal(POST_ONLY_TEXT)
        return self._check_balance(order, market, crosses=crosses)

    def crosses(self, order: Order) -> bool:
        """Tell whether an order would match something now."""
        book = self.calendar.by_condition[order.market].book
        return book.crosses(bid=order.is_bid, price=order.book_price)

    def _check_balance(self, order: Order, market: Market, *, crosses: bool) -> Refusal | None:
        account = self.accounts.get(order.maker)
        if not account.limited:
            return None
        token = "" if order.side == "BUY" else market.tokens[order.outcome]
        needed = order_reserve(order)
        if order.side == "BUY" and crosses:
            needed += taker_fee_due(order, fills_of(order, market.book))
        held = order_reserve(order) if order.status == "DELAYED" else 0
        spender = market.domain.contract
        allowance = account.allowance(spender, conditional=order.side == "SELL")
        if needed > allowance:
            return short_of_allowance(spender, allowance, needed)
        if needed <= self.accounts.free(account, token) + held:
            return None
        return short_of_balance(self.accounts.visible(account, token), needed)

    def hold(self, order: Order) -> None:
        """Take a marketable order in without matching it yet; what it needs is reserved."""
        order.status = "DELAYED"
        self._shelf.remember(order)
        self._shelf.reserve(order, order_reserve(order))

    def place(self, order: Order, now: Instant) -> Placed | Refusal:
        """Match an order that was checked, and let its rest rest or end.

        A held order is checked again: the market may have moved meanwhile.
        """
        refusal = self.check(order)
        was_held = order.status == "DELAYED"
        if was_held:
            self._shelf.reserve(order, -order_reserve(order))
            order.status = "LIVE"
        if refusal is not None:
            if was_held:
                self._shelf.forget(order)
            return refusal
        market = self.calendar.by_condition[order.market]
        fills = fills_of(order, market.book)
        refusal = check_killed(order, fills)
        if refusal is not None:
            if was_held:
                self._shelf.forget(order)
            return refusal
        if order.owner and not was_held:
            self._shelf.remember(order)
        trades = self._match(order, fills, market, now)
        money = sum(trade.money for trade in trades)
        if order.time_in_force in ("FOK", "FAK"):
            self._end_immediate(order, money, now)
        elif order.remaining > 0:
            self._rest(order, market, now)
        if not trades:
            return Placed(order, "live")
        making, taking = (money, order.filled) if order.side == "BUY" else (order.filled, money)
        known = tuple(trade.trade_id for trade in trades if trade.trade_id)
        return Placed(order, "matched", making, taking, known)

    def _match(self, order: Order, fills: list[Fill], market: Market, now: Instant) -> list[Trade]:
        trades: list[Trade] = []
        match = Match(order, market.condition_id, market.tokens, now.wall_ms, market.names)
        for bucket, group in enumerate(by_price(fills)):
            self.trade_count += 1
            trade_id = trade_id_of(self._seed, self.trade_count)
            trade = make_trade(match, group, trade_id, bucket)
            for fill in group:
                self._apply_fill(market, fill)
            order.filled = SizeE6(order.filled + trade.size)
            self._clear(trade, order, market, now)
            trades.append(trade)
        if trades:
            up_price = group[0].price
            market.last_trade = f"{up_price // 10_000}.{up_price % 10_000:04d}"[:5]
            market.book.taker_outcome = order.outcome
            self.dirty[market.condition_id] = market
        return trades

    def _apply_fill(self, market: Market, fill: Fill) -> None:
        maker = fill.maker
        before = order_reserve(maker)
        market.book.apply(fill)
        if maker.owner:
            self._shelf.reserve(maker, order_reserve(maker) - before)

    def _clear(self, trade: Trade, taker: Order, market: Market, now: Instant) -> None:
        printed = f"0x{derive(self._seed, 'print', trade.trade_id):064x}"
        self.happenings.append(
            TradePrinted(market, trade.outcome, trade.price, trade.size, trade.side, printed)
        )
        if not trade.owners:
            self.accounts.apply(trade.taken)
            self.accounts.apply(trade.given)
            return
        self.trades.add(trade, now.monotonic_ns, self._trouble_of(now.monotonic_ns))
        for part in trade.makers:
            maker = self.orders.get(part.order_id)
            if maker is not None:
                self._tell_match(maker, trade, now)
        if taker.owner:
            self._tell_match(taker, trade, now)
        self.happenings.append(TradeChanged(trade, "MATCHED", now.wall_ms))

    def _tell_match(self, order: Order, trade: Trade, now: Instant) -> None:
        order.trades.append(trade.trade_id)
        if order.remaining <= 0:
            order.status = "MATCHED"
            self._shelf.shut(order)
        self._tell(order, "UPDATE", order.status, now)

    def _end_immediate(self, order: Order, spent: int, now: Instant) -> None:
        """End what may not rest; a remainder too small to buy a cent's worth is no remainder."""
        if not order.owner or order.status != "LIVE":
            return
        is_done = order.money > 0 and order.money - spent < CENT_E6
        if is_done:
            order.status = "MATCHED"
            self._tell(order, "UPDATE", "MATCHED", now)
        else:
            self._end(order, "CANCELED", "killed", now)

    def _rest(self, order: Order, market: Market, now: Instant) -> None:
        market.book.rest(order)
        self.dirty[market.condition_id] = market
        if order.owner:
            self._shelf.keep_open(order)
            self._tell(order, "PLACEMENT", "LIVE", now)

    def resume(self, order: Order) -> None:
        """Take in a client's order of the life before, behind those that came earlier."""
        self._shelf.remember(order)
        if order.status == "LIVE":
            market = self.calendar.by_condition[order.market]
            market.book.rest(order)
            self._shelf.keep_open(order)

    # --- ending ---------------------------------------------------------------------

    def cancel(self, order: Order, now: Instant, *, status: str, cause: str) -> str | None:
        """End an open order; return the venue's reason when it can not be ended."""
        if order.status == "DELAYED":
            return NOT_CANCELED_HELD
        if order.status == "MATCHED":
            return NOT_CANCELED_MATCHED
        if order.status != "LIVE":
            return NOT_CANCELED_GONE
        market = self.calendar.by_condition[order.market]
        self._shelf.reserve(order, -order_reserve(order))
        market.book.remove(order)
        self.dirty[market.condition_id] = market
        self._end(order, status, cause, now)
        return None

    def quote(self, order: Order) -> bool:
        """Let a participant's order rest; return False, and do nothing, where it would cross."""
        market = self.calendar.by_condition[order.market]
        if market.book.crosses(bid=order.is_bid, price=order.book_price):
            return False
        market.book.rest(order)
        self.dirty[market.condition_id] = market
        return True

    def withdraw(self, order: Order) -> None:
        """Take a participant's order out of its book."""
        market = self.calendar.by_condition[order.market]
        market.book.remove(order)
        self.dirty[market.condition_id] = market

    def _end(self, order: Order, status: str, cause: str, now: Instant) -> None:
        order.status = status
        self._shelf.shut(order)
        self._tell(order, "CANCELLATION", status, now, cause)

    def _tell(
        self, order: Order, kind: OrderChangeKind, status: str, now: Instant, cause: str = ""
    ) -> None:
        trades = tuple(order.trades)
        self.happenings.append(
            OrderChanged(order, kind, status, order.filled, trades, now.wall_ms, cause)
        )

    # --- time -----------------------------------------------------------------------

    def advance(self, now: Instant) -> None:
        """Do what is due: expiries, trades, and the markets' calendar."""
        self.accounts.advance(now.monotonic_ns)
        while (order := self._shelf.pop_expired(now.wall_ms)) is not None:
            self.cancel(order, now, status="CANCELED", cause="expired")
        for trade in self.trades.advance(now.monotonic_ns, now.wall_ms):
            self.happenings.append(TradeChanged(trade, trade.status, now.wall_ms))
            market = self.calendar.by_condition.get(trade.market)
            if market is not None and market.state == "RESOLVED":
                self.happenings += pay_out(market, self.accounts)
        for change in self.calendar.advance(now.wall_ms):
            self._follow(change, now)

    def decide_early(self, market: Market, winner: int, now: Instant) -> None:
        """End a running market now with a winner, as the venue does when an event is over early.

        A market that does not run is left as it is.
        """
        if market.state != "OPEN":
            return
        assert market.strike_e8 is not None, "an open market has its strike"
        market.final_e8 = market.strike_e8 - winner
        market.state = "CLOSED"
        self._close(market, now)
        self.happenings.append(MarketMoved(market, "CLOSED"))
        market.state = "RESOLVED"
        decide(market)
        market.winner = winner  # of a range, which may hold any price, it is what was asked for
        self.happenings += pay_out(market, self.accounts)
        self.happenings.append(MarketMoved(market, "RESOLVED"))

    def _follow(self, change: MarketChange, now: Instant) -> None:
        market = change.market
        if change.forgotten:
            self.trades.forget(market.condition_id)
            self._shelf.forget_market(market.condition_id)
            self.happenings.append(MarketForgotten(market))
            return
        oracle = self.oracles[market.asset]
        state = change.state
        if state == "OPEN":
            note_strike(market, oracle, self.calendar.recorded(market))
        if state == "CLOSED":
            note_final(market, oracle)
            self._close(market, now)
        if state == "RESOLVED":
            decide(market, self.calendar.recorded(market))
            self.happenings += pay_out(market, self.accounts)
        self.happenings.append(MarketMoved(market, state))

    def _close(self, market: Market, now: Instant) -> None:
        for order in self._shelf.of_market(market.condition_id):
            if order.status == "LIVE":
                self.cancel(order, now, status="CANCELED_MARKET_RESOLVED", cause="market_closed")
        market.book = Book()
        self.dirty.pop(market.condition_id, None)

    def next_ns(self, wall_offset_ns: int) -> int | None:
        """Return when an order expires or a trade moves on next, as monotonic time."""
        due = [at for at in (self.trades.next_ns(),) if at is not None]
        expiry_ms = self._shelf.next_ms()
        if expiry_ms is not None:
            due.append(expiry_ms * NS_PER_MS - wall_offset_ns)
        return min(due, default=None)

    def _is_won(self, trade: Trade) -> bool:
        """Tell whether the middle of the book has moved for a client since a trade."""
        market = self.calendar.by_condition.get(trade.market)
        if market is None:
            return False
        bid, ask = market.book.bids.best(), market.book.asks.best()
        return bid is not None and ask is not None and is_gain(trade, (bid + ask) // 2)

    def change_tick(self, market: Market) -> TickChanged | None:
        """Make the tick finer near an end, coarser when the price has come back; return that."""
        bid, ask = market.book.bids.best(), market.book.asks.best()
        if bid is None or ask is None:
            return None
        tick = tick_at(market.tick, (bid + ask) // 2)
        if tick == market.tick:
            return None
        change = TickChanged(market, market.tick, tick)
        market.tick = tick
        return change
