"""Money: closed and open holdings folded from the ledger, and what open shares would bring.

Realised is what `interlock pnl` calls so: closed holdings alone. Unrealised values complete sets at
one dollar, whose payout nobody can take away, and every other share at the best bid; a share
without a proven bid has no value that anybody knows, and is told apart instead of counted as 0.
"""

from collections.abc import Iterable, Mapping

import msgspec

from shared.facts import MarketView, PositionFact
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.profit import Holding, Totals, holdings, totals_of
from shared.units import NS_PER_MS, NS_PER_S, PRICE_ONE_E4

Key = tuple[ConditionId, TokenId, StrategyName]
RowKey = tuple[TradeId, OrderHash]

FOLD_NS = 3_600 * NS_PER_S
"""Holdings sold to the last share are put aside after an hour without a change."""

SETTLED = frozenset({"CONFIRMED", "FAILED"})

CLOSINGS_MAX = 1_000
"""Steps of the realised curve; older ones are one step."""


class Closing(msgspec.Struct, frozen=True):
    """What was realised up to a moment."""

    wall_ms: int
    realised_e6: int


class Account:
    """All fills and payouts, those of closed holdings folded into sums."""

    def __init__(self) -> None:
        self._rows: dict[Key, dict[RowKey, FillRecord]] = {}
        self._payouts: dict[Key, PayoutRecord] = {}
        self._folded: dict[Key, tuple[Holding, int]] = {}

    def take(
        self, fills: Iterable[FillRecord], payouts: Iterable[PayoutRecord], *, is_whole: bool
    ) -> None:
        """Merge rows that are new or have changed; whole ones replace everything."""
        if is_whole:
            self._rows.clear()
            self._payouts.clear()
            self._folded.clear()
        newest_ns = 0
        for fill in fills:
            newest_ns = max(newest_ns, fill.updated_wall_ns)
            key = (fill.market, fill.token, fill.strategy)
            if key not in self._folded:
                self._rows.setdefault(key, {})[(fill.trade_id, fill.order_id)] = fill
        for payout in payouts:
            key = (payout.market, payout.token, payout.strategy)
            # A payout whose fills are cut off would count as pure profit; better to say less.
            if key in self._rows:
                self._payouts[key] = payout
        self._fold(newest_ns)

    def totals(self, as_of_wall_ns: int, now_wall_ns: int) -> Totals:
        """Return the sums over all holdings."""
        return totals_of([held for held, _ in self._all()], as_of_wall_ns, now_wall_ns)

    def closings(self) -> tuple[Closing, ...]:
        """Return the realised curve, oldest first: a point for each second in which any closed."""
        closed = sorted(
            (at_ns, held.realised) for held, at_ns in self._all() if held.realised is not None
        )
        total = 0
        points: dict[int, Closing] = {}
        for at_ns, realised in closed:
            total += realised
            # The two outcomes of a market close within moments: that is one step, not a spike.
            points[at_ns // NS_PER_S] = Closing(at_ns // NS_PER_MS, total)
        return tuple(points.values())[-CLOSINGS_MAX:]

    def _all(self) -> list[tuple[Holding, int]]:
        """Return every holding with the moment of its last change."""
        found = list(self._folded.values())
        for key in self._rows:
            found += self._holding(key)
        return found

    def _holding(self, key: Key) -> list[tuple[Holding, int]]:
        rows = self._rows[key].values()
        payout = self._payouts.get(key)
        last_ns = max(row.updated_wall_ns for row in rows)
        if payout is not None:
            last_ns = payout.updated_wall_ns
        return [(held, last_ns) for held in holdings(rows, () if payout is None else (payout,))]

    def _fold(self, newest_ns: int) -> None:
        for key in tuple(self._rows):
            if any(row.settlement not in SETTLED for row in self._rows[key].values()):
                continue
            for held, last_ns in self._holding(key):
                if held.payout is not None or (held.is_closed and newest_ns - last_ns > FOLD_NS):
                    self._folded[key] = (held, last_ns)
                    del self._rows[key]
                    self._payouts.pop(key, None)


class Valued(msgspec.Struct, frozen=True):
    """Open positions of one market, at what they would bring now.

    Attributes:
        sets_e6: Complete sets, which pay a dollar each.
        value_e6: None when a share that is not in a set has no proven bid.
    """

    market: ConditionId
    cost_e6: int
    sets_e6: int
    value_e6: int | None


def value(
    positions: Iterable[PositionFact],
    views: Mapping[ConditionId, MarketView],
    tokens: Mapping[ConditionId, tuple[TokenId, TokenId]],
) -> tuple[Valued, ...]:
    """Return what each market's positions are worth, by books that state vouches for."""
    held: dict[ConditionId, dict[TokenId, int]] = {}
    cost: dict[ConditionId, int] = {}
    for row in positions:
        if not row.matched:
            continue  # sold to the last share: the ledger counts it as realised
        shares = held.setdefault(row.market, {})
        shares[row.token] = shares.get(row.token, 0) + row.matched
        cost[row.market] = cost.get(row.market, 0) + row.cost
    found = []
    for market, shares in held.items():
        pair = tokens.get(market)
        sets = 0 if pair is None else max(0, min(shares.get(token, 0) for token in pair))
        singles = {
            token: size - (sets if pair is not None and token in pair else 0)
            for token, size in shares.items()
        }
        bids = bids_of(views.get(market))
        worth: int | None = sets
        for token, size in singles.items():
            if size and worth is not None:
                bid = bids.get(token)
                worth = None if bid is None else worth + size * bid // PRICE_ONE_E4
        found.append(Valued(market, cost[market], sets, worth))
    return tuple(found)


def bids_of(view: MarketView | None) -> dict[TokenId, int]:
    """Return the best bid of each token of a view that is valid; a book without bids pays 0."""
    if view is None or not view.valid or view.books is None:
        return {}
    return {book.token: book.bids[0][0] if book.bids else 0 for book in view.books}
