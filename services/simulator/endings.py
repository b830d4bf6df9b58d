"""How a market ends: the side that won, and what everybody's shares of it pay."""

from services.simulator.accounts import Accounts
from services.simulator.happenings import Paid
from services.simulator.markets import Market
from services.simulator.oracles.markets_file import RecordedMarket
from services.simulator.oracles.oracle import Oracle
from services.simulator.ranges import RANGES
from shared.units import MoneyE6, SizeE6


def note_strike(market: Market, oracle: Oracle, recorded: RecordedMarket | None = None) -> None:
    """Fix the price that a market's window begins with, as recorded where it is."""
    if recorded is not None and recorded.strike_e8 is not None:
        market.strike_e8 = recorded.strike_e8
        return
    market.strike_e8 = oracle.settle_e8(market.start_ms, market.lookback_ms)


def note_final(market: Market, oracle: Oracle) -> None:
    """Fix the price that it ends with."""
    market.final_e8 = oracle.settle_e8(market.end_ms, market.lookback_ms)


def decide(market: Market, recorded: RecordedMarket | None = None) -> None:
    """Set the winner, as recorded where it is; a price that has not moved is up."""
    if recorded is not None and recorded.winner is not None:
        market.winner = recorded.winner
        return
    assert market.strike_e8 is not None
    assert market.final_e8 is not None
    if market.range_number is not None:
        is_inside = RANGES[market.range_number].holds(market.strike_e8, market.final_e8)
        market.winner = 0 if is_inside else 1
        return
    market.winner = 0 if market.final_e8 >= market.strike_e8 else 1


def pay_out(market: Market, accounts: Accounts) -> list[Paid]:
    """Turn everybody's shares of a resolved market into collateral; return what clients got."""
    paid: list[Paid] = []
    for account in accounts:
        for outcome, token in enumerate(market.tokens):
            size = account.balance(token)
            if size == 0:
                continue
            payout = size if outcome == market.winner else 0
            accounts.change(account, token, -size)
            accounts.change(account, "", payout)
            if account.limited:
                paid.append(Paid(market, account.address, token, SizeE6(size), MoneyE6(payout)))
    return paid
