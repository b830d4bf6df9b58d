"""Messages of placing, cancelling and keeping alive orders, as JSON of the venue.

Shapes only; what an answer means is judged in `outcomes.py`.
Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28), with what
production has been seen to answer otherwise.
"""

from typing import Literal

import msgspec

from shared.facts import Side
from shared.identifiers import OrderHash
from shared.venue.order_hash import BUY_CODE, BYTES32_ZERO, SELL_CODE, UnsignedOrder
from shared.venue.wire import Wire, WireNumber

OrderType = Literal["GTC", "GTD", "FOK", "FAK"]

ORDER_PATH = "/order"
ORDERS_PATH = "/orders"
CANCEL_ALL_PATH = "/cancel-all"
CANCEL_MARKET_PATH = "/cancel-market-orders"
HEARTBEAT_PATH = "/v1/heartbeats"

BATCH_ORDERS_MAX = 15
"""Orders in one POST /orders; the venue refuses the whole batch above it."""

BATCH_CANCELS_MAX = 1_000
"""Ids in one DELETE /orders; the venue refuses the whole request above it."""


class SignedOrder(Wire, frozen=True, rename="camel"):
    """The signed order inside a post; amounts are integers of 1e-6 as text.

    Attributes:
        expiration: Unix seconds, `0` unless GTD; not part of what is signed.
        timestamp: Milliseconds.
    """

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: str
    taker_amount: str
    side: Side
    expiration: str
    signature_type: int
    timestamp: str
    metadata: str
    builder: str
    signature: str


class PostOrder(Wire, frozen=True, rename="camel"):
    """Body of POST /order, and one element of POST /orders.

    Attributes:
        owner: The API key.
    """

    order: SignedOrder
    owner: str
    order_type: OrderType = "GTC"
    defer_exec: bool = False
    post_only: bool = False


class PostReply(Wire, frozen=True, rename="camel"):
    """Answer to one posted order; every key may be missing, so none is trusted alone.

    Attributes:
        making_amount: Human decimal; empty or `0` for an order that only rests.
    """

    success: bool | None = None
    error_msg: str | None = None
    order_id: str | None = msgspec.field(default=None, name="orderID")
    status: str | None = None
    making_amount: WireNumber | None = None
    taking_amount: WireNumber | None = None
    trade_ids: tuple[str, ...] | None = msgspec.field(default=None, name="tradeIDs")
    transactions_hashes: tuple[str, ...] | None = None


class CancelOrder(Wire, frozen=True):
    """Body of DELETE /order; DELETE /orders has a bare array of ids."""

    order_id: str = msgspec.field(name="orderID")


class CancelMarketOrders(Wire, frozen=True, omit_defaults=True):
    """Body of DELETE /cancel-market-orders; either key or both."""

    market: str | None = None
    asset_id: str | None = None


class CancelReply(Wire, frozen=True):
    """Answer to every cancel.

    Attributes:
        canceled: Ids that are gone; null for none.
        not_canceled: Ids with the venue's prose; null for none.
    """

    canceled: tuple[str, ...] | None
    not_canceled: dict[str, str] | None


class HeartbeatRequest(Wire, frozen=True):
    """Body of POST /v1/heartbeats.

    Attributes:
        heartbeat_id: Of the last answer; empty for the first.
    """

    heartbeat_id: str


class HeartbeatReply(Wire, frozen=True):
    """Answer 200: the id to send next."""

    heartbeat_id: str


class HeartbeatRefusal(Wire, frozen=True):
    """Answer 400: the id that was expected, which may be empty; the beat did not count."""

    error_msg: str
    heartbeat_id: str


class ErrorBody(Wire, frozen=True, omit_defaults=True):
    """Answer of a refused request.

    Attributes:
        code: Only some refusals carry one, as `post_only_mode`.
        retry_after_seconds: Beside that code.
    """

    error: str
    code: str | None = None
    retry_after_seconds: WireNumber | None = None


POST_ORDER = msgspec.json.Decoder(PostOrder)
POST_ORDERS = msgspec.json.Decoder(tuple[PostOrder, ...])
POST_REPLY = msgspec.json.Decoder(PostReply)
CANCEL_ORDER = msgspec.json.Decoder(CancelOrder)
CANCEL_ORDERS = msgspec.json.Decoder(tuple[str, ...])
CANCEL_MARKET_ORDERS = msgspec.json.Decoder(CancelMarketOrders)
CANCEL_REPLY = msgspec.json.Decoder(CancelReply)
HEARTBEAT_REQUEST = msgspec.json.Decoder(HeartbeatRequest)
HEARTBEAT_REPLY = msgspec.json.Decoder(HeartbeatReply)
HEARTBEAT_REFUSAL = msgspec.json.Decoder(HeartbeatRefusal)
ERROR_BODY = msgspec.json.Decoder(ErrorBody)


def to_signed_order(order: UnsignedOrder, expiration_s: int, signature: str) -> SignedOrder:
    """Return the wire form of an order with its signature.

    Args:
        order: As it was signed.
        expiration_s: Unix seconds of a GTD order, 0 for every other type.
        signature: 0x and hex.
    """
    assert order.side_code in (BUY_CODE, SELL_CODE)
    return SignedOrder(
        salt=order.salt,
        maker=order.maker,
        signer=order.signer,
        token_id=order.token_id,
        maker_amount=str(order.maker_amount),
        taker_amount=str(order.taker_amount),
        side="BUY" if order.side_code == BUY_CODE else "SELL",
        expiration=str(expiration_s),
        signature_type=order.signature_type,
        timestamp=str(order.timestamp_ms),
        metadata=order.metadata,
        builder=order.builder,
        signature=signature,
    )


def to_unsigned_order(order: SignedOrder) -> UnsignedOrder:
    """Return the signed members of an order from its wire form, for its hash.

    Raises:
        ValueError: An amount or the timestamp is not a whole number.
    """
    for text in (order.maker_amount, order.taker_amount, order.timestamp):
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"not a whole number: {text[:80]!r}")
    return UnsignedOrder(
        salt=order.salt,
        maker=order.maker,
        signer=order.signer,
        token_id=order.token_id,
        maker_amount=int(order.maker_amount),
        taker_amount=int(order.taker_amount),
        side_code=BUY_CODE if order.side == "BUY" else SELL_CODE,
        signature_type=order.signature_type,
        timestamp_ms=int(order.timestamp),
        metadata=order.metadata or BYTES32_ZERO,
        builder=order.builder or BYTES32_ZERO,
    )


def accepted_reply(order_id: OrderHash, status: str) -> PostReply:
    """Return the answer that the venue gives to an order that it took without a match."""
    return PostReply(
        success=True,
        error_msg="",
        order_id=order_id,
        status=status,
        making_amount="",
        taking_amount="",
        trade_ids=(),
        transactions_hashes=(),
    )


def refused_reply(error_msg: str) -> PostReply:
    """Return the answer that the venue gives to a refused element of a batch."""
    return PostReply(
        success=False,
        error_msg=error_msg,
        order_id="",
        status="",
        making_amount="",
        taking_amount="",
        trade_ids=(),
        transactions_hashes=(),
    )
