"""Reference prices: a seeded random walk an asset, seen late, as the oracle's is.

Decides what the reference is at each moment, what the venue's price socket may tell of
it yet, and the time-weighted averages that settle markets. Sends nothing.

Source of the latency: a recorded day of the production feed (2026-07-24), tick time to
server send 0.69 s at least, 1.35 s in the middle, 2.6 s at most.
"""

import math
from collections import deque
from collections.abc import Iterable

import msgspec

from services.simulator.chance import Chance, stream
from shared.identifiers import Asset
from shared.units import WallMs

E8 = 100_000_000
HISTORY_MS = 130_000
"""What a subscriber is shown of the past, two minutes, and a little more."""

TWAP_MS = 60_000
"""The venue averages over 60 s.

Source: https://docs.polymarket.com/api-reference/live-data/overview (2026-09-28).
"""

_CATCH_UP_MS_MAX = 300_000
_SECONDS_PER_YEAR = 365 * 86_400
_STARTS_USD = {
    "btc": 100_000,
    "eth": 4_000,
    "sol": 180,
    "xrp": 2,
    "bnb": 900,
    "doge": 1,
    "hype": 40,
}
_START_USD_OTHERS = 100


class Tick(msgspec.Struct, frozen=True):
    """One reference price, and the 60 s average at its moment, in 1e-8 USD."""

    asset: Asset
    at_ms: WallMs
    price_e8: int
    twap_e8: int


class Oracle:
    """The walk of one asset."""

    def __init__(self, asset: Asset, seed: int, step_ms: int, volatility_annual: float) -> None:
        """Set the walk up; it starts at the first `advance`."""
        self.asset = asset
        self._step_ms = step_ms
        self._chance = stream(seed, "oracle", asset)
        deviation = volatility_annual * math.sqrt(step_ms / 1000 / _SECONDS_PER_YEAR)
        self._deviation_e9 = round(deviation * 1e9)
        self.history: deque[Tick] = deque()
        self._price_e8 = _STARTS_USD.get(asset, _START_USD_OTHERS) * E8
        self._next_ms: int | None = None

    @property
    def price_e8(self) -> int:
        """Return the price now, before anybody has been told of it."""
        return self._price_e8

    @property
    def chance_state(self) -> int:
        """Return the state of the walk's chance, for `resume`."""
        return self._chance.state

    def resume(self, ticks: Iterable[Tick], chance_state: int) -> None:
        """Go on from the last of some ticks, at least one, as if the walk had never stopped."""
        self.history = deque(ticks)
        last = self.history[-1]
        self._price_e8 = last.price_e8
        self._next_ms = last.at_ms + self._step_ms
        self._chance = Chance(chance_state)

    def advance(self, wall_ms: int) -> list[Tick]:
        """Walk up to now, and return the new ticks, oldest first."""
        first = self._next_ms is None
        if self._next_ms is None or wall_ms - self._next_ms > _CATCH_UP_MS_MAX:
            start = wall_ms - HISTORY_MS
            self._next_ms = start - start % self._step_ms
        ticks: list[Tick] = []
        while self._next_ms <= wall_ms:
            ticks.append(self._step(self._next_ms))
            self._next_ms += self._step_ms
        return [] if first else ticks

    def next_ms(self) -> int:
        """Return the wall time of the next tick."""
        assert self._next_ms is not None
        return self._next_ms

    def _step(self, at_ms: int) -> Tick:
        move = self._price_e8 * self._deviation_e9 * self._chance.normal_e9() // 10**18
        self._price_e8 = max(E8 // 100, self._price_e8 + move)
        while self.history and self.history[0].at_ms <= at_ms - HISTORY_MS:
            self.history.popleft()
        tick = Tick(self.asset, WallMs(at_ms), self._price_e8, self._average_with(at_ms))
        self.history.append(tick)
        return tick

    def _average_with(self, at_ms: int) -> int:
        total = self._price_e8
        count = 1
        for tick in reversed(self.history):
            if tick.at_ms <= at_ms - TWAP_MS:
                break
            total += tick.price_e8
            count += 1
        return total // count

    def settle_e8(self, at_ms: int, lookback_ms: int) -> int:
        """Return the price that settles at a moment: the average before it, or the last tick.

        Args:
            at_ms: Wall time; in the future means now.
            lookback_ms: Window of the average, 0 for the last tick alone.
        """
        prices = self._window(at_ms - max(lookback_ms, 1), at_ms)
        if not prices:
            return self._last_before(at_ms)
        return sum(prices) // len(prices) if lookback_ms else prices[-1]

    def _window(self, after_ms: int, until_ms: int) -> list[int]:
        return [tick.price_e8 for tick in self.history if after_ms < tick.at_ms <= until_ms]

    def _last_before(self, at_ms: int) -> int:
        for tick in reversed(self.history):
            if tick.at_ms <= at_ms:
                return tick.price_e8
        return self._price_e8


def fair_up(
    oracle: Oracle, strike_e8: int, wall_ms: int, end_ms: int, lookback_ms: int, deviation: float
) -> float:
    """Return the probability that the average at the end is not below the strike, 0..1.

    The average over the last L seconds of a walk with t seconds left has a variance of
    s2 (t - 2L/3) while t >= L, and of s2 t^3 / (3 L^2) inside the window, where what has been
    seen of it is certain.

    Args:
        oracle: The walk.
        strike_e8: Price to reach.
        wall_ms: Now.
        end_ms: End of the market.
        lookback_ms: L, 0 when the last tick settles.
        deviation: Relative standard deviation of the walk per square-root second.
    """
    left = max(0.0, (end_ms - wall_ms) / 1000)
    look = lookback_ms / 1000
    spot = oracle.price_e8
    if look == 0 or left >= look:
        mean = float(spot)
        variance = left - 2 * look / 3
    else:
        seen = oracle.settle_e8(wall_ms, max(1, lookback_ms - (end_ms - wall_ms)))
        mean = (seen * (look - left) + spot * left) / look
        variance = left**3 / (3 * look * look)
    scale = spot * deviation * math.sqrt(max(variance, 1e-4))
    return 0.5 * (1.0 + math.erf((mean - strike_e8) / scale / math.sqrt(2)))
