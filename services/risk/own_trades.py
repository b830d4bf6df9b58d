"""What the account holds and has made, from the venue's own-order stream alone.

Risk's second opinion on execution's ledger: legs of trades as the stream tells them, orders that
it has told to be ours, winners as discovery names them. Sells count at average cost, a trade that
failed not at all. What was missed while nobody listened is not here: `losses.py` says what
happens then.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from shared.facts import MarketInfo, OwnOrder, OwnTrade, Side
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.losses import Closed
from shared.marks import Held
from shared.units import PRICE_ONE_E4, MoneyE6, PriceE4, SizeE6, WallMs, WallNs
from shared.venue.rules import taker_fee

ORDERS_MAX = 20_000
"""Own orders remembered, oldest first out: a trade comes within seconds of its order's end."""

STRANGERS_MAX = 1_000
"""Legs kept until the stream names their order as ours: both come within moments."""

MARKETS_MAX = 256
LEGS_MAX = 2_000
"""Of all open markets: many more than positions of 30 shares in orders of five are made of. They
are written down together; beyond it what is counted is known to be incomplete."""

CLOSED_MAX = 512
"""Markets known to be closed, whose late reports change nothing any more."""

FEE_RATE_WORST_E6 = 70_000
"""Where a market's own rate is not known.
Source: https://docs.polymarket.com/trading/fees (2026-09-28)."""

NOBODY = StrategyName("")
"""Owner of a leg while execution has not said whose it is."""

LegKey = tuple[TradeId, OrderHash]


class Leg(msgspec.Struct, array_like=True):
    """Our part of one trade."""

    trade_id: TradeId
    order_id: OrderHash
    token: TokenId
    side: Side
    price: PriceE4
    size: SizeE6
    fee: int
    failed: bool
    match_ms: WallMs


class Standing(msgspec.Struct):
    """One token's position: shares, what they cost, and what sells have made.

    Attributes:
        cost: Money paid less received, fees included.
        stock: Average cost of what is left.
    """

    shares: int = 0
    cost: int = 0
    stock: int = 0
    realised: int = 0


class Ended(msgspec.Struct, frozen=True):
    """A market that was paid out: all of it, and each strategy's part."""

    closed: Closed
    by_strategy: tuple[tuple[StrategyName, int], ...]


