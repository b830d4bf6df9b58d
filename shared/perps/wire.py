"""Frames and answers of Hyperliquid's public data, in both directions.

A data frame names its channel and holds `data`; a frame of ours names a `method`. Books come whole
each time, contexts without any stamp, and there are no sequence numbers. The live system reads with
these structs and the simulator writes with them.

Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
and .../info-endpoint/perpetuals (2026-09), and hyperliquid-python-sdk 0.20.
"""

from typing import Literal

import msgspec

from shared.venue.faults import Malformed
from shared.venue.wire import Wire, decode

PERP_STREAM_PATH = "/perp/ws"
"""Where the simulator serves it; the venue has a host of its own, and `/ws` there."""

INFO_PATH = "/info"

GREETING = "Websocket connection established."
"""Sent as plain text by some of its hosts before anything else.

Source: `WebsocketManager.on_message` of hyperliquid-python-sdk.
"""

CONTEXT_CHANNEL = "activeAssetCtx"
BOOK_CHANNEL = "l2Book"
TRADES_CHANNEL = "trades"
CHANNELS = (CONTEXT_CHANNEL, BOOK_CHANNEL, TRADES_CHANNEL)

LEVELS_MAX = 20
"""Of one side of a book."""

TakerSide = Literal["A", "B"]
TAKER_BUYS: TakerSide = "B"
TAKER_SELLS: TakerSide = "A"


class PerpSubscription(Wire, frozen=True, omit_defaults=True):
    """What is wanted of one coin.

    Attributes:
        coin: Upper case: `BTC`.
        fast: Of a book: five levels a side every half second, instead of twenty every five.
            Source: https://github.com/pmxt-dev/pmxt/issues/1879 (2026-07-26).
    """

    type: str
    coin: str
    fast: bool | None = None


class PerpRequest(Wire, frozen=True, omit_defaults=True):
    """A frame of ours.

    Attributes:
        method: `subscribe`, `unsubscribe` or `ping`.
    """

    method: str
    subscription: PerpSubscription | None = None


class PerpSubscribed(Wire, frozen=True):
    """A subscription, as it was taken."""

    method: str
    subscription: PerpSubscription


class PerpCtx(Wire, frozen=True, rename="camel"):
    """Numbers of one coin; without a book premium, mid and impact prices are null.

    Attributes:
        funding: Of one hour.
        open_interest: In coins.
        day_ntl_vlm: In USD.
    """

    funding: str
    open_interest: str
    oracle_px: str
    mark_px: str
    day_ntl_vlm: str
    prev_day_px: str = "0"
    premium: str | None = None
    mid_px: str | None = None
    impact_pxs: tuple[str, str] | None = None
    day_base_vlm: str = "0"


class PerpCoinCtx(Wire, frozen=True):
    """The numbers of a named coin."""

    coin: str
    ctx: PerpCtx


class PerpLevelRow(Wire, frozen=True):
    """One level: price, coins, and how many orders rest there."""

    px: str
    sz: str
    n: int = 1


class PerpBookData(Wire, frozen=True):
    """A book: bids, then asks, each with its best level first.

    Attributes:
        time: Milliseconds.
    """

    coin: str
    levels: tuple[tuple[PerpLevelRow, ...], tuple[PerpLevelRow, ...]]
    time: int


class PerpTradeRow(Wire, frozen=True):
    """One trade.

    Attributes:
        side: Of the taker: `B` buys, `A` sells.
        tid: Unique among the trades of a coin.
        users: Buyer and seller.
    """

    coin: str
    side: TakerSide
    px: str
    sz: str
    time: int
    tid: int
    hash: str = ""
    users: tuple[str, ...] = ()


class PerpAsset(Wire, frozen=True, rename="camel"):
    """One coin of the universe."""

    name: str
    sz_decimals: int = 0


class PerpMeta(Wire, frozen=True):
    """Every coin; a context has the place of its coin."""

    universe: tuple[PerpAsset, ...]


class InfoRequest(Wire, frozen=True, omit_defaults=True):
    """Body of a `POST /info`.

    Attributes:
        type: `metaAndAssetCtxs`, or `l2Book` with a coin.
    """

    type: str
    coin: str = ""


class SubscribedFrame(Wire, frozen=True):
    """Answer to a subscription."""

    data: PerpSubscribed
    channel: str = "subscriptionResponse"


class ErrorFrame(Wire, frozen=True):
    """Something of ours was refused; `data` says it in prose."""

    data: str
    channel: str = "error"


class PongFrame(Wire, frozen=True):
    """Answer to a ping."""

    channel: str = "pong"


class ContextFrame(Wire, frozen=True):
    """The context of one coin."""

    data: PerpCoinCtx
    channel: str = CONTEXT_CHANNEL


class BookFrame(Wire, frozen=True):
    """The book of one coin."""

    data: PerpBookData
    channel: str = BOOK_CHANNEL


class TradesFrame(Wire, frozen=True):
    """Trades of one coin, the first time after a subscription the most recent ones."""

    data: tuple[PerpTradeRow, ...]
    channel: str = TRADES_CHANNEL


class OtherFrame(Wire, frozen=True):
    """A channel that nobody here has asked for."""

    channel: str


PerpFrame = (
    SubscribedFrame | ErrorFrame | PongFrame | ContextFrame | BookFrame | TradesFrame | OtherFrame
)

PERP_REQUEST = msgspec.json.Decoder(PerpRequest)
INFO_REQUEST = msgspec.json.Decoder(InfoRequest)
META_AND_CONTEXTS = msgspec.json.Decoder(tuple[PerpMeta, tuple[PerpCtx, ...]])
_CHANNEL = msgspec.json.Decoder(OtherFrame)
_DECODERS: dict[str, msgspec.json.Decoder[PerpFrame]] = {
    "subscriptionResponse": msgspec.json.Decoder(SubscribedFrame),
    "error": msgspec.json.Decoder(ErrorFrame),
    "pong": msgspec.json.Decoder(PongFrame),
    CONTEXT_CHANNEL: msgspec.json.Decoder(ContextFrame),
    BOOK_CHANNEL: msgspec.json.Decoder(BookFrame),
    TRADES_CHANNEL: msgspec.json.Decoder(TradesFrame),
}


def decode_perp_frame(text: str | bytes) -> PerpFrame:
    """Return one frame of the venue.

    Raises:
        Malformed: Not JSON, or not the shape that a frame of its channel has.
    """
    other = decode(_CHANNEL, text, "perp frame")
    decoder = _DECODERS.get(other.channel)
    return other if decoder is None else decode(decoder, text, f"perp {other.channel}")


def decode_contexts(body: bytes) -> dict[str, PerpCtx]:
    """Return the context of every coin in an answer to `metaAndAssetCtxs`.

    Raises:
        Malformed: Not JSON, not that shape, or not one context a coin.
    """
    meta, contexts = decode(META_AND_CONTEXTS, body, "perp contexts")
    if len(meta.universe) != len(contexts):
        what = f"{len(contexts)} contexts of {len(meta.universe)} coins"
        raise Malformed("perp contexts", what)
    return {coin.name: ctx for coin, ctx in zip(meta.universe, contexts, strict=True)}
