"""What an answer to a post means: accepted, rejected by name, or UNKNOWN.

UNKNOWN is nobody having said anything that can be trusted; it is resolved by asking the
venue, never by sending again. So an order is accepted only when every part of the answer
says so, and rejected only when the venue gives a reason that is known to be final.
Source: https://docs.polymarket.com/resources/error-codes (2026-09-28); the success that is
none: https://github.com/Polymarket/rs-clob-client/issues/114.
"""

import re
from collections.abc import Sequence

import msgspec

from shared.identifiers import OrderHash, TradeId
from shared.venue.faults import Malformed
from shared.venue.orders_wire import (
    ERROR_BODY,
    HEARTBEAT_REFUSAL,
    HEARTBEAT_REPLY,
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
        return _judge_other(status, body, (order_id,))
    try:
        reply = decode(POST_REPLY, body, "post reply")
    except Malformed as fault:
        return Unknown(Doubt.GARBLED, _cut(str(fault)))
    return _judge_reply(reply, order_id)


def judge_batch(status: int, body: bytes, order_ids: Sequence[OrderHash]) -> tuple[Outcome, ...]:
    """Return what became of each order of one POST /orders, in the order of sending.

    Refused entries bear no id, so they are told apart by place, and only in an answer that
    has one entry for each order and no id out of place. In any other only an order that
    exactly one entry names as accepted is judged; every other one is unknown. An entry that
    cannot be read spoils none of its neighbours.
    """
    if status != _OK:
        return (_judge_other(status, body, order_ids),) * len(order_ids)
    try:
        raws = decode(_ENTRIES, body, "post replies")
    except Malformed as fault:
        return (Unknown(Doubt.GARBLED, _cut(str(fault))),) * len(order_ids)
    replies = tuple(_read_entry(raw) for raw in raws)
    if len(replies) != len(order_ids):
        return _judge_named(replies, order_ids, f"{len(replies)} for {len(order_ids)} orders")
    paired = tuple(zip(replies, order_ids, strict=True))
    if any(reply is not None and not _is_in_place(reply, order_id) for reply, order_id in paired):
        return _judge_named(replies, order_ids, "entries out of place")
    return tuple(
        Unknown(Doubt.GARBLED, "entry cannot be read")
        if reply is None
        else _judge_reply(reply, order_id)
        for reply, order_id in paired
    )


def judge_refusal(status: int, body: bytes) -> Rejected | Unknown:
    """Return what an answer other than 200 says of everything in its request."""
    text = error_text(body)
    meaning = Doubt.UNRECOGNISED if text is None else classify(text)
    by_status = _BY_STATUS.get(status)
    if by_status is not None and meaning in _OPEN_DOUBTS:
        return Unknown(Doubt.CONTRADICTORY, _cut(f"HTTP {status}: {text}"))
    if by_status is not None:
        return Rejected(by_status, _cut(text if text is not None else f"HTTP {status}"))
    if text is None:
        return Unknown(Doubt.GARBLED, f"HTTP {status} without the venue's error")
    if status == _SERVER_ERRORS and text.strip().lower() == TIMED_OUT_TEXT:
        return Rejected(Refusal.TIMED_OUT, _cut(text))
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


TIMED_OUT_TEXT = "order timed out"
"""Error 500 with this whole text, and no other of 500: refused before the book.
Source: https://docs.polymarket.com/resources/error-codes (2026-09-28)."""

_ENTRIES = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_ORDER_ID = re.compile(r"0x[0-9a-f]{64}(?![0-9a-f])")
_OK = 200
_BAD_REQUEST = 400
_SERVER_ERRORS = 500
_UNAVAILABLE = 503
_OPEN_DOUBTS = frozenset({Doubt.DUPLICATED, Doubt.AMBIGUOUS})
_REFUSING_STATUSES = frozenset({400, 404})
_MODE_REFUSALS = frozenset(
    {Refusal.POST_ONLY_MODE, Refusal.CANCEL_ONLY_MODE, Refusal.DISABLED, Refusal.RESTARTING}
)
_BY_STATUS: dict[int, Refusal] = {
    401: Refusal.UNAUTHORISED,
    403: Refusal.RESTRICTED,
    425: Refusal.RESTARTING,
    429: Refusal.RATE_LIMITED,
    451: Refusal.RESTRICTED,
}
"""Refusals given before the matching engine, whatever the body is: HTML from the edge too."""


def _judge_other(status: int, body: bytes, order_ids: Sequence[OrderHash]) -> Rejected | Unknown:
    """Judge an answer other than 200 to orders: one that names any of them refuses none.

    The venue's refusals of an order quote its id in the text of an error envelope only.
    """
    judged = judge_refusal(status, body)
    if isinstance(judged, Unknown):
        return judged
    text = error_text(body)
    if text is not None:
        return _unless_foreign(judged, text, order_ids)
    lower = body.lower()
    if any(order_id.lower().encode() in lower for order_id in order_ids):
        return Unknown(Doubt.CONTRADICTORY, f"HTTP {status} that names the order")
    return judged


def _unless_foreign(
    judged: Rejected, text: str, order_ids: Sequence[OrderHash]
) -> Rejected | Unknown:
    """Doubt a refusal whose words are about another order: it may be another's answer."""
    ours = {order_id.lower() for order_id in order_ids}
    if all(named in ours for named in _ORDER_ID.findall(text.lower())):
        return judged
    return Unknown(Doubt.CONTRADICTORY, _cut(f"about another order: {text}"))


def _may_refuse(status: int, reason: Refusal) -> bool:
    return status in _REFUSING_STATUSES or (status == _UNAVAILABLE and reason in _MODE_REFUSALS)


def _judge_reply(reply: PostReply, order_id: OrderHash) -> Outcome:
    error = reply.error_msg or ""
    is_taken = reply.status in ACCEPTED_STATUSES
    if reply.success is None:
        return Unknown(Doubt.GARBLED, "answer without success")
    if error:
        meaning = classify(error)
        if meaning is Refusal.RATE_LIMITED and reply.success is False and not reply.order_id:
            # Documented with the status `delayed`, which an order taken in has too.
            return _unless_foreign(Rejected(meaning, _cut(error)), error, (order_id,))
        if isinstance(meaning, Refusal) and (is_taken or reply.order_id):
            return Unknown(Doubt.CONTRADICTORY, _cut(f"{reply.status}: {error}"))
        if isinstance(meaning, Refusal):
            return _unless_foreign(Rejected(meaning, _cut(error)), error, (order_id,))
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


def _judge_named(
    replies: Sequence[PostReply | None], order_ids: Sequence[OrderHash], trouble: str
) -> tuple[Outcome, ...]:
    """Judge a batch whose entries have no certain place: acceptance by name, or unknown."""
    outcomes: list[Outcome] = []
    for order_id in order_ids:
        naming = [reply for reply in replies if reply is not None and _is_id_of(reply, order_id)]
        judged = _judge_reply(naming[0], order_id) if len(naming) == 1 else None
        if isinstance(judged, Accepted):
            outcomes.append(judged)
            continue
        outcomes.append(Unknown(Doubt.CONTRADICTORY, f"{trouble}, named by {len(naming)}"))
    return tuple(outcomes)


def _read_entry(raw: msgspec.Raw) -> PostReply | None:
    """Return one entry of a batch's answer; None when it is not one."""
    try:
        return decode(POST_REPLY, bytes(raw), "post reply")
    except Malformed:
        return None


def _is_in_place(reply: PostReply, order_id: OrderHash) -> bool:
    """Whether an entry may answer the order sent at its place: it names it, or none."""
    return not reply.order_id or _is_id_of(reply, order_id)


def _is_id_of(reply: PostReply, order_id: OrderHash) -> bool:
    return reply.order_id is not None and reply.order_id.lower() == order_id.lower()


def _cut(text: str) -> str:
    return text[:TEXT_CHARS_MAX]
