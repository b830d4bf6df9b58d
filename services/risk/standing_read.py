"""Asks the venue whether the account may only close, before an order has to find out (KS-5).

One question at a time over the lane of reads; an answer that does not come or cannot be read
says nothing, and the last one stands.
Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, ban status; 2026-09-28).
"""

from services.risk.open_orders import LANE
from shared.effects import HttpReply, HttpRequest
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant
from shared.venue.account_wire import CLOSED_ONLY
from shared.venue.faults import WireFault
from shared.venue.wire import decode

PATH = "/auth/ban-status/closed-only"

DEADLINE_NS = 2 * NS_PER_S

FIRST_NUMBER = 1 << 41
"""Requests count from here: those of risk's own hand never reach so far."""

OK = 200


class StandingRead:
    """The newest answer.

    Attributes:
        closed_only: Whether the account may only close; None before the first answer.
    """

    def __init__(self, every_ms: int) -> None:
        """Begin knowing nothing."""
        self.closed_only: bool | None = None
        self._every_ns = every_ms * NS_PER_MS
        self._ask_ns = BootNs(0)
        self._number = FIRST_NUMBER

    def ask(self, now: Instant) -> HttpRequest | None:
        """Return the question when it is time; one without an answer by then is given up."""
        if now.boot_ns < self._ask_ns:
            return None
        self._ask_ns = BootNs(now.boot_ns + self._every_ns)
        self._number += 1
        deadline_ns = BootNs(now.boot_ns + DEADLINE_NS)
        return HttpRequest(self._number, LANE, "GET", PATH, b"", deadline_ns)

    def hear(self, reply: HttpReply) -> None:
        """Take an answer, if it is to the newest question and can be read."""
        if reply.request_id != self._number or reply.status != OK:
            return
        try:
            self.closed_only = decode(CLOSED_ONLY, reply.body, "standing").closed_only
        except WireFault:
            return
