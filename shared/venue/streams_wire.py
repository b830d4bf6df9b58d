"""Frames of the market and of the user WebSocket, in both directions.

A frame is an object or an array of objects; the only other text is PONG. Kinds that we do
not know are handed on as `UnknownFrame`, so that one new kind in an array loses nothing
else. There are no sequence numbers anywhere.
Source: https://docs.polymarket.com/asyncapi.json and asyncapi-user.json (2026-09-28) and
recorded production frames.
"""

from typing import Generic, Literal, TypeVar, get_args

import msgspec

from shared.venue.account_wire import MakerOrder
from shared.venue.market_wire import PriceLevel
from shared.venue.wire import Unread, Wire, WireNumber, decode

PING = "PING"
PONG = "PONG"

MARKET_STREAM_PATH = "/ws/market"
USER_STREAM_PATH = "/ws/user"

ASSETS_MAX = 500
"""Tokens on one connection; above it initial books are missing.
Source: https://github.com/nautechsystems/nautilus_trader/issues/2915."""


class MarketSubscription(Wire, frozen=True):
    """First frame to the market socket; `assets_ids` is the venue's spelling."""

    assets_ids: tuple[str, ...]
    type: str = "market"
    custom_feature_enabled: bool = False
    initial_dump: bool = True
    level: int = 2


class MarketOperation(Wire, frozen=True, omit_defaults=True):
    """Later frame to the market socket."""

    operation: Literal["subscribe", "unsubscribe"]
    assets_ids: tuple[str, ...]
    custom_feature_enabled: bool | None = None


class StreamAuth(Wire, frozen=True, rename="camel"):
    """Credentials in a subscription, as the user and the price socket want them."""

    api_key: str
    secret: str
    passphrase: str

    def __repr__(self) -> str:
        """Name the key, hide its secrets."""
        return f"StreamAuth(api_key={self.api_key!r}, secrets hidden)"


class UserSubscription(Wire, frozen=True):
    """First frame to the user socket; without `markets` it is for all."""

    auth: StreamAuth
    type: str = "user"
    markets: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class UserOperation(Wire, frozen=True):
    """Later frame to the user socket."""

    operation: Literal["subscribe", "unsubscribe"]
    markets: tuple[str, ...]


class Event(Wire, frozen=True, tag_field="event_type"):
    """A frame of the venue that says its kind."""


class BookFrame(Event, frozen=True, tag="book", omit_defaults=True):
    """A whole book: at subscription, and for both tokens after every trade.

    Attributes:
        tick_size: Missing after trades, as is `last_trade_price`.
        version: Present on markets of Protocol V2 only.
    """

    market: str
    asset_id: str
    timestamp: WireNumber
    hash: str
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]
    tick_size: WireNumber | None = None
    last_trade_price: str | None = None
    version: str | None = None


class PriceChangeEntry(Wire, frozen=True, omit_defaults=True):
    """One level's new total; the touch is that after the whole batch."""

    asset_id: str
    price: WireNumber
    size: WireNumber
    side: Literal["BUY", "SELL"]
    hash: str
    best_bid: WireNumber | None = None
    best_ask: WireNumber | None = None


class PriceChangeFrame(Event, frozen=True, tag="price_change"):
    """Levels changed by one order, for the token and its complement."""

    market: str
    price_changes: tuple[PriceChangeEntry, ...]
    timestamp: WireNumber


class LastTradeFrame(Event, frozen=True, tag="last_trade_price", omit_defaults=True):
    """A public trade, told for the taker's token only, after the books that follow from it."""

    market: str
    asset_id: str
    price: WireNumber
    size: WireNumber
    side: Literal["BUY", "SELL"]
    timestamp: WireNumber
    fee_rate_bps: WireNumber | None = None
    transaction_hash: str | None = None


class TickSizeFrame(Event, frozen=True, tag="tick_size_change"):
    """A new tick of one token; old and new have been seen equal."""

    market: str
    asset_id: str
    old_tick_size: WireNumber
    new_tick_size: WireNumber
    timestamp: WireNumber


class BestBidAskFrame(Event, frozen=True, tag="best_bid_ask", omit_defaults=True):
    """A new touch; only with custom features. An empty side is empty text or 0."""

    market: str
    asset_id: str
    best_bid: WireNumber
    best_ask: WireNumber
    timestamp: WireNumber
    spread: WireNumber | None = None


class ResolvedFrame(Event, frozen=True, tag="market_resolved", omit_defaults=True):
    """Which token won; only with custom features, and not reliably delivered."""

    market: str
    winning_asset_id: str
    timestamp: WireNumber
    winning_outcome: str = ""
    assets_ids: tuple[str, ...] = ()
    id: str = ""


class OrderFrame(Event, frozen=True, tag="order"):
    """An own order placed, updated or gone: judged by `status`, not by `type`.

    Attributes:
        original_size: Missing in some; the reader knows how large its order is.
        size_matched: Cumulative; empty or missing for a killed order.
        status: Free text after `CANCELED`; missing in the documentation's example.
        created_at: Seconds, empty, or milliseconds.
        timestamp: Milliseconds or seconds.
    """

    id: str
    market: str
    asset_id: str
    side: str
    price: WireNumber
    original_size: WireNumber | None = None
    size_matched: WireNumber | None = None
    type: str = ""
    timestamp: WireNumber | None = None
    status: str | None = ""
    owner: Unread = ""
    order_owner: Unread = ""
    outcome: Unread = ""
    associate_trades: tuple[str, ...] | None = None
    created_at: WireNumber | None = None
    expiration: Unread = "0"
    order_type: Unread = ""
    maker_address: Unread = ""


