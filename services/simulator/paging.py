"""Pages of the trading host's lists: cursors are base64 of where the next page begins.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28).
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from services.simulator.answers import Answer, error, ok
from shared.venue.account_wire import CURSOR_END, PAGE_ROWS_MAX, Page

CURSOR_TEXT = "invalid next_cursor"
Item = TypeVar("Item")


def page(
    items: Sequence[Item],
    cursor: str | None,
    to_row: Callable[[Item], object],
    rows_max: int = PAGE_ROWS_MAX,
) -> Answer:
    """Return one page of items; only its own rows are made."""
    start = offset_of(cursor)
    if start is None:
        return error(400, CURSOR_TEXT)
    chosen = items[start : start + rows_max]
    end = start + len(chosen)
    return ok(
        Page(
            data=tuple(map(to_row, chosen)),
            next_cursor=CURSOR_END if end >= len(items) else cursor_of(end),
            limit=rows_max,
            count=len(chosen),
        )
    )


def cursor_of(start: int) -> str:
    """Return the cursor of a page that begins at an item."""
    return base64.b64encode(str(start).encode()).decode()


def offset_of(cursor: str | None) -> int | None:
    """Return where a page begins, None for a cursor that was never given out."""
    if not cursor:
        return 0
    try:
        text = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return int(text) if text.isascii() and text.isdigit() else None
