"""Other makers and takers, so that there is a market to trade in.

Makers keep a ladder on both sides of the fair value, which follows the moving reference
price; takers hit what they find, some of them because it is mispriced. They never pay
fees, never run out of money, and always act on the price before the oracle tells it.
"""

import msgspec

from services.simulator.chance import Chance, stream
from services.simulator.exchange import Exchange
from services.simulator.markets import Market
from services.simulator.matching import Order, Outcome
from services.simulator.prices import Oracle, fair_up
from shared.facts import Side
from shared.identifiers import Asset
from shared.units import NS_PER_MS, NS_PER_S, PRICE_ONE_E4, Instant, PriceE4, SizeE6

MAKERS = "participant-makers"
TAKERS = "participant-takers"

LEVELS = 10
"""Ladder depth a side: recorded books hold about forty levels, most of them far away."""

HALF_SPREAD_TICKS = 2
"""Leaves one tick inside the touch for whoever quotes tighter."""

MAKER_SIZE_E4 = (500, 6_000)
TAKER_SIZE_E4 = (500, 4_000)
"""Sizes in hundredths of a share."""

_HUNDREDTH_E6 = 10_000
_INFORMED_PPM = 300_000
_SWEEP_PPM = 150_000
_SELL_PPM = 500_000
_FAIR_EVERY_NS = 100 * NS_PER_MS
_QUIET_FACTOR = 10
_BEHIND_NS_MAX = NS_PER_S
_CENT_E4 = 100


class Crowd(msgspec.Struct, eq=False):
    """The participants of one market.

    Attributes:
        bids: Resting bids by book price; asks likewise.
        fair_e4: Fair value of the first outcome.
    """

    market: Market
    chance: Chance
    next_maker_ns: int
    next_taker_ns: int
    bids: dict[int, Order] = msgspec.field(default_factory=dict)
    asks: dict[int, Order] = msgspec.field(default_factory=dict)
    fair_e4: int = 5_000
    fair_at_ns: int = 0


