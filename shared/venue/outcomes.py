"""What an answer to a post means: accepted, rejected by name, or UNKNOWN.

UNKNOWN is nobody having said anything that can be trusted; it is resolved by asking the
venue, never by sending again. So an order is accepted only when every part of the answer
says so, and rejected only when the venue gives a reason that is known to be final.
Source: https://docs.polymarket.com/resources/error-codes (2026-09-28); the success that is
none: https://github.com/Polymarket/rs-clob-client/issues/114.
"""

from collections.abc import Sequence

import msgspec

from shared.identifiers import OrderHash, TradeId
from shared.venue.faults import Malformed
from shared.venue.orders_wire import (
    ERROR_BODY,
    HEARTBEAT_REFUSAL,
    HEARTBEAT_REPLY,
    POST_REPLIES,
    POST_REPLY,
    PostReply,
)
from shared.venue.refusals import TEXT_CHARS_MAX, Doubt, Refusal, classify
from shared.venue.wire import decode

ACCEPTED_STATUSES = frozenset({"live", "matched", "delayed", "unmatched"})
"""Words with which the venue says that it took an order; see `Accepted.status`."""


class Accepted(msgspec.Struct, frozen=True):
    """The venue has the order.

    Attributes:
        status: `live` rests; `matched` was at least partly executed; `delayed` is held and
            cannot be cancelled yet; `unmatched` rests after a hold.
        trades: Trades already made, for asking about them.
        making: Amount given, as sent; evidence only, since its scale is not certain.
        taking: Amount received, likewise.
    """

    order_id: OrderHash
    status: str
    trades: tuple[TradeId, ...]
    making: str
    taking: str


class Rejected(msgspec.Struct, frozen=True):
    """The venue refuses, so the order is not and will not be in the market.

    Attributes:
        reason: Why, in our words.
        text: Why, in the venue's.
    """

    reason: Refusal
    text: str


class Unknown(msgspec.Struct, frozen=True):
    """Nobody has said what became of it.

    Attributes:
        why: What is wrong with the answer.
        text: The venue's words, or what could not be read.
    """

    why: Doubt
    text: str


Outcome = Accepted | Rejected | Unknown


def judge_post(status: int, body: bytes, order_id: OrderHash) -> Outcome:
    """Return what became of the order of one POST /order.

    Args:
        status: HTTP status.
        body: As received, which may be anything.
        order_id: The order's own hash, known before it was sent.
    """
    if status != _OK:
        return judge_refusal(status, body)
    try:
        reply = decode(POST_REPLY, body, "post reply")
    except Malformed as fault:
        return Unknown(Doubt.GARBLED, _cut(str(fault)))
    return _judge_reply(reply, order_id)


def judge_posts(status: int, body: bytes, order_ids: Sequence[OrderHash]) -> tuple[Outcome, ...]:
    """Return what became of each order of one POST /orders, in the order of sending.

    Refused elements bear no id, so they are told apart by place; when any id is out of place,
    only orders that are named are judged and the others are unknown.
    """
    if status != _OK:
        return (judge_refusal(status, body),) * len(order_ids)
    try:
        replies = decode(POST_REPLIES, body, "post replies")
    except Malformed as fault:
        return (Unknown(Doubt.GARBLED, _cut(str(fault))),) * len(order_ids)
    if len(replies) != len(order_ids):
        text = f"{len(replies)} answers to {len(order_ids)} orders"
        return (Unknown(Doubt.CONTRADICTORY, text),) * len(order_ids)
    if all(
        _is_id_of(reply, order_id) or not reply.order_id
        for reply, order_id in zip(replies, order_ids, strict=True)
    ):
        return tuple(
            _judge_reply(reply, order_id)
            for reply, order_id in zip(replies, order_ids, strict=True)
        )
    return tuple(_judge_named(replies, order_id) for order_id in order_ids)


def judge_refusal(status: int, body: bytes) -> Rejected | Unknown:
    """Return what an answer other than 200 says of everything in its request."""
    text = error_text(body)
    by_status = _BY_STATUS.get(status)
    if by_status is not None:
        return Rejected(by_status, _cut(text if text is not None else f"HTTP {status}"))
    if text is None:
        return Unknown(Doubt.GARBLED, f"HTTP {status} without the venue's error")
    meaning = classify(text)
    if isinstance(meaning, Refusal) and _may_refuse(status, meaning):
        return Rejected(meaning, _cut(text))
    if isinstance(meaning, Doubt) and status < _SERVER_ERRORS:
        return Unknown(meaning, _cut(text))
    return Unknown(Doubt.SERVER_ERROR, _cut(f"HTTP {status}: {text}"))


