"""What an answer to a cancel means, order by order.

An answer proves only what it names: an id that is in neither list is UNKNOWN, and `not
found` proves nothing while the order may still arrive. Cancelled sizes are never told here;
what was filled before must be asked.
Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28); further texts:
https://github.com/Polymarket/py-clob-client/issues/316.
"""

import enum

import msgspec

from shared.identifiers import OrderHash
from shared.venue.faults import Malformed
from shared.venue.orders_wire import CANCEL_REPLY
from shared.venue.outcomes import Rejected, Unknown, judge_refusal
from shared.venue.refusals import TEXT_CHARS_MAX, Doubt
from shared.venue.wire import decode


class Kept(enum.Enum):
    """Why the venue did not cancel an order; the value is a word for logs."""

    MATCHED = "matched"
    """Filled before; its trades must be asked."""

    CANCELED_BEFORE = "canceled_before"
    """Already cancelled."""

    GONE = "gone"
    """Already cancelled or matched: the venue does not say which."""

    NOT_FOUND = "not_found"
    """Not there, or not there yet."""

    HELD = "held"
    """In the taker's hold, during which nothing is cancelled."""

    UNRECOGNISED = "unrecognised"


class Canceled(msgspec.Struct, frozen=True):
    """The venue has taken the order out."""


class NotCanceled(msgspec.Struct, frozen=True):
    """The venue has not taken the order out.

    Attributes:
        reason: Why, in our words.
        text: Why, in the venue's.
    """

    reason: Kept
    text: str


class CancelAnswer(msgspec.Struct, frozen=True):
    """The venue's lists; ids are in lower case.

    Attributes:
        canceled: Taken out.
        kept: Not taken out, with the reason.
    """

    canceled: frozenset[OrderHash]
    kept: dict[OrderHash, NotCanceled]

    def of(self, order_id: OrderHash) -> Canceled | NotCanceled | Unknown:
        """Return what the answer says of one order."""
        key = OrderHash(order_id.lower())
        kept = self.kept.get(key)
        if key in self.canceled and kept is not None:
            return Unknown(Doubt.CONTRADICTORY, kept.text)
        if key in self.canceled:
            return Canceled()
        return Unknown(Doubt.AMBIGUOUS, "not named by the answer") if kept is None else kept


_TEXTS: tuple[tuple[str, Kept], ...] = (
    ("already canceled or matched", Kept.GONE),
    ("not found or already canceled", Kept.GONE),
    ("already matched", Kept.MATCHED),
    ("already canceled", Kept.CANCELED_BEFORE),
    ("already cancelled", Kept.CANCELED_BEFORE),
    ("delayed", Kept.HELD),
    ("pending", Kept.HELD),
    ("not found", Kept.NOT_FOUND),
    ("can't be found", Kept.NOT_FOUND),
)
"""Parts of texts, lower case; the first that is found counts."""


def judge_cancel(status: int, body: bytes) -> CancelAnswer | Rejected | Unknown:
    """Return what an answer to any of the cancelling requests says.

    Args:
        status: HTTP status.
        body: As received, which may be anything.
    """
    if status != _OK:
        return judge_refusal(status, body)
    try:
        reply = decode(CANCEL_REPLY, body, "cancel reply")
    except Malformed as fault:
        return Unknown(Doubt.GARBLED, str(fault)[:TEXT_CHARS_MAX])
    return CancelAnswer(
        canceled=frozenset(OrderHash(order_id.lower()) for order_id in reply.canceled or ()),
        kept={
            OrderHash(order_id.lower()): NotCanceled(_why_kept(text), text[:TEXT_CHARS_MAX])
            for order_id, text in (reply.not_canceled or {}).items()
        },
    )


_OK = 200


def _why_kept(text: str) -> Kept:
    lower = text.lower()
    for part, reason in _TEXTS:
        if part in lower:
            return reason
    return Kept.UNRECOGNISED
