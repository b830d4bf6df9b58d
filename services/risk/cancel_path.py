"""Risk's own cancel path: cancels at the venue without execution, while execution does too.

One cancel-all a fence, repeated until the venue has answered it once; what is left
afterwards is cancelled by id as reads show it. Waits for nobody and backs off for nobody: a
429 is asked again at the earlier of Retry-After and 250 ms. Answered by 401 or 403 it can
cancel nothing: then the beats stop (`refused`), so that the venue's dead-man does it.
"""

from services.risk.requests import RETRY_NS, RequestNumbers, retry_after_ns
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest
from shared.units import BootNs
from shared.venue.faults import WireFault
from shared.venue.orders_wire import (
    BATCH_CANCELS_MAX,
    CANCEL_ALL_PATH,
    CANCEL_REPLY,
    ORDERS_PATH,
)
from shared.venue.wire import decode, encode

LANE = "cancel"

OK = 200


class CancelPath:
    """What has been asked to be cancelled, and what the venue said.

    Attributes:
        refused: The venue answered the newest cancel by 401 or 403: the beats must stop.
        answered_ns: When the newest cancel-all was answered; None while it is not.
        attempts: Cancel-alls sent for the newest fence.
        sent_ns: When the first byte of the first that was answered was written; None before.
        trouble: Why the newest cancel did not work; empty when it did.
    """

    def __init__(self, deadline_ns: int, numbers: RequestNumbers) -> None:
        self.refused = False
        self.answered_ns: BootNs | None = None
        self.attempts = 0
        self.sent_ns: BootNs | None = None
        self.trouble = ""
        self._deadline_ns = deadline_ns
        self._numbers = numbers
        self._wanted = False
        self._all_after_ns = BootNs(0)
        self._targeted_after_ns = BootNs(0)
        self._all_request: int | None = None
        self._targeted: int | None = None

    def cancel_all(self, now_ns: BootNs) -> list[Effect]:
        """Ask for everything to be cancelled, at once, whatever is still under way."""
        self._wanted = True
        self.answered_ns = None
        self.attempts = 0
        self.sent_ns = None
        return self._send_all(now_ns)

    def cancel(self, order_ids: tuple[str, ...], now_ns: BootNs) -> list[Effect]:
        """Cancel orders that a read has shown, one request at a time."""
        if not order_ids or self._targeted is not None or now_ns < self._targeted_after_ns:
            return []
        body = encode(order_ids[:BATCH_CANCELS_MAX])
        self._targeted = self._numbers.take()
        return [self._request(self._targeted, ORDERS_PATH, body, now_ns)]

    def tick(self, now_ns: BootNs) -> list[Effect]:
        """Repeat a cancel-all that the venue has not answered."""
        due = self._wanted and self._all_request is None and now_ns >= self._all_after_ns
        return self._send_all(now_ns) if due else []

    def stand_down(self) -> None:
        """Stop repeating: trading resumes, and a late cancel-all would hit new orders."""
        self._wanted = False

    def owns(self, request_id: int) -> bool:
        """Tell whether an answer belongs to a cancel."""
        return request_id in (self._all_request, self._targeted)

    def replied(self, reply: HttpReply, now_ns: BootNs) -> None:
        """Take the venue's answer."""
        self.trouble = _trouble(reply)
        self.refused = reply.status in (401, 403)
        if reply.request_id == self._all_request and self.sent_ns is None:
            self.sent_ns = reply.sent_ns
        pause_ns = retry_after_ns(reply) if self.trouble else 0
        was_all = self._finish(reply.request_id, BootNs(now_ns + pause_ns))
        if was_all and not self.trouble:
            self._wanted = False
            self.answered_ns = now_ns

    def failed(self, failure: HttpFailed, now_ns: BootNs) -> None:
        """Take a cancel without an answer: it is repeated."""
        self._finish(failure.request_id, BootNs(now_ns + RETRY_NS))
        self.trouble = f"cancel failed: {failure.reason}"

    def _finish(self, request_id: int, again_ns: BootNs) -> bool:
        """Forget a request and note when it may be repeated; True for the newest cancel-all.

        Each kind has its own pause: the failures of one never put the other off.
        """
        if request_id == self._targeted:
            self._targeted = None
            self._targeted_after_ns = again_ns
            return False
        self._all_request = None
        self._all_after_ns = again_ns
        return True

    def _send_all(self, now_ns: BootNs) -> list[Effect]:
        self.attempts += 1
        self._all_request = self._numbers.take()
        return [self._request(self._all_request, CANCEL_ALL_PATH, b"", now_ns)]

    def _request(self, request_id: int, path: str, body: bytes, now_ns: BootNs) -> HttpRequest:
        deadline = BootNs(now_ns + self._deadline_ns)
        return HttpRequest(request_id, LANE, "DELETE", path, body, deadline)


def _trouble(reply: HttpReply) -> str:
    """Return why an answer to a cancel is none; empty when it is one."""
    if reply.status != OK:
        return f"cancel answered by {reply.status}"
    try:
        decode(CANCEL_REPLY, reply.body, "cancel")
    except WireFault as fault:
        return f"cancel answered unreadably: {fault}"
    return ""