class Participants:
    """All crowds, and when each acts next."""

    def __init__(
        self,
        exchange: Exchange,
        oracles: dict[Asset, Oracle],
        seed: int,
        *,
        changes_per_s: int,
        takers_per_s: float,
    ) -> None:
        """Set the pace.

        Args:
            exchange: Where they trade.
            oracles: What they see at once.
            seed: Of all their chance.
            changes_per_s: Book changes a second in an open market, at least.
            takers_per_s: Takers a second in an open market, on average.
        """
        self._exchange = exchange
        self._oracles = oracles
        self._seed = seed
        self._maker_ns = NS_PER_S // changes_per_s
        self._taker_ns = round(NS_PER_S / takers_per_s) if takers_per_s > 0 else 0
        self._crowds: dict[str, Crowd] = {}
        self._number = 0
        self.paused = False
        for address in (MAKERS, TAKERS):
            exchange.accounts.open_participant(address)

    def join(self, market: Market, now: Instant) -> None:
        """Begin to trade a market."""
        key = market.condition_id
        if key in self._crowds:
            return
        chance = stream(self._seed, "crowd", market.slug)
        at = now.monotonic_ns
        taker_at = at + chance.wait_ns(self._taker_ns) if self._taker_ns else 0
        self._crowds[key] = Crowd(market, chance, at, taker_at)

    def leave(self, market: Market) -> None:
        """Forget a market that has closed."""
        self._crowds.pop(market.condition_id, None)

    def next_ns(self) -> int | None:
        """Return when somebody acts next."""
        if self.paused or not self._crowds:
            return None
        return min(self._due(crowd) for crowd in self._crowds.values())

    def act_one(self, now: Instant) -> bool:
        """Let the crowd whose turn is oldest act; return False when none is due."""
        if self.paused or not self._crowds:
            return False
        crowd = min(self._crowds.values(), key=self._due)
        if self._due(crowd) > now.monotonic_ns:
            return False
        self._refresh_fair(crowd, now)
        if self._takes(crowd) and crowd.next_taker_ns <= crowd.next_maker_ns:
            crowd.next_taker_ns = self._later(
                crowd.next_taker_ns, crowd.chance.wait_ns(self._taker_ns), now
            )
            self._take(crowd, now)
        else:
            pause = self._maker_ns
            if crowd.market.state != "OPEN":
                pause *= _QUIET_FACTOR
            crowd.next_maker_ns = self._later(crowd.next_maker_ns, pause, now)
            self._make(crowd)
        return True

    def _takes(self, crowd: Crowd) -> bool:
        return self._taker_ns > 0 and crowd.market.state == "OPEN"

    def _due(self, crowd: Crowd) -> int:
        if self._takes(crowd):
            return min(crowd.next_maker_ns, crowd.next_taker_ns)
        return crowd.next_maker_ns

    @staticmethod
    def _later(due_ns: int, pause_ns: int, now: Instant) -> int:
        return max(due_ns, now.monotonic_ns - _BEHIND_NS_MAX) + pause_ns

    def _refresh_fair(self, crowd: Crowd, now: Instant) -> None:
        market = crowd.market
        if market.strike_e8 is None or now.monotonic_ns < crowd.fair_at_ns:
            return
        crowd.fair_at_ns = now.monotonic_ns + _FAIR_EVERY_NS
        fair = fair_up(
            self._oracles[market.asset],
            market.strike_e8,
            now.wall_ms,
            market.end_ms,
            market.lookback_ms,
        )
        crowd.fair_e4 = round(fair * PRICE_ONE_E4)

    # --- makers ---------------------------------------------------------------------

    def _make(self, crowd: Crowd) -> None:
        """Move one quote to where it should be, or freshen any one."""
        bid = self._side_in_need(crowd)
        quotes = crowd.bids if bid else crowd.asks
        wanted = self._wanted(crowd, bid=bid)
        missing = [price for price in wanted if price not in quotes]
        spare = [price for price in quotes if price not in wanted]
        if spare:
            # The most aggressive first: it is in the way of the other side.
            self._remove(quotes, max(spare) if bid else min(spare))
        if missing:
            self._add(crowd, missing[0], bid=bid)
        elif not spare:
            price = wanted[crowd.chance.below(len(wanted))]
            self._remove(quotes, price)
            self._add(crowd, price, bid=bid)

    def _side_in_need(self, crowd: Crowd) -> bool:
        """Return True for the bids, False for the asks: whichever is more wrong."""
        _forget_filled(crowd.bids)
        _forget_filled(crowd.asks)
        bids, asks = self._wanted(crowd, bid=True), self._wanted(crowd, bid=False)
        if crowd.asks and min(crowd.asks) < asks[0]:
            return False
        if crowd.bids and max(crowd.bids) > bids[0]:
            return True
        bids_wrong = sum(price not in crowd.bids for price in bids)
        asks_wrong = sum(price not in crowd.asks for price in asks)
        if bids_wrong == asks_wrong:
            return crowd.chance.happens(500_000)
        return bids_wrong > asks_wrong

    def _wanted(self, crowd: Crowd, *, bid: bool) -> list[int]:
        """Return the book prices that one side should have, innermost first."""
        tick = crowd.market.tick
        step = max(tick, _CENT_E4)
        prices: dict[int, None] = {}
        for level in range(LEVELS):
            away = HALF_SPREAD_TICKS * tick + level * step
            if bid:
                price = (crowd.fair_e4 - away) // tick * tick
            else:
                price = -(-(crowd.fair_e4 + away) // tick) * tick
            prices[min(max(price, tick), PRICE_ONE_E4 - tick)] = None
        return list(prices)

    def _remove(self, quotes: dict[int, Order], price: int) -> None:
        self._exchange.withdraw(quotes.pop(price))

    def _add(self, crowd: Crowd, price: int, *, bid: bool) -> None:
        order = self._order(crowd, MAKERS, 0 if bid else 1, "BUY", price, MAKER_SIZE_E4)
        if self._exchange.quote(order):
            (crowd.bids if bid else crowd.asks)[price] = order

    # --- takers ---------------------------------------------------------------------

    def _take(self, crowd: Crowd, now: Instant) -> None:
        book = crowd.market.book
        buys = self._wants_up(crowd)
        best = book.side(bid=not buys).best()
        if best is None:
            return
        if crowd.chance.happens(_SWEEP_PPM):
            tick = crowd.market.tick
            reach = 2 * tick if buys else -2 * tick
            best = min(max(best + reach, tick), PRICE_ONE_E4 - tick)
        outcome: Outcome = 0 if buys else 1
        side: Side = "BUY"
        order = self._order(crowd, TAKERS, outcome, side, best, TAKER_SIZE_E4)
        other = crowd.market.tokens[1 - outcome]
        if self._holds(other, order.size) and crowd.chance.happens(_SELL_PPM):
            order.outcome = 0 if outcome == 1 else 1
            order.side = "SELL"
            order.price = PriceE4(PRICE_ONE_E4 - order.price)
        order.time_in_force = "FAK"
        self._exchange.place(order, now)

    def _wants_up(self, crowd: Crowd) -> bool:
        """Tell which side a taker hits: the mispriced one if informed, else any."""
        bid, ask = crowd.market.book.bids.best(), crowd.market.book.asks.best()
        if crowd.chance.happens(_INFORMED_PPM):
            if ask is not None and ask < crowd.fair_e4:
                return True
            if bid is not None and bid > crowd.fair_e4:
                return False
        return crowd.chance.happens(500_000)

    def _holds(self, token: str, size: int) -> bool:
        return self._exchange.accounts.get(TAKERS).free(token) >= size

    def _order(
        self,
        crowd: Crowd,
        account: str,
        outcome: Outcome,
        side: Side,
        price: int,
        sizes_e4: tuple[int, int],
    ) -> Order:
        """Return a participant's order at a book price."""
        self._number += 1
        own = price if outcome == 0 else PRICE_ONE_E4 - price
        return Order(
            order_id=f"0x{self._number:064x}",
            maker=account,
            owner="",
            market=crowd.market.condition_id,
            outcome=outcome,
            side=side,
            price=PriceE4(own),
            size=SizeE6(crowd.chance.between(*sizes_e4) * _HUNDREDTH_E6),
        )


def _forget_filled(quotes: dict[int, Order]) -> None:
    for price in [price for price, order in quotes.items() if order.remaining == 0]:
        del quotes[price]
