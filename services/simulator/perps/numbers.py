"""What perpetual futures are at a moment: all of it follows from oracle, seed and time.

Premium, open interest, funding and volume swing around a middle with seeded phases; books and
trades are drawn for their moment. Nothing is remembered, so that a restarted venue goes on as if
it had never stopped, and asking twice gives one answer. Faults scale what is told.
"""

import math
from collections.abc import Iterator

from services.simulator.chance import Chance, derive, stream
from services.simulator.faults.switches import Faults
from services.simulator.oracles.oracle import Oracle
from shared.identifiers import Asset
from shared.perps.parse import coin_of
from shared.perps.wire import (
    TAKER_BUYS,
    TAKER_SELLS,
    PerpBookData,
    PerpCtx,
    PerpLevelRow,
    PerpTradeRow,
)
from shared.units import Instant
from shared.venue.decimals import format_scaled

SOCKET = "perp"
REST = "perp_rest"
INDEX = "perp_index"
"""By what names faults mean the two ways, and the index of spot prices in both."""

DEEP_LEVELS = 20
FAST_LEVELS = 5

TRADES_PER_S_MAX = 3
_TRADE_IDS_PER_S = 10

_E8 = 8
_RATE_PLACES = 10
_PERCENT = 100
_MS_PER_S = 1000

_SWINGS_S = (61, 347, 2_203)
"""Periods of the waves; none divides another, so that they do not repeat soon."""

_PREMIUM_E10 = 3_000_000
_FUNDING_E10 = 125_000
"""Interest alone, 0.01 % in eight hours.

Source: https://hyperliquid.gitbook.io/hyperliquid-docs/trading/funding (2026-09).
"""
_FUNDING_SWING_E10 = 60_000
_INTEREST_COINS = {"btc": 36_000, "eth": 700_000, "sol": 4_000_000}
_INTEREST_COINS_OTHERS = 10_000_000
_VOLUME_USD = 4_400_000_000
_LEVEL_USD = 60_000
_SIGNIFICANT = 5
"""Digits of a price. Source: the venue's page on tick and lot size (2026-09)."""
_SIZE_STEP_E8 = 1_000
_BOOK_STEP_MS = 500


