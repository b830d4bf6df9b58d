"""Which markets are the most liquid: by the value that rests near the touch of both books.

The choice is kept while its markets run, so that two that are alike do not take turns.
"""

from shared.effects import Message, Received
from shared.facts import Calendar, MarketInfo, MarketView, StateView
from shared.identifiers import ConditionId
from shared.units import Instant

LEVELS = 5
"""Price levels of each side of each book that count."""


class LiquidMarkets:
    """The running markets, and the chosen ones among them."""

    def __init__(self, chosen_max: int) -> None:
        """Begin with none.

        Args:
            chosen_max: How many are chosen.
        """
        self._chosen_max = chosen_max
        self._markets: tuple[MarketInfo, ...] = ()
        self._depth_e6: dict[ConditionId, int] = {}
        self._chosen: tuple[ConditionId, ...] = ()

    def hear(self, message: Message) -> None:
        """Take in the calendar, and books as state vouches for them."""
        match message:
            case Received(body=Calendar() as calendar):
                self._markets = calendar.markets
            case Received(body=StateView() as view):
                self._depth_e6 = {one.market: depth_e6(one) for one in view.markets if one.valid}
            case _:
                pass

    def others(self, now: Instant) -> tuple[ConditionId, ...]:
        """Return the markets that run and are not among the chosen ones."""
        running = [
            market.condition_id
            for market in self._markets
            if market.start_ms <= now.wall_ms < market.cutoff_ms
        ]
        kept = [market for market in self._chosen if market in running]
        rest = sorted(
            (market for market in running if market not in kept),
            key=lambda market: (-self._depth_e6.get(market, 0), running.index(market)),
        )
        self._chosen = tuple((kept + rest)[: self._chosen_max])
        return tuple(market for market in running if market not in self._chosen)


def depth_e6(view: MarketView) -> int:
    """Return the shares that rest near the touch of both books, 1e-6; 0 without books."""
    books = view.books or ()
    sides = (side for book in books for side in (book.bids, book.asks))
    return sum(size for side in sides for _, size in side[:LEVELS])
