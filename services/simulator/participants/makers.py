"""Market makers: a quick one at the touch, a slower one behind, a steady and a deep one.

Each follows the fair value with a latency of its own: what has become dangerous is cancelled
in one batch, then the innermost quotes are put up again one by one, and else some level is
made fresh. Together their books have the shape of recorded ones: thin at the touch, thickest
six cents behind it, ten or twenty shares far away, and enormous at the last cents.

Source of the sizes: both books of a recorded fifteen-minute market (2026-09-30), 46 and 47
levels deep; that a maker's cancels come as one batch, and his new quotes one by one, too.
"""

from typing import Literal

import msgspec

from services.simulator.exchange import Exchange
from services.simulator.matching import Order
from services.simulator.participants.crowd import MAKERS, Crowd, Maker
from shared.units import NS_PER_MS, PRICE_ONE_E4

CENT_E4 = 100

REACH_CENTS_MAX = 48
"""Farther from the fair value there are quotes at the last cents only."""

LAST_CENTS = 5


class Style(msgspec.Struct, frozen=True):
    """What kind of maker.

    Attributes:
        latency_ns: From a move of the fair value to knowing of it.
        by_cents: Whether its levels are whole cents, or else ticks.
        first: Steps from the fair value to the innermost quote, besides `half_spread` for ticks.
        last: Likewise to the outermost.
        guard: Quotes nearer than this many steps are cancelled.
        weight: Share of the turns in which nothing is urgent, in percent.
        size_e2: Range of a size where the profile does not say, in hundredths of a share.
        profile: Whether sizes follow a recorded shape: none, that near the touch, the far one.
    """

    latency_ns: int
    by_cents: bool
    first: int
    last: int
    guard: int
    weight: int
    size_e2: tuple[int, int]
    profile: Literal["flat", "near", "far"] = "flat"


STYLES = (
    Style(40 * NS_PER_MS, False, 0, 5, 0, 50, (2_000, 9_000)),
    Style(180 * NS_PER_MS, False, 1, 7, 0, 28, (4_000, 25_000)),
    Style(600 * NS_PER_MS, True, 4, 16, 2, 15, (5_000, 60_000), "near"),
    Style(1_500 * NS_PER_MS, True, 17, 99, 9, 7, (1_000, 3_000), "far"),
)

_NEAR = (300, 550, 800, 950, 1_200, 1_500, 1_800, 1_900, 1_000, 750, 480, 300, 300, 480, 300, 240)
"""Shares of the steady maker by whole cents from its innermost quote."""

_AT_LAST_CENTS = {1: 92_800, 2: 15_700, 3: 10_500, 4: 70, 5: 6_000, 10: 3_200, 15: 2_000}
"""Shares of the deep maker by whole cents from the end of the side."""

_LUMP_PPM = 150_000
_LUMP_E2 = (8_000, 45_000)
_BLANK_PPM = 30_000
_INNER_STEPS = 3
_TRIES = 5
"""A quote drawn outside the grid, or one that would cross, costs no turn."""

_HALF_PPM = 500_000


def make_makers(fair_e4: int) -> tuple[Maker, ...]:
    """Return one maker of each style, without any quote."""
    return tuple(Maker(style, fair_e4) for style in range(len(STYLES)))


