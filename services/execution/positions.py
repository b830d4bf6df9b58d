"""What we hold, from trades alone: matched, mined and confirmed, and what it made or lost.

A leg of a trade counts once by (trade id, order id), whoever reports it and however often;
one that the chain fails is taken back. Order updates never move a position. A resolved
market pays its positions out and closes them.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from shared.facts import PositionFact
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.units import (
    NS_PER_MS,
    NS_PER_S,
    PRICE_ONE_E4,
    Instant,
    MoneyE6,
    PriceE4,
    SizeE6,
    notional_e6,
)

Key = tuple[ConditionId, TokenId, StrategyName]
FillKey = tuple[TradeId, OrderHash]

DAY_NS: Final = 86_400 * NS_PER_S
"""The daily loss limit counts a day of UTC."""

SETTLEMENT_RANK: Final[dict[str, int]] = {
    "MATCHED": 0,
    "RETRYING": 1,
    "MINED": 2,
    "CONFIRMED": 3,
    "FAILED": 3,
}
"""Reports come in any order: a leg never goes back, and the two ends never change."""


class Position(msgspec.Struct):
    """One strategy's shares of one token.

    Attributes:
        matched_e6: Bought less sold over all trades that have not failed.
        mined_e6: The part of it that is mined or better; confirmed_e6: confirmed only.
        cost_e6: Money paid less received, fees included.
        realised_e6: Made or lost by the sells so far, at average cost.
    """

    matched_e6: int = 0
    mined_e6: int = 0
    confirmed_e6: int = 0
    cost_e6: int = 0
    realised_e6: int = 0


def fill_cost_e6(fill: FillRecord) -> MoneyE6:
    """Return the money paid (above zero) or received (below) for a leg, fee included.

    A fraction of a micro-dollar, which the venue's sizes and ticks never make, is counted
    against us.
    """
    if fill.side == "BUY":
        return MoneyE6(-(-fill.price_e4 * fill.size_e6 // PRICE_ONE_E4) + fill.fee_e6)
    return MoneyE6(fill.fee_e6 - notional_e6(fill.price_e4, fill.size_e6))


class Positions:
    """All legs of open markets and the positions that follow from them.

    Attributes:
        unjournaled: Legs and payouts that wait for the ledger.
        unpublished: Legs that changed since they were last published.
    """

    def __init__(self, fills: Iterable[FillRecord], payouts: Iterable[PayoutRecord]) -> None:
        """Begin with the ledger's legs of markets that are not paid out, and its payouts."""
        self._fills: dict[FillKey, FillRecord] = {}
        self._by_key: dict[Key, dict[FillKey, FillRecord]] = {}
        self._positions: dict[Key, Position] = {}
        self._payouts: dict[Key, PayoutRecord] = {}
        self.unjournaled: list[FillRecord | PayoutRecord] = []
        self.unpublished: list[FillRecord] = []
        for payout in payouts:
            self._payouts[(payout.market, payout.token, payout.strategy)] = payout
        for fill in fills:
            self._store(fill)
        for key in self._by_key:
            self._recompute(key)
            if key in self._payouts:
                self._positions[key] = Position()

    def take(self, fill: FillRecord) -> str:
        """Take a report of a leg in; return `new`, `changed`, or empty when it is no news."""
        key = (fill.trade_id, fill.order_id)
        position_key = (fill.market, fill.token, fill.strategy)
        if position_key in self._payouts and position_key not in self._by_key:
            # Paid out and forgotten: this leg was counted then, and its fellows are gone.
            return ""
        known = self._fills.get(key)
        if known is not None:
            if SETTLEMENT_RANK[fill.settlement] <= SETTLEMENT_RANK[known.settlement]:
                return ""
            # The first report's numbers stand: only the settlement moves.
            fill = msgspec.structs.replace(
                known, settlement=fill.settlement, updated_wall_ns=fill.updated_wall_ns
            )
        self._keep(fill)
        self.unjournaled.append(fill)
        self.unpublished.append(fill)
        return "new" if known is None else "changed"

    def legs_e6(self) -> dict[OrderHash, int]:
        """Return the size of all legs counted for each order, failed ones included."""
        legs: dict[OrderHash, int] = {}
        for fill in self._fills.values():
            legs[fill.order_id] = legs.get(fill.order_id, 0) + fill.size_e6
        return legs

    def of(self, market: ConditionId, token: TokenId, strategy: StrategyName) -> Position:
        """Return one position; an empty one when there is none."""
        return self._positions.get((market, token, strategy), Position())

    def matched_e6(self, token: TokenId) -> int:
        """Return the shares of a token over all strategies."""
        return sum(p.matched_e6 for key, p in self._positions.items() if key[1] == token)

    def cost_e6(self) -> MoneyE6:
        """Return the money in all open positions; one that has paid for itself counts nothing."""
        return MoneyE6(sum(max(0, p.cost_e6) for p in self._positions.values()))

    def markets(self) -> frozenset[ConditionId]:
        """Return every market with an open position."""
        return frozenset(key[0] for key, p in self._positions.items() if p.matched_e6)

    def tokens_of(self, market: ConditionId) -> frozenset[TokenId]:
        """Return every token of a market in which there are legs."""
        return frozenset(key[1] for key in self._by_key if key[0] == market)

    def held_tokens(self) -> dict[TokenId, int]:
        """Return the shares of every token that is held."""
        held: dict[TokenId, int] = {}
        for (_, token, _), position in self._positions.items():
            held[token] = held.get(token, 0) + position.matched_e6
        return held

    def unsettled(self) -> tuple[FillRecord, ...]:
        """Return the legs whose settlement is not final."""
        return tuple(
            fill for fill in self._fills.values() if fill.settlement not in ("CONFIRMED", "FAILED")
        )

    def newest_match_ms(self) -> int:
        """Return when the newest known trade matched; 0 for none."""
        return max((fill.match_ms for fill in self._fills.values()), default=0)

    def realised_today_e6(self, now: Instant) -> MoneyE6:
        """Return what this day of UTC made, below zero for a loss.

        Payouts of the day, and what sells made or lost in markets that are still open.
        """
        today = now.wall_ns // DAY_NS
        paid = sum(
            payout.realised_e6
            for payout in self._payouts.values()
            if payout.updated_wall_ns // DAY_NS == today
        )
        return MoneyE6(paid + sum(p.realised_e6 for p in self._positions.values()))

    def settle(self, market: ConditionId, payouts_e4: dict[TokenId, PriceE4], now: Instant) -> int:
        """Pay a resolved market's positions out and close them; return how many there were.

        Legs that come later are counted into the payout: it is written again.
        """
        settled = 0
        for key in tuple(self._by_key):
            if key[0] != market or key[1] not in payouts_e4:
                continue
            position = self._positions[key]
            payout = self._payout(key, position, payouts_e4[key[1]], now)
            if payout == self._payouts.get(key):
                continue
            self._payouts[key] = payout
            self.unjournaled.append(payout)
            settled += 1
            self._positions[key] = Position()
        return settled

    def is_settled(self, key: Key) -> bool:
        """Whether a position has been paid out."""
        return key in self._payouts

    def forget_settled(self, now: Instant, after_ns: int) -> None:
        """Drop the legs of positions paid out long ago, and payouts of days gone by."""
        for key, payout in tuple(self._payouts.items()):
            age_ns = now.wall_ns - payout.updated_wall_ns
            if age_ns > after_ns:
                for fill_key in self._by_key.pop(key, {}):
                    self._fills.pop(fill_key, None)
                self._positions.pop(key, None)
            if age_ns > 2 * DAY_NS:
                del self._payouts[key]

    def facts(self) -> tuple[PositionFact, ...]:
        """Return every position that is not zero, as it is published."""
        return tuple(
            PositionFact(
                strategy=strategy,
                market=market,
                token=token,
                matched=SizeE6(position.matched_e6),
                mined=SizeE6(position.mined_e6),
                confirmed=SizeE6(position.confirmed_e6),
                cost=MoneyE6(position.cost_e6),
            )
            for (market, token, strategy), position in self._positions.items()
            if position.matched_e6 or position.cost_e6
        )

    def _keep(self, fill: FillRecord) -> None:
        """Store a leg and count it into its position, or into the payout that closed it."""
        key = self._store(fill)
        self._recompute(key)
        paid = self._payouts.get(key)
        if paid is not None:
            self._pay_again(key, paid, fill)

    def _store(self, fill: FillRecord) -> Key:
        """Store a leg; return which position it belongs to."""
        fill_key = (fill.trade_id, fill.order_id)
        key = (fill.market, fill.token, fill.strategy)
        self._fills[fill_key] = fill
        self._by_key.setdefault(key, {})[fill_key] = fill
        return key

    def _recompute(self, key: Key) -> None:
        """Compute a position from its legs."""
        self._positions[key] = _position(self._by_key[key].values())

    def _pay_again(self, key: Key, paid: PayoutRecord, fill: FillRecord) -> None:
        """Count a leg that came after the payout into it."""
        payout = _payout_record(
            key, self._positions[key], paid.payout_e4, fill, paid.updated_wall_ns
        )
        self._positions[key] = Position()
        if payout != paid:
            self._payouts[key] = payout
            self.unjournaled.append(payout)

    def _payout(
        self, key: Key, position: Position, payout_e4: PriceE4, now: Instant
    ) -> PayoutRecord:
        """Return the payout of a position, or the one that stands when it is closed already."""
        known = self._payouts.get(key)
        if known is not None:
            return known
        first = next(iter(self._by_key[key].values()))
        return _payout_record(key, position, payout_e4, first, now.wall_ns)


def _payout_record(
    key: Key, position: Position, payout_e4: PriceE4, leg: FillRecord, wall_ns: int
) -> PayoutRecord:
    """Return the row that closes a position."""
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
        updated_wall_ns=type(leg.updated_wall_ns)(wall_ns),
    )


def _position(fills: Iterable[FillRecord]) -> Position:
    """Return the position that legs make, in the order of their matches."""
    position = Position()
    stock_cost = 0
    for fill in sorted(fills, key=lambda leg: (leg.match_ms, leg.trade_id, leg.order_id)):
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
        # Shares bought count as safer only when they are settled; shares sold are gone at once.
        if fill.settlement in ("MINED", "CONFIRMED") or fill.side == "SELL":
            position.mined_e6 += signed
        if fill.settlement == "CONFIRMED" or fill.side == "SELL":
            position.confirmed_e6 += signed
    return position


def match_age_ns(fill: FillRecord, now: Instant) -> int:
    """Return how long ago a leg matched, by wall clock."""
    return now.wall_ns - fill.match_ms * NS_PER_MS
