"""What the participants of one market share: its chance, its fair value, their orders' ids."""

from collections import deque
from collections.abc import Iterator

import msgspec

from services.simulator.chance import Chance
from services.simulator.markets import Market
from services.simulator.matching import Order, Outcome
from shared.facts import Side
from shared.units import PRICE_ONE_E4, PriceE4, SizeE6

MAKERS = "participant-makers"
TAKERS = "participant-takers"

HUNDREDTH_E6 = 10_000
"""Sizes are whole hundredths of a share, as nearly all recorded ones are."""

VIEWS_MAX = 64
"""Fair values on their way to a maker: at ten a second, more than any latency needs."""


class Maker(msgspec.Struct, eq=False):
    """One market maker in one market.

    Attributes:
        style: Index of what it is, see `participants_makers.STYLES`.
        view_e4: Fair value that it knows of.
        views: What it learns later: (monotonic ns, fair value), oldest first.
        bids: Own resting bids by book price; asks likewise. Filled ones stay until it looks.
    """

    style: int
    view_e4: int
    views: deque[tuple[int, int]] = msgspec.field(default_factory=lambda: deque(maxlen=VIEWS_MAX))
    bids: dict[int, Order] = msgspec.field(default_factory=dict)
    asks: dict[int, Order] = msgspec.field(default_factory=dict)


class Crowd(msgspec.Struct, eq=False):
    """The participants of one market.

    Attributes:
        numbers: Source of order ids, shared by all crowds.
        next_maker_ns: When a maker acts next; likewise a taker without a view.
        hit_ns: When an informed taker hits what he has found mispriced, None while nothing is.
        fair_e4: Fair value of the first outcome; fair_at_ns: when it is worked out again.
        is_seeded: Whether the makers have put their first books up.
    """

    market: Market
    chance: Chance
    numbers: Iterator[int]
    makers: tuple[Maker, ...]
    next_maker_ns: int
    next_taker_ns: int
    hit_ns: int | None = None
    fair_e4: int = PRICE_ONE_E4 // 2
    fair_at_ns: int = 0
    is_seeded: bool = False

    def order(self, account: str, outcome: Outcome, side: Side, price: int, size_e2: int) -> Order:
        """Return an order of a participant at a book price, sized in hundredths of a share."""
        own = price if outcome == 0 else PRICE_ONE_E4 - price
        return Order(
            order_id=f"0x{next(self.numbers):064x}",
            maker=account,
            owner="",
            market=self.market.condition_id,
            outcome=outcome,
            side=side,
            price=PriceE4(own),
            size=SizeE6(size_e2 * HUNDREDTH_E6),
        )
