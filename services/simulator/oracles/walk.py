"""Reference prices by chance: a seeded random walk an asset, seen late, as the oracle's is."""

import math
from collections import deque
from collections.abc import Iterable

from services.simulator.chance import Chance, stream
from services.simulator.oracles.oracle import E8, HISTORY_MS, SECONDS_PER_YEAR, TWAP_MS, Tick
from shared.identifiers import Asset
from shared.units import WallMs

_CATCH_UP_MS_MAX = 300_000
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


class RandomWalk:
    """The walk of one asset (`services.simulator.oracles.oracle.Oracle`)."""

    def __init__(
        self, asset: Asset, seed: int, step_ms: int, volatility_annual: float, latency_ms: int
    ) -> None:
        """Set the walk up; it starts at the first `advance`.

        Args:
            asset: Whose prices.
            seed: Of its chance.
            step_ms: From tick to tick.
            volatility_annual: Relative standard deviation of a year.
            latency_ms: From a tick to its telling.
        """
        self.asset = asset
        self._step_ms = step_ms
        self._chance = stream(seed, "oracle", asset)
        self.deviation = volatility_annual / math.sqrt(SECONDS_PER_YEAR)
        self._deviation_e9 = round(self.deviation * math.sqrt(step_ms / 1000) * 1e9)
        self._latency_ms = latency_ms
        self.history: deque[Tick] = deque()
        self._price_e8 = _STARTS_USD.get(asset, _START_USD_OTHERS) * E8
        self._next_ms: int | None = None

    @property
    def price_e8(self) -> int:
        """Return the price now, before anybody has been told of it."""
        return self._price_e8

    @property
    def position(self) -> int:
        """Return the state of the walk's chance, for `resume`."""
        return self._chance.state

    def resume(self, ticks: Iterable[Tick], position: int) -> None:
        """Go on from the last of some ticks, at least one, as if the walk had never stopped."""
        self.history = deque(ticks)
        last = self.history[-1]
        self._price_e8 = last.price_e8
        self._next_ms = last.at_ms + self._step_ms
        self._chance = Chance(position)

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
        average = self._average_with(at_ms)
        told_ms = WallMs(at_ms + self._latency_ms)
        tick = Tick(self.asset, WallMs(at_ms), self._price_e8, average, told_ms)
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
