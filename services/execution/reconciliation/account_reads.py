"""Reading open orders, trades and single orders of the key, each read as one whole.

Lists are read page by page (`paged_read.py`). A read that cannot be understood says nothing:
its result is None, never an empty list (EX-22). Decides nothing by what it reads.
"""

from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import Final

import msgspec

from services.execution.budgets.venue_phase import PAUSE_NS_FIRST
from services.execution.reconciliation.paged_read import (
    PAUSE_NS_MAX,
    RETRY_NS,
    PagedRead,
    PageTrouble,
    Read,
)
from services.execution.requests import LookAsk, OpenOrdersAsk, Requests, TradesAsk
from shared.effects import Effect, HttpFailed, HttpReply
from shared.facts import OwnOrder, OwnTrade
from shared.identifiers import OrderHash
from shared.units import NS_PER_MS, BootNs, Instant
from shared.venue.account_wire import (
    OPEN_ORDER,
    OPEN_ORDERS,
    OPEN_ORDERS_PATH,
    ORDER_PATH_PREFIX,
    TRADES,
    TRADES_PATH,
)
from shared.venue.faults import WireFault
from shared.venue.modes import read_mode, retry_after_ms
from shared.venue.outcomes import error_text
from shared.venue.parse_user import rest_order, rest_trade
from shared.venue.wire import decode

OVERLAP_S: Final = 120
"""Trades are asked again this far back: a late report, or seconds rounded by the venue."""

OK: Final = 200
NOT_FOUND: Final = 404

PASSING: Final = frozenset({408, 425, 429})
"""What may be answered otherwise a moment later, as every 5xx may; a page that is refused for
its cursor or its signature is refused again."""

SERVER_ERROR: Final = 500


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


class AccountReads:
    """Every read of the account that execution makes."""

    def __init__(self, requests: Requests, deadline_ms: int) -> None:
        """Begin with no read under way."""
        self._requests = requests
        self._deadline_ms = deadline_ms
        self._orders: PagedRead[OwnOrder] = PagedRead(
            OpenOrdersAsk(), lambda row: row.order_id, requests, deadline_ms, can_shrink=True
        )
        # A trade may be told in parts, by makers: no part hides another.
        self._trades: PagedRead[OwnTrade] = PagedRead(
            TradesAsk(),
            lambda row: (row.trade_id, row.legs),
            requests,
            deadline_ms,
            can_shrink=False,
        )

    def may_read_orders(self, now: Instant) -> bool:
        """Whether a read of the open orders can be sent now."""
        return self._orders.may_begin(OPEN_ORDERS_PATH, now)

    def may_read_trades(self, now: Instant) -> bool:
        """Whether a read of trades can be sent now."""
        return self._trades.may_begin(TRADES_PATH, now)

    def may_look(self, now: Instant) -> bool:
        """Whether a question after one order can be sent now."""
        return self._requests.may_read(ORDER_PATH_PREFIX, now.boot_ns)

    def tick(self, demanded_ns: BootNs, now: Instant, *, is_zeroing: bool) -> list[Effect]:
        """Ask again for the pages that were lost, when they are due.

        A read that waits and began before a newer one was demanded makes room for that. So does
        every read of the open orders on the way to zero: its proof needs the newest, and does
        not wait for as long as the venue would like.
        """
        if self._orders.is_waiting and is_zeroing:
            self._orders.give_up(RETRY_NS, now)
        if self._orders.is_waiting and self._orders.begun_ns < demanded_ns:
            self._orders.give_up(PAUSE_NS_MAX, now)
        if self._trades.is_waiting and self._trades.begun_ns < demanded_ns:
            self._trades.give_up(PAUSE_NS_MAX, now)
        return [*self._orders.tick(now), *self._trades.tick(now)]

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
            return [], self._orders.take_trouble(_trouble(reply), now)
        try:
            page = decode(OPEN_ORDERS, reply.body, "open orders")
            rows = [rest_order(row) for row in page.data]
        except WireFault as fault:
            return [], self._orders.take_trouble(PageTrouble(f"unreadable: {fault}"), now)
        return self._orders.take_page(page, rows, reply, now)  # type: ignore[arg-type]

    def trades_replied(
        self, reply: HttpReply, now: Instant
    ) -> tuple[list[Effect], Read[OwnTrade] | None]:
        """Take a page of trades."""
        if reply.status != OK:
            return [], self._trades.take_trouble(_trouble(reply), now)
        try:
            page = decode(TRADES, reply.body, "trades")
            rows = [rest_trade(row) for row in page.data]
        except WireFault as fault:
            return [], self._trades.take_trouble(PageTrouble(f"unreadable: {fault}"), now)
        return self._trades.take_page(page, rows, reply, now)  # type: ignore[arg-type]

    def orders_failed(self, failure: HttpFailed, now: Instant) -> Read[OwnOrder] | None:
        """Take a page of open orders that got no answer."""
        return self._orders.take_trouble(PageTrouble(failure.reason), now)

    def trades_failed(self, failure: HttpFailed, now: Instant) -> Read[OwnTrade] | None:
        """Take a page of trades that got no answer."""
        return self._trades.take_trouble(PageTrouble(failure.reason), now)


def _trouble(reply: HttpReply) -> PageTrouble:
    """Return what an answer other than 200 to a page means for the next try.

    The venue's word on how long to wait counts; where it only says that it restarts or trades
    with nobody, the first pause of its phases does.
    """
    asked_ms = retry_after_ms(reply.headers, reply.body)
    pause_ns = 0 if asked_ms is None else asked_ms * NS_PER_MS
    if asked_ms is None and read_mode(reply.status, reply.headers, reply.body) is not None:
        pause_ns = PAUSE_NS_FIRST
    is_passing = reply.status in PASSING or reply.status >= SERVER_ERROR
    return PageTrouble(f"answered by {reply.status}", is_passing, pause_ns)


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
