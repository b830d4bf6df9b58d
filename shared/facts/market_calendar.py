"""The market calendar, as discovery vouches for it."""

from shared.facts.fact import Fact, MarketVersion
from shared.identifiers import Asset, ConditionId, TokenId
from shared.units import MonotonicNs, PriceE4, SizeE6, WallMs


class MarketInfo(Fact, frozen=True):
    """One market as discovery describes it; the two tokens are index-aligned with the outcomes.

    Attributes:
        tick_e4: Current minimum price step; the book's own events overrule it.
        min_size_e6: Minimum resting size in shares.
        start_ms: Window open; end_ms: window close.
        cutoff_ms: Moment before the end at which we stop (our setting, not the venue's).
        winner: Index of the winning outcome, -1 for a split payout, None while unresolved.
    """

    condition_id: ConditionId
    slug: str
    asset: Asset
    version: MarketVersion
    tokens: tuple[TokenId, TokenId]
    outcomes: tuple[str, str]
    tick_e4: PriceE4
    min_size_e6: SizeE6
    neg_risk: bool
    start_ms: WallMs
    end_ms: WallMs
    cutoff_ms: WallMs
    active: bool
    closed: bool
    accepting_orders: bool
    restricted: bool
    fee_rate_e6: int
    taker_delay: bool
    winner: int | None = None


class Calendar(Fact, frozen=True):
    """All markets that discovery vouches for: running, next, and ended ones not yet resolved."""

    markets: tuple[MarketInfo, ...]
    verified_ns: MonotonicNs
