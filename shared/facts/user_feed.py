"""What the venue tells of our own orders and trades."""

from typing import Literal

from shared.facts.fact import Fact, Side, TaggedFact
from shared.identifiers import ConditionId, OrderHash, TokenId, TradeId
from shared.units import PriceE4, SizeE6, WallMs


class OwnOrder(TaggedFact, frozen=True):
    """An order event of ours, whichever session placed it.

    Attributes:
        status: Normalised: `LIVE`, `MATCHED`, `CANCELED`, `INVALID`, `DELAYED`, `UNMATCHED` or
            `EXPIRED`.
        status_text: As sent.
        size_matched_e6: Cumulative; None when the frame does not tell it.
    """

    order_id: OrderHash
    market: ConditionId
    token: TokenId
    side: Side
    price: PriceE4
    original_size_e6: SizeE6 | None
    size_matched_e6: SizeE6 | None
    status: str
    status_text: str
    trades: tuple[TradeId, ...]
    venue_ms: WallMs
    source: Literal["socket", "rest"]


class TradeLeg(Fact, frozen=True):
    """Our part of a trade, for one order of ours, in the token and side of that order."""

    order_id: OrderHash
    token: TokenId
    side: Side
    price: PriceE4
    size: SizeE6
    role: Literal["MAKER", "TAKER"]


class OwnTrade(TaggedFact, frozen=True):
    """A trade report; repeated once for each settlement status, from both sources.

    Attributes:
        status: `MATCHED`, `MINED`, `CONFIRMED`, `RETRYING` or `FAILED`.
        legs: Every part that may be ours: the reader knows its own order ids.
    """

    trade_id: TradeId
    market: ConditionId
    status: str
    legs: tuple[TradeLeg, ...]
    match_ms: WallMs
    venue_ms: WallMs
    source: Literal["socket", "rest"]


UserEvent = OwnOrder | OwnTrade