class OwnTrades:
    """Legs of markets that are open.

    Attributes:
        incomplete: Whether something found no room since this was last looked at.
    """

    def __init__(self) -> None:
        self.incomplete = False
        self._ours: dict[OrderHash, StrategyName] = {}
        self._strangers: dict[LegKey, tuple[ConditionId, Leg]] = {}
        self._legs: dict[ConditionId, dict[LegKey, Leg]] = {}
        self._sums: dict[ConditionId, dict[TokenId, Standing]] = {}
        self._closed: dict[ConditionId, None] = {}

    def restore(self, legs: Iterable[tuple[ConditionId, StrategyName, Leg]]) -> None:
        """Go on with what an earlier run had counted."""
        for market, strategy, leg in legs:
            self._ours.setdefault(leg.order_id, strategy)
            self._keep(market, leg)

    def legs(self) -> tuple[tuple[ConditionId, StrategyName, Leg], ...]:
        """Return all legs of open markets, for the next run."""
        return tuple(
            (market, self._ours.get(leg.order_id, NOBODY), leg)
            for market, legs in self._legs.items()
            for leg in legs.values()
        )

    def take_order(self, order: OwnOrder) -> None:
        """Take an order as ours, with the legs that came before it."""
        self._own(order.order_id, NOBODY)

    def attribute(self, order_id: OrderHash, strategy: StrategyName) -> None:
        """Take execution's word on whose an order is, and on its being ours at all."""
        if order_id in self._ours:
            self._ours[order_id] = strategy
            return
        self._own(order_id, strategy)

    def take_trade(self, trade: OwnTrade, info: MarketInfo | None) -> bool:
        """Take a trade in; True when it changed what is counted.

        Args:
            trade: As the stream tells it, once for each state of its settlement.
            info: Its market, for the fee of a taker.
        """
        if trade.market in self._closed:
            return False
        rate = FEE_RATE_WORST_E6 if info is None else info.fee_rate_e6
        changed = False
        for told in trade.legs:
            fee = taker_fee(told.price, told.size, rate) if told.role == "TAKER" else 0
            leg = Leg(
                trade.trade_id,
                told.order_id,
                told.token,
                told.side,
                told.price,
                told.size,
                int(fee),
                trade.status == "FAILED",
                trade.match_ms,
            )
            if told.order_id in self._ours:
                changed = self._keep(trade.market, leg) or changed
                continue
            key = (leg.trade_id, leg.order_id)
            if len(self._strangers) >= STRANGERS_MAX:
                self._strangers.pop(next(iter(self._strangers)))
            self._strangers[key] = (trade.market, leg)
        return changed

    def open_markets(self) -> tuple[ConditionId, ...]:
        """Return the markets with legs of ours."""
        return tuple(self._legs)

    def realised_open_e6(self) -> int:
        """Return what sells have made in markets that are still open."""
        return sum(one.realised for sums in self._sums.values() for one in sums.values())

    def held(self, market: ConditionId, info: MarketInfo | None) -> Held:
        """Return what is held of a market, for its marks."""
        sums = self._sums[market]
        shares = {token: one.shares for token, one in sums.items() if one.shares > 0}
        cost = sum(one.cost for one in sums.values() if one.shares > 0)
        return Held(shares, cost, () if info is None else info.tokens)

    def unpaired_e6(self, market: ConditionId) -> int:
        """Return the shares of a market that are held without their complement."""
        shares = [one.shares for one in self._sums[market].values()]
        return abs(shares[0] - sum(shares[1:]))

    def end(self, info: MarketInfo, wall_ns: WallNs) -> Ended | None:
        """Close a market whose winner is known; None when nothing of it is counted."""
        assert info.winner is not None, "only a decided market is closed"
        legs = self._legs.pop(info.condition_id, None)
        self._sums.pop(info.condition_id, None)
        if legs is None:
            return None
        self._forget(info.condition_id)
        parts: Counter[StrategyName] = Counter()
        for leg in legs.values():
            if leg.failed:
                continue
            parts[self._ours.get(leg.order_id, NOBODY)] += _paid(leg, info) - _cost(leg)
        whole = Closed(info.condition_id, sum(parts.values()), wall_ns)
        return Ended(whole, tuple(sorted(parts.items())))

    def drop(self, market: ConditionId) -> None:
        """Forget a market that execution has counted and we could not."""
        self._legs.pop(market, None)
        self._sums.pop(market, None)
        self._forget(market)

    def _forget(self, market: ConditionId) -> None:
        if len(self._closed) >= CLOSED_MAX:
            self._closed.pop(next(iter(self._closed)))
        self._closed[market] = None

    def _own(self, order_id: OrderHash, strategy: StrategyName) -> None:
        """Remember an order as ours, and count the legs that waited for that."""
        if order_id in self._ours:
            return
        if len(self._ours) >= ORDERS_MAX:
            self._ours.pop(next(iter(self._ours)))
        self._ours[order_id] = strategy
        for key in [key for key in self._strangers if key[1] == order_id]:
            market, leg = self._strangers.pop(key)
            if market not in self._closed:
                self._keep(market, leg)

    def _keep(self, market: ConditionId, leg: Leg) -> bool:
        """Count a leg once; True when that changed anything."""
        legs = self._legs.get(market)
        if legs is None:
            if len(self._legs) >= MARKETS_MAX:
                self.incomplete = True
                return False
            legs = self._legs[market] = {}
        key = (leg.trade_id, leg.order_id)
        known = legs.get(key)
        if known is not None and known.failed == leg.failed:
            return False
        if known is None and sum(map(len, self._legs.values())) >= LEGS_MAX:
            self.incomplete = True
            return False
        legs[key] = leg
        self._sums[market] = _sums(legs.values())
        return True


def _sums(legs: Iterable[Leg]) -> dict[TokenId, Standing]:
    """Return each token's position, from its legs in the order of their matches."""
    found: dict[TokenId, Standing] = {}
    for leg in sorted(legs, key=lambda one: (one.match_ms, one.trade_id, one.order_id)):
        one = found.setdefault(leg.token, Standing())
        if leg.failed:
            continue
        cost = _cost(leg)
        one.cost += cost
        if leg.side == "BUY":
            one.stock += cost
            one.shares += leg.size
            continue
        if one.shares > 0:
            given = one.stock * min(leg.size, one.shares) // one.shares
            one.stock -= given
            one.realised += -cost - given
        one.shares -= leg.size
    return found


def _cost(leg: Leg) -> MoneyE6:
    """Return the money paid (above zero) or received (below), a fraction counted against us."""
    product = leg.price * leg.size
    if leg.side == "BUY":
        return MoneyE6(-(-product // PRICE_ONE_E4) + leg.fee)
    return MoneyE6(leg.fee - product // PRICE_ONE_E4)


def _paid(leg: Leg, info: MarketInfo) -> int:
    """Return what a leg's shares pay, below zero for those sold."""
    if info.winner == -1:
        rate = PRICE_ONE_E4 // 2
    else:
        is_winner = leg.token in info.tokens and info.tokens.index(leg.token) == info.winner
        rate = PRICE_ONE_E4 if is_winner else 0
    signed = leg.size if leg.side == "BUY" else -leg.size
    return signed * rate // PRICE_ONE_E4
