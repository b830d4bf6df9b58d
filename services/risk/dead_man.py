"""The venue's dead-man switch: beats, their ids, and until when they admit trading.

The venue cancels every order of the key when no valid beat has come for 10 s; it looks every
5 s. Each beat is decided here, by risk's own loop, and carries a permit with an age
limit: a loop that hangs sends none, and a beat that waited too long is dropped. No order
before the first acknowledged beat; admission ends a fixed time after the *sending* of the last
acknowledged one, since the venue counts from its receiving, which is never earlier.

Source: https://docs.polymarket.com/trading/manage-orders (heartbeat; read 2026-09-28): answer
200 carries the next id, 400 the id that was expected, and a refused beat does not count.
"""

import msgspec

from services.risk.messages import BeatPermit
from services.risk.requests import RequestNumbers
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest
from shared.units import NS_PER_MS, BootNs
from shared.venue.faults import WireFault
from shared.venue.orders_wire import (
    HEARTBEAT_PATH,
    HEARTBEAT_REFUSAL,
    HEARTBEAT_REPLY,
    HeartbeatRequest,
)
from shared.venue.wire import decode, encode

LANE = "beat"

PERMIT_NS = 500 * NS_PER_MS
"""A decided beat that has not left by then is dropped: it would speak for a loop of the past."""

AGAIN_NS = 250 * NS_PER_MS
"""From a beat that nobody answered to the next: one that was dropped in a slow moment must not
cost a whole period of the few that fit into an admission."""

CORRECTIONS_MAX = 3
"""Refusals in a row with a corrected id before the next beat waits for its time: two writers
on one key would otherwise fight at full speed."""


class BeatTiming(msgspec.Struct, frozen=True):
    """Times of the beats, from the settings of `timing`."""

    every_ns: int
    deadline_ns: int
    admission_ns: int


class DeadMan:
    """Beats of one key.

    Attributes:
        acknowledged_sent_ns: When the last acknowledged beat was sent; None before the first.
        refused: Refusals in a row; above `CORRECTIONS_MAX` somebody else writes to the key.
        trouble: Why the newest beat was not acknowledged; empty when it was.
    """

    def __init__(self, timing: BeatTiming, numbers: RequestNumbers) -> None:
        self.acknowledged_sent_ns: BootNs | None = None
        self.refused = 0
        self.trouble = "no beat yet"
        self._timing = timing
        self._numbers = numbers
        self._expected_id = ""
        self._outstanding: int | None = None
        self._due_ns = BootNs(0)

    def admits(self, now_ns: BootNs) -> bool:
        """Tell whether an order placed now would still be swept if everything died."""
        sent = self.acknowledged_sent_ns
        return sent is not None and now_ns < sent + self._timing.admission_ns

    def age_ns(self, now_ns: BootNs) -> int | None:
        """Return the time since the last acknowledged beat was sent; None before the first."""
        return None if self.acknowledged_sent_ns is None else now_ns - self.acknowledged_sent_ns

    def beat(self, now_ns: BootNs) -> list[Effect]:
        """Return the beat that is due; called only while the loop vouches for what is there."""
        if self._outstanding is not None or now_ns < self._due_ns:
            return []
        self._due_ns = BootNs(now_ns + self._timing.every_ns)
        request_id = self._outstanding = self._numbers.take()
        return [
            HttpRequest(
                request_id=request_id,
                lane=LANE,
                method="POST",
                path=HEARTBEAT_PATH,
                body=encode(HeartbeatRequest(self._expected_id)),
                deadline_ns=BootNs(now_ns + self._timing.deadline_ns),
                permit=BeatPermit(BootNs(now_ns + PERMIT_NS)),
            )
        ]

    def owns(self, request_id: int) -> bool:
        """Tell whether an answer belongs to the beat under way."""
        return request_id == self._outstanding

    def replied(self, reply: HttpReply) -> None:
        """Take the venue's answer to the beat."""
        self._outstanding = None
        try:
            if reply.status == 200:
                self._acknowledged(decode(HEARTBEAT_REPLY, reply.body, "beat").heartbeat_id, reply)
            elif reply.status == 400:
                refusal = decode(HEARTBEAT_REFUSAL, reply.body, "refused beat")
                self._corrected(refusal.heartbeat_id, refusal.error_msg)
            else:
                self.trouble = f"beat answered by {reply.status}"
        except WireFault as fault:
            self.trouble = f"beat answered by {reply.status}, unreadable: {fault}"

    def failed(self, failure: HttpFailed, now_ns: BootNs) -> None:
        """Take a beat without an answer: whether it counted is unknown, so it did not."""
        self._outstanding = None
        self._due_ns = min(self._due_ns, BootNs(now_ns + AGAIN_NS))
        self.trouble = f"beat failed: {failure.reason}"

    def _acknowledged(self, next_id: str, reply: HttpReply) -> None:
        self._expected_id = next_id
        self.refused = 0
        self.trouble = ""
        sent = self.acknowledged_sent_ns
        self.acknowledged_sent_ns = reply.sent_ns if sent is None else max(sent, reply.sent_ns)

    def _corrected(self, expected_id: str, text: str) -> None:
        """Take the id that the venue expects, and beat again at once."""
        self._expected_id = expected_id
        self.refused += 1
        self.trouble = f"beat refused: {text}"
        if self.refused <= CORRECTIONS_MAX:
            self._due_ns = BootNs(0)
