"""Market making on both outcomes: Avellaneda-Stoikov around fair value, skewed by inventory.

Decides a ladder of bids on either outcome, and offers of what it holds in excess. Bids on
the second outcome are the offers of the first, so a maker without shares quotes both sides.
Never takes: every target is post-only. Caps here are the strategy's own wish; the gate in
execution holds the real ones.
"""

import msgspec

from services.strategy.interface import MarketContext, Wish
from services.strategy.pricing import (
    Fair,
    Quote,
    avellaneda_stoikov,
    fair_value,
    round_ask_up,
    round_bid_down,
)
from shared.config import LimitSettings, MarketMakingSettings
from shared.facts import BookView
from shared.identifiers import ConditionId, StrategyName
from shared.level import Level, size_at
from shared.targets import Target
from shared.units import NS_PER_MS, PRICE_ONE_E4, SHARE_E6, PriceE4, SizeE6

MARKETS_REMEMBERED_MAX = 64
"""Past wishes kept for hysteresis; more markets than this at once is not this strategy's work."""


class _Stance(msgspec.Struct, frozen=True):
    """The quote that the present ladder was made from."""

    quote: Quote
    tick: PriceE4
    level: Level


class MarketMaking:
    """One ladder a market, remade when the fair quote has moved enough."""

    name = StrategyName("market_making")

    def __init__(
        self, settings: MarketMakingSettings, limits: LimitSettings, reduced_spread_e4: int = 0
    ) -> None:
        """Begin without a stance.

        Args:
            settings: Of the quoting.
            limits: Caps, for wishes that the gate would deny anyway.
            reduced_spread_e4: By how much quotes are wider at any level but NORMAL, 1e-4 USD.
        """
        self._settings = settings
        self._reduced_spread_e4 = reduced_spread_e4
        self._limits = limits
        self._stances: dict[ConditionId, _Stance] = {}

    def wish(self, context: MarketContext) -> Wish:
        """Return the ladder for one market, or nothing with the reason."""
        fair = self._fair(context)
        if isinstance(fair, str):
            self._stances.pop(context.info.condition_id, None)
            return Wish((), fair)
        quote = self._settled(context, self._quote(context, fair))
        assert context.view.books is not None
        up, down = context.view.books
        first = self._bids(context, 0, up, quote.reservation - quote.half_spread)
        second = self._bids(context, 1, down, 1.0 - quote.reservation - quote.half_spread)
        excess = context.holdings[0].matched - context.holdings[1].matched
        long_index = 0 if excess > 0 else 1
        center = quote.reservation if long_index == 0 else 1.0 - quote.reservation
        offer = self._offer(context, long_index, abs(excess), center + quote.half_spread)
        if offer and offer[0].size >= context.info.min_size_e6:
            # Selling the excess stands on the same side of the book as bidding for the complement.
            first, second = (first, ()) if long_index == 0 else ((), second)
        return Wish((*first, *second, *offer), "quoting")

    def forget(self) -> None:
        """Forget the quotes that ladders were made from."""
        self._stances.clear()

    def _fair(self, context: MarketContext) -> Fair | str:
        """Return the value to quote around, or why there is none."""
        view = context.view
        assert view.books is not None
        mid = _mid(view.books[0])
        if mid is None:
            return "book has one side only"
        low = self._settings.price_e4_min / PRICE_ONE_E4
        if not low <= mid <= 1.0 - low:
            return "price too near to the edge"
        if view.reference is None:
            return "no reference price"
        age_ms = (context.now.monotonic_ns - view.reference.received_ns) // NS_PER_MS
        if age_ms > self._settings.reference_stale_ms:
            return "reference price is stale"
        if view.strike_e18 is None or view.volatility_e9 is None:
            # Started inside the window: the book's own mid is all there is, at full variance.
            return Fair(mid, 1.0 / 6.283185307179586)
        seconds_left = (context.info.end_ms - context.now.wall_ms) / 1000
        model = fair_value(
            view.reference.value_e18, view.strike_e18, view.volatility_e9, seconds_left
        )
        if abs(model.probability - mid) * PRICE_ONE_E4 > self._settings.disagreement_e4_max:
            return "model and book disagree"
        return Fair((model.probability + mid) / 2.0, model.variance)

    def _quote(self, context: MarketContext, fair: Fair) -> Quote:
        """Return reservation price and half spread with the inventory's skew."""
        settings = self._settings
        unpaired = (context.holdings[0].matched - context.holdings[1].matched) / SHARE_E6
        quote = avellaneda_stoikov(
            fair, unpaired, settings.risk_aversion, settings.order_arrival_decay
        )
        skew = unpaired * settings.skew_e4_per_share / PRICE_ONE_E4
        half = max(quote.half_spread, settings.spread_e4_min / PRICE_ONE_E4 / 2.0)
        if context.level != "NORMAL":
            half += self._reduced_spread_e4 / PRICE_ONE_E4 / 2.0
        return Quote(quote.reservation - skew, half)

    def _settled(self, context: MarketContext, fresh: Quote) -> Quote:
        """Keep the former quote while the fresh one is near: queue position is worth something."""
        market = context.info.condition_id
        former = self._stances.get(market)
        same = (context.view.tick_e4, context.level)
        if former is not None and (former.tick, former.level) == same:
            moved = max(
                abs(fresh.reservation - former.quote.reservation),
                abs(fresh.half_spread - former.quote.half_spread),
            )
            if moved * PRICE_ONE_E4 < self._settings.requote_e4:
                return former.quote
        if len(self._stances) >= MARKETS_REMEMBERED_MAX:
            self._stances.pop(next(iter(self._stances)))
        self._stances[market] = _Stance(fresh, context.view.tick_e4, context.level)
        return fresh

    def _bids(
        self, context: MarketContext, index: int, book: BookView, innermost: float
    ) -> tuple[Target, ...]:
        """Return the ladder of bids on one outcome, below its best ask and inside the caps."""
        tick = context.view.tick_e4
        holding = context.holdings[index]
        room = self._limits.shares_per_outcome_max * SHARE_E6 - holding.matched
        size = self._size(context, holding.matched)
        targets: list[Target] = []
        for level in range(self._settings.levels):
            step = level * self._settings.level_step_e4 / PRICE_ONE_E4
            price = round_bid_down(innermost - step, tick)
            if price is None or size * (level + 1) > room:
                break
            if book.asks and price >= book.asks[0][0]:
                price = PriceE4(book.asks[0][0] - tick)
            if price < tick:
                break
            targets.append(Target(context.info.tokens[index], "BUY", level, price, size))
        return tuple(targets)

    def _offer(
        self, context: MarketContext, index: int, excess: int, price: float
    ) -> tuple[Target, ...]:
        """Return the offer of confirmed shares held in excess; nothing when too few are confirmed.

        An excess below the venue's minimum is wished for all the same: what is left of an offer
        that rests may still be filled, and execution posts no new one.
        """
        assert context.view.books is not None
        tick = context.view.tick_e4
        sellable = min(excess, context.holdings[index].confirmed, self._full_size())
        ask = round_ask_up(price, tick)
        if ask is None or sellable < min(excess, context.info.min_size_e6):
            return ()
        bids = context.view.books[index].bids
        if bids and ask <= bids[0][0]:
            ask = PriceE4(bids[0][0] + tick)
        if ask > PRICE_ONE_E4 - tick:
            return ()
        # Sizes carry two decimals at the venue; the rest stays and is dust.
        size = SizeE6(sellable // 10_000 * 10_000)
        if size <= 0:
            return ()
        return (Target(context.info.tokens[index], "SELL", 0, ask, size, reduce_only=True),)

    def _full_size(self) -> SizeE6:
        return SizeE6(self._settings.size_shares * SHARE_E6)

    def _size(self, context: MarketContext, held: int) -> SizeE6:
        """Return the size of one quote: halved while holding, never under the venue's minimum.

        Halved again below level NORMAL (DG-1), which the gate enforces too.
        """
        least = context.info.min_size_e6
        full = size_at(context.level, self._full_size(), least)
        return SizeE6(max(full // 2 if held > 0 else full, least))


def _mid(book: BookView) -> float | None:
    """Return the mid price in dollars; None without both sides."""
    if not book.bids or not book.asks:
        return None
    return (book.bids[0][0] + book.asks[0][0]) / 2.0 / PRICE_ONE_E4
