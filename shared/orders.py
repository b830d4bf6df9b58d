"""The order lifecycle: one transition table, with UNKNOWN as a state of its own.

An order is known by its hash before it is sent. INTENDED is durable before the write;
NOT_SENT proves that no byte left; UNKNOWN is nobody having said anything, holds its
exposure, and is resolved by asking the venue, never by sending again.
"""

from typing import Literal

OrderState = Literal[
    "INTENDED",
    "NOT_SENT",
    "SUBMITTED",
    "UNKNOWN",
    "LIVE",
    "PARTLY_FILLED",
    "FILLED",
    "CANCELED",
    "REJECTED",
    "EXPIRED",
]

OrderEvent = Literal[
    "withheld",  # proven: no byte was written
    "sent",  # the first byte was written
    "lost",  # no answer, or one that cannot be understood
    "accepted",  # the venue took it
    "refused",  # the venue named a reason
    "filled_partly",
    "filled_fully",
    "canceled",  # the venue says it is gone
    "expired",  # gone by its own deadline
    "absent",  # not found, asked after the last moment at which the venue could have taken it
]

TERMINAL: frozenset[OrderState] = frozenset(
    {"NOT_SENT", "FILLED", "CANCELED", "REJECTED", "EXPIRED"}
)
EXPOSED: frozenset[OrderState] = frozenset(
    {"INTENDED", "SUBMITTED", "UNKNOWN", "LIVE", "PARTLY_FILLED"}
)
"""States in which the order may be, or may come to be, in the market."""

_SENT_OUTCOMES: dict[OrderEvent, OrderState] = {
    "lost": "UNKNOWN",
    "accepted": "LIVE",
    "refused": "REJECTED",
    "filled_partly": "PARTLY_FILLED",
    "filled_fully": "FILLED",
    "canceled": "CANCELED",
    "expired": "EXPIRED",
}

TRANSITIONS: dict[OrderState, dict[OrderEvent, OrderState]] = {
    # The stream may tell of an order before our own answer or even our own write record does.
    "INTENDED": {
        "withheld": "NOT_SENT",
        "sent": "SUBMITTED",
        "absent": "EXPIRED",
        **_SENT_OUTCOMES,
    },
    "SUBMITTED": {**_SENT_OUTCOMES, "absent": "EXPIRED"},
    "UNKNOWN": {**_SENT_OUTCOMES, "absent": "EXPIRED"},
    "LIVE": {
        "accepted": "LIVE",
        # The venue has said both: that it rests, and that it was never taken. Nobody knows, so
        # it keeps its exposure and is asked for. A fill proves that it was taken.
        "refused": "UNKNOWN",
        "filled_partly": "PARTLY_FILLED",
        "filled_fully": "FILLED",
        "canceled": "CANCELED",
        "expired": "EXPIRED",
        "absent": "EXPIRED",
    },
    "PARTLY_FILLED": {
        "accepted": "PARTLY_FILLED",
        "filled_partly": "PARTLY_FILLED",
        "filled_fully": "FILLED",
        "canceled": "CANCELED",
        "expired": "EXPIRED",
        "absent": "EXPIRED",
    },
    # Terminal orders never come back to life; a late fill changes their filled size only.
    "NOT_SENT": {},
    "FILLED": {},
    "CANCELED": {},
    "REJECTED": {},
    "EXPIRED": {},
}


class IllegalTransition(AssertionError):
    """An edge that is not in the table: our bug."""


def next_state(state: OrderState, event: OrderEvent) -> OrderState:
    """Return the state after an event.

    Raises:
        IllegalTransition: The table has no such edge.
    """
    following = TRANSITIONS[state].get(event)
    if following is None:
        raise IllegalTransition(f"{state} has no edge for {event}")
    return following