class Making:
    """How makers act, in any market."""

    def __init__(self, exchange: Exchange, *, levels: int, half_spread: int) -> None:
        """Set the book's shape.

        Args:
            exchange: Where they quote.
            levels: Cents from the fair value to the outermost quote, at most.
            half_spread: Ticks from the fair value to the innermost one.
        """
        self._exchange = exchange
        self._levels = levels
        self._half = half_spread

    def seed(self, crowd: Crowd) -> None:
        """Put all books up at once."""
        crowd.is_seeded = True
        for maker in crowd.makers:
            maker.view_e4 = crowd.fair_e4
            for bid in (True, False):
                for step in self._steps(maker):
                    self._place(crowd, maker, self._price(crowd, maker, step, bid=bid), bid=bid)

    def learn(self, crowd: Crowd, now_ns: int) -> None:
        """Let every maker know of the present fair value, each after its latency."""
        for maker in crowd.makers:
            maker.views.append((now_ns + STYLES[maker.style].latency_ns, crowd.fair_e4))

    def act(self, crowd: Crowd, now_ns: int) -> None:
        """Do what is most urgent of all makers: one batch of cancels, or one quote."""
        for maker in crowd.makers:
            if self._look(maker, now_ns) and self._retreat(crowd, maker):
                return
        if self._mend(crowd, crowd.makers[0]):
            return
        for _ in range(_TRIES):
            if self._freshen(crowd, self._pick(crowd)):
                return

    def _look(self, maker: Maker, now_ns: int) -> bool:
        """Take in what the maker knows by now, and tell whether it is news."""
        views = maker.views
        before = maker.view_e4
        while views and views[0][0] <= now_ns:
            maker.view_e4 = views.popleft()[1]
        return maker.view_e4 != before

    def _retreat(self, crowd: Crowd, maker: Maker) -> bool:
        """Cancel every quote that is dangerous, in one batch; return whether there was one."""
        style = STYLES[maker.style]
        step = CENT_E4 if style.by_cents else crowd.market.tick
        away = (style.guard + (0 if style.by_cents else self._half)) * step
        # Quotes stand on a grid: half a step nearer than wanted is still where they belong.
        near = away - step // 2
        tick = crowd.market.tick
        # The grid's last price is never dangerous: who sells there gives away next to nothing.
        bid_max = max(maker.view_e4 - near, tick)
        ask_min = min(maker.view_e4 + near, PRICE_ONE_E4 - tick)
        spare = [price for price in maker.bids if price > bid_max]
        for price in spare:
            self._remove(maker.bids, price)
        spare_asks = [price for price in maker.asks if price < ask_min]
        for price in spare_asks:
            self._remove(maker.asks, price)
        return bool(spare or spare_asks)

    def _mend(self, crowd: Crowd, maker: Maker) -> bool:
        """Put up the innermost quote that is missing near the touch, on the side worse off."""
        sides = (True, False) if crowd.chance.happens(_HALF_PPM) else (False, True)
        for step in range(_INNER_STEPS):
            for bid in sides:
                price = self._price(crowd, maker, step, bid=bid)
                order = (maker.bids if bid else maker.asks).get(price)
                if (order is None or order.remaining == 0) and self._place(
                    crowd, maker, price, bid=bid
                ):
                    return True
        return False

    def _pick(self, crowd: Crowd) -> Maker:
        drawn = crowd.chance.below(100)
        for maker in crowd.makers[:-1]:
            drawn -= STYLES[maker.style].weight
            if drawn < 0:
                return maker
        return crowd.makers[-1]

    def _freshen(self, crowd: Crowd, maker: Maker) -> bool:
        """Drop what has become too far away, or else quote a new size at some level.

        Returns whether the book has changed.
        """
        steps = self._steps(maker)
        bid = crowd.chance.happens(_HALF_PPM)
        quotes = maker.bids if bid else maker.asks
        if len(quotes) > len(steps) + 1:
            return self._remove(quotes, min(quotes) if bid else max(quotes))
        # A maker without levels, in a shallow book, leaves its turn to the first.
        if not steps:
            maker, steps = crowd.makers[0], self._steps(crowd.makers[0])
        step = steps[crowd.chance.below(len(steps))]
        return self._place(crowd, maker, self._price(crowd, maker, step, bid=bid), bid=bid)

    def _steps(self, maker: Maker) -> range:
        style = STYLES[maker.style]
        last = min(style.last, self._levels) if style.by_cents else style.last
        return range(style.first, last + 1)

    def _price(self, crowd: Crowd, maker: Maker, step: int, *, bid: bool) -> int:
        """Return the book price of a step; at the ends the innermost one alone is on the grid."""
        if STYLES[maker.style].by_cents:
            grid, away = CENT_E4, step * CENT_E4
        else:
            grid = crowd.market.tick
            away = (self._half + step) * grid
        if bid:
            price = (maker.view_e4 - away) // grid * grid
            return max(price, grid) if step == 0 else price
        price = -(-(maker.view_e4 + away) // grid) * grid
        return min(price, PRICE_ONE_E4 - grid) if step == 0 else price

    def _place(self, crowd: Crowd, maker: Maker, price: int, *, bid: bool) -> bool:
        """Quote at a price, in place of what the maker has there; return whether that changed."""
        tick = crowd.market.tick
        if not tick <= price <= PRICE_ONE_E4 - tick:
            return False
        quotes = maker.bids if bid else maker.asks
        is_gone = price in quotes and self._remove(quotes, price)
        size_e2 = _size_e2(crowd, maker, price, bid=bid)
        if size_e2 == 0:
            return is_gone
        order = crowd.order(MAKERS, 0 if bid else 1, "BUY", price, size_e2)
        if not self._exchange.quote(order):
            return is_gone
        quotes[price] = order
        return True

    def _remove(self, quotes: dict[int, Order], price: int) -> bool:
        """Cancel a quote; return False for one that was filled already."""
        order = quotes.pop(price)
        if order.remaining == 0:
            return False
        self._exchange.withdraw(order)
        return True


def _size_e2(crowd: Crowd, maker: Maker, price: int, *, bid: bool) -> int:
    """Return how much a maker wants at a price, in hundredths of a share; 0 for nothing."""
    chance = crowd.chance
    style = STYLES[maker.style]
    away = abs(price - maker.view_e4) // CENT_E4
    if style.profile == "near":
        typical = _NEAR[min(max(away - style.first, 0), len(_NEAR) - 1)] * 100
        return chance.between(typical // 2, typical * 3 // 2)
    if style.profile == "far":
        left = (price if bid else PRICE_ONE_E4 - price) // CENT_E4
        typical = _AT_LAST_CENTS.get(left, 0) * 100
        if typical:
            return chance.between(typical * 9 // 10, typical * 11 // 10)
        if (away > REACH_CENTS_MAX and left > LAST_CENTS) or chance.happens(_BLANK_PPM):
            return 0
        return chance.between(*(_LUMP_E2 if chance.happens(_LUMP_PPM) else style.size_e2))
    return chance.between(*style.size_e2)
