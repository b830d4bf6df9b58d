"""Reference prices from a recording: the ticks that were, with the lateness that they had."""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable

from services.simulator.oracles.oracle import HISTORY_MS, NEVER_MS, TWAP_MS, Tick
from services.simulator.oracles.recording import Playback
from shared.identifiers import Asset
from shared.units import WallMs

_PPM = 1_000_000


class RecordedPrices:
    """The recorded prices of one asset (`services.simulator.oracles.oracle.Oracle`).

    The same moment recorded twice is told twice. Where the recording has a hole the price
    stays, and nothing is told; after its end nothing more is told at all.
    """

    def __init__(self, playback: Playback) -> None:
        """Take what is played; its place in the present is found at the first `advance`."""
        self._playback = playback
        self._prices = playback.recording.prices
        self.asset: Asset = playback.recording.asset
        faster = playback.recording.speed_ppm / _PPM
        self.deviation = self._prices.deviation() * math.sqrt(faster)
        self.history: deque[Tick] = deque()
        self._place = 0

    @property
    def price_e8(self) -> int:
        """Return the newest price, before anybody has been told of it."""
        return self._prices.price_e8[max(self._place - 1, 0)]

    @property
    def position(self) -> int:
        """Return the wall time to which the recording's first window is mapped."""
        assert self._playback.base_ms is not None
        return self._playback.base_ms

    def resume(self, ticks: Iterable[Tick], position: int) -> None:
        """Go on from the last of some ticks, at least one, as if it had never stopped."""
        self._playback.base_ms = position
        self.history = deque(ticks)
        last_ms: int = self.history[-1].at_ms
        self._place = bisect_right(self._prices.at_ms, last_ms, key=self._playback.wall_of)

    def advance(self, wall_ms: int) -> list[Tick]:
        """Return the ticks up to now that are new, oldest first; at first they are history."""
        first = self._playback.base_ms is None
        if first:
            self._playback.begin(wall_ms)
            oldest_ms = wall_ms - HISTORY_MS
            self._place = bisect_right(self._prices.at_ms, oldest_ms, key=self._playback.wall_of)
        ticks: list[Tick] = []
        while self.next_ms() <= wall_ms:
            ticks.append(self._step())
        return [] if first else ticks

    def next_ms(self) -> int:
        """Return the wall time of the next tick."""
        if self._place == len(self._prices):
            return NEVER_MS
        return self._playback.wall_of(self._prices.at_ms[self._place])

    def _step(self) -> Tick:
        prices, place = self._prices, self._place
        at_ms = prices.at_ms[place]
        tick = Tick(
            self.asset,
            WallMs(self._playback.wall_of(at_ms)),
            prices.price_e8[place],
            prices.average(at_ms, TWAP_MS),
            WallMs(self._playback.wall_of(prices.told_ms[place])),
        )
        self._place += 1
        while self.history and self.history[0].at_ms <= tick.at_ms - HISTORY_MS:
            self.history.popleft()
        self.history.append(tick)
        return tick

    def settle_e8(self, at_ms: int, lookback_ms: int) -> int:
        """Return the price that settles at a moment: an average before it, or the spot.

        The spot is the price of that moment or, in a hole, the first after it, which the venue
        waits for; here the recording knows it already.

        Args:
            at_ms: Wall time.
            lookback_ms: Window of the average, wall time; 0 for the spot.
        """
        recorded_ms = self._playback.recorded_of(at_ms)
        look_ms = self._playback.recorded_of(at_ms + lookback_ms) - recorded_ms
        return self._prices.settle_e8(recorded_ms, look_ms)
