"""What the price socket tells: a tick, or the two minutes before a subscription.

Source: https://docs.polymarket.com/api-reference/wss/polybolt (2026-09-28) and a recorded
head of the venue's staging stream.
"""

from collections.abc import Iterable

import msgspec

from services.simulator.oracles.oracle import Tick
from shared.identifiers import Asset
from shared.venue.decimals import format_scaled
from shared.venue.prices_wire import (
    CRYPTO_CHANNEL,
    CRYPTO_TWAP_CHANNEL,
    TWAP_WINDOW_S,
    PricePayload,
    PricePoint,
    PriceSubscription,
)

_E8_PLACES = 8
_CURRENCY = "usd"
_SOURCES = {CRYPTO_CHANNEL: ("pyth", "chainlink"), CRYPTO_TWAP_CHANNEL: ("chainlink", "pyth")}
"""Who measures, the one that serves when nobody is named first."""

EQUITY_CHANNELS = ("price.equity", "price.equity.twap")
"""Known, and without any symbol here."""


class Wish(msgspec.Struct, frozen=True):
    """One subscription: a channel, an asset, and whose prices."""

    channel: str
    asset: Asset
    source: str


def is_known(channel: str) -> bool:
    """Tell whether the venue has a channel."""
    return channel in _SOURCES or channel in EQUITY_CHANNELS


def wish_of(item: PriceSubscription, assets: Iterable[Asset]) -> Wish | None:
    """Return what a subscription asks for, None when there is no such thing."""
    if item.filter is None or item.channel not in _SOURCES:
        return None
    wanted, sources = item.filter, _SOURCES[item.channel]
    asset = Asset(wanted.symbol.removesuffix(_CURRENCY))
    if asset not in assets or not wanted.symbol.endswith(_CURRENCY):
        return None
    is_twap = item.channel == CRYPTO_TWAP_CHANNEL
    if wanted.window_seconds not in ((None, TWAP_WINDOW_S) if is_twap else (None,)):
        return None
    source = wanted.provider or sources[0]
    return Wish(item.channel, asset, source) if source in sources else None


def moved(tick: Tick, percent: int) -> Tick:
    """Return a tick as a source tells it that is so many percent of the true price."""
    if percent == 100:
        return tick
    return msgspec.structs.replace(
        tick,
        price_e8=max(1, tick.price_e8 * percent // 100),
        twap_e8=max(1, tick.twap_e8 * percent // 100),
    )


def update(wish: Wish, tick: Tick) -> PricePayload:
    """Return one tick."""
    point = _point(wish, tick)
    return msgspec.structs.replace(
        _empty(wish),
        timestamp=point.timestamp,
        value=point.value,
        full_accuracy_value=point.full_accuracy_value,
    )


def snapshot(wish: Wish, ticks: Iterable[Tick]) -> PricePayload:
    """Return the ticks before a subscription, perhaps none."""
    return msgspec.structs.replace(_empty(wish), data=tuple(_point(wish, tick) for tick in ticks))


def _empty(wish: Wish) -> PricePayload:
    is_twap = wish.channel == CRYPTO_TWAP_CHANNEL
    return PricePayload(
        symbol=f"{wish.asset}{_CURRENCY}",
        source=wish.source,
        window_seconds=TWAP_WINDOW_S if is_twap else None,
    )


def _point(wish: Wish, tick: Tick) -> PricePoint:
    value = tick.twap_e8 if wish.channel == CRYPTO_TWAP_CHANNEL else tick.price_e8
    return PricePoint(
        timestamp=tick.at_ms,
        value=value / 10**_E8_PLACES,
        full_accuracy_value=format_scaled(value, _E8_PLACES),
    )
