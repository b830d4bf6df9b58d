"""From frames of the older price socket to ticks of an underlying.

Only what the oracle itself has told exactly becomes a tick: Chainlink's spot price and its 60 s
average in whole 1e-18 dollars. The backfill of spot prices is rounded to doubles and is left out.

Source: frames recorded in production on 5 September 2026.
"""

from shared.facts import ReferencePrice
from shared.identifiers import Asset
from shared.settlement import SPOT_SOURCE, TWAP_SOURCE
from shared.units import MonotonicNs, ReferenceE18
from shared.venue.decimals import parse_integer, parse_wall_ms
from shared.venue.faults import Malformed, Unparseable
from shared.venue.rtds_wire import (
    BACKFILL_TOPIC,
    CHAINLINK_TOPIC,
    TWAP_TOPIC,
    TWAP_WINDOW_S,
    RtdsData,
    RtdsPoint,
)

POINTS_MAX = 4_096
"""A backfill holds about sixty points, two minutes at most; more is no backfill."""

_CURRENCY = "/usd"


def rtds_prices(frame: RtdsData, received_ns: MonotonicNs) -> tuple[ReferencePrice, ...]:
    """Return the ticks in a frame, as sent; none for a topic or a point that proves nothing.

    Args:
        frame: An update or a backfill.
        received_ns: When it reached the edge.

    Raises:
        WireFault: A field cannot be what it has to be.
    """
    payload = frame.payload
    if frame.topic == BACKFILL_TOPIC or frame.topic not in (CHAINLINK_TOPIC, TWAP_TOPIC):
        return ()
    is_average = frame.topic == TWAP_TOPIC
    if is_average and payload.window_s != TWAP_WINDOW_S:
        raise Unparseable("window_s", str(payload.window_s))
    points = payload.data
    if points is None:
        if payload.timestamp is None:
            raise Malformed("rtds data", "neither data nor timestamp")
        points = (RtdsPoint(payload.timestamp, payload.full_accuracy_value),)
    if len(points) > POINTS_MAX:
        raise Malformed("rtds data", f"{len(points)} points")
    asset = _asset(payload.symbol)
    return tuple(
        ReferencePrice(
            asset=asset,
            source=TWAP_SOURCE if is_average else SPOT_SOURCE,
            value_e18=_value(point.full_accuracy_value),
            venue_ms=parse_wall_ms(point.timestamp, "timestamp"),
            received_ns=received_ns,
            is_history=payload.data is not None,
            socket="legacy",
        )
        for point in points
        if point.full_accuracy_value is not None
    )


def _asset(symbol: str) -> Asset:
    asset = symbol.removesuffix(_CURRENCY)
    if asset == symbol or not asset or asset != asset.lower():
        raise Unparseable("symbol", symbol)
    return Asset(asset)


def _value(text: str) -> ReferenceE18:
    value = parse_integer(text, "full_accuracy_value")
    if value <= 0:
        raise Unparseable("full_accuracy_value", text)
    return ReferenceE18(value)
