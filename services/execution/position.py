"""One position from the legs of its trades, by how sure each is, and the row that closes it.

Pure arithmetic in whole units. Shares bought count as safer only as their trade settles;
shares sold are gone at once for exits, and for caps only when nothing can bring them back.
"""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from services.execution.chain_balances import ChainReading
from shared.facts import PositionFact
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.trade_settlement import FINAL
from shared.units import PRICE_ONE_E4, BootNs, MoneyE6, PriceE4, SizeE6, WallNs, notional_e6

Key = tuple[ConditionId, TokenId, StrategyName]
FillKey = tuple[TradeId, OrderHash]


ADOPTED_ROLE: Final = "ADOPTED"
"""Role of a leg that no order of ours made: shares found, or missing, at the venue."""


class Position(msgspec.Struct):
    """One strategy's shares of one token.

    Attributes:
        matched_e6: Bought less sold over all trades that have not failed.
        mined_e6: The part of it that is mined or better; confirmed_e6: confirmed only. Sells
            that have not failed are taken off both: what may still be sold.
        most_e6: The most it can come to be: every buy that may settle does, and of the sells
            only those that are confirmed.
        unmined_sold_e6: Sold, and not yet mined as far as we know.
        cost_e6: Money paid less received, fees included.
        cost_most_e6: The same, when most_e6 comes true.
        realised_e6: Made or lost by the sells so far, at average cost.
    """

    matched_e6: int = 0
    mined_e6: int = 0
    confirmed_e6: int = 0
    most_e6: int = 0
    unmined_sold_e6: int = 0
    cost_e6: int = 0
    cost_most_e6: int = 0
    realised_e6: int = 0


def fill_key(fill: FillRecord) -> FillKey:
    """Return what a leg counts once by."""
    return fill.trade_id, fill.order_id


def position_key(fill: FillRecord) -> Key:
    """Return which position a leg belongs to."""
    return fill.market, fill.token, fill.strategy


def fill_cost_e6(fill: FillRecord) -> MoneyE6:
    """Return the money paid (above zero) or received (below) for a leg, fee included.

    A fraction of a micro-dollar, which the venue's sizes and ticks never make, is counted
    against us.
    """
    if fill.side == "BUY":
        return MoneyE6(-(-fill.price_e4 * fill.size_e6 // PRICE_ONE_E4) + fill.fee_e6)
    return MoneyE6(fill.fee_e6 - notional_e6(fill.price_e4, fill.size_e6))


def position_of(fills: Iterable[FillRecord], disputed: Collection[FillKey] = ()) -> Position:
    """Return the position that legs make, in the order of their matches.

    Args:
        fills: All legs of one position.
        disputed: Legs of which the venue has said both ends: neither end is built on.
    """
    position = Position()
    stock_cost = 0
    for fill in sorted(fills, key=lambda leg: (leg.match_ms, leg.trade_id, leg.order_id)):
        is_certain = fill.settlement in FINAL and fill_key(fill) not in disputed
        _count_extremes(position, fill, is_certain=is_certain)
        if fill.settlement == "FAILED":
            continue
        cost = fill_cost_e6(fill)
        signed = fill.size_e6 if fill.side == "BUY" else -fill.size_e6
        if fill.side == "BUY":
            stock_cost += cost
        elif position.matched_e6 > 0:
            given = stock_cost * min(fill.size_e6, position.matched_e6) // position.matched_e6
            stock_cost -= given
            position.realised_e6 += -cost - given
        position.matched_e6 += signed
        position.cost_e6 += cost
        if fill.settlement in ("MINED", "CONFIRMED") or fill.side == "SELL":
            position.mined_e6 += signed
    return position


def _count_extremes(position: Position, fill: FillRecord, *, is_certain: bool) -> None:
    """Count a leg into the least and the most that the position can come to be."""
    if is_certain and fill.settlement == "FAILED":
        return
    cost = fill_cost_e6(fill)
    if fill.side == "BUY":
        position.most_e6 += fill.size_e6
        position.cost_most_e6 += cost
        position.confirmed_e6 += fill.size_e6 if is_certain else 0
        return
    position.confirmed_e6 -= fill.size_e6
    if is_certain:
        position.most_e6 -= fill.size_e6
        position.cost_most_e6 += cost
    elif fill.settlement != "MINED":
        position.unmined_sold_e6 += fill.size_e6


def payout_record(
    key: Key, position: Position, payout_e4: PriceE4, leg: FillRecord, wall_ns: WallNs
) -> PayoutRecord:
    """Return the row that closes a position; a fraction of a micro-dollar is not paid."""
    size = SizeE6(max(0, position.matched_e6))
    amount = notional_e6(payout_e4, size)
    return PayoutRecord(
        market=key[0],
        token=key[1],
        strategy=key[2],
        account=leg.account,
        payout_e4=payout_e4,
        size_e6=size,
        amount_e6=amount,
        cost_e6=MoneyE6(position.cost_e6),
        realised_e6=MoneyE6(amount - position.cost_e6),
        updated_wall_ns=wall_ns,
    )


def position_fact(
    key: Key,
    position: Position,
    reading: ChainReading | None,
    now_ns: BootNs | None,
    min_size_e6: SizeE6,
) -> PositionFact:
    """Return one position as it is published.

    Args:
        key: Whose.
        position: Not of no shares and no cost.
        reading: What the chain says of the token; None while that is unknown.
        now_ns: Present moment, for the age of the reading.
        min_size_e6: Least size of an order in its market.
    """
    return PositionFact(
        strategy=key[2],
        market=key[0],
        token=key[1],
        matched=SizeE6(position.matched_e6),
        mined=SizeE6(position.mined_e6),
        confirmed=SizeE6(position.confirmed_e6),
        cost=MoneyE6(position.cost_e6),
        on_chain=None if reading is None else reading.balance_e6,
        on_chain_age_ns=None if reading is None or now_ns is None else now_ns - reading.read_ns,
        dust=0 < position.matched_e6 < min_size_e6,
    )


def is_paid_by(payout: PayoutRecord, position: Position) -> bool:
    """Tell whether a payout closes exactly this position."""
    held = (max(0, position.matched_e6), position.cost_e6)
    return (payout.size_e6, payout.cost_e6) == held