def error_text(body: bytes) -> str | None:
    """Return the text of the venue's error envelope, None when the body is none."""
    try:
        return decode(ERROR_BODY, body, "error").error
    except Malformed:
        return None


class BeatTaken(msgspec.Struct, frozen=True):
    """The dead-man switch was kept; the next beat carries this id."""

    next_id: str


class BeatRefused(msgspec.Struct, frozen=True):
    """The beat did not count; the venue expects this id, which may be empty."""

    expected_id: str


def judge_beat(status: int, body: bytes) -> BeatTaken | BeatRefused | Rejected | Unknown:
    """Return what became of one POST /v1/heartbeats."""
    try:
        if status == _OK:
            return BeatTaken(decode(HEARTBEAT_REPLY, body, "beat reply").heartbeat_id)
        if status == _BAD_REQUEST:
            return BeatRefused(decode(HEARTBEAT_REFUSAL, body, "beat refusal").heartbeat_id)
    except Malformed as fault:
        return Unknown(Doubt.GARBLED, _cut(str(fault)))
    return judge_refusal(status, body)


_OK = 200
_BAD_REQUEST = 400
_SERVER_ERRORS = 500
_UNAVAILABLE = 503
_REFUSING_STATUSES = frozenset({400, 404})
_MODE_REFUSALS = frozenset(
    {Refusal.POST_ONLY_MODE, Refusal.CANCEL_ONLY_MODE, Refusal.DISABLED, Refusal.RESTARTING}
)
_BY_STATUS: dict[int, Refusal] = {
    401: Refusal.UNAUTHORISED,
    403: Refusal.RESTRICTED,
    425: Refusal.RESTARTING,
    429: Refusal.RATE_LIMITED,
}
"""Refusals given before the matching engine, whatever the body is: HTML from the edge too."""


def _may_refuse(status: int, reason: Refusal) -> bool:
    return status in _REFUSING_STATUSES or (status == _UNAVAILABLE and reason in _MODE_REFUSALS)


def _judge_reply(reply: PostReply, order_id: OrderHash) -> Outcome:
    error = reply.error_msg or ""
    is_taken = reply.status in ACCEPTED_STATUSES
    if reply.success is None:
        return Unknown(Doubt.GARBLED, "answer without success")
    if error:
        meaning = classify(error)
        if isinstance(meaning, Refusal) and (is_taken or reply.order_id):
            return Unknown(Doubt.CONTRADICTORY, _cut(f"{reply.status}: {error}"))
        if isinstance(meaning, Refusal):
            return Rejected(meaning, _cut(error))
        return Unknown(meaning, _cut(error))
    if not reply.success:
        return Unknown(Doubt.CONTRADICTORY, "refused without a reason")
    if not _is_id_of(reply, order_id):
        return Unknown(Doubt.CONTRADICTORY, _cut(f"answer names {reply.order_id!r}"))
    if not is_taken:
        return Unknown(Doubt.UNRECOGNISED, _cut(f"status {reply.status!r}"))
    return Accepted(
        order_id=order_id,
        status=reply.status or "",
        trades=tuple(TradeId(trade) for trade in reply.trade_ids or ()),
        making=_cut(str(reply.making_amount or "")),
        taking=_cut(str(reply.taking_amount or "")),
    )


def _judge_named(replies: Sequence[PostReply], order_id: OrderHash) -> Outcome:
    naming = [reply for reply in replies if _is_id_of(reply, order_id)]
    if len(naming) == 1:
        return _judge_reply(naming[0], order_id)
    return Unknown(Doubt.CONTRADICTORY, f"named by {len(naming)} answers")


def _is_id_of(reply: PostReply, order_id: OrderHash) -> bool:
    return reply.order_id is not None and reply.order_id.lower() == order_id.lower()


def _cut(text: str) -> str:
    return text[:TEXT_CHARS_MAX]
