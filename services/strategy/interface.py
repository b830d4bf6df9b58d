"""What a strategy is: a wish for one market, from what may be known of it.

A new strategy is one file with one class that has `name` and `wish`. It sees a frozen
`MarketContext` and returns a `Wish`: the full list of orders that it would like to have
in that market now. It holds no socket, clock or order; the core around it withdraws its wish
whenever the inputs cannot be vouched for, and execution has the last word.
"""

from typing import Protocol

import msgspec

from shared.facts import MarketInfo, MarketView, PositionFact
from shared.identifiers import StrategyName, TokenId
from shared.level import Level
from shared.targets import Target
from shared.units import Instant, SizeE6


class Holding(msgspec.Struct, frozen=True):
    """Shares of one token: the most it may be, and the part that can be sold.

    Attributes:
        matched: All trades that have not failed.
        confirmed: Only those that the chain has confirmed.
        cost_e6: Paid less received, micro-dollars.
    """

    matched: SizeE6
    confirmed: SizeE6
    cost_e6: int

    @property
    def cost_per_share_e4(self) -> int:
        """Average cost of a share, 1e-4 USD, rounded down; 0 when nothing is held."""
        return self.cost_e6 * 10_000 // self.matched if self.matched > 0 else 0


NOTHING_HELD = Holding(SizeE6(0), SizeE6(0), 0)


class MarketContext(msgspec.Struct, frozen=True):
    """All that a strategy may look at for one market; present only while its inputs are sound.

    Attributes:
        info: The market, running now.
        view: A valid view: proven books of both tokens.
        holdings: What the strategy itself holds, one for each token in the market's order.
        orphans: For the caretaker: what strategies that are gone hold, by strategy.
        now: Time of the decision.
        closing: For the caretaker: what risk orders to be closed here, by owner.
        level: Of degradation: below NORMAL a strategy wishes half its size and a wider quote.
    """

    info: MarketInfo
    view: MarketView
    holdings: tuple[Holding, Holding]
    orphans: tuple[tuple[StrategyName, tuple[Holding, Holding]], ...]
    now: Instant
    closing: tuple[tuple[StrategyName, tuple[Holding, Holding]], ...] = ()
    level: Level = "NORMAL"


class Wish(msgspec.Struct, frozen=True):
    """What a strategy wants in a market, and a word on why.

    Attributes:
        targets: Full wish; empty for nothing.
        reason: Why it is what it is; shown to the operator.
        owner: Whose positions the targets work on; empty for the strategy itself.
    """

    targets: tuple[Target, ...]
    reason: str
    owner: StrategyName = StrategyName("")


class Strategy(Protocol):
    """One strategy: pure, may remember its own past wishes and nothing else."""

    name: StrategyName

    def wish(self, context: MarketContext) -> Wish:
        """Return the full wish for one market."""
        ...

    def forget(self) -> None:
        """Forget every past wish: what comes next begins from nothing."""
        ...


def holding_of(position: PositionFact | None) -> Holding:
    """Return what a position fact says, or nothing held."""
    if position is None:
        return NOTHING_HELD
    return Holding(position.matched, position.confirmed, position.cost)


def token_index(info: MarketInfo, token: TokenId) -> int:
    """Return 0 or 1 for a token of the market."""
    return info.tokens.index(token)
