"""From data frames of the price socket to ticks of an underlying.

Sequence numbers are the connection's business, not judged here.
Source: https://docs.polymarket.com/api-reference/live-data/overview (2026-09-28).
"""

from shared.facts import ReferencePrice
from shared.identifiers import Asset
from shared.units import MonotonicNs
from shared.venue.decimals import parse_reference, parse_wall_ms
from shared.venue.faults import Malformed, Unparseable
from shared.venue.prices_wire import (
    CRYPTO_CHANNEL,
    CRYPTO_TWAP_CHANNEL,
    TWAP_WINDOW_S,
    PriceData,
    PriceFilter,
    PricePayload,
    PricePoint,
)

TWAP_SOURCE = "chainlink_twap_60"
"""Name of the average on which crypto windows settle."""

POINTS_MAX = 4_096
"""A snapshot holds two minutes at about one point a second; more is no snapshot."""

_CURRENCY = "usd"
_SOURCES = frozenset({"chainlink", "pyth", "binance"})


def reference_prices(
    frame: PriceData, received_ns: MonotonicNs, subscribed: PriceFilter | None = None
) -> tuple[ReferencePrice, ...]:
    """Return the ticks in a data frame, as sent.

    A tick that the source only carried forward is left out: its stamp is new, its price is
    not. So is a channel that we do not use.

    Args:
        frame: An update or a snapshot.
        received_ns: When it reached the edge.
        subscribed: The only filter subscribed on this channel of this connection, for frames
            that leave symbol or source out, as a recorded snapshot does; None when there are
            several.

    Raises:
        WireFault: A field cannot be what it has to be.
    """
    payload = frame.payload
    if frame.channel not in (CRYPTO_CHANNEL, CRYPTO_TWAP_CHANNEL) or payload.is_carried_forward:
        return ()
    if subscribed is not None and payload.symbol not in ("", subscribed.symbol):
        raise Malformed("price data", f"{payload.symbol} was not subscribed")
    asset = asset_of_symbol(payload.symbol or (subscribed.symbol if subscribed else ""))
    source = _source(frame.channel, payload, (subscribed and subscribed.provider) or "")
    points = (_own_point(payload),) if payload.data is None else payload.data
    if len(points) > POINTS_MAX:
        raise Malformed("price data", f"{len(points)} points")
    return tuple(
        ReferencePrice(
            asset=asset,
            source=source,
            value_e18=parse_reference(_value(point), "value"),
            venue_ms=parse_wall_ms(point.timestamp, "timestamp"),
            received_ns=received_ns,
            is_history=payload.data is not None,
        )
        for point in points
    )


def asset_of_symbol(symbol: str) -> Asset:
    """Return the underlying of a symbol such as `btcusd`.

    Raises:
        Unparseable: It is not priced in dollars.
    """
    asset = symbol.removesuffix(_CURRENCY)
    if asset == symbol or not asset or asset != asset.lower():
        raise Unparseable("symbol", symbol)
    return Asset(asset)


def symbol_of_asset(asset: Asset) -> str:
    """Return the symbol under which an underlying is subscribed."""
    return f"{asset}{_CURRENCY}"


def _source(channel: str, payload: PricePayload, provider: str) -> str:
    if channel == CRYPTO_TWAP_CHANNEL:
        if payload.window_seconds not in (None, TWAP_WINDOW_S):
            raise Unparseable("window_seconds", payload.window_seconds)
        if payload.source not in ("", "chainlink"):
            raise Unparseable("source", payload.source)
        return TWAP_SOURCE
    source = payload.source or provider
    if source not in _SOURCES:
        raise Unparseable("source", source)
    return source


def _own_point(payload: PricePayload) -> PricePoint:
    if payload.timestamp is None:
        raise Malformed("price data", "neither data nor timestamp")
    return PricePoint(payload.timestamp, payload.value, payload.full_accuracy_value)


def _value(point: PricePoint) -> str | int | float:
    value = point.full_accuracy_value or point.value
    if value is None:
        raise Malformed("price data", "a point without a value")
    return value
