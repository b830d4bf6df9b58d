"""Takers: some who know nothing, and some who hit what the fair value has left behind.

An informed taker buys what is cheaper than the fair value by more than his fee and a cent,
after a reaction time, and as much as he finds; so does a quote lose that stays where it is
while the reference moves. The others hit either side as they please.

Source of the pace and of the sizes: a recorded day of five-minute markets (2026-07-24): 2075
trades and 50 000 dollars a window at the median, hence about fifty shares a trade.
"""

from services.simulator.exchange import Exchange
from services.simulator.matching import Outcome
from services.simulator.participants.crowd import HUNDREDTH_E6, TAKERS, Crowd
from shared.facts import Side
from shared.units import NS_PER_MS, PRICE_ONE_E4, Instant

NOISE_E2 = ((500, 4_000), (4_000, 15_000), (15_000, 60_000))
"""Small, middling and large orders of those who know nothing, in hundredths of a share."""

INFORMED_E2 = (5_000, 40_000)
REACTION_NS = (200 * NS_PER_MS, 1_200 * NS_PER_MS)
MARGIN_E4 = 100
"""What an informed taker wants to gain a share, after the fee that he reckons with."""

_MIDDLING_PPM = 250_000
_LARGE_PPM = 50_000
_SWEEP_PPM = 150_000
_SWEEP_TICKS = 2
_SELL_PPM = 500_000
_HALF_PPM = 500_000
_PPM = 1_000_000
_FEE_PERCENT = 7


def edge_e4(price: int) -> int:
    """Return how far from the fair value a price must be for an informed taker, 1e-4 USD."""
    return _FEE_PERCENT * price * (PRICE_ONE_E4 - price) // (100 * PRICE_ONE_E4) + MARGIN_E4


class Taking:
    """How takers act, in any market."""

    def __init__(self, exchange: Exchange) -> None:
        """Take the exchange where they trade."""
        self._exchange = exchange

    def take_any(self, crowd: Crowd, now: Instant) -> None:
        """Hit one side of the book, at its best price or a little beyond."""
        chance = crowd.chance
        buys = chance.happens(_HALF_PPM)
        best = crowd.market.book.side(bid=not buys).best()
        if best is None:
            return
        if chance.happens(_SWEEP_PPM):
            reach = _SWEEP_TICKS * crowd.market.tick
            best += reach if buys else -reach
        drawn = chance.below(_PPM)
        kind = 2 if drawn < _LARGE_PPM else 1 if drawn < _LARGE_PPM + _MIDDLING_PPM else 0
        self._hit(crowd, best, chance.between(*NOISE_E2[kind]), now, buys=buys)

    def watch(self, crowd: Crowd, now_ns: int) -> None:
        """Let an informed taker notice what is mispriced, and act on it a little later."""
        if crowd.hit_ns is None and self._stale(crowd) is not None:
            crowd.hit_ns = now_ns + crowd.chance.between(*REACTION_NS)

    def take_stale(self, crowd: Crowd, now: Instant) -> None:
        """Hit all that is mispriced still."""
        crowd.hit_ns = None
        buys = self._stale(crowd)
        if buys is None:
            return
        fair = crowd.fair_e4
        limit = fair - edge_e4(fair) if buys else fair + edge_e4(fair)
        best = crowd.market.book.side(bid=not buys).best()
        assert best is not None
        limit = max(limit, best) if buys else min(limit, best)
        self._hit(crowd, limit, crowd.chance.between(*INFORMED_E2), now, buys=buys)

    def _stale(self, crowd: Crowd) -> bool | None:
        """Return whether to buy the asks (True) or hit the bids (False), None for neither."""
        book = crowd.market.book
        ask, bid = book.asks.best(), book.bids.best()
        if ask is not None and ask + edge_e4(ask) <= crowd.fair_e4:
            return True
        if bid is not None and bid - edge_e4(bid) >= crowd.fair_e4:
            return False
        return None

    def _hit(self, crowd: Crowd, limit: int, size_e2: int, now: Instant, *, buys: bool) -> None:
        """Take what there is at a book price or better; half of it by selling the other token."""
        tick = crowd.market.tick
        grid = limit // tick * tick if buys else -(-limit // tick) * tick
        price = min(max(grid, tick), PRICE_ONE_E4 - tick)
        outcome: Outcome = 0 if buys else 1
        side: Side = "BUY"
        other = crowd.market.tokens[1 - outcome]
        holds = self._exchange.accounts.get(TAKERS).free(other) >= size_e2 * HUNDREDTH_E6
        if holds and crowd.chance.happens(_SELL_PPM):
            outcome, side = (1 if outcome == 0 else 0), "SELL"
        order = crowd.order(TAKERS, outcome, side, price, size_e2)
        order.time_in_force = "FAK"
        self._exchange.place(order, now)
