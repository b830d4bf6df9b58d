"""Unknown positions get an owner: legs that bring our count to what is held (EX-25).

A surplus becomes the `adopted` owner's; what is missing is taken first from that owner and
then from the others, the largest holding first. Each is a row of the ledger like any leg,
with a trade id of its own and the role ADOPTED, so that a restart and every reader know.
What was paid or received for them nobody tells: they count at the proven mid price, and
where there is none against us.
"""

from typing import Final

from services.execution.position import ADOPTED_ROLE
from services.execution.positions import Positions
from shared.facts import BookView, Side
from shared.identifiers import ADOPTED, ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord
from shared.units import PRICE_ONE_E4, Instant, MoneyE6, PriceE4, SizeE6

NO_ORDER: Final = OrderHash("0x" + "00" * 32)
"""Stands where a leg names its order."""


def adopt(
    positions: Positions,
    account: str,
    market: ConditionId,
    token: TokenId,
    surplus_e6: int,
    book: BookView | None,
    now: Instant,
) -> tuple[FillRecord, ...]:
    """Return the legs that bring a token's count to what is held; none for no surplus.

    Args:
        positions: Who holds what of it.
        account: Of the identity.
        market: Of the token.
        token: Whose count differs.
        surplus_e6: What is held beyond the count; below zero for what is missing.
        book: Its proven top of book; None when nobody vouches for one.
        now: Of the finding.
    """
    if surplus_e6 > 0:
        parts = [(ADOPTED, surplus_e6)]
    else:
        parts = _givers(positions, market, token, -surplus_e6)
    side: Side = "BUY" if surplus_e6 > 0 else "SELL"
    return tuple(
        FillRecord(
            trade_id=TradeId(f"adopted-{now.wall_ns}-{token}-{strategy}"),
            order_id=NO_ORDER,
            account=account,
            strategy=strategy,
            market=market,
            token=token,
            side=side,
            price_e4=_price(side, book),
            size_e6=SizeE6(size_e6),
            role=ADOPTED_ROLE,
            settlement="CONFIRMED",
            fee_e6=MoneyE6(0),
            match_ms=now.wall_ms,
            updated_wall_ns=now.wall_ns,
        )
        for strategy, size_e6 in parts
    )


def _givers(
    positions: Positions, market: ConditionId, token: TokenId, missing_e6: int
) -> list[tuple[StrategyName, int]]:
    """Return who gives how much of what is missing; never more than each holds."""
    holders = sorted(
        (
            (fact.strategy != ADOPTED, -fact.matched, fact.strategy)
            for fact in positions.facts()
            if fact.market == market and fact.token == token and fact.matched > 0
        ),
    )
    parts: list[tuple[StrategyName, int]] = []
    for _, negative, strategy in holders:
        given_e6 = min(-negative, missing_e6)
        if given_e6 > 0:
            parts.append((strategy, given_e6))
            missing_e6 -= given_e6
    return parts


def _price(side: Side, book: BookView | None) -> PriceE4:
    """Return what a share counts for: the mid, or the worst for us where none is proven."""
    if book is not None and book.bids and book.asks:
        return PriceE4((book.bids[0][0] + book.asks[0][0]) // 2)
    return PriceE4(PRICE_ONE_E4) if side == "BUY" else PriceE4(0)
