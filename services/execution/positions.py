"""What we hold, from trades alone: matched, mined and confirmed, and what it made or lost.

A leg of a trade counts once by (trade id, order id), whoever reports it and however often;
one that the chain fails is taken back, before or after a restart and a payout. The order
that it filled stays filled: the venue consumed it, only the shares never moved. Order
updates never move a position. A resolved market pays its positions out and closes them.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from services.execution import troubles
from services.execution.chain_balances import ChainBalances
from services.execution.disputes import Disputes
from services.execution.position import (
    ADOPTED_ROLE,
    FillKey,
    Key,
    Position,
    fill_key,
    is_paid_by,
    payout_record,
    position_fact,
    position_key,
    position_of,
)
from services.execution.troubles import Trouble
from shared.facts import PositionFact
from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.losses import DAY_NS
from shared.trade_settlement import FINAL, after_report, is_contradiction
from shared.units import (
    NS_PER_MS,
    NS_PER_S,
    BootNs,
    Instant,
    MoneyE6,
    PriceE4,
    SizeE6,
    WallNs,
)

SETTLES_WITHIN_NS: Final = 120 * NS_PER_S
"""A trade without an end for this long is told to people; it is asked for with every read.
Users see ends after 10 to 50 s: https://github.com/Polymarket/py-clob-client-v2/issues/34."""

LONG_AGO_NS: Final = BootNs(0)

RESOLUTIONS_MAX: Final = 10_000
"""Resolved markets remembered for legs that come late: a month of five-minute windows."""


