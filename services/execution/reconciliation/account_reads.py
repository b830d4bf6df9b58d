"""Reading open orders, trades and single orders of the key, each read as one whole.

A list is read page by page and counts from the sending of its first page. A read that
breaks off, that cannot be understood or that never ends says nothing: its result is None,
never an empty list (EX-22). Decides nothing by what it reads.
"""

from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import Final, Generic, TypeVar
from urllib.parse import quote

import msgspec

from services.execution.requests import Ask, LookAsk, OpenOrdersAsk, Requests, TradesAsk
from shared.effects import Effect, HttpFailed, HttpReply
from shared.facts import OwnOrder, OwnTrade
from shared.identifiers import OrderHash
from shared.units import NS_PER_MS, BootNs, Instant
from shared.venue.account_wire import (
    CURSOR_END,
    CURSOR_FIRST,
    OPEN_ORDER,
    OPEN_ORDERS,
    OPEN_ORDERS_PATH,
    ORDER_PATH_PREFIX,
    TRADES,
    TRADES_PATH,
    Page,
)
from shared.venue.faults import WireFault
from shared.venue.outcomes import error_text
from shared.venue.parse_user import rest_order, rest_trade
from shared.venue.wire import decode

PAGES_MAX: Final = 50
"""5000 rows: far above what the gate lets be; a list that does not end says nothing."""

RETRY_NS: Final = 250 * NS_PER_MS
"""After a read that said nothing."""

OVERLAP_S: Final = 120
"""Trades are asked again this far back: a late report, or seconds rounded by the venue."""

OK: Final = 200
NOT_FOUND: Final = 404

Row = TypeVar("Row")


class Read(msgspec.Struct, Generic[Row], frozen=True):
    """One whole read.

    Attributes:
        sent_ns: When the first byte of its first page was written.
        rows: What the venue showed; None when nobody said.
        trouble: Why nobody said; empty when somebody did.
    """

    sent_ns: BootNs
    answered_ns: BootNs
    rows: tuple[Row, ...] | None
    trouble: str = ""


class Look(msgspec.Struct, frozen=True):
    """The venue's word on one order.

    Attributes:
        is_known: False when nobody said; True with an order of None: it is not there.
        venue_s: The venue's own clock at its answer, wall seconds; None when it did not say.
    """

    order_id: OrderHash
    sent_ns: BootNs
    is_known: bool
    order: OwnOrder | None = None
    venue_s: int | None = None


class PagedRead(Generic[Row]):
    """One list, one read at a time."""

    def __init__(self, ask: Ask, requests: Requests, deadline_ms: int) -> None:
        """Begin with no read under way."""
        self._ask = ask
        self._requests = requests
        self._deadline_ms = deadline_ms
        self._base_path = ""
        self._rows: list[Row] = []
        self._pages = 0
        self._sent_ns = BootNs(0)
        self._after_ns = BootNs(0)
        self.is_under_way = False

    def may_begin(self, path: str, now: Instant) -> bool:
        """Whether a read of a path can be sent now."""
        is_free = not self.is_under_way and now.boot_ns >= self._after_ns
        return is_free and self._requests.may_read(path, now.boot_ns)

    def begin(self, base_path: str, now: Instant) -> list[Effect]:
        """Ask for the first page; `base_path` ends where the cursor goes."""
        assert not self.is_under_way, "one read at a time"
        self.is_under_way = True
        self._base_path = base_path
        self._rows = []
        self._pages = 0
        self._sent_ns = BootNs(0)
        return self._page(CURSOR_FIRST, now)

    def take_page(
        self, page: Page[object], rows: list[Row], reply: HttpReply, now: Instant
    ) -> tuple[list[Effect], Read[Row] | None]:
        """Take a page's rows: ask for the next page, or end the read."""
        self._sent_ns = self._sent_ns or reply.sent_ns
        self._rows.extend(rows)
        self._pages += 1
        if page.next_cursor == CURSOR_END:
            self.is_under_way = False
            return [], Read(self._sent_ns, now.boot_ns, tuple(self._rows))
        if self._pages >= PAGES_MAX or not page.next_cursor:
            return [], self.end_badly("the list does not end", now)
        return self._page(page.next_cursor, now), None

    def end_badly(self, trouble: str, now: Instant) -> Read[Row]:
        """End the read without a result."""
        self.is_under_way = False
        self._after_ns = BootNs(now.boot_ns + RETRY_NS)
        return Read(self._sent_ns or now.boot_ns, now.boot_ns, None, trouble)

    def _page(self, cursor: str, now: Instant) -> list[Effect]:
        path = f"{self._base_path}next_cursor={quote(cursor, safe='=')}"
        return [self._requests.read(self._ask, path, self._deadline_ms, now.boot_ns)]


