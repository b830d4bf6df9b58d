"""What this account has made and lost, from the ledger alone, and what that forbids (CB-1, CB-2).

Realised and unrealised are counted apart. The gate holds by these figures on every order, also
when risk is wrong or silent; risk counts again by itself, from the venue's stream, and the worse
of the two latches. A breach of a closed market holds here until an epoch newer than the one in
which it was found: by then risk has fenced for it, and an operator has resumed or not.
"""

from collections import Counter
from typing import Final

from services.execution.inputs import Inputs
from services.execution.inventory import Inventory
from services.execution.lease import Standing
from services.execution.positions import Positions
from shared.config import Config
from shared.facts import LossFigures, PositionFact
from shared.identifiers import ConditionId, TokenId
from shared.losses import Bounds, Breach, Closed, bounds_of, newest_breach, session_lost_e6
from shared.marks import Held, Marks
from shared.units import NS_PER_MS, BootNs, Instant, MoneyE6, WallNs

EVERY_NS: Final = 100 * NS_PER_MS
"""Marks move with the books, ten times a second; realised sums are read for every order."""

STEADY_LOOKS: Final = 10
"""The least bad of so many looks, a second's, counts: a book that is empty for a moment, or a
single bid far away, closes no positions."""


class Losses:
    """Figures of the day.

    Attributes:
        unrealised_e6: At the newest marks; None while a share has no fresh one.
    """

    def __init__(
        self,
        config: Config,
        standing: Standing,
        positions: Positions,
        inputs: Inputs,
        inventory: Inventory,
    ) -> None:
        """Count these."""
        self._config = config
        self._standing = standing
        self._positions = positions
        self._inputs = inputs
        self._inventory = inventory
        self._marks = Marks()
        self._looks: list[int] = []
        self._next_ns = BootNs(0)
        self._changes_seen = -1
        self._bounds_seen: Bounds | None = None
        self._breach: Breach | None = None
        self._breach_epoch = 0
        self._in_row = 0
        self.unrealised_e6: MoneyE6 | None = None

    def bounds(self) -> Bounds:
        """Return the limits for the capital that risk has told."""
        config = self._config
        return bounds_of(config.losses, config.limits, self._standing.capital_usd)

    def realised_e6(self, now: Instant) -> MoneyE6:
        """Return what the present day of UTC has made, below zero for a loss."""
        return self._positions.realised_today_e6(now)

    def session_lost_e6(self, now: Instant) -> MoneyE6:
        """Return what the day has lost with its open positions, the least bad of a second."""
        return session_lost_e6(self.realised_e6(now), max(self._looks, default=0))

    def look(self, now: Instant) -> None:
        """Mark what is held, when that is due, and judge what has been closed since."""
        if now.boot_ns >= self._next_ns:
            self._next_ns = BootNs(now.boot_ns + EVERY_NS)
            self._mark(now)
        self._judge()

    def breach(self) -> str:
        """Return which closed market, or row of them, forbids orders now; empty for none."""
        if self._breach is None or self._standing.epoch > self._breach_epoch:
            return ""
        return self._breach.text

    def figures(self, now: Instant, throttled: tuple[tuple[str, str], ...]) -> LossFigures:
        """Return the figures as they are published."""
        breach = self._breach
        return LossFigures(
            realised_e6=self.realised_e6(now),
            unrealised_e6=self.unrealised_e6,
            session_lost_e6=self.session_lost_e6(now),
            unpaired_e6=self._inventory.unpaired_held_e6(),
            exposure_e6=self._inventory.exposure_e6(),
            in_row=self._in_row,
            breach_wall_ns=WallNs(0) if breach is None else breach.wall_ns,
            breach="" if breach is None else breach.text,
            throttled=throttled,
        )

    def _mark(self, now: Instant) -> None:
        """Look at what open positions would bring."""
        held: dict[ConditionId, list[PositionFact]] = {}
        for fact in self._positions.facts():
            if fact.matched > 0:
                held.setdefault(fact.market, []).append(fact)
        total, is_known = 0, True
        for market, facts in held.items():
            info = self._inputs.market(market)
            for fact in facts:
                book = self._inputs.book(market, fact.token)
                if book is not None:
                    self._marks.take(book, now)
            worth = self._marks.worth(_sum(facts, () if info is None else info.tokens), now)
            total += worth.unrealised_e6
            is_known = is_known and worth.is_known
        self.unrealised_e6 = MoneyE6(total) if is_known else None
        self._looks = [*self._looks[1 - STEADY_LOOKS :], total]

    def _judge(self) -> None:
        """Judge all closed markets again when a payout, or the capital, has changed."""
        bounds = self.bounds()
        if self._positions.payouts_changed == self._changes_seen and bounds == self._bounds_seen:
            return
        self._changes_seen, self._bounds_seen = self._positions.payouts_changed, bounds
        known_ns = 0 if self._breach is None else self._breach.wall_ns
        breach, self._in_row = newest_breach(self._closings(), bounds)
        if breach is not None and breach.wall_ns > known_ns:
            self._breach_epoch = self._standing.epoch
        self._breach = breach

    def _closings(self) -> list[Closed]:
        """Return every market that was paid out, over all its tokens and strategies."""
        found: dict[ConditionId, Closed] = {}
        for payout in self._positions.payouts():
            known = found.get(payout.market)
            realised = payout.realised_e6 + (known.realised_e6 if known else 0)
            wall_ns = max(payout.updated_wall_ns, known.wall_ns if known else WallNs(0))
            found[payout.market] = Closed(payout.market, realised, wall_ns)
        return list(found.values())


def _sum(facts: list[PositionFact], tokens: tuple[TokenId, ...]) -> Held:
    """Return one market's positions of all strategies together."""
    shares: Counter[TokenId] = Counter()
    for fact in facts:
        shares[fact.token] += fact.matched
    return Held(shares, sum(fact.cost for fact in facts), tokens)
