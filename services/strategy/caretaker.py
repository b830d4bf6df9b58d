"""The caretaker: manages what strategies that are gone still hold, reduce-only.

Decides an offer of the excess at the touch, and a stop: when the best bid falls too far
below cost, the excess is sold at market within a bound. Opens nothing ever, and leaves
complete sets alone: they pay one dollar whatever happens. What was found and nobody here
had bought is left alone too, unless the setting says that it is to be closed.

Where risk orders positions to be closed it does so for every owner (EX-17): sold at market, no
farther below the best bid than the bound, one token of a market at a time, since sells of both
would match each other; the larger holding first, until nothing is left that can be sold.
"""

from services.strategy.interface import Holding, MarketContext, Wish
from shared.config import CaretakerSettings, UnknownPosition
from shared.identifiers import ADOPTED, StrategyName
from shared.targets import Target
from shared.units import PRICE_ONE_E4, PriceE4, SizeE6

SIZE_STEP_E6 = 10_000
"""Sizes carry two decimals at the venue."""


class Caretaker:
    """Takes over the positions of strategies that have fallen silent."""

    name = StrategyName("caretaker")

    def __init__(self, settings: CaretakerSettings, unknown_position: UnknownPosition) -> None:
        self._settings = settings
        self._held = frozenset({ADOPTED}) if unknown_position == "hold" else frozenset()

    def wish(self, context: MarketContext) -> Wish:
        """Return reduce-only targets for the first owner or orphan that holds something here.

        An excess below the venue's minimum comes last, and is wished for all the same: what is
        left of an order that rests may still be filled, and execution posts no new one.
        """
        if context.closing:
            return self._close(context)
        dust: Wish | None = None
        for owner, holdings in context.orphans:
            target = None if owner in self._held else self._care(context, holdings)
            if target is None:
                continue
            if target.size >= context.info.min_size_e6:
                reason = "stop" if target.purpose == "stop" else "unwinding"
                return Wish((target,), f"{reason} for {owner}", owner)
            dust = dust or Wish((target,), f"dust of {owner}, held to the end", owner)
        return dust or Wish((), "no orphan")

    def forget(self) -> None:
        """Forget nothing: each wish is made from what is held and seen now."""

    def _close(self, context: MarketContext) -> Wish:
        """Return the order that closes the first position here that can be sold at all."""
        held_back: list[str] = []
        for owner, holdings in context.closing:
            if owner in self._held:
                held_back.append(f"{owner} by its policy")
                continue
            target = self._flatten(context, holdings)
            if target is not None:
                return Wish((target,), f"closing for {owner}", owner)
            if any(holding.matched for holding in holdings):
                held_back.append(f"{owner}, which cannot be sold now")
        return Wish((), f"held: {', '.join(held_back)}" if held_back else "flat")

    def _flatten(self, context: MarketContext, holdings: tuple[Holding, Holding]) -> Target | None:
        """Return the order that sells the larger holding, or None when none can be sold."""
        assert context.view.books is not None
        pairs = 0 if self._settings.flatten_sets else min(one.matched for one in holdings)
        sizes = [
            min(one.confirmed, one.matched - pairs) // SIZE_STEP_E6 * SIZE_STEP_E6
            for one in holdings
        ]
        for index in sorted((0, 1), key=lambda place: -sizes[place]):
            bids = context.view.books[index].bids
            if sizes[index] < context.info.min_size_e6 or not bids:
                continue
            size = SizeE6(sizes[index])
            token, worst = context.info.tokens[index], self._worst(context, bids[0][0])
            return Target(
                token, "SELL", 0, worst, size, post_only=False, reduce_only=True, purpose="flatten"
            )
        return None

    def _worst(self, context: MarketContext, best_bid: PriceE4) -> PriceE4:
        """Return the lowest price at which something is sold at market."""
        tick = context.view.tick_e4
        return PriceE4(max(tick, (best_bid - self._settings.slippage_e4_max) // tick * tick))

    def _care(self, context: MarketContext, holdings: tuple[Holding, Holding]) -> Target | None:
        """Return the order that reduces an orphan's excess, or None when it cannot be sold."""
        excess = holdings[0].matched - holdings[1].matched
        index = 0 if excess > 0 else 1
        held = holdings[index]
        size = SizeE6(min(abs(excess), held.confirmed) // SIZE_STEP_E6 * SIZE_STEP_E6)
        assert context.view.books is not None
        book = context.view.books[index]
        if size <= 0 or not book.bids:
            return None
        token = context.info.tokens[index]
        tick = context.view.tick_e4
        best_bid = book.bids[0][0]
        if held.cost_per_share_e4 - best_bid >= self._settings.stop_loss_e4:
            worst = self._worst(context, best_bid)
            return Target(
                token,
                "SELL",
                0,
                worst,
                size,
                post_only=False,
                reduce_only=True,
                purpose="stop",
            )
        ask = book.asks[0][0] if book.asks else PriceE4(best_bid + tick)
        if ask > PRICE_ONE_E4 - tick:
            return None
        return Target(token, "SELL", 0, ask, size, reduce_only=True, purpose="unwind")
