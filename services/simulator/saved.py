"""What a venue knew when its process ended: the fold of its journal.

Pure: lines in, state out. The same lines give the same state, and a journal cut after any
line gives the state at the end of that line's turn.
"""

from collections import deque
from collections.abc import Iterable

import msgspec

from services.simulator.journal_rows import AccountRow, Damaged, MarketRow, Turn, decode_line
from services.simulator.matching import Order
from services.simulator.oracles.oracle import HISTORY_MS, Tick
from services.simulator.trades import Trade
from shared.identifiers import Asset


class Saved(msgspec.Struct):
    """The newest row of everything; to be restored into one core, which owns it then.

    Attributes:
        seed: Of the venue that wrote it, None when nothing was ever written.
        prices: Name of the recording that it played, empty for none.
        orders: In the order in which they first rested, as is their priority.
        trades: In the order of their matches.
        ticks: Of each asset what its oracle remembers, oldest first.
        stamps: Wire-log records of the last turn.
    """

    seed: int | None = None
    prices: str = ""
    trade_count: int = 0
    accounts: dict[str, AccountRow] = msgspec.field(default_factory=dict)
    markets: dict[str, MarketRow] = msgspec.field(default_factory=dict)
    orders: dict[str, Order] = msgspec.field(default_factory=dict)
    trades: dict[str, Trade] = msgspec.field(default_factory=dict)
    ticks: dict[Asset, deque[Tick]] = msgspec.field(default_factory=dict)
    walks: dict[Asset, int] = msgspec.field(default_factory=dict)
    armed: tuple[str, ...] = ()
    stamps: tuple[msgspec.Raw, ...] = ()

    @property
    def assets(self) -> tuple[Asset, ...]:
        """Return the assets whose prices it knows: the oracle of each settles its markets."""
        return tuple(self.ticks)


def fold(lines: Iterable[bytes]) -> Saved:
    """Return what complete lines of a journal tell, without their line ends.

    Raises:
        Damaged: A line is not what was written, is missing, or speaks of what was never told.
    """
    saved = Saved()
    expected: int | None = None
    for place, text in enumerate(lines, 1):
        number, turn = decode_line(place, text)
        if expected is None and not turn.whole:
            raise Damaged(place, "should begin with everything")
        if expected is not None and number != expected:
            raise Damaged(place, f"is number {number} where {expected} should be")
        if turn.whole:
            saved = Saved(prices=turn.prices)
        elif turn.seed != saved.seed:
            raise Damaged(place, f"is of a venue of seed {turn.seed}")
        _take(saved, turn, place)
        expected = number + 1
    _forget_idle_orders(saved)
    return saved


def _take(saved: Saved, turn: Turn, place: int) -> None:
    saved.seed = turn.seed
    saved.trade_count = turn.trade_count
    saved.stamps = turn.stamps
    if turn.armed is not None:
        saved.armed = turn.armed
    saved.accounts.update((row.address, row) for row in turn.accounts)
    saved.markets.update((row.condition_id, row) for row in turn.markets)
    for order in turn.orders:
        saved.orders[order.order_id] = order
    for trade in turn.trades:
        saved.trades[trade.trade_id] = trade
    things: tuple[Order | Trade, ...] = (*turn.orders, *turn.trades)
    unknown = [thing.market for thing in things if thing.market not in saved.markets]
    if unknown:
        raise Damaged(place, f"speaks of the unknown market {unknown[0]}")
    for tick in turn.ticks:
        _remember(saved.ticks.setdefault(tick.asset, deque()), tick)
    saved.walks.update(turn.walks)
    if turn.forgotten:
        _forget(saved, turn.forgotten)


def _remember(history: deque[Tick], tick: Tick) -> None:
    while history and history[0].at_ms <= tick.at_ms - HISTORY_MS:
        history.popleft()
    history.append(tick)


def _forget(saved: Saved, conditions: tuple[str, ...]) -> None:
    for condition in conditions:
        saved.markets.pop(condition, None)
    saved.orders = {
        name: order for name, order in saved.orders.items() if order.market in saved.markets
    }
    saved.trades = {
        name: trade for name, trade in saved.trades.items() if trade.market in saved.markets
    }


def is_idle(order: Order, market_state: str) -> bool:
    """Tell whether an order can be forgotten: ended without a fill, in a resolved market."""
    return market_state == "RESOLVED" and not order.trades and order.status != "LIVE"


def _forget_idle_orders(saved: Saved) -> None:
    saved.orders = {
        name: order
        for name, order in saved.orders.items()
        if not is_idle(order, saved.markets[order.market].state)
    }
