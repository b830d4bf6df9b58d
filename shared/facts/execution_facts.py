"""What execution tells of orders, fills, positions and itself."""

from typing import Literal

from shared.facts.fact import Fact, Side
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.units import BootNs, MoneyE6, MonotonicNs, PriceE4, SizeE6, WallNs


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
        on_chain: The account's whole balance of the token as the chain says, the same for every
            strategy; None while that is unknown.
        on_chain_age_ns: Age of that reading; None while there is none.
        dust: Whether it is less than an order may be, so that it cannot be sold and is held
            until its market is resolved.
    """

    strategy: StrategyName
    market: ConditionId
    token: TokenId
    matched: SizeE6
    mined: SizeE6
    confirmed: SizeE6
    cost: MoneyE6
    on_chain: SizeE6 | None = None
    on_chain_age_ns: int | None = None
    dust: bool = False


class Positions(Fact, frozen=True):
    """All positions that are not zero; repeated every second and at each change."""

    positions: tuple[PositionFact, ...]


class RefusalCount(Fact, frozen=True):
    """How often the gate has denied an order for one reason, in this run."""

    reason: str
    count: int


class StartStage(Fact, frozen=True):
    """One stage of execution's start: nothing is placed before all of them are done.

    Attributes:
        name: `ledger`, `identity`, `zero`, `trades`, `doubts` or `positions`, in this order.
        state: `done`, `waits`, or `later` for one behind it.
        why: What a waiting one waits for.
        since_ns: When it was done, or since when it waits; None for later.
    """

    name: str
    state: Literal["done", "waits", "later"]
    why: str
    since_ns: MonotonicNs | None


class LossFigures(Fact, frozen=True):
    """What execution counts from its ledger, for the present UTC day.

    Attributes:
        realised_e6: Made by payouts and sells, below zero for a loss.
        unrealised_e6: What open positions would make at the best bids; None while a share has no
            fresh one.
        session_lost_e6: Lost with open positions, as the limit of the session counts it.
        unpaired_e6: Shares held without their complement, over all markets.
        exposure_e6: The most money that positions and open buys can come to bind.
        in_row: Losses in a row.
        breach_wall_ns: When the newest market that tripped a limit was closed, 0 for none; it is
            the breach's name, and breach says which limit.
        throttled: Strategies with more orders or fills than they may have, and what of.
    """

    realised_e6: MoneyE6
    unrealised_e6: MoneyE6 | None
    session_lost_e6: MoneyE6
    unpaired_e6: int
    exposure_e6: MoneyE6
    in_row: int
    breach_wall_ns: WallNs
    breach: str
    throttled: tuple[tuple[str, str], ...]


class ExecutionStatus(Fact, frozen=True):
    """Repeated every 100 ms.

    Attributes:
        trading_state: `ACTIVE`, `REDUCING`, `PAUSED` or `HALTED`: what the gate lets pass now.
        cause: Why it is not ACTIVE.
        lease_until_ns: 0 without a lease.
        unknown: Orders whose fate nobody has told.
        dry_run: Whether orders are decided and recorded, and none is ever sent.
        start: Every stage of the start.
        agreed_ns: When the newest full reconciliation that agreed was ended; None before the
            first.
        mismatch: What disagrees with the venue, with both numbers; empty while nothing does.
        rate_tier: The venue's tier of our key; the lowest until another is heard.
        posts_left: Tokens for orders that are surely there.
        cancels_left: Tokens for cancels that are surely there; below zero what is owed.
        cancels_spent: Tokens that all cancels of this run have cost.
        losses: Of the day; None from an execution that does not count.
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
    dry_run: bool = False
    start: tuple[StartStage, ...] = ()
    agreed_ns: MonotonicNs | None = None
    mismatch: str = ""
    rate_tier: str = ""
    posts_left: int = 0
    cancels_left: int = 0
    cancels_spent: int = 0
    losses: LossFigures | None = None


class GatePredicate(Fact, frozen=True):
    """One thing that must hold before an order, as the gate sees it now.

    Attributes:
        name: Reason of a denial when it does not hold.
        value: What was judged, for people.
        age_ns: Age of what was judged; None when it is unknown or has none.
    """

    name: str
    holds: bool
    value: str
    age_ns: int | None


class GateExplanation(Fact, frozen=True):
    """Every predicate of the gate for one market, its tokens and the account; every second.

    Attributes:
        market: Empty for what concerns the account.
        denials: Newest denial of each of its intents: `strategy/token/side/level: reason value`.
    """

    market: ConditionId
    slug: str
    predicates: tuple[GatePredicate, ...]
    denials: tuple[str, ...] = ()


class Explanations(Fact, frozen=True):
    """Why the gate would or would not let an order pass now: the account, then each market."""

    scopes: tuple[GateExplanation, ...]
