"""Prices of every asset: what was heard live, and what was remembered until a live price agrees.

Pure. Remembered prices are shown to nobody. They grow with every live tick, and take the place of
what was heard live once a live tick of each source that they know lies near the newest that they
hold; one that lies too far away discards them (NET-3).
"""

from collections.abc import Iterable

from services.state.memory import PricesMemory
from services.state.prices import AssetPrices
from shared.effects import Log
from shared.facts import ReferencePrice
from shared.identifiers import Asset
from shared.units import MonotonicNs, WallMs

JUMP_PER_MILLE_MAX = 50
"""Between the last remembered tick and the first live one: NET-3 calls more a price that moved."""


class _Waiting:
    """One asset's remembered prices, until they are believed."""

    def __init__(self, prices: AssetPrices, since_ns: MonotonicNs) -> None:
        self.prices = prices
        self.since_ns = since_ns
        self.last = {tick.source: tick for tick in (prices.settlement, prices.spot) if tick}
        self.agreed: set[str] = set()

    def is_far(self, tick: ReferencePrice) -> bool:
        """Tell whether a tick lies too far from the last of its source."""
        last = self.last.get(tick.source)
        if last is None:
            return False
        return abs(tick.value_e18 - last.value_e18) * 1_000 > last.value_e18 * JUMP_PER_MILLE_MAX


class PriceHistory:
    """The prices of all assets."""

    def __init__(self, assets: Iterable[Asset], interval_s: int) -> None:
        """Know nothing of these assets."""
        self._interval_s = interval_s
        self._prices = {asset: AssetPrices(interval_s) for asset in assets}
        self._waiting: dict[Asset, _Waiting] = {}

    def __contains__(self, asset: Asset) -> bool:
        """Whether prices of an asset are kept."""
        return asset in self._prices

    def get(self, asset: Asset) -> AssetPrices | None:
        """Return what may be shown of an asset; None when it is none of ours."""
        return self._prices.get(asset)

    def add(self, tick: ReferencePrice, *, is_suspect: bool = False) -> list[Log]:
        """Take a tick that is right; tell when remembered prices are believed, or discarded."""
        known = self._prices.get(tick.asset)
        if known is None:
            return []
        known.add(tick, is_suspect=is_suspect)
        waiting = self._waiting.get(tick.asset)
        if waiting is None:
            return []
        is_live = tick.received_ns >= waiting.since_ns
        if is_live and waiting.is_far(tick):
            del self._waiting[tick.asset]
            last = waiting.last[tick.source]
            fields = {"asset": tick.asset, "source": tick.source}
            values = {"remembered_e18": str(last.value_e18), "live_e18": str(tick.value_e18)}
            return [Log("state.prices_not_remembered", {**fields, **values}, "warning")]
        waiting.prices.add(tick, is_suspect=is_suspect)
        if is_live:
            waiting.agreed.add(tick.source)
        if not waiting.agreed or waiting.last.keys() - waiting.agreed:
            return []
        self._prices[tick.asset] = self._waiting.pop(tick.asset).prices
        return [Log("state.prices_remembered", {"asset": tick.asset})]

    def forget_since(self, asset: Asset, since_ms: WallMs) -> None:
        """Forget prices that were wrong, remembered ones too."""
        for prices in (self._prices.get(asset), self._fullest(asset)):
            if prices is not None:
                prices.forget_since(since_ms)

    def remember(self) -> tuple[PricesMemory, ...]:
        """Return what is to be remembered: the fullest that is known."""
        told = ((asset, self._fullest(asset)) for asset in self._prices)
        return tuple(prices.remember(asset) for asset, prices in told if prices is not None)

    def recall(
        self, memories: Iterable[PricesMemory], ticks: Iterable[ReferencePrice], now_ns: MonotonicNs
    ) -> None:
        """Wait with remembered prices, and with the ticks recorded since, for live ones."""
        remembered = {}
        for memory in memories:
            if memory.asset in self._prices:
                prices = remembered[memory.asset] = AssetPrices(self._interval_s)
                prices.recall(memory)
        for tick in ticks:
            if tick.asset in remembered:
                remembered[tick.asset].add(tick)
        for asset, prices in remembered.items():
            self._waiting[asset] = _Waiting(prices, now_ns)

    def _fullest(self, asset: Asset) -> AssetPrices | None:
        waiting = self._waiting.get(asset)
        return self._prices.get(asset) if waiting is None else waiting.prices
