"""Gives a new core what the one before it has left.

What fell due meanwhile is not done here: the first turn finds it due. Orders whose time
has come expire, trades settle, and markets that have ended close on the oracle's price.
"""

from services.simulator.exchange import Exchange
from services.simulator.heartbeat import Heartbeats
from services.simulator.journal_rows import market_of
from services.simulator.saved import Saved
from shared.units import Instant


def restore(saved: Saved, exchange: Exchange, heartbeats: Heartbeats, now: Instant) -> None:
    """Fill a new exchange, which has listed nothing yet."""
    for row in saved.accounts.values():
        account = exchange.accounts.get(row.address)
        account.collateral = row.collateral
        account.deposited = row.deposited
        account.tokens = dict(row.tokens)
        account.allowances = dict(row.allowances)
        account.hidden = []
    for asset, ticks in saved.ticks.items():
        exchange.oracles[asset].resume(ticks, saved.walks[asset])
    for market in saved.markets.values():
        exchange.calendar.resume(market_of(market))
    for order in saved.orders.values():
        exchange.resume(order)
    for trade in saved.trades.values():
        exchange.trades.resume(trade, now)
    exchange.trade_count = saved.trade_count
    heartbeats.resume(saved.armed, now.monotonic_ns)