class TradeFrame(Event, frozen=True, tag="trade"):
    """A trade of ours, re-sent once for every status; its top-level fields are the taker's.

    Attributes:
        maker_orders: Null where no maker is told.
        match_time: Seconds; some frames spell it `matchtime`.
        timestamp: Milliseconds or seconds; where it is missing the other stamps stand for it.
    """

    id: str
    taker_order_id: str
    market: str
    asset_id: str
    side: str
    size: WireNumber
    price: WireNumber
    status: str
    timestamp: WireNumber | None = None
    maker_orders: tuple[MakerOrder, ...] | None = ()
    match_time: WireNumber | None = None
    matchtime: WireNumber | None = None
    last_update: WireNumber | None = None
    fee_rate_bps: Unread = None
    outcome: Unread = ""
    owner: Unread = ""
    trade_owner: Unread = ""
    maker_address: Unread = ""
    transaction_hash: Unread = None
    bucket_index: Unread = 0
    trader_side: Unread = ""
    type: Unread = "TRADE"


class UnknownFrame(msgspec.Struct, frozen=True):
    """An object of a kind that we do not know, or of none; `new_market` is one of them.

    Attributes:
        kind: Its `event_type`, empty when it has none.
    """

    kind: str


MarketFrame = (
    BookFrame | PriceChangeFrame | LastTradeFrame | TickSizeFrame | BestBidAskFrame | ResolvedFrame
)
UserFrame = OrderFrame | TradeFrame


class _Kind(Wire, frozen=True):
    event_type: str = ""


Frame = TypeVar("Frame")


class _Dialect(msgspec.Struct, Generic[Frame], frozen=True):
    """How the frames of one socket are decoded.

    Attributes:
        frames: A frame or an array of them, all of kinds that we know.
        frame: One frame.
        kinds: Those kinds.
    """

    name: str
    frames: msgspec.json.Decoder[Frame | tuple[Frame, ...]]
    frame: msgspec.json.Decoder[Frame]
    kinds: frozenset[str]


_MARKET: _Dialect[MarketFrame] = _Dialect(
    "market frame",
    msgspec.json.Decoder(MarketFrame | tuple[MarketFrame, ...]),
    msgspec.json.Decoder(MarketFrame),
    frozenset(kind.__struct_config__.tag for kind in get_args(MarketFrame)),
)
_USER: _Dialect[UserFrame] = _Dialect(
    "user frame",
    msgspec.json.Decoder(UserFrame | tuple[UserFrame, ...]),
    msgspec.json.Decoder(UserFrame),
    frozenset(kind.__struct_config__.tag for kind in get_args(UserFrame)),
)
_ELEMENTS = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_KIND = msgspec.json.Decoder(_Kind)

MARKET_SUBSCRIPTION = msgspec.json.Decoder(MarketSubscription)
MARKET_OPERATION = msgspec.json.Decoder(MarketOperation)
USER_SUBSCRIPTION = msgspec.json.Decoder(UserSubscription)
USER_OPERATION = msgspec.json.Decoder(UserOperation)


def is_pong(text: str) -> bool:
    """Tell whether a text is the answer to a ping and nothing besides; a newline may end it."""
    return text.strip() == PONG


def decode_market_frames(text: str | bytes) -> tuple[MarketFrame | UnknownFrame, ...]:
    """Return the frames in one text of the market socket, in order.

    Args:
        text: JSON; PONG is no frame and must be taken out before.

    Raises:
        Malformed: Not JSON, or a frame of a known kind lacks a key or has another type in it.
    """
    return _decode_frames(_MARKET, text)


def decode_user_frames(text: str | bytes) -> tuple[UserFrame | UnknownFrame, ...]:
    """Return the frames in one text of the user socket; see `decode_market_frames`.

    Raises:
        Malformed: See `decode_market_frames`.
    """
    return _decode_frames(_USER, text)


def _decode_frames(dialect: _Dialect[Frame], text: str | bytes) -> tuple[Frame | UnknownFrame, ...]:
    try:
        decoded = dialect.frames.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _decode_one_by_one(dialect, text)
    return decoded if isinstance(decoded, tuple) else (decoded,)


def _decode_one_by_one(
    dialect: _Dialect[Frame], text: str | bytes
) -> tuple[Frame | UnknownFrame, ...]:
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    if not raw.lstrip().startswith(b"["):
        return (_decode_element(dialect, raw, ""),)
    frames: list[Frame | UnknownFrame] = []
    elements = decode(_ELEMENTS, raw, dialect.name)
    for place, element in enumerate(elements):
        frame = _decode_element(dialect, bytes(element), f"[{place}]")
        frames.append(frame)
    return tuple(frames)


def _decode_element(dialect: _Dialect[Frame], raw: bytes, place: str) -> Frame | UnknownFrame:
    kind = decode(_KIND, raw, dialect.name + place).event_type
    if kind not in dialect.kinds:
        return UnknownFrame(kind)
    return decode(dialect.frame, raw, f"{dialect.name}{place} {kind}")
