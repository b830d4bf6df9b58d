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
        event_id: Of the event that it belongs to; empty where discovery has not told it.
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
    event_id: str = ""


class EventMarket(Fact, frozen=True):
    """One market of an event with several; the two tokens are index-aligned with the outcomes.

    Attributes:
        title: Its name among the outcomes of the event.
        is_other: Whether it stands for every outcome that is not named.
        min_size_e6: Minimum resting size in shares.
        end_ms: When it should be decided, which may be past while it is still open; cutoff_ms: our
            cutoff before that.
        seconds_delay: How long taking orders are held; None where discovery tells none.
        winner: Index of the winning outcome, -1 for a split payout, None while unresolved.
    """

    condition_id: ConditionId
    slug: str
    title: str
    is_other: bool
    version: MarketVersion
    tokens: tuple[TokenId, TokenId]
    outcomes: tuple[str, str]
    tick_e4: PriceE4
    min_size_e6: SizeE6
    neg_risk: bool
    end_ms: WallMs
    cutoff_ms: WallMs
    active: bool
    closed: bool
    accepting_orders: bool
    restricted: bool
    fee_rate_e6: int
    seconds_delay: int | None = None
    winner: int | None = None


class UnknownMarket(Fact, frozen=True):
    """A market of an event that cannot be traded as it is described."""

    slug: str
    why: str


class EventInfo(Fact, frozen=True):
    """An event whose markets belong together, as discovery describes it.

    Attributes:
        neg_risk: Whether at most one of its markets is paid.
        neg_risk_market_id: Of the adapter for negative risk; empty where there is none.
        is_augmented: Whether outcomes may be named later.
        restricted: As its page is marked; each market has its own mark.
        unknown: Markets of it that could not be read.
        verified_ns: When it was asked for, of the newest answer about it.
    """

    event_id: str
    slug: str
    title: str
    neg_risk: bool
    neg_risk_market_id: str
    is_augmented: bool
    active: bool
    closed: bool
    restricted: bool
    markets: tuple[EventMarket, ...]
    unknown: tuple[UnknownMarket, ...]
    verified_ns: MonotonicNs

    @property
    def is_complete_set(self) -> bool:
        """Tell whether exactly one of the markets told here is paid, whatever happens."""
        return (
            self.neg_risk and not self.is_augmented and not self.unknown and len(self.markets) > 1
        )

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing about it can change any more."""
        decided = all(market.winner is not None for market in self.markets)
        return self.closed and decided and not self.unknown


class Calendar(Fact, frozen=True):
    """All markets that discovery vouches for: running, next, and ended ones not yet resolved.

    Attributes:
        events: Events with several markets that the profile names. Their markets are told, not
            traded: no strategy here knows what they are worth. Each has its own stamp.
    """

    markets: tuple[MarketInfo, ...]
    verified_ns: MonotonicNs
    events: tuple[EventInfo, ...] = ()
