"""An exchange and its calendar whose markets are the real venue's.

Lists what discovery tells, closes what has ended, and resolves as the venue says; knows no
price of its own. Takes no order of a market whose real book is not proven.
"""

from collections.abc import Callable, Iterator

from services.simulator.accounts import Accounts
from services.simulator.endings import pay_out
from services.simulator.exchange import Exchange
from services.simulator.happenings import MarketForgotten, MarketMoved, TickChanged, TradePrinted
from services.simulator.markets import Calendar, Market, MarketChange
from services.simulator.matching import Fill, Order
from services.simulator.oracles.oracle import Oracle
from services.simulator.trades import TradeBook, Trouble
from services.simulator.verdicts import Refusal
from shared.identifiers import Asset
from shared.units import Instant, PriceE4

MIRROR = "mirror"
"""Account of everybody at the real venue."""

NOT_READY_TEXT = "the market is not yet ready to process new orders"
"""What the venue says of a market without a book.

Source: https://docs.polymarket.com/resources/error-codes (2026-09-28)."""

RESTRICTED_TEXT = (
    "Trading restricted in your region, please refer to available regions - "
    "https://docs.polymarket.com/developers/CLOB/geoblock"
)
"""Source: texts that users have reported, such as
https://github.com/Polymarket/py-clob-client/issues/292."""

RETAINED_MAX = 256
"""Ended markets kept, resolved or not: a day of one series of five minutes."""


class MirrorCalendar(Calendar):
    """Markets that somebody else lists and resolves."""

    def __init__(self, seed: int) -> None:
        """Begin without any."""
        super().__init__((), 1, seed, ahead=1, resolution_ms=0, versions=("v1",))
        self._ended: set[str] = set()

    def take_in(self, market: Market) -> None:
        """Take in a market of the venue; the next `advance` brings it to its state."""
        assert market.condition_id not in self.by_condition
        self._add(market)

    def end(self, market: Market) -> None:
        """Close a market at the next `advance`, whatever its clock says."""
        self._ended.add(market.condition_id)

    def advance(self, wall_ms: int) -> list[MarketChange]:
        """Open, close, resolve and forget what is due."""
        changes: list[MarketChange] = []
        for market in list(self.by_slug.values()):
            changes.extend(self._advance_market(market, wall_ms))
            if market.state == "CLOSED" and market.winner is not None:
                market.state = "RESOLVED"
                changes.append(MarketChange(market, "RESOLVED"))
        return [*changes, *self._forget()]

    def next_ms(self) -> int:
        """Return the wall time of the next opening or closing, 0 for none."""
        due = [self._due_ms(market) for market in self.by_slug.values()]
        return min((at for at in due if at is not None), default=0)

    def _due_ms(self, market: Market) -> int | None:
        if market.state in ("CLOSED", "RESOLVED"):
            return None
        if market.condition_id in self._ended:
            return 0
        return market.start_ms if market.state == "LISTED" else market.end_ms

    def _forget(self) -> Iterator[MarketChange]:
        over = [market for market in self.by_slug.values() if not market.is_trading]
        for market in over[:-RETAINED_MAX]:
            self._ended.discard(market.condition_id)
            del self.by_slug[market.slug]
            del self.by_condition[market.condition_id]
            for token in market.tokens:
                del self.by_token[token]
            yield MarketChange(market, market.state, forgotten=True)


class MirrorExchange(Exchange):
    """The exchange of a mirror.

    Attributes:
        on_rest: Told of every order of a client that comes to rest.
        on_close: Told of every market that closes, before its book is emptied.
        barred: The venue's refusal of every order, None when it takes them.
    """

    def __init__(
        self,
        calendar: MirrorCalendar,
        accounts: Accounts,
        trades: TradeBook,
        oracles: dict[Asset, Oracle],
        seed: int,
        trouble_of: Callable[[int], Trouble],
    ) -> None:
        """Take the parts; see `Exchange`."""
        super().__init__(calendar, accounts, trades, oracles, seed, trouble_of)
        accounts.open_participant(MIRROR)
        self.on_rest: Callable[[Order, Instant], None] = lambda order, now: None
        self.on_close: Callable[[Market], None] = lambda market: None
        self.barred: Refusal | None = Refusal(NOT_READY_TEXT)
        self._doubts: dict[str, str] = {}
        self._new_ticks: dict[str, TickChanged] = {}

    def doubt(self, market: Market, why: str) -> None:
        """Take no more orders of a market for a reason, or take them again for an empty one."""
        self._doubts[market.condition_id] = why

    def doubt_of(self, market: Market) -> str:
        """Return why a market's orders are not taken, empty when they are."""
        return self._doubts.get(market.condition_id, "not followed")

    def resting(self, market: Market) -> Iterator[Order]:
        """Iterate over the open orders of clients in a market."""
        return (
            order
            for orders in self.open.values()
            for order in orders.values()
            if order.market == market.condition_id and order.status == "LIVE"
        )

    def check(self, order: Order) -> Refusal | None:
        """Return why an order may not be taken now, None when it may."""
        market = self.calendar.by_condition.get(order.market)
        if market is not None and market.is_trading:
            if self.barred is not None:
                return self.barred
            if self.doubt_of(market):
                return Refusal(NOT_READY_TEXT)
        return super().check(order)

    def fill(self, taker: Order, fills: list[Fill], now: Instant) -> None:
        """Match an order of the mirror against chosen orders of clients."""
        assert all(fill.maker.owner for fill in fills)
        self._match(taker, fills, self.calendar.by_condition[taker.market], now)

    def traded(self, printed: TradePrinted, up_price: int) -> None:
        """Tell of a real trade that no client had a part in."""
        market = printed.market
        market.last_trade = f"{up_price // 10_000}.{up_price % 10_000:04d}"[:5]
        market.book.traded = True
        self.dirty[market.condition_id] = market
        self.happenings.append(printed)

    def set_tick(self, market: Market, tick: PriceE4) -> None:
        """Take the venue's price step over."""
        if tick != market.tick:
            self._new_ticks[market.condition_id] = TickChanged(market, market.tick, tick)
            market.tick = tick
            self.dirty[market.condition_id] = market

    def change_tick(self, market: Market) -> TickChanged | None:
        """Return the venue's change of the price step since the last call."""
        return self._new_ticks.pop(market.condition_id, None)

    def _rest(self, order: Order, market: Market, now: Instant) -> None:
        super()._rest(order, market, now)
        if order.owner:
            self.on_rest(order, now)

    def _follow(self, change: MarketChange, now: Instant) -> None:
        market = change.market
        if change.forgotten:
            self.trades.forget(market.condition_id)
            self._shelf.forget_market(market.condition_id)
            self._doubts.pop(market.condition_id, None)
            self.happenings.append(MarketForgotten(market))
            return
        if change.state == "CLOSED":
            self.on_close(market)
            self._close(market, now)
        if change.state == "RESOLVED":
            self.happenings += pay_out(market, self.accounts)
        self.happenings.append(MarketMoved(market, change.state))
