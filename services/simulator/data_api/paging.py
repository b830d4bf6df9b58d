"""Envelope, cursors and refusals of the data service.

A cursor names the last row that was told and keeps the size of the first page; a feed that grows
meanwhile loses and repeats nothing. The names of the codes are the simulator's.

Source: https://docs.polymarket.com/api-reference (Data API v2, 2026-09-28).
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from services.simulator.answers import Answer, ok
from services.simulator.discovery.rows import Row, event_id_of
from services.simulator.edge import Request
from services.simulator.markets import Market
from shared.units import Instant
from shared.venue.faults import Unparseable
from shared.venue.rules import normal_condition_id
from shared.venue.wire import encode

ROWS_DEFAULT = 100
ROWS_MAX = 1_000
SELECTORS_MAX = 20
_CONDITION_CHARACTERS = 66

Item = TypeVar("Item")
Key = tuple[int, str]
"""What rows are ordered by, and a name that no other row has."""


class BadParameter(Exception):
    """A parameter that the service refuses.

    Attributes:
        name: Of the parameter.
        text: For the error's text.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name
        self.text = text


Handler = Callable[[Request, Instant], Answer]


def refusing(handler: Handler) -> Handler:
    """Return a handler that answers 400 to a parameter that cannot be read."""

    def handle(request: Request, now: Instant) -> Answer:
        try:
            return handler(request, now)
        except BadParameter as fault:
            return refusal(fault, f"{request.request_id:032x}")

    return handle


def is_market(market: Market, wanted: tuple[str, ...], events: tuple[str, ...]) -> bool:
    """Tell whether a market is among the conditions and events asked for, empty for all."""
    is_wanted = not wanted or market.condition_id in wanted
    return is_wanted and (not events or event_id_of(market) in events)


def refusal(fault: BadParameter, trace: str) -> Answer:
    """Return the service's error envelope."""
    body = {
        "error": fault.text,
        "code": "invalid_parameter",
        "retryable": False,
        "trace_id": trace,
        "parameter": fault.name,
    }
    return Answer(400, encode(body))


def page(
    items: Iterable[Item],
    request: Request,
    key_of: Callable[[Item], Key],
    to_row: Callable[[Item], Row],
    *,
    descending: bool = True,
    rows_max: int = ROWS_MAX,
) -> Answer:
    """Return one page of items in the order of their keys, the greatest first.

    Raises:
        BadParameter: Limit or cursor cannot be read.
    """
    size, after = _start(request, rows_max)
    left = sorted(items, key=key_of, reverse=descending)
    if after is not None:
        left = [item for item in left if (key_of(item) < after) is descending]
        left = [item for item in left if key_of(item) != after]
    chosen = left[:size]
    has_more = len(left) > len(chosen)
    cursor = _encode(size, key_of(chosen[-1])) if has_more else None
    pagination = {"limit": size, "offset": 0, "has_more": has_more, "next_cursor": cursor}
    return ok({"data": [to_row(item) for item in chosen], "pagination": pagination})


def data(body: object) -> Answer:
    """Return an answer that has no pages."""
    return ok({"data": body})


def selectors(request: Request, *names: str) -> tuple[str, ...]:
    """Return the values of a selector under the first of its names that is given.

    Raises:
        BadParameter: There are too many.
    """
    for name in names:
        values = tuple(dict.fromkeys(filter(None, request.query.get(name, "").split(","))))
        if len(values) > SELECTORS_MAX:
            raise BadParameter(name, f"at most {SELECTORS_MAX} distinct values")
        if values:
            return values
    return ()


def conditions(request: Request) -> tuple[str, ...]:
    """Return the conditions asked for, with all their 64 digits; the short form is refused.

    Raises:
        BadParameter: One is no condition.
    """
    found: list[str] = []
    for text in selectors(request, "condition", "condition_id", "conditionId"):
        try:
            found.append(normal_condition_id(text, "condition"))
        except Unparseable:
            raise BadParameter("condition", f"invalid condition id: {text}") from None
        if len(text) != _CONDITION_CHARACTERS:
            raise BadParameter("condition", f"invalid condition id: {text}")
    return tuple(found)


def number(request: Request, name: str, otherwise: float) -> float:
    """Return a parameter that is no negative number.

    Raises:
        BadParameter: It is.
    """
    text = request.query.get(name)
    if not text:
        return otherwise
    is_number = text.isascii() and text.replace(".", "", 1).isdigit()
    if not is_number:
        raise BadParameter(name, f"{name} must be a number, got {text!r}")
    return float(text)


def _start(request: Request, rows_max: int) -> tuple[int, Key | None]:
    """Return size and last key; the size in a cursor wins over `limit`."""
    cursor = request.query.get("cursor")
    if cursor:
        return _decode(cursor, rows_max)
    limit = int(number(request, "limit", ROWS_DEFAULT))
    if not 1 <= limit <= rows_max:
        raise BadParameter("limit", f"limit must be between 1 and {rows_max}")
    return limit, None


def _encode(size: int, key: Key) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((size, key))).decode()


def _decode(cursor: str, rows_max: int) -> tuple[int, Key]:
    try:
        raw = base64.urlsafe_b64decode(cursor)
        size, key = msgspec.json.decode(raw, type=tuple[int, Key])
    except (binascii.Error, msgspec.MsgspecError, UnicodeError):
        raise BadParameter("cursor", "invalid cursor") from None
    return min(max(size, 1), rows_max), key