class AccountReads:
    """Every read of the account that execution makes."""

    def __init__(self, requests: Requests, deadline_ms: int) -> None:
        """Begin with no read under way."""
        self._requests = requests
        self._deadline_ms = deadline_ms
        self._orders: PagedRead[OwnOrder] = PagedRead(OpenOrdersAsk(), requests, deadline_ms)
        self._trades: PagedRead[OwnTrade] = PagedRead(TradesAsk(), requests, deadline_ms)

    def may_read_orders(self, now: Instant) -> bool:
        """Whether a read of the open orders can be sent now."""
        return self._orders.may_begin(OPEN_ORDERS_PATH, now)

    def may_read_trades(self, now: Instant) -> bool:
        """Whether a read of trades can be sent now."""
        return self._trades.may_begin(TRADES_PATH, now)

    def may_look(self, now: Instant) -> bool:
        """Whether a question after one order can be sent now."""
        return self._requests.may_read(ORDER_PATH_PREFIX, now.boot_ns)

    def read_orders(self, now: Instant) -> list[Effect]:
        """Ask for all open orders."""
        return self._orders.begin(f"{OPEN_ORDERS_PATH}?", now)

    def read_trades(self, since_ms: int, now: Instant) -> list[Effect]:
        """Ask for all trades since a wall time, with some overlap; 0 asks for all there are."""
        after_s = max(0, since_ms // 1_000 - OVERLAP_S)
        return self._trades.begin(f"{TRADES_PATH}?after={after_s}&", now)

    def look(self, order_id: OrderHash, now: Instant) -> list[Effect]:
        """Ask for one order."""
        ask = LookAsk(order_id)
        path = ORDER_PATH_PREFIX + order_id
        return [self._requests.read(ask, path, self._deadline_ms, now.boot_ns)]

    def orders_replied(
        self, reply: HttpReply, now: Instant
    ) -> tuple[list[Effect], Read[OwnOrder] | None]:
        """Take a page of open orders."""
        if reply.status != OK:
            return [], self._orders.end_badly(f"answered by {reply.status}", now)
        try:
            page = decode(OPEN_ORDERS, reply.body, "open orders")
            rows = [rest_order(row) for row in page.data]
        except WireFault as fault:
            return [], self._orders.end_badly(f"unreadable: {fault}", now)
        return self._orders.take_page(page, rows, reply, now)  # type: ignore[arg-type]

    def trades_replied(
        self, reply: HttpReply, now: Instant
    ) -> tuple[list[Effect], Read[OwnTrade] | None]:
        """Take a page of trades."""
        if reply.status != OK:
            return [], self._trades.end_badly(f"answered by {reply.status}", now)
        try:
            page = decode(TRADES, reply.body, "trades")
            rows = [rest_trade(row) for row in page.data]
        except WireFault as fault:
            return [], self._trades.end_badly(f"unreadable: {fault}", now)
        return self._trades.take_page(page, rows, reply, now)  # type: ignore[arg-type]

    def orders_failed(self, failure: HttpFailed, now: Instant) -> Read[OwnOrder]:
        """End a read of open orders that got no answer."""
        return self._orders.end_badly(failure.reason, now)

    def trades_failed(self, failure: HttpFailed, now: Instant) -> Read[OwnTrade]:
        """End a read of trades that got no answer."""
        return self._trades.end_badly(failure.reason, now)


def judge_look(order_id: OrderHash, reply: HttpReply) -> Look:
    """Return what an answer to a question after one order says.

    Unknown ids are answered by 404, and by 200 with null or nothing.
    Source: https://docs.polymarket.com/api-reference (2026-09-28) and reports of users.
    """
    nothing = reply.status == OK and reply.body.strip() in (b"", b"null", b"{}")
    if nothing or (reply.status == NOT_FOUND and _says_not_found(reply.body)):
        venue_s = date_s(reply.headers)
        return Look(order_id, reply.sent_ns, is_known=True, venue_s=venue_s)
    if reply.status != OK:
        return Look(order_id, reply.sent_ns, is_known=False)
    try:
        order = rest_order(decode(OPEN_ORDER, reply.body, "order"))
    except WireFault:
        return Look(order_id, reply.sent_ns, is_known=False)
    if order.order_id != order_id:
        return Look(order_id, reply.sent_ns, is_known=False)
    return Look(order_id, reply.sent_ns, is_known=True, order=order)


def _says_not_found(body: bytes) -> bool:
    """Whether a 404 is the venue's own word on the order and not some page of a proxy."""
    text = error_text(body)
    return text is not None and "not found" in text.lower()


def date_s(headers: Mapping[str, str]) -> int | None:
    """Return the venue's clock of an answer, wall seconds; None when it has no readable date.

    Args:
        headers: With lower-case names.
    """
    text = headers.get("date")
    if text is None:
        return None
    parsed = parsedate_tz(text)
    return None if parsed is None else mktime_tz(parsed)
