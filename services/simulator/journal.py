"""Writes down what must outlive the process, before anybody is told of it.

Collects what changed within a turn and returns it as one line. A trade among the
simulator's own participants makes no line of its own: it is written with the next thing
that a client could have seen, and lost with the process until then, as if it had never
been. So a line always holds everything that is true at the end of its turn.
"""

import msgspec

from services.simulator.accounts import Account
from services.simulator.edge import Persist, Record
from services.simulator.exchange import Exchange
from services.simulator.happenings import (
    Happening,
    MarketForgotten,
    MarketMoved,
    OrderChanged,
    TickChanged,
    TradeChanged,
    TradePrinted,
)
from services.simulator.heartbeat import Heartbeats
from services.simulator.journal_rows import AccountRow, Turn, encode_line, market_row
from services.simulator.markets import Market
from services.simulator.matching import Order
from services.simulator.oracles.oracle import Tick
from services.simulator.oracles.recording import Recording
from services.simulator.saved import is_idle
from services.simulator.trades import Trade
from shared.identifiers import Asset

LINES_MAX = 10_000
"""After so many lines, some 20 MB and ten minutes of one busy client, it is written anew."""


class Journal:
    """What changed since the last line."""

    def __init__(
        self,
        exchange: Exchange,
        heartbeats: Heartbeats,
        seed: int,
        recording: Recording | None = None,
    ) -> None:
        """Set where to look and which recording is played; the first line holds everything."""
        self._exchange = exchange
        self._heartbeats = heartbeats
        self._seed = seed
        self._prices = "" if recording is None else recording.name
        self._number = 0
        self._markets: dict[str, Market] = {}
        self._printed: dict[str, Market] = {}
        self._orders: dict[str, Order] = {}
        self._trades: dict[str, Trade] = {}
        self._ticks: list[Tick] = []
        self._forgotten: list[str] = []
        self._armed: tuple[str, ...] = ()

    def note(self, happening: Happening) -> None:
        """Remember what a happening has changed."""
        match happening:
            case OrderChanged(order=order):
                self._orders[order.order_id] = order
            case TradeChanged(trade=trade):
                self._trades[trade.trade_id] = trade
            case MarketMoved(market=market) | TickChanged(market=market):
                self._markets[market.condition_id] = market
            case TradePrinted(market=market):
                self._printed[market.condition_id] = market
            case MarketForgotten(market=market):
                self._forget(market)
            case _:
                return

    def note_tick(self, tick: Tick) -> None:
        """Remember a new reference price."""
        self._ticks.append(tick)

    def collect(self, stamps: list[Record]) -> list[Persist]:
        """Return the line of this turn, none when nothing changed that must outlive us.

        Args:
            stamps: Wire-log records of the turn.
        """
        if self._number in (0, LINES_MAX):
            return [self._write(self.everything(stamps))]
        armed = tuple(self._heartbeats.armed())
        changed = self._exchange.accounts.changed
        if not (
            self._markets
            or self._orders
            or self._trades
            or self._ticks
            or self._forgotten
            or armed != self._armed
            or any(account.limited for account in changed.values())
        ):
            return []
        assets = dict.fromkeys(tick.asset for tick in self._ticks)
        turn = Turn(
            seed=self._seed,
            trade_count=self._exchange.trade_count,
            accounts=tuple(map(_account_row, changed.values())),
            markets=tuple(map(market_row, (self._printed | self._markets).values())),
            orders=tuple(self._orders.values()),
            trades=tuple(self._trades.values()),
            ticks=tuple(self._ticks),
            walks=self._walks(tuple(assets)),
            armed=armed if armed != self._armed else None,
            forgotten=tuple(self._forgotten),
            stamps=_raw(stamps),
        )
        return [self._write(turn)]

    def everything(self, stamps: list[Record]) -> Turn:
        """Return a turn that says all; held orders end with the process, and are left out."""
        exchange = self._exchange
        by_condition = exchange.calendar.by_condition
        oracles = exchange.oracles
        return Turn(
            seed=self._seed,
            trade_count=exchange.trade_count,
            whole=True,
            prices=self._prices,
            accounts=tuple(map(_account_row, exchange.accounts)),
            markets=tuple(map(market_row, exchange.calendar)),
            orders=tuple(
                order
                for order in exchange.orders.values()
                if order.status != "DELAYED"
                and not is_idle(order, by_condition[order.market].state)
            ),
            trades=tuple(exchange.trades.by_id.values()),
            ticks=tuple(tick for oracle in oracles.values() for tick in oracle.history),
            walks=self._walks(tuple(oracles)),
            armed=tuple(self._heartbeats.armed()),
            stamps=_raw(stamps),
        )

    def _walks(self, assets: tuple[Asset, ...]) -> dict[Asset, int]:
        return {asset: self._exchange.oracles[asset].position for asset in assets}

    def _write(self, turn: Turn) -> Persist:
        self._number = 1 if turn.whole else self._number + 1
        self._markets, self._printed = {}, {}
        self._orders, self._trades = {}, {}
        self._ticks, self._forgotten = [], []
        self._armed = tuple(self._heartbeats.armed())
        self._exchange.accounts.changed = {}
        return Persist(encode_line(self._number, turn), turn.whole)

    def _forget(self, market: Market) -> None:
        condition = market.condition_id
        self._forgotten.append(condition)
        self._markets.pop(condition, None)
        self._printed.pop(condition, None)
        for rows in (self._orders, self._trades):
            for name in [name for name, row in rows.items() if row.market == condition]:
                del rows[name]


def _raw(stamps: list[Record]) -> tuple[msgspec.Raw, ...]:
    return tuple(msgspec.Raw(stamp.line) for stamp in stamps)


def _account_row(account: Account) -> AccountRow:
    return AccountRow(
        account.address,
        account.collateral,
        account.deposited,
        dict(account.tokens),
        dict(account.allowances),
    )
