"""Reference prices of one asset: the newest, the strikes, and how much they move.

Decides which tick is the strike of a window (the first of the settlement source at or after
its start) and estimates volatility from the spot source. A strike that was not seen stays
unknown; nothing is interpolated.

Source: the market's rules compare the settlement price at the end with that at the start;
recorded production ticks come every second, 1 % of the steps are longer than 2 s.
"""

import math

import msgspec

from services.state.memory import PricesMemory, VolatilityMemory
from shared.facts import ReferencePrice
from shared.identifiers import Asset
from shared.settlement import SPOT_SOURCE, settlement_source
from shared.units import ReferenceE18, WallMs

STRIKE_LATE_MS_MAX = 2_000
"""A first tick later than this after the start is not the price of the start."""

STRIKES_MAX = 64
"""Windows with a known strike that are kept: more than are ever running or unresolved."""

RETURNS_MIN = 20
"""Returns needed before volatility is more than noise: its relative error is then 16 %."""

HALF_LIFE_MS = 60_000
"""Of the volatility estimate: a window lasts a few of them."""

STEP_MS_MAX = 10_000
"""A longer hole between two ticks says little about the motion inside it: no return is taken."""

_E9 = 1_000_000_000


class Volatility:
    """Exponentially weighted variance of returns per second."""

    def __init__(self) -> None:
        """Know nothing."""
        self._last: ReferencePrice | None = None
        self._weighted_e18 = 0.0
        self._weight = 0.0
        self._count = 0

    def add(self, tick: ReferencePrice) -> None:
        """Take the next tick of the spot source; one that does not advance changes nothing."""
        last = self._last
        if last is not None and tick.venue_ms <= last.venue_ms:
            return
        self._last = tick
        if last is None or tick.venue_ms - last.venue_ms > STEP_MS_MAX:
            return
        step_ms = tick.venue_ms - last.venue_ms
        return_e9 = (tick.value_e18 - last.value_e18) * _E9 // last.value_e18
        decay = 0.5 ** (step_ms / HALF_LIFE_MS)
        # Weighted by time, so that a burst of ticks does not count for more than its seconds.
        self._weighted_e18 = self._weighted_e18 * decay + return_e9 * return_e9
        self._weight = self._weight * decay + step_ms / 1_000
        self._count += 1

    def remember(self) -> VolatilityMemory:
        """Return everything that the estimate rests on."""
        return VolatilityMemory(self._last, self._weighted_e18, self._weight, self._count)

    def recall(self, memory: VolatilityMemory) -> None:
        """Go on from what was remembered."""
        self._last = memory.last
        self._weighted_e18 = memory.weighted_e18
        self._weight = memory.weight
        self._count = memory.count

    def per_root_second_e9(self) -> int | None:
        """Return the standard deviation per square-root second, 1e-9, or None when unknown."""
        if self._count < RETURNS_MIN:
            return None
        return round(math.sqrt(self._weighted_e18 / self._weight))


class AssetPrices:
    """What is known of one asset's reference prices.

    Attributes:
        settlement: Newest tick of the source that settles.
        spot: Newest tick of the spot source.
    """

    def __init__(self, interval_s: int) -> None:
        """Know nothing yet.

        Args:
            interval_s: Length of the windows, which decides the settlement source.
        """
        self._interval_ms = interval_s * 1_000
        self._source = settlement_source(interval_s)
        self._strikes: dict[WallMs, ReferencePrice] = {}
        self._volatility = Volatility()
        self.settlement: ReferencePrice | None = None
        self.spot: ReferencePrice | None = None

    def add(self, tick: ReferencePrice, *, is_suspect: bool = False) -> None:
        """Take one tick, of any source, in any order: a backfill brings old ones after new.

        Args:
            tick: Whose price is right.
            is_suspect: Whether its stamp went backwards (DQ-4): then it is the newest by our own
                time, of the moment of the last one by the source's, and no window's first price.
        """
        if tick.source == SPOT_SOURCE:
            spot = _by_arrival(self.spot, tick) if is_suspect else tick
            self._volatility.add(spot)
            self.spot = _newer(self.spot, spot)
        if tick.source != self._source:
            return
        if is_suspect:
            self.settlement = _by_arrival(self.settlement, tick)
            return
        self.settlement = _newer(self.settlement, tick)
        self._note_strike(tick)

    def at_start(self, start_ms: WallMs) -> ReferencePrice | None:
        """Return the tick that is the price of a window's start, None when it was not seen.

        The end of a window is the start of the next, so that this is its final price too.
        """
        return self._strikes.get(start_ms)

    def strike(self, start_ms: WallMs) -> ReferenceE18 | None:
        """Return the price of a window's start, None when it was not seen."""
        tick = self.at_start(start_ms)
        return None if tick is None else tick.value_e18

    def volatility_e9(self) -> int | None:
        """Return the volatility of the spot price; see `Volatility`."""
        return self._volatility.per_root_second_e9()

    def remember(self, asset: Asset) -> PricesMemory:
        """Return everything that is known, as it is remembered over a restart."""
        return PricesMemory(
            asset, self.settlement, self.spot, dict(self._strikes), self._volatility.remember()
        )

    def recall(self, memory: PricesMemory) -> None:
        """Go on from what was remembered."""
        self.settlement, self.spot = memory.settlement, memory.spot
        self._strikes = dict(memory.strikes)
        self._volatility.recall(memory.volatility)

    def forget_since(self, since_ms: WallMs) -> None:
        """Forget the prices stamped from a moment on, and how much they moved; they were wrong.

        Strikes seen before it stand: they were read off prices that nobody doubts.
        """
        self.settlement = self.spot = None
        self._volatility = Volatility()
        self._strikes = {
            start: tick for start, tick in self._strikes.items() if tick.venue_ms < since_ms
        }

    def _note_strike(self, tick: ReferencePrice) -> None:
        late_ms = tick.venue_ms % self._interval_ms
        if late_ms > STRIKE_LATE_MS_MAX:
            return
        start = WallMs(tick.venue_ms - late_ms)
        known = self._strikes.get(start)
        # An equal stamp is a correction: the later one wins.
        if known is not None and known.venue_ms < tick.venue_ms:
            return
        self._strikes[start] = tick
        if len(self._strikes) > STRIKES_MAX:
            del self._strikes[min(self._strikes)]


def _newer(known: ReferencePrice | None, tick: ReferencePrice) -> ReferencePrice:
    return tick if known is None or tick.venue_ms >= known.venue_ms else known


def _by_arrival(known: ReferencePrice | None, tick: ReferencePrice) -> ReferencePrice:
    """Return a tick with the stamp of the one before it, after which it came."""
    if known is None:
        return tick
    return msgspec.structs.replace(tick, venue_ms=max(known.venue_ms, tick.venue_ms))
