"""What a listing of discovery asks for: filters, order, pages.

Filters that may hold several values are given once for each or joined by commas. A protocol filter
is served since the official client 0.14.0 sends one, though a reader of 5 October found none.

Source: https://docs.polymarket.com/api-reference (Gamma, 2026-09-28); polymarket-client 0.14.0.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from services.simulator.discovery.rows import (
    event_id_of,
    series_id_of,
    tag_rows,
    title_of,
)
from services.simulator.edge import Request, values_of
from services.simulator.markets import Market
from shared.venue.faults import Unparseable
from shared.venue.rules import normal_condition_id

ROWS_DEFAULT = 20
ROWS_MAX = 100
"""Legacy lists are cut off here without a word; keyset pages of events may be longer.

Source: https://github.com/nautechsystems/nautilus_trader/issues/4086.
"""

EVENT_ROWS_MAX = 500
_MS_PER_S = 1000

SortKey = Callable[[Market], int]
_SORT_KEYS: dict[str, SortKey] = {
    "id": lambda market: int(market.number),
    "startDate": lambda market: market.listed_ms,
    "createdAt": lambda market: market.listed_ms,
    "endDate": lambda market: market.end_ms,
    "startTime": lambda market: market.start_ms,
    "eventStartTime": lambda market: market.start_ms,
    "updatedAt": lambda market: market.changed_ms,
}
"""Sort keys are camelCase; another is refused with 422."""


class BadQuery(Exception):
    """A parameter that discovery refuses.

    Attributes:
        text: For the error envelope.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Page(msgspec.Struct, frozen=True):
    """One page of markets, and where the next begins, None after the last."""

    markets: list[Market]
    next_cursor: str | None


def keyset_page(markets: Iterable[Market], request: Request, rows_max: int) -> Page:
    """Return one page of what a keyset listing asks for.

    Raises:
        BadQuery: `offset` is given, or a parameter cannot be read.
    """
    if "offset" in request.query:
        raise BadQuery("offset is not supported, use after_cursor")
    key, sign = _order(request)
    rows = sorted(markets, key=lambda market: (sign * key(market), int(market.number)))
    cursor = request.query.get("after_cursor")
    if cursor:
        after = _decode(cursor)
        rows = [row for row in rows if (sign * key(row), int(row.number)) > after]
    chosen = rows[: _limit(request, rows_max)]
    if len(chosen) == len(rows):
        return Page(chosen, None)
    last = chosen[-1]
    return Page(chosen, _encode(sign * key(last), int(last.number)))


def legacy_page(markets: Iterable[Market], request: Request) -> list[Market]:
    """Return what a legacy listing, by limit and offset, asks for, at most 100 rows.

    Raises:
        BadQuery: A parameter cannot be read.
    """
    key, sign = _order(request)
    rows = sorted(markets, key=lambda market: (sign * key(market), int(market.number)))
    start = _number(request, "offset", 0)
    return rows[start : start + _limit(request, ROWS_MAX)]


def market_filter(request: Request) -> Callable[[Market], bool]:
    """Return whether a market belongs into a listing of markets.

    Raises:
        BadQuery: A parameter cannot be read.
    """
    ids = values_of(request, "id")
    conditions = {_padded(text) for text in values_of(request, "condition_ids")}
    tokens = {*values_of(request, "clob_token_ids"), *values_of(request, "position_ids")}
    is_common = _common_filter(request)

    def is_wanted(market: Market) -> bool:
        return (
            is_common(market)
            and (not ids or market.number in ids)
            and (not conditions or market.condition_id in conditions)
            and (not tokens or not tokens.isdisjoint(market.tokens))
        )

    return is_wanted


def event_filter(request: Request) -> Callable[[Market], bool]:
    """Return whether a market's event belongs into a listing of events.

    Raises:
        BadQuery: A parameter cannot be read.
    """
    ids = values_of(request, "id")
    series = values_of(request, "series_id")
    start_min = _moment(request, "start_time_min")
    start_max = _moment(request, "start_time_max")
    title = request.query.get("title_search", "").lower()
    is_common = _common_filter(request)

    def is_wanted(market: Market) -> bool:
        return (
            is_common(market)
            and (not ids or event_id_of(market) in ids)
            and (not series or series_id_of(market) in series)
            and (start_min is None or market.start_ms >= start_min)
            and (start_max is None or market.start_ms <= start_max)
            and title in title_of(market).lower()
        )

    return is_wanted


def _common_filter(request: Request) -> Callable[[Market], bool]:
    wants_closed = request.query.get("closed", "false") == "true"
    wants_active = request.query.get("active", "true") == "true"
    wants_archived = request.query.get("archived", "false") == "true"
    slugs = values_of(request, "slug")
    versions = values_of(request, "version")
    tags = values_of(request, "tag_id")
    tag_slug = request.query.get("tag_slug")
    end_min, end_max = _moment(request, "end_date_min"), _moment(request, "end_date_max")
    listed_min = _moment(request, "start_date_min")
    listed_max = _moment(request, "start_date_max")

    def is_wanted(market: Market) -> bool:
        return (
            (market.state == "RESOLVED") == wants_closed
            and wants_active
            and not wants_archived
            and (not slugs or market.slug in slugs)
            and (not versions or market.version in versions)
            and (not tags or any(tag["id"] in tags for tag in tag_rows(market)))
            and (tag_slug is None or any(tag["slug"] == tag_slug for tag in tag_rows(market)))
            and (end_min is None or market.end_ms >= end_min)
            and (end_max is None or market.end_ms <= end_max)
            and (listed_min is None or market.listed_ms >= listed_min)
            and (listed_max is None or market.listed_ms <= listed_max)
        )

    return is_wanted


def _order(request: Request) -> tuple[SortKey, int]:
    name = request.query.get("order", "eventStartTime")
    key = _SORT_KEYS.get(name)
    if key is None:
        raise BadQuery(f"order fields are not valid: {name}")
    is_ascending = request.query.get("ascending", "true") == "true"
    return key, 1 if is_ascending else -1


def _padded(condition: str) -> str:
    try:
        return normal_condition_id(condition, "condition_ids")
    except Unparseable:
        raise BadQuery("condition_ids is not valid") from None


def _moment(request: Request, name: str) -> int | None:
    text = request.query.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadQuery(f"{name} is not a valid date") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * _MS_PER_S)


def _limit(request: Request, rows_max: int) -> int:
    return min(_number(request, "limit", ROWS_DEFAULT), rows_max)


def _number(request: Request, name: str, otherwise: int) -> int:
    text = request.query.get(name)
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit()):
        raise BadQuery(f"{name} is not a valid number")
    return int(text)


def _encode(*parts: int) -> str:
    return base64.urlsafe_b64encode(",".join(map(str, parts)).encode()).decode()


def _decode(cursor: str) -> tuple[int, int]:
    try:
        first, second = base64.urlsafe_b64decode(cursor).decode().split(",")
        return int(first), int(second)
    except (binascii.Error, ValueError):
        raise BadQuery("after_cursor is not valid") from None
