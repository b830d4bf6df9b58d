"""The hot view: what may be known of a market now."""

from shared.facts.fact import Fact, Level
from shared.facts.feeds import ReferencePrice
from shared.identifiers import Asset, ConditionId, TokenId
from shared.units import MonotonicNs, PriceE4, ReferenceE18, WallMs


class BookView(Fact, frozen=True):
    """Top levels of one token's proven book, best first on both sides."""

    token: TokenId
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class MarketView(Fact, frozen=True):
    """What may be known of one market now. When `valid` is false nothing in it may be traded on.

    Attributes:
        reason: Why it is not valid; empty when it is.
        proven_ns: When the venue's hash last proved the folded books; None before that.
        tick_e4: Price step in force.
        reference: Newest price of the settlement source; None means unknown.
        strike_e18: Price that decides the market, of the window's start; None means unknown.
        strike_ms: The source's stamp of that price; None while it is unknown.
        final_e18: Price of the window's end, with which the strike is compared; None before it was
            told. Until then `reference` is what the market would settle on now, as old as its
            stamps say.
        volatility_e9: Standard deviation of log returns per square-root second, 1e-9; None means
            unknown.
        spot: Newest price of the spot source, which moves before the average that settles;
            None means unknown.
    """

    market: ConditionId
    asset: Asset
    valid: bool
    reason: str
    proven_ns: MonotonicNs | None
    tick_e4: PriceE4
    books: tuple[BookView, BookView] | None
    reference: ReferencePrice | None
    strike_e18: ReferenceE18 | None
    volatility_e9: int | None
    venue_ms: WallMs
    spot: ReferencePrice | None = None
    strike_ms: WallMs | None = None
    final_e18: ReferenceE18 | None = None


class StateView(Fact, frozen=True):
    """Repeated every 100 ms and answered as the snapshot: every market's newest view."""

    markets: tuple[MarketView, ...]


class BookDoubted(Fact, frozen=True):
    """A folded book does not agree with the venue's hash; the feed fetches a new snapshot."""

    market: ConditionId
    token: TokenId
    reason: str
