"""What was earned and what is held, recomputed from the ledger's fills and payouts.

Pure. Failed trades are taken back. A buy's fraction of a micro-dollar is counted against us
and a sell's too, as execution counts; the venue's ticks and sizes make none.
"""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from shared.facts import Side
from shared.identifiers import ConditionId, StrategyName, TokenId
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.units import NS_PER_S, PRICE_ONE_E4, MoneyE6

DAY_NS = 86_400 * NS_PER_S

Key = tuple[ConditionId, TokenId, StrategyName]


class Holding(msgspec.Struct):
    """One strategy's shares of one token, and what they cost.

    Attributes:
        matched: Bought less sold, over trades that have not failed.
        confirmed: The part of it whose trades are confirmed; mined: mined or better.
        cost: Money paid less received, fees included.
        volume: Money turned over.
        payout: Paid by the resolved market; None while it is open.
        paid_wall_ns: When it was paid; 0 before.
        updated_wall_ns: Newest word on any of its trades, or its payment.
    """

    market: ConditionId
    token: TokenId
    strategy: StrategyName
    fills: int = 0
    matched: int = 0
    confirmed: int = 0
    cost: int = 0
    fees: int = 0
    volume: int = 0
    payout: int | None = None
    paid_wall_ns: int = 0
    mined: int = 0
    updated_wall_ns: int = 0

    @property
    def is_closed(self) -> bool:
        """Tell whether nothing more can come of it: paid out, or sold to the last share."""
        return self.payout is not None or self.matched == 0

    @property
    def realised(self) -> MoneyE6 | None:
        """Return profit or loss of a closed holding, None while it is open."""
        return MoneyE6((self.payout or 0) - self.cost) if self.is_closed else None


class Totals(msgspec.Struct, frozen=True):
    """Sums over all holdings.

    Attributes:
        realised_e6: Over closed holdings.
        realised_today_e6: Of those paid since 00:00 UTC.
        open_cost_e6: Paid less received for what is still held.
        as_of_wall_ns: When the newest row that this rests on was written; 0 without one.
    """

    realised_e6: MoneyE6
    realised_today_e6: MoneyE6
    fees_e6: MoneyE6
    open_cost_e6: MoneyE6
    markets_closed: int
    fills: int
    as_of_wall_ns: int


def money_of(side: Side, price_e4: int, size_e6: int) -> int:
    """Return money paid for a buy, received for a sell, in 1e-6 USD, both against us."""
    product = price_e4 * size_e6
    return -(-product // PRICE_ONE_E4) if side == "BUY" else product // PRICE_ONE_E4


def holdings(fills: Iterable[FillRecord], payouts: Iterable[PayoutRecord]) -> list[Holding]:
    """Return every holding that ever was, oldest market first."""
    found: dict[Key, Holding] = {}
    first: dict[Key, int] = defaultdict(int)
    for fill in fills:
        key = (fill.market, fill.token, fill.strategy)
        held = found.setdefault(key, Holding(*key))
        first[key] = min(first[key] or fill.match_ms, fill.match_ms)
        _add(held, fill)
    for payout in payouts:
        key = (payout.market, payout.token, payout.strategy)
        held = found.setdefault(key, Holding(*key))
        held.payout = payout.amount_e6
        held.paid_wall_ns = payout.updated_wall_ns
        held.updated_wall_ns = max(held.updated_wall_ns, payout.updated_wall_ns)
    return sorted(found.values(), key=lambda held: first[(held.market, held.token, held.strategy)])


def totals_of(held: Iterable[Holding], as_of_wall_ns: int, now_wall_ns: int) -> Totals:
    """Return the sums over holdings."""
    rows = list(held)
    closed = [row for row in rows if row.is_closed]
    day_ns = now_wall_ns - now_wall_ns % DAY_NS
    return Totals(
        realised_e6=MoneyE6(sum(row.realised or 0 for row in closed)),
        realised_today_e6=MoneyE6(
            sum(row.realised or 0 for row in closed if row.paid_wall_ns >= day_ns)
        ),
        fees_e6=MoneyE6(sum(row.fees for row in rows)),
        open_cost_e6=MoneyE6(sum(row.cost for row in rows if not row.is_closed)),
        markets_closed=len({row.market for row in closed}),
        fills=sum(row.fills for row in rows),
        as_of_wall_ns=as_of_wall_ns,
    )


def _add(held: Holding, fill: FillRecord) -> None:
    held.updated_wall_ns = max(held.updated_wall_ns, fill.updated_wall_ns)
    if fill.settlement == "FAILED":
        return
    money = money_of(fill.side, fill.price_e4, fill.size_e6)
    sign = 1 if fill.side == "BUY" else -1
    held.fills += 1
    held.matched += sign * fill.size_e6
    held.cost += sign * money + fill.fee_e6
    held.fees += fill.fee_e6
    held.volume += money
    # Shares sold are gone at once; shares bought are sure only when their trade is confirmed.
    if fill.settlement == "CONFIRMED" or fill.side == "SELL":
        held.confirmed += sign * fill.size_e6
    if fill.settlement in ("MINED", "CONFIRMED") or fill.side == "SELL":
        held.mined += sign * fill.size_e6
