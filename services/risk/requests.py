"""Numbers of requests to the venue, and what an answer's status means for asking again. Pure."""

from shared.effects import HttpReply
from shared.units import NS_PER_MS

RETRY_NS = 250 * NS_PER_MS
"""Pause before a cancel or read is repeated; also the longest wait on a 429 of a cancel."""

RETRY_NS_MIN = 50 * NS_PER_MS
"""A venue that says `at once` is not asked in every turn."""


class RequestNumbers:
    """Counts requests, unique in this incarnation."""

    def __init__(self) -> None:
        self._next = 0

    def take(self) -> int:
        """Return the next number, from 1."""
        self._next += 1
        return self._next


def retry_after_ns(reply: HttpReply) -> int:
    """Return how long to wait before asking again: the earlier of Retry-After and 250 ms.

    A cancel is never held back longer, whatever the venue asks for: the bucket of cancels
    is not what the venue protects.
    """
    if reply.status != 429:
        return RETRY_NS
    text = reply.headers.get("retry-after", "").strip()
    if not text.isdecimal() or len(text) > 6:
        return RETRY_NS
    return max(RETRY_NS_MIN, min(int(text) * 1_000 * NS_PER_MS, RETRY_NS))