class PerpNumbers:
    """The perpetual futures of every asset that has an oracle."""

    def __init__(self, oracles: dict[Asset, Oracle], seed: int, faults: Faults) -> None:
        """Set whose prices they follow.

        Args:
            oracles: Reference prices by asset.
            seed: Of everything that is theirs alone.
            faults: Asked what is told wrongly.
        """
        self._oracles = oracles
        self._seed = seed
        self._faults = faults
        self._phases = {
            (asset, name): derive(seed, "perp", asset, name) % 10**6 / 10**6
            for asset in oracles
            for name in ("premium", "funding", "interest", "volume")
        }
        self._assets = {coin_of(asset): asset for asset in oracles}

    def asset(self, coin: str) -> Asset | None:
        """Return which asset a coin is, None when there is none."""
        return self._assets.get(coin)

    def coins(self) -> tuple[str, ...]:
        """Return every coin, in the order of the universe."""
        return tuple(self._assets)

    def context(self, asset: Asset, way: str, now: Instant) -> PerpCtx:
        """Return the numbers of an asset as one of the two ways tells them."""
        index_e8 = self._moved(asset, INDEX, now)
        premium_e10 = round(_PREMIUM_E10 * self._wave(asset, "premium", now))
        mid_e8 = self._mid(asset, way, now)
        mark_e8 = mid_e8 - mid_e8 * premium_e10 // 10**11
        interest_e8 = self._interest_e8(asset, way, now)
        funding_e10 = _FUNDING_E10 + round(_FUNDING_SWING_E10 * self._wave(asset, "funding", now))
        funding_e10 = funding_e10 * self._scale(asset, "funding", way, now) // _PERCENT
        volume = round(_VOLUME_USD * (1 + 0.05 * self._wave(asset, "volume", now)))
        volume = volume * self._scale(asset, "volume", way, now) // _PERCENT
        return PerpCtx(
            funding=format_scaled(funding_e10, _RATE_PLACES),
            open_interest=format_scaled(interest_e8, _E8),
            oracle_px=format_scaled(index_e8, _E8),
            mark_px=format_scaled(max(1, mark_e8), _E8),
            mid_px=format_scaled(mid_e8, _E8),
            day_ntl_vlm=str(volume),
            prev_day_px=format_scaled(index_e8, _E8),
            premium=format_scaled(premium_e10, _RATE_PLACES),
        )

    def book(self, asset: Asset, way: str, levels: int, now: Instant) -> PerpBookData:
        """Return the best levels of both sides; fewer, or none, where a fault takes depth away."""
        mid_e8 = self._mid(asset, way, now)
        step_e8 = max(1, 10 ** (len(str(mid_e8)) - _SIGNIFICANT))
        best_e8 = mid_e8 // step_e8 * step_e8
        scale = self._scale(asset, "depth", way, now)
        moment = str(now.wall_ms // _BOOK_STEP_MS)
        chance = stream(self._seed, "perp book", asset, moment)
        bids = [(best_e8 - place * step_e8, chance.below(_PERCENT)) for place in range(levels)]
        asks = [
            (best_e8 + (place + 1) * step_e8, chance.below(_PERCENT)) for place in range(levels)
        ]
        sides = tuple(tuple(_rows(side, mid_e8, scale)) for side in (bids, asks))
        return PerpBookData(coin_of(asset), (sides[0], sides[1]), now.wall_ms)

    def trades(self, asset: Asset, second: int, now: Instant) -> Iterator[PerpTradeRow]:
        """Yield the trades of one second of wall time, of the last two minutes."""
        chance = stream(self._seed, "perp trades", asset, str(second))
        percent = self._faults.price_percent(asset, SOCKET, now.monotonic_ns, SOCKET)
        mid_e8 = self._oracles[asset].settle_e8((second + 1) * _MS_PER_S, 0) * percent // _PERCENT
        for number in range(chance.below(TRADES_PER_S_MAX + 1)):
            yield self._trade(asset, second, number, max(1, mid_e8), chance)

    def _trade(
        self, asset: Asset, second: int, number: int, mid_e8: int, chance: Chance
    ) -> PerpTradeRow:
        buys = chance.happens(500_000)
        step_e8 = max(1, 10 ** (len(str(mid_e8)) - _SIGNIFICANT))
        price_e8 = mid_e8 // step_e8 * step_e8 + (step_e8 if buys else 0)
        size_e8 = (1 + chance.below(10_000)) * _SIZE_STEP_E8
        name = f"{derive(self._seed, 'perp trade', asset, str(second), str(number)):064x}"
        return PerpTradeRow(
            coin=coin_of(asset),
            side=TAKER_BUYS if buys else TAKER_SELLS,
            px=format_scaled(price_e8, _E8),
            sz=format_scaled(size_e8, _E8),
            time=second * _MS_PER_S + number,
            tid=second * _TRADE_IDS_PER_S + number,
            hash=f"0x{name}",
            users=(f"0x{name[:40]}", f"0x{name[24:]}"),
        )

    def _mid(self, asset: Asset, way: str, now: Instant) -> int:
        """Return the middle of the book, in 1e-8 USD."""
        premium_e10 = round(_PREMIUM_E10 * self._wave(asset, "premium", now))
        price_e8 = self._moved(asset, way, now)
        return max(1, price_e8 + price_e8 * premium_e10 // 10**10)

    def _moved(self, asset: Asset, source: str, now: Instant) -> int:
        """Return the price of the underlying, as far as a fault lets one source tell it."""
        price_e8 = self._oracles[asset].price_e8
        percent = self._faults.price_percent(asset, source, now.monotonic_ns, source)
        return max(1, price_e8 * percent // _PERCENT)

    def _interest_e8(self, asset: Asset, way: str, now: Instant) -> int:
        coins = _INTEREST_COINS.get(asset, _INTEREST_COINS_OTHERS)
        interest_e8 = round(coins * (1 + 0.03 * self._wave(asset, "interest", now)) * 1e3) * 10**5
        scaled = interest_e8 * self._scale(asset, "interest", way, now) // _PERCENT
        is_negative = self._faults.negates_interest(asset, way, now.monotonic_ns)
        return -scaled if is_negative else scaled

    def _scale(self, asset: Asset, what: str, way: str, now: Instant) -> int:
        return self._faults.perp_percent(asset, what, way, now.monotonic_ns)

    def _wave(self, asset: Asset, name: str, now: Instant) -> float:
        """Return where a quantity stands between -1 and 1 at this moment."""
        seconds = now.wall_ms / _MS_PER_S
        phase = self._phases[(asset, name)]
        waves = [math.sin(2 * math.pi * (seconds / period + phase)) for period in _SWINGS_S]
        return sum(waves) / len(waves)


def _rows(levels: list[tuple[int, int]], mid_e8: int, scale: int) -> Iterator[PerpLevelRow]:
    """Yield the levels of a side that hold something and have a price."""
    for price_e8, chance in levels:
        coins_e8 = _LEVEL_USD * 10**16 // mid_e8 * (50 + chance) // _PERCENT * scale // _PERCENT
        size_e8 = coins_e8 // _SIZE_STEP_E8 * _SIZE_STEP_E8
        if size_e8 > 0 and price_e8 > 0:
            yield PerpLevelRow(format_scaled(price_e8, _E8), format_scaled(size_e8, _E8), 3)
