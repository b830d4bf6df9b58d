"""What the market feed tells, on one tagged topic, so that order is kept."""

from typing import Literal

from shared.facts.fact import Fact, Level, Side, TaggedFact
from shared.identifiers import ConditionId, TokenId
from shared.units import PriceE4, SizeE6, WallMs


class BookSnapshot(TaggedFact, frozen=True):
    """A whole book of one token. Bids ascend and asks descend: best last on both sides.

    Attributes:
        last_trade_price: The venue's text, needed for the hash; None when the frame has no key.
        tick_e4: None when the frame does not tell it (post-trade books).
        source: `socket` or `rest`.
    """

    market: ConditionId
    token: TokenId
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    venue_ms: WallMs
    hash: str
    source: Literal["socket", "rest"]
    tick_e4: PriceE4 | None = None
    last_trade_price: str | None = None
    min_size_e6: SizeE6 | None = None
    neg_risk: bool | None = None


class PriceChange(Fact, frozen=True):
    """New total size of one level; 0 removes it. The touch is None where the venue sent none."""

    token: TokenId
    side: Side
    price: PriceE4
    size: SizeE6
    hash: str
    best_bid: PriceE4 | None
    best_ask: PriceE4 | None


class BookChanged(TaggedFact, frozen=True):
    """One price_change frame. Frames of one engine batch share `venue_ms` and hashes.

    Attributes:
        more: Whether the feed had another frame of the same read at hand: whoever proves the
            book may wait for it, since the batch is likely not whole before.
    """

    market: ConditionId
    changes: tuple[PriceChange, ...]
    venue_ms: WallMs
    more: bool = False


class TradePrinted(TaggedFact, frozen=True):
    """A public trade, told for the taker's token only."""

    market: ConditionId
    token: TokenId
    price: PriceE4
    size: SizeE6
    side: Side
    venue_ms: WallMs


class TickChanged(TaggedFact, frozen=True):
    """New price step of a token: the book is a new epoch and needs a snapshot."""

    market: ConditionId
    token: TokenId
    old_e4: PriceE4
    new_e4: PriceE4
    venue_ms: WallMs


class MarketResolved(TaggedFact, frozen=True):
    """The venue says which token won."""

    market: ConditionId
    winning_token: TokenId
    venue_ms: WallMs


MarketEvent = BookSnapshot | BookChanged | TradePrinted | TickChanged | MarketResolved
