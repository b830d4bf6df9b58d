"""What an answer says of the venue itself: restarting, post-only, cancel-only, disabled.

Says nothing of the order that was answered; that is `outcomes.py`.
Source: https://docs.polymarket.com/trading/matching-engine and
https://docs.polymarket.com/api-reference/rate-limits (2026-09-28).
"""

import enum
from collections.abc import Mapping

import msgspec

from shared.venue.decimals import parse_scaled
from shared.venue.faults import Malformed, Unparseable
from shared.venue.orders_wire import ERROR_BODY
from shared.venue.outcomes import Outcome, Rejected, judge_refusal
from shared.venue.refusals import Refusal
from shared.venue.wire import decode

POST_ONLY_WINDOW_S = 120
"""After every restart only post-only orders and cancels are taken for two minutes."""

RETRY_AFTER_MS_MAX = 600_000
"""No longer wait is believed: ten minutes without trying would outlast every order."""


class VenueMode(enum.Enum):
    """What the venue takes now; the value is a word for logs."""

    NORMAL = "normal"
    POST_ONLY = "post_only"
    """Post-only orders and cancels."""

    CANCEL_ONLY = "cancel_only"
    """Cancels."""

    RESTARTING = "restarting"
    """Nothing for a minute or two; cancels fail too."""

    DISABLED = "disabled"
    """Nothing until people change it."""

    CLOSED_ONLY = "closed_only"
    """For this account: orders that reduce, and cancels."""

    RESTRICTED = "restricted"
    """For this account or address: nothing is certain but that orders are refused."""


REFUSING_MODES = frozenset({VenueMode.RESTARTING, VenueMode.CANCEL_ONLY, VenueMode.DISABLED})
"""Modes in which the venue takes orders of nobody (KS-11)."""

RESTRICTING_MODES = frozenset({VenueMode.CLOSED_ONLY, VenueMode.RESTRICTED})
"""Modes that concern us alone, and that no waiting ends (KS-5)."""


class ModeSignal(msgspec.Struct, frozen=True):
    """A mode that an answer tells of, and how long the venue asks to wait.

    Attributes:
        retry_after_ms: None when the venue does not say; at most ten minutes.
    """

    mode: VenueMode
    retry_after_ms: int | None


_MODES: dict[Refusal, VenueMode] = {
    Refusal.POST_ONLY_MODE: VenueMode.POST_ONLY,
    Refusal.CANCEL_ONLY_MODE: VenueMode.CANCEL_ONLY,
    Refusal.RESTARTING: VenueMode.RESTARTING,
    Refusal.DISABLED: VenueMode.DISABLED,
    Refusal.CLOSED_ONLY: VenueMode.CLOSED_ONLY,
    Refusal.BANNED: VenueMode.RESTRICTED,
    Refusal.RESTRICTED: VenueMode.RESTRICTED,
}

_OK = 200


def read_mode(status: int, headers: Mapping[str, str], body: bytes) -> ModeSignal | None:
    """Return the mode that an answer other than 200 tells of, None when it tells of none.

    Args:
        status: HTTP status.
        headers: With lower-case names.
        body: As received.
    """
    if status == _OK:
        return None
    outcome = judge_refusal(status, body)
    mode = mode_of(outcome)
    return None if mode is None else ModeSignal(mode, retry_after_ms(headers, body))


def mode_of(outcome: Outcome) -> VenueMode | None:
    """Return the mode that one outcome tells of; in a batch every element may tell one."""
    return _MODES.get(outcome.reason) if isinstance(outcome, Rejected) else None


def retry_after_ms(headers: Mapping[str, str], body: bytes) -> int | None:
    """Return how long the venue asks to wait, by header or else by body.

    Args:
        headers: With lower-case names; a date instead of seconds says nothing.
        body: As received.
    """
    try:
        wanted = headers.get("retry-after") or decode(ERROR_BODY, body, "").retry_after_seconds
        if wanted is None:
            return None
        wait_ms = parse_scaled(wanted, _PLACES_OF_MS, "retry-after")
    except (Malformed, Unparseable):
        return None
    return min(wait_ms, RETRY_AFTER_MS_MAX) if wait_ms >= 0 else None


_PLACES_OF_MS = 3