class Positions:
    """All legs of open markets and the positions that follow from them.

    Attributes:
        unjournaled: Legs and payouts that wait for the ledger.
        unpublished: Legs that changed since they were last published.
        has_changed: Whether any position has, legs or payouts.
        troubles: What people have not been told yet.
        chain: Balances as the chain told them.
        payouts_changed: How often payouts have.
        disputes: Legs whose end is in doubt.
    """

    def __init__(self, fills: Iterable[FillRecord], payouts: Iterable[PayoutRecord]) -> None:
        """Begin with the ledger's legs of markets that are not paid out, and its payouts."""
        self._fills: dict[FillKey, FillRecord] = {}
        self._by_key: dict[Key, dict[FillKey, FillRecord]] = {}
        self._positions: dict[Key, Position] = {}
        self._of_token: dict[TokenId, dict[Key, None]] = {}
        self._payouts: dict[Key, PayoutRecord] = {}
        self._resolved: dict[ConditionId, dict[TokenId, PriceE4]] = {}
        self._overdue: set[FillKey] = set()
        self.chain = ChainBalances()
        self.unjournaled: list[FillRecord | PayoutRecord] = []
        self.unpublished: list[FillRecord] = []
        self.has_changed = False
        self.payouts_changed = 0
        self.troubles: list[Trouble] = []
        for payout in payouts:
            self._payouts[(payout.market, payout.token, payout.strategy)] = payout
            self._resolved.setdefault(payout.market, {})[payout.token] = payout.payout_e4
        for fill in fills:
            self._store(fill)
        self.disputes = Disputes(self._fills.values())
        for key in tuple(self._by_key):
            self._recompute(key)
            paid = self._payouts.get(key)
            if paid is not None and is_paid_by(paid, self._positions[key]):
                self._positions[key] = Position()
            elif paid is not None:
                # Older legs are not in the ledger's working set any more: what is left of them
                # would make another payout, so they count as forgotten.
                self._forget_legs(key)

    def take(
        self, fill: FillRecord, *, asked: bool = False, now_ns: BootNs = LONG_AGO_NS
    ) -> Literal["new", "changed", ""]:
        """Take a report of a leg in; return `new`, `changed`, or empty when it is no news.

        Args:
            fill: The leg as reported.
            asked: Whether the report answers a question of ours, and so is the venue's
                record; see `after_report`.
            now_ns: When it came; readings of the chain sent before it are outdated by it.
        """
        key = position_key(fill)
        if key in self._payouts and key not in self._by_key:
            # Paid out and forgotten: this leg was counted then, and its fellows are gone.
            return ""
        known = self._fills.get(fill_key(fill))
        if known is None:
            if fill.settlement == "FAILED":
                self.troubles.append(troubles.failed(fill))
            self._keep(fill)
        else:
            settled = self._settled(known, fill, asked=asked)
            if settled == known.settlement:
                return ""
            # The first report's numbers stand: only the settlement moves.
            self._write_again(
                msgspec.structs.replace(known, settlement=settled), fill.updated_wall_ns
            )
        self.chain.move(fill.token, now_ns)
        return "new" if known is None else "changed"

    def take_chain(self, token: TokenId, balance_e6: int | None, read_ns: BootNs) -> None:
        """Take a reading of the account's whole balance of a token.

        Args:
            token: Which.
            balance_e6: Units of 1e-6 share; None when the read said nothing: unknown.
            read_ns: CLOCK_BOOTTIME at which the question was sent.
        """
        self.chain.take(token, balance_e6, read_ns)

    def legs_e6(self) -> dict[OrderHash, int]:
        """Return the size of all legs counted for each order, failed ones included."""
        legs: dict[OrderHash, int] = {}
        for fill in self._fills.values():
            legs[fill.order_id] = legs.get(fill.order_id, 0) + fill.size_e6
        return legs

    def of(self, market: ConditionId, token: TokenId, strategy: StrategyName) -> Position:
        """Return one position; an empty one when there is none."""
        return self._positions.get((market, token, strategy), Position())

    def of_token(self, token: TokenId) -> Position:
        """Return the sums over all strategies of what is held of a token."""
        total = Position()
        for key in self._of_token.get(token, ()):
            position = self._positions[key]
            total.matched_e6 += position.matched_e6
            total.confirmed_e6 += position.confirmed_e6
            total.most_e6 += position.most_e6
            total.unmined_sold_e6 += position.unmined_sold_e6
        return total

    def matched_e6(self, token: TokenId) -> int:
        """Return the shares of a token over all strategies."""
        return self.of_token(token).matched_e6

    def cost_most_e6(self) -> MoneyE6:
        """Return the most money in all positions; one that has paid for itself counts nothing."""
        return MoneyE6(sum(max(0, p.cost_most_e6) for p in self._positions.values()))

    def markets(self) -> frozenset[ConditionId]:
        """Return every market with an open position."""
        return frozenset(key[0] for key, p in self._positions.items() if p.matched_e6 or p.most_e6)

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
        """Return the legs whose settlement is not final, or of which both ends were told."""
        return tuple(
            fill
            for key, fill in self._fills.items()
            if fill.settlement not in FINAL or key in self.disputes.keys
        )

    def watch_unsettled(self, now: Instant) -> None:
        """Tell people once of each trade that does not come to an end."""
        for fill in self.disputes.to_write(self.unsettled(), now):
            self._write_again(fill, now.wall_ns)
        for fill in self.unsettled():
            age_ns = now.wall_ns - fill.match_ms * NS_PER_MS
            told = fill_key(fill) in self._overdue or self.disputes.is_restored(fill_key(fill))
            if age_ns >= SETTLES_WITHIN_NS and not told:
                self._overdue.add(fill_key(fill))
                self.troubles.append(troubles.unsettled(fill, age_ns))

    def take_whole_read(self, since_ms: int) -> None:
        """Take the end of a whole read of trades since a moment, whose legs were counted."""
        for key in self.disputes.end_restored(since_ms):
            self._recompute_open(position_key(self._fills[key]))

    def newest_match_ms(self) -> int:
        """Return when the newest known trade matched; 0 for none. What was adopted is no trade."""
        return max(
            (fill.match_ms for fill in self._fills.values() if fill.role != ADOPTED_ROLE), default=0
        )

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

    def payouts(self) -> Iterable[PayoutRecord]:
        """Return the payouts of the last two days."""
        return self._payouts.values()

    def settle(
        self,
        market: ConditionId,
        payouts_e4: Mapping[TokenId, PriceE4],
        now: Instant,
        *,
        asked: bool = True,
    ) -> int:
        """Pay a resolved market's positions out and close them; return how many rows changed.

        Legs that come later are counted into the payout, whose row is written again; so is a
        market's first leg, when it comes after the resolution.

        Args:
            market: Which.
            payouts_e4: What a share of each token pays; a token that is not named stays open.
            now: Present moment.
            asked: Whether the venue's record says so. The stream's word pays as well, but
                never overrules what was paid before.
        """
        rates = self._resolved.get(market)
        if rates is None:
            if len(self._resolved) >= RESOLUTIONS_MAX:
                self._resolved.pop(next(iter(self._resolved)))
            rates = self._resolved.setdefault(market, {})
        differing = [t for t, rate in payouts_e4.items() if rates.get(t, rate) != rate]
        if differing:
            told = troubles.resolution(market, rates, payouts_e4, asked=asked)
            self.troubles.append(told)
        if differing and not asked:
            return 0
        rates.update(payouts_e4)
        return sum(
            self._pay(key, rates[key[1]], now.wall_ns)
            for key in tuple(self._by_key)
            if key[0] == market and key[1] in payouts_e4
        )

    def is_resolved(self, market: ConditionId) -> bool:
        """Whether a market has been resolved, as far as is remembered."""
        return market in self._resolved

    def is_settled(self, key: Key) -> bool:
        """Whether a position has been paid out."""
        return key in self._payouts

    def forget_settled(self, now: Instant, after_ns: int) -> None:
        """Drop the legs of positions paid out long ago, and payouts of days gone by.

        A position with a trade that has no end yet is kept, so that its failure still counts.
        """
        open_keys = {position_key(fill) for fill in self.unsettled()}
        for key, payout in tuple(self._payouts.items()):
            age_ns = now.wall_ns - payout.updated_wall_ns
            if age_ns > after_ns and (key not in open_keys or age_ns > 2 * DAY_NS):
                self._forget_legs(key)
            if age_ns > 2 * DAY_NS:
                del self._payouts[key]

    def _forget_legs(self, key: Key) -> None:
        """Drop the legs of a position that is paid out."""
        for forgotten in self._by_key.pop(key, {}):
            self._fills.pop(forgotten, None)
            self.disputes.end(forgotten)
            self._overdue.discard(forgotten)
        self._positions.pop(key, None)
        fellows = self._of_token.get(key[1], {})
        fellows.pop(key, None)
        if not fellows:
            self._of_token.pop(key[1], None)

    def facts(
        self,
        now_ns: BootNs | None = None,
        min_sizes_e6: Mapping[ConditionId, SizeE6] | None = None,
    ) -> tuple[PositionFact, ...]:
        """Return every position that is not zero, as it is published.

        Args:
            now_ns: Present moment, for the age of what the chain says; without it that is
                told as unknown.
            min_sizes_e6: Least size of an order, by market, to name what cannot be sold.
        """
        return tuple(
            position_fact(
                key,
                position,
                None if now_ns is None else self.chain.newest(key[1]),
                now_ns,
                (min_sizes_e6 or {}).get(key[0], SizeE6(0)),
            )
            for key, position in self._positions.items()
            if position.matched_e6 or position.cost_e6
        )

    def worst(self) -> Iterable[tuple[Key, Position]]:
        """Return every position that is open or may turn out to be."""
        return ((key, each) for key, each in self._positions.items() if each.most_e6)

    def _settled(self, known: FillRecord, report: FillRecord, *, asked: bool) -> str:
        """Return a known leg's settlement after a report, and tell of failure and contradiction."""
        key, disputes = fill_key(known), self.disputes
        settled = after_report(known.settlement, report.settlement, asked=asked)
        if is_contradiction(known.settlement, report.settlement):
            if asked or disputes.begin(key):
                self.troubles.append(troubles.contradicted(known, report.settlement, settled))
                if not asked:
                    self._write_again(known, report.updated_wall_ns)
        elif settled == "FAILED" != known.settlement:
            self.troubles.append(troubles.failed(known))
        if asked and report.settlement in FINAL and disputes.end(key):
            self._recompute_open(position_key(known))
        elif asked and report.settlement not in FINAL and disputes.is_restored(key):
            disputes.begin(key)
        return settled

    def _write_again(self, fill: FillRecord, wall_ns: WallNs) -> None:
        """Keep a leg as told at a moment; a start doubts ends that were written last."""
        self._keep(msgspec.structs.replace(fill, updated_wall_ns=wall_ns))

    def _keep(self, fill: FillRecord) -> None:
        """Store a leg and count it into its position, or into the payout that closes it."""
        key = self._store(fill)
        self.unjournaled.append(fill)
        self.unpublished.append(fill)
        self._recompute(key)
        rate = self._resolved.get(key[0], {}).get(key[1])
        if rate is not None:
            self._pay(key, rate, fill.updated_wall_ns)

    def _store(self, fill: FillRecord) -> Key:
        """Store a leg; return which position it belongs to."""
        key = position_key(fill)
        self._fills[fill_key(fill)] = fill
        self._by_key.setdefault(key, {})[fill_key(fill)] = fill
        self._of_token.setdefault(key[1], {})[key] = None
        return key

    def _recompute(self, key: Key) -> None:
        """Compute a position from its legs."""
        self.has_changed = True
        self._positions[key] = position_of(self._by_key[key].values(), self.disputes.keys)

    def _recompute_open(self, key: Key) -> None:
        """Compute a position again, unless it is closed."""
        if key not in self._payouts:
            self._recompute(key)

    def _pay(self, key: Key, payout_e4: PriceE4, wall_ns: WallNs) -> bool:
        """Close a position at a rate, from all its legs; return whether its row changed.

        A row that changes keeps its day: the money was made when the market was resolved.
        """
        legs = self._by_key[key]
        known = self._payouts.get(key)
        first = next(iter(legs.values()))
        paid_ns = wall_ns if known is None else known.updated_wall_ns
        payout = payout_record(
            key, position_of(legs.values(), self.disputes.keys), payout_e4, first, paid_ns
        )
        self._positions[key] = Position()
        if payout == known:
            return False
        self._payouts[key] = payout
        self.unjournaled.append(payout)
        self.has_changed = True
        self.payouts_changed += 1
        return True
