"""What processes tell everybody: past tense, broadcast, may be lost.

Each struct is frozen, holds tuples, and travels as a msgpack map, so that any
language can read it. A union on a topic is tagged by the key `type`. Who publishes
what and who reads it is the routing table (`shared/topics.py`).
"""

from typing import Literal

import msgspec

from shared.identifiers import (
    Asset,
    ConditionId,
    OrderHash,
    StrategyName,
    TokenId,
    TradeId,
)
from shared.units import BootNs, MoneyE6, MonotonicNs, PriceE4, ReferenceE18, SizeE6, WallMs

Side = Literal["BUY", "SELL"]
MarketVersion = Literal["v1", "v2"]
Level = tuple[PriceE4, SizeE6]
"""A price and the total size resting at it."""


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happened or was seen."""


class TaggedFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """A fact that shares its topic with others."""


# --- market calendar (feed_discovery) ---------------------------------------------------


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


# --- market feed (feed_market), one tagged union on one topic, so that order is kept ----


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
    """One price_change frame. Frames of one engine batch share `venue_ms` and hashes."""

    market: ConditionId
    changes: tuple[PriceChange, ...]
    venue_ms: WallMs


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

# --- own orders and trades (feed_user) --------------------------------------------------


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

# --- reference prices (feed_price) ------------------------------------------------------


class ReferencePrice(Fact, frozen=True):
    """One tick of an underlying.

    Attributes:
        source: `chainlink`, `chainlink_twap_60`, `pyth` or `binance`; settlement follows one.
        venue_ms: The source's own stamp of the tick.
    """

    asset: Asset
    source: str
    value_e18: ReferenceE18
    venue_ms: WallMs
    received_ns: MonotonicNs


# --- evidence (every feed) --------------------------------------------------------------


class Evidence(Fact, frozen=True):
    """When something last proved one stream right: data advanced, or a witness agreed.

    Attributes:
        key: Token id, asset, or `orders`.
        evident_ns: None when nothing ever has.
    """

    key: str
    evident_ns: MonotonicNs | None


class FeedStatus(Fact, frozen=True):
    """What a feed knows of its own health, repeated every 100 ms.

    Attributes:
        feed: Component name.
        connected: Whether the stream is open and subscribed.
        since_ns: Since when it is so.
        cause: Why it is not connected; empty when it is.
        evidence: One entry for each stream inside the feed.
        session: Counts connections: a new number means that events may have been missed before it.
    """

    feed: str
    connected: bool
    since_ns: MonotonicNs
    cause: str
    session: int
    evidence: tuple[Evidence, ...]
    rejected_frames: int = 0
    reconnects: int = 0


# --- hot view (state) -------------------------------------------------------------------


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
        volatility_e9: Standard deviation of log returns per square-root second, 1e-9; None means
            unknown.
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


class StateView(Fact, frozen=True):
    """Repeated every 100 ms and answered as the snapshot: every market's newest view."""

    markets: tuple[MarketView, ...]


class BookDoubted(Fact, frozen=True):
    """A folded book does not agree with the venue's hash; the feed fetches a new snapshot."""

    market: ConditionId
    token: TokenId
    reason: str


# --- execution --------------------------------------------------------------------------


class OrderFact(Fact, frozen=True):
    """One order's present row, published at each change of it.

    Attributes:
        state: A state of the lifecycle table (`shared/orders.py`).
        reason: Why it left the market or never reached it.
    """

    order_id: OrderHash
    strategy: StrategyName
    market: ConditionId
    token: TokenId
    side: Side
    level: int
    price: PriceE4
    size: SizeE6
    filled: SizeE6
    state: str
    reason: str
    epoch: int
    created_ns: BootNs


class FillFact(Fact, frozen=True):
    """One leg of one trade, at each change of its settlement state."""

    trade_id: TradeId
    order_id: OrderHash
    strategy: StrategyName
    market: ConditionId
    token: TokenId
    side: Side
    price: PriceE4
    size: SizeE6
    role: str
    settlement: str
    fee: MoneyE6


