"""Frames of the price WebSocket (PolyBolt), in both directions.

Sequence numbers are dense per channel and connection, the snapshot included; a frame may
say how many before it were dropped for a slow reader.
Source: https://docs.polymarket.com/api-reference/live-data/overview and
https://docs.polymarket.com/api-reference/wss/polybolt (2026-09-28), with a recorded head of
the venue's staging stream.
"""

from typing import Literal

import msgspec

from shared.venue.faults import Malformed
from shared.venue.streams_wire import StreamAuth
from shared.venue.wire import Wire, WireNumber, decode

PRICE_STREAM_PATH = "/ws"

CRYPTO_CHANNEL = "price.crypto"
CRYPTO_TWAP_CHANNEL = "price.crypto.twap"

TWAP_WINDOW_S = 60
"""The only average that the venue offers, and the one on which it settles."""

CLOSE_AUTH = 4001
CLOSE_SLOW = 4002
CLOSE_DRAINING = 4003
CLOSE_POLICY = 4008
"""After a policy close the venue asks not to reconnect blindly."""


class PriceFilter(Wire, frozen=True, omit_defaults=True):
    """What of a channel is wanted.

    Attributes:
        symbol: Lower case with currency: `btcusd`.
        window_seconds: Of an average.
        provider: `chainlink` or `pyth`; the venue chooses when it is left out.
    """

    symbol: str
    window_seconds: int | None = None
    provider: str | None = None


class PriceSubscription(Wire, frozen=True, omit_defaults=True):
    """One channel with its filter."""

    channel: str
    filter: PriceFilter | None = None


class PriceOperation(Wire, frozen=True, tag_field="op"):
    """A frame of ours."""


class PriceAuth(PriceOperation, frozen=True, tag="auth"):
    """First frame."""

    auth: StreamAuth
    rid: str = ""


class PriceSubscribe(PriceOperation, frozen=True, tag="subscribe"):
    """Answered by one `PriceSubscribed` for every item."""

    subscriptions: tuple[PriceSubscription, ...]
    rid: str = ""


class PriceUnsubscribe(PriceOperation, frozen=True, tag="unsubscribe"):
    """Ends subscriptions."""

    subscriptions: tuple[PriceSubscription, ...]
    rid: str = ""


class PricePing(PriceOperation, frozen=True, tag="ping"):
    """Answered by `PricePong` with the same rid."""

    rid: str = ""


class PriceAnswer(Wire, frozen=True, tag_field="op", omit_defaults=True):
    """A frame of the venue that answers one of ours; it has a rid when ours had one."""


class PriceAuthed(PriceAnswer, frozen=True, omit_defaults=True, tag="authed"):
    """The credentials were taken."""

    rid: str = ""


class PriceSubscribed(PriceAnswer, frozen=True, omit_defaults=True, tag="subscribed"):
    """One item of a subscription was taken."""

    channel: str
    rid: str = ""


class PriceUnsubscribed(PriceAnswer, frozen=True, omit_defaults=True, tag="unsubscribed"):
    """One item of a subscription has ended."""

    channel: str = ""
    rid: str = ""


class PricePong(PriceAnswer, frozen=True, omit_defaults=True, tag="pong"):
    """Answer to a ping."""

    rid: str = ""


class PriceError(PriceAnswer, frozen=True, omit_defaults=True, tag="error"):
    """A frame of ours was refused.

    Attributes:
        code: `bad_op`, `bad_channel`, `bad_filter`, `sub_limit`, `rate_limited` or one of the
            `auth_` codes.
        channel: Of the one item that was refused; empty when the whole frame was.
    """

    code: str
    rid: str = ""
    channel: str = ""
    message: str = ""


class PricePoint(Wire, frozen=True, omit_defaults=True):
    """One price of a snapshot.

    Attributes:
        timestamp: Milliseconds.
        full_accuracy_value: Decimal text; `value` is the same rounded to a double.
    """

    timestamp: WireNumber
    value: WireNumber | None = None
    full_accuracy_value: str | None = None


class PricePayload(Wire, frozen=True, omit_defaults=True):
    """A snapshot, which has `data`, or one update, which has the point itself.

    Attributes:
        data: The two minutes before a subscription, perhaps none.
        source: Who measured: `chainlink`, `pyth`.
        is_carried_forward: The source had no newer price; this one is repeated.
    """

    symbol: str = ""
    source: str = ""
    data: tuple[PricePoint, ...] | None = None
    timestamp: WireNumber | None = None
    value: WireNumber | None = None
    full_accuracy_value: str | None = None
    window_seconds: int | None = None
    received_at: WireNumber | None = None
    is_carried_forward: bool | None = None


class PriceData(Wire, frozen=True, omit_defaults=True):
    """A data frame.

    Attributes:
        v: `PROTOCOL_VERSION`.
        seq: Dense per channel and connection, from 1.
        ts: Server's send time, milliseconds.
        snapshot: True on the first frame of a subscription.
        dropped: Frames lost before this one, for a slow reader.
    """

    v: int
    channel: str
    seq: int
    ts: int
    payload: PricePayload
    snapshot: bool = False
    dropped: int = 0


Answer = PriceAuthed | PriceSubscribed | PriceUnsubscribed | PricePong | PriceError
Operation = PriceAuth | PriceSubscribe | PriceUnsubscribe | PricePing
PriceFrame = Answer | PriceData


class _Op(Wire, frozen=True):
    op: str = ""


PROTOCOL_VERSION = 1

PRICE_OPERATION: msgspec.json.Decoder[Operation] = msgspec.json.Decoder(Operation)
_ANSWER: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
_DATA = msgspec.json.Decoder(PriceData)
_OP = msgspec.json.Decoder(_Op)

ErrorCode = Literal[
    "bad_op",
    "bad_channel",
    "bad_filter",
    "sub_limit",
    "rate_limited",
    "auth_required",
    "auth_unavailable",
    "auth_expired",
    "auth_attempts",
    "auth_invalid",
]


def decode_price_frame(text: str | bytes) -> PriceFrame:
    """Return one frame of the venue.

    Raises:
        Malformed: Not JSON, of an unknown kind, or of another protocol version.
    """
    if decode(_OP, text, "price frame").op:
        return decode(_ANSWER, text, "price answer")
    data = decode(_DATA, text, "price data")
    if data.v != PROTOCOL_VERSION:
        raise Malformed("price data", f"protocol version {data.v}")
    return data
