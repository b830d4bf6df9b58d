"""Reference prices: what an oracle is, whether it walks by chance or plays a recording.

An oracle decides what the reference is at each moment, what the venue's price socket may
tell of it yet, and the averages that settle markets. Sends nothing.

Source of the latency: a recorded day of the production feed (2026-07-24), tick time to
server send 0.69 s at least, 1.35 s in the middle, 2.6 s at most.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import Protocol

import msgspec

from shared.identifiers import Asset
from shared.units import WallMs

E8 = 100_000_000
HISTORY_MS = 130_000
"""What a subscriber is shown of the past, two minutes, and a little more."""

TWAP_MS = 60_000
"""The venue averages over 60 s.

Source: https://docs.polymarket.com/api-reference/live-data/overview (2026-09-28).
"""

NEVER_MS = 1 << 53
"""When nothing is due any more, as after the end of a recording: far away, and still a time."""

SECONDS_PER_YEAR = 365 * 86_400


class Tick(msgspec.Struct, frozen=True):
    """One reference price, and the 60 s average at its moment, in 1e-8 USD.

    Attributes:
        told_ms: From when on the price socket may tell of it.
    """

    asset: Asset
    at_ms: WallMs
    price_e8: int
    twap_e8: int
    told_ms: WallMs = WallMs(0)


class Oracle(Protocol):
    """The prices of one asset, from wherever they come.

    Attributes:
        deviation: Relative standard deviation per square-root second of wall time.
        history: Ticks of the last `HISTORY_MS` and more, oldest first.
        price_e8: The price now, before anybody has been told of it.
        position: What `resume` needs beside the ticks.
    """

    deviation: float
    history: deque[Tick]

    @property
    def price_e8(self) -> int:
        """Return the price now, before anybody has been told of it."""
        ...

    @property
    def position(self) -> int:
        """Return what `resume` needs beside the ticks."""
        ...

    def resume(self, ticks: Iterable[Tick], position: int) -> None:
        """Go on from the last of some ticks, at least one, as if it had never stopped."""
        ...

    def advance(self, wall_ms: int) -> list[Tick]:
        """Go on up to now, and return the new ticks, oldest first."""
        ...

    def next_ms(self) -> int:
        """Return the wall time of the next tick."""
        ...

    def settle_e8(self, at_ms: int, lookback_ms: int) -> int:
        """Return the price that settles at a moment of wall time.

        Args:
            at_ms: Wall time; in the future means now.
            lookback_ms: Window of the average before it, 0 for the last price alone.
        """
        ...


def fair_up(oracle: Oracle, strike_e8: int, wall_ms: int, end_ms: int, lookback_ms: int) -> float:
    """Return the probability that the average at the end is not below the strike, 0..1.

    The average over the last L seconds of a walk with t seconds left has a variance of
    s2 (t - 2L/3) while t >= L, and of s2 t^3 / (3 L^2) inside the window, where what has been
    seen of it is certain.

    Args:
        oracle: The prices, and how much they move.
        strike_e8: Price to reach.
        wall_ms: Now.
        end_ms: End of the market.
        lookback_ms: L, 0 when the last tick settles.
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
    scale = spot * oracle.deviation * math.sqrt(max(variance, 1e-4))
    if scale == 0:
        # A price that cannot move has decided already, by the rule that equal is up.
        return 1.0 if mean >= strike_e8 else 0.0
    return 0.5 * (1.0 + math.erf((mean - strike_e8) / scale / math.sqrt(2)))
