"""From fills to trades: who pays what, what the taker's fee is, and what each gets.

Holds no state. One trade a price level, so that every trade has one exact price.
"""

import msgspec

from services.simulator.accounts import COLLATERAL, Move
from services.simulator.matching import Fill, Order, book_price
from services.simulator.trades import (
    FEES_ACCOUNT,
    MakerPart,
    Trade,
    maker_part,
    side_moves,
)
from shared.units import MoneyE6, PriceE4, SizeE6, WallMs
from shared.venue.rules import taker_fee

FEE_RATE_E6 = 70_000
"""Takers of crypto markets pay 0.07 x p(1-p) a share.

Source: https://docs.polymarket.com/trading/fees (2026-09-28).
"""


class Match(msgspec.Struct, frozen=True):
    """Who took, where and when; the same for every trade of one match."""

    taker: Order
    market: str
    tokens: tuple[str, str]
    match_ms: WallMs
    names: tuple[str, str]


def taker_fee_due(order: Order, fills: list[Fill]) -> MoneyE6:
    """Return what an order would pay as the taker of these fills.

    The official clients leave just this much of a balance free when they spend all of it
    (py-clob-client-v2 1.2.1, `fees.py`), so that no more may be demanded.
    """
    return MoneyE6(
        sum(
            taker_fee(
                PriceE4(book_price(order.outcome, group[0].price)),
                SizeE6(sum(fill.size for fill in group)),
                FEE_RATE_E6,
            )
            for group in by_price(fills)
        )
    )


def by_price(fills: list[Fill]) -> list[list[Fill]]:
    """Group fills of one match by their price, in order."""
    groups: list[list[Fill]] = []
    for fill in fills:
        if groups and groups[-1][0].price == fill.price:
            groups[-1].append(fill)
        else:
            groups.append([fill])
    return groups


def make_trade(match: Match, fills: list[Fill], trade_id: str, bucket: int) -> Trade:
    """Return the trade of a taker with all makers at one price."""
    taker = match.taker
    parts: list[MakerPart] = []
    taken: list[Move] = []
    given: list[Move] = []
    money = 0
    for fill in fills:
        part, taker_money = maker_part(taker.outcome, fill)
        token = match.tokens[part.outcome]
        gives, gets = side_moves(part.maker, token, part.side, part.size, part.money, 0)
        parts.append(part)
        taken.append(gives)
        given.append(gets)
        money += taker_money
    size = SizeE6(sum(fill.size for fill in fills))
    price = PriceE4(book_price(taker.outcome, fills[0].price))
    fee = min(taker_fee(price, size, FEE_RATE_E6), money) if taker.owner else MoneyE6(0)
    token = match.tokens[taker.outcome]
    gives, gets = side_moves(taker.maker, token, taker.side, size, money, fee)
    taken.append(gives)
    given.append(gets)
    if fee:
        given.append(Move(FEES_ACCOUNT, COLLATERAL, fee))
    return Trade(
        trade_id=trade_id,
        market=match.market,
        tokens=match.tokens,
        names=match.names,
        taker_order_id=taker.order_id,
        owner=taker.owner,
        maker=taker.maker,
        outcome=taker.outcome,
        side=taker.side,
        price=price,
        size=size,
        money=MoneyE6(money),
        fee=MoneyE6(fee),
        makers=tuple(parts),
        taken=tuple(taken),
        given=tuple(given),
        bucket=bucket,
        match_ms=match.match_ms,
        updated_ms=match.match_ms,
    )
