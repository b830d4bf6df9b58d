"""What the exchange has done in a turn, for those who tell others of it.

Streams turn these into frames, stamps into records. Each keeps what was true at its
moment, since orders and trades go on changing within the turn.
"""

from typing import Literal

import msgspec

from services.simulator.markets import Market, MarketState
from services.simulator.matching import Order
from services.simulator.trades import Trade, TradeStatus
from shared.facts import Side
from shared.units import MoneyE6, PriceE4, SizeE6, WallMs

OrderChangeKind = Literal["PLACEMENT", "UPDATE", "CANCELLATION"]


class OrderChanged(msgspec.Struct, frozen=True):
    """A client's order was placed, matched in part or in full, or ended.

    Attributes:
        kind: As the user stream names it.
        status: `LIVE`, `MATCHED`, or text that starts with `CANCELED`.
        cause: Why it ended, for the log; empty otherwise.
    """

    order: Order
    kind: OrderChangeKind
    status: str
    filled: SizeE6
    trades: tuple[str, ...]
    at_ms: WallMs
    cause: str = ""


class TradeChanged(msgspec.Struct, frozen=True):
    """A trade with a client's part has reached a status."""

    trade: Trade
    status: TradeStatus
    at_ms: WallMs


class TradePrinted(msgspec.Struct, frozen=True):
    """A trade that the public market stream tells of, in the taker's token."""

    market: Market
    outcome: int
    price: PriceE4
    size: SizeE6
    side: Side
    transaction_hash: str


class MarketMoved(msgspec.Struct, frozen=True):
    """A market was listed, opened, closed or resolved."""

    market: Market
    state: MarketState


class MarketForgotten(msgspec.Struct, frozen=True):
    """A resolved market has left the calendar, and its orders and trades with it."""

    market: Market


class TickChanged(msgspec.Struct, frozen=True):
    """A market has a new price step."""

    market: Market
    old: PriceE4
    new: PriceE4


class Paid(msgspec.Struct, frozen=True):
    """A resolved market has turned a client's shares into collateral, maybe into none."""

    market: Market
    account: str
    token: str
    size: SizeE6
    payout: MoneyE6


Happening = (
    OrderChanged | TradeChanged | TradePrinted | MarketMoved | MarketForgotten | TickChanged | Paid
)
