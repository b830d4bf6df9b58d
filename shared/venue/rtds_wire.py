"""Frames of the older price WebSocket (RTDS), in both directions.

The socket takes anybody, begins with an empty frame and answers no `PING`. A filter is compared
as text: it must be compact JSON, since with a space in it only the opening backfill comes, and
a list of symbols matches none. One unknown topic spoils a whole subscription.

Source: frames recorded in production on 5 September 2026;
https://github.com/Polymarket/real-time-data-client/issues/26, /34 and /35.
"""

import msgspec

from shared.venue.faults import Malformed
from shared.venue.wire import Wire, WireNumber, decode

CHAINLINK_TOPIC = "crypto_prices_chainlink"
TWAP_TOPIC = "crypto_prices_twap_sixty"
BACKFILL_TOPIC = "crypto_prices"
"""Label of the backfill of Chainlink's prices too: they are told apart by the symbol's spelling."""

RTDS_PING = "PING"
"""The venue asks for it every 5 s and answers nothing."""

TWAP_WINDOW_S = 60


class RtdsItem(Wire, frozen=True):
    """One topic, with compact JSON text that names one symbol."""

    topic: str
    type: str
    filters: str


class RtdsSubscribe(Wire, frozen=True):
    """A frame of ours."""

    subscriptions: tuple[RtdsItem, ...]
    action: str = "subscribe"


class RtdsPoint(Wire, frozen=True):
    """One price.

    Attributes:
        timestamp: Milliseconds, whole seconds.
        full_accuracy_value: Whole number of 1e-18 dollars on the oracle's own topics; the
            backfill of spot prices has none, and `value` is a double.
    """

    timestamp: WireNumber
    full_accuracy_value: str | None = None


class RtdsPayload(Wire, frozen=True):
    """One update, which has the point itself, or a backfill, which has `data`."""

    symbol: str = ""
    data: tuple[RtdsPoint, ...] | None = None
    timestamp: WireNumber | None = None
    full_accuracy_value: str | None = None
    window_s: int | None = None


class RtdsData(Wire, frozen=True):
    """A frame with prices: `type` is `update`, or `subscribe` for the backfill."""

    topic: str
    type: str
    payload: RtdsPayload


class _RtdsRefusal(Wire, frozen=True, rename="camel"):
    status_code: int | None = None


_DATA = msgspec.json.Decoder(RtdsData)
_REFUSAL = msgspec.json.Decoder(_RtdsRefusal)


def symbol_filter(asset: str) -> str:
    """Return the filter of an underlying, without any space."""
    return f'{{"symbol":"{asset}/usd"}}'


def rtds_subscription(assets: tuple[str, ...]) -> RtdsSubscribe:
    """Return the frame that subscribes spot and average of some underlyings."""
    return RtdsSubscribe(
        tuple(
            RtdsItem(topic, "update", symbol_filter(asset))
            for asset in assets
            for topic in (CHAINLINK_TOPIC, TWAP_TOPIC)
        )
    )


def decode_rtds_frame(text: str) -> RtdsData | int | None:
    """Return prices, the status of a refused subscription, or None for the empty first frame.

    Raises:
        Malformed: Not JSON, or of an unknown kind.
    """
    if not text:
        return None
    refused = decode(_REFUSAL, text, "rtds frame").status_code
    if refused is not None:
        return refused
    data = decode(_DATA, text, "rtds data")
    if data.type not in ("update", "subscribe"):
        raise Malformed("rtds data", f"type {data.type}")
    return data
