"""Reading the open orders of the key, page by page, as one read with one time of sending.

A read that breaks off, that cannot be understood, or that never ends says nothing: its
answer is None, never an empty list. Counts from the sending of the first page, which is what
a proof of zero is judged by.
"""

from urllib.parse import quote

import msgspec

from services.risk.requests import RETRY_NS, RequestNumbers
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest
from shared.units import BootNs
from shared.venue.account_wire import (
    CURSOR_END,
    CURSOR_FIRST,
    OPEN_ORDERS,
    OPEN_ORDERS_PATH,
)
from shared.venue.faults import WireFault
from shared.venue.wire import decode

LANE = "read"

PAGES_MAX = 50
"""5000 open orders: far above what the gate lets be; a cursor that never ends says nothing."""


class ReadResult(msgspec.Struct, frozen=True):
    """One whole read.

    Attributes:
        sent_ns: When the first byte of its first page was written.
        order_ids: What is open; None when nobody said.
        trouble: Why nobody said; empty when somebody did.
    """

    sent_ns: BootNs
    answered_ns: BootNs
    order_ids: tuple[str, ...] | None
    trouble: str = ""


class OpenOrdersReader:
    """One read at a time.

    Attributes:
        trouble: Why the newest read said nothing; empty when it did.
    """

    def __init__(self, deadline_ns: int, numbers: RequestNumbers) -> None:
        self.trouble = ""
        self._deadline_ns = deadline_ns
        self._numbers = numbers
        self._outstanding: int | None = None
        self._sent_ns: BootNs | None = None
        self._ids: list[str] = []
        self._pages = 0
        self._not_before_ns = BootNs(0)

    def is_idle(self, now_ns: BootNs) -> bool:
        """Tell whether a read may begin now."""
        return self._outstanding is None and now_ns >= self._not_before_ns

    def begin(self, now_ns: BootNs) -> list[Effect]:
        """Begin a read."""
        assert self._outstanding is None, "one read at a time: two would share their pages"
        self._sent_ns = None
        self._ids = []
        self._pages = 0
        return self._page(CURSOR_FIRST, now_ns)

    def abandon(self) -> None:
        """Let a read under way go unheard: one that was sent before a fence proves nothing."""
        self._outstanding = None

    def owns(self, request_id: int) -> bool:
        """Tell whether an answer belongs to the read under way."""
        return request_id == self._outstanding

    def replied(self, reply: HttpReply, now_ns: BootNs) -> tuple[list[Effect], ReadResult | None]:
        """Take a page: ask for the next one, or end the read with its result."""
        self._outstanding = None
        if self._sent_ns is None:
            self._sent_ns = reply.sent_ns
        if reply.status != 200:
            return [], self._ended_badly(f"open orders answered by {reply.status}", now_ns)
        try:
            page = decode(OPEN_ORDERS, reply.body, "open orders")
        except WireFault as fault:
            return [], self._ended_badly(f"open orders unreadable: {fault}", now_ns)
        self._ids.extend(order.id for order in page.data)
        self._pages += 1
        if page.next_cursor == CURSOR_END:
            self.trouble = ""
            if self._ids:
                # What it showed is being cancelled first: reading without a pause only costs.
                self._not_before_ns = BootNs(now_ns + RETRY_NS)
            return [], ReadResult(self._sent_ns, now_ns, tuple(self._ids))
        if self._pages >= PAGES_MAX or not page.next_cursor:
            return [], self._ended_badly("the list of open orders does not end", now_ns)
        return self._page(page.next_cursor, now_ns), None

    def failed(self, failure: HttpFailed, now_ns: BootNs) -> ReadResult:
        """End the read without a result."""
        self._outstanding = None
        return self._ended_badly(f"open orders: {failure.reason}", now_ns)

    def _ended_badly(self, trouble: str, now_ns: BootNs) -> ReadResult:
        self.trouble = trouble
        self._not_before_ns = BootNs(now_ns + RETRY_NS)
        return ReadResult(self._sent_ns or now_ns, now_ns, None, trouble)

    def _page(self, cursor: str, now_ns: BootNs) -> list[Effect]:
        self._outstanding = self._numbers.take()
        path = f"{OPEN_ORDERS_PATH}?next_cursor={quote(cursor, safe='=')}"
        deadline = BootNs(now_ns + self._deadline_ns)
        return [HttpRequest(self._outstanding, LANE, "GET", path, b"", deadline)]