class PositionFact(Fact, frozen=True):
    """Net shares of one strategy in one token, by how sure they are.

    Attributes:
        matched: Bought less sold over all trades not failed; may be below zero never.
        mined: The part of it whose trades are mined or better; confirmed: confirmed ones.
        cost: Money paid less received for it.
    """

    strategy: StrategyName
    market: ConditionId
    token: TokenId
    matched: SizeE6
    mined: SizeE6
    confirmed: SizeE6
    cost: MoneyE6


class Positions(Fact, frozen=True):
    """All positions that are not zero; repeated every second and at each change."""

    positions: tuple[PositionFact, ...]


class RefusalCount(Fact, frozen=True):
    """How often the gate has denied an order for one reason, in this run."""

    reason: str
    count: int


class ExecutionStatus(Fact, frozen=True):
    """Repeated every 100 ms.

    Attributes:
        trading_state: `ACTIVE`, `REDUCING`, `PAUSED` or `HALTED`: what the gate lets pass now.
        cause: Why it is not ACTIVE.
        lease_until_ns: 0 without a lease.
        unknown: Orders whose fate nobody has told.
    """

    trading_state: str
    cause: str
    epoch: int
    lease_until_ns: BootNs
    open_orders: int
    in_flight: int
    unknown: int
    proven_start: bool
    reconciled_ns: MonotonicNs | None
    refusals: tuple[RefusalCount, ...]
    halted_markets: tuple[tuple[ConditionId, str], ...] = ()


# --- strategy ---------------------------------------------------------------------------


class StrategyStatus(Fact, frozen=True):
    """Repeated every second: what a strategy does and why it does not."""

    strategy: StrategyName
    state: str
    reason: str
    markets: tuple[ConditionId, ...]


# --- risk -------------------------------------------------------------------------------


class SwitchStatus(Fact, frozen=True):
    """One switch that is not clear."""

    name: str
    scope: str
    scope_id: str
    kind: Literal["latch", "pause"]
    version: int
    since_wall_ns: int
    reason: str
    evidence: str


class ComponentStatus(Fact, frozen=True):
    """One component as risk sees it."""

    component: str
    pid: int
    incarnation: int
    alive: bool
    pong_age_ns: int | None
    loop_lag_ns: int
    state: str
    reason: str


class RiskStatus(Fact, frozen=True):
    """Repeated every 100 ms.

    Attributes:
        trading_state: Account-wide state that risk grants.
        fence: `none`, `fencing`, `blocked`, `quiet` or `zero`: progress of the newest fence.
        beat_age_ns: Since the send time of the last acknowledged beat of the venue's dead-man;
            None before the first.
    """

    trading_state: str
    reasons: tuple[str, ...]
    epoch: int
    fence: str
    fence_reason: str
    beat_age_ns: int | None
    switches: tuple[SwitchStatus, ...]
    components: tuple[ComponentStatus, ...]
    switch_version: int


class Transition(Fact, frozen=True):
    """A state transition or an operator's action, as the audit trail keeps it."""

    what: str
    scope: str
    before: str
    after: str
    cause: str
    actor: str


class Alert(Fact, frozen=True):
    """Something that the operator should know, with the runbook's name."""

    severity: Literal["info", "warning", "critical"]
    name: str
    text: str
    runbook: str


# --- recorder ---------------------------------------------------------------------------


class RecorderStatus(Fact, frozen=True):
    """Repeated every second."""

    file: str
    messages: int
    bytes: int
    gaps: int
    state: str
    reason: str


# --- every publisher --------------------------------------------------------------------


class Sequences(Fact, frozen=True):
    """The newest sequence of every topic of a publisher, each 100 ms: a lost last message shows."""

    newest: dict[str, int]
