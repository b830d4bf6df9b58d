"""Answers to requests, before the shell sends them."""

from collections.abc import Callable, Mapping

import msgspec

from shared.units import Instant
from shared.venue.orders_wire import ErrorBody
from shared.venue.wire import encode

JSON = "application/json"
HTML = "text/html"


class Answer(msgspec.Struct, frozen=True):
    """A complete answer.

    Attributes:
        drip_ms: Pause after each byte of the body; 0 sends it at once.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    content_type: str = JSON
    drip_ms: int = 0


class Held(msgspec.Struct, frozen=True):
    """An answer that is not known before a moment.

    Attributes:
        due_ns: Monotonic time of it.
        finish: Makes the answer then.
    """

    due_ns: int
    finish: Callable[[Instant], Answer]


def ok(message: object) -> Answer:
    """Return an answer 200 with a message as JSON."""
    return Answer(200, encode(message))


def error(status: int, text: str, retry_after_s: int | None = None) -> Answer:
    """Return the venue's error envelope."""
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return Answer(status, encode(ErrorBody(error=text)), headers)


UNAUTHORIZED = error(401, "Unauthorized/Invalid api key")
NOT_FOUND = error(404, "not found")
