"""Risk's own hand at the venue: it cancels, looks, and keeps or stops the dead-man switch.

During a fence: one cancel-all at once, then reads; what a read shows is cancelled by id. After
the proof, while nothing may trade: a read each `halted_poll_ms` for good, and whatever
appears is cancelled. While trading: beats and nothing else. Works without execution.
"""

from services.risk.cancel_path import CancelPath
from services.risk.dead_man import BeatTiming, DeadMan
from services.risk.fence import Fence
from services.risk.open_orders import OpenOrdersReader, ReadResult
from services.risk.requests import RequestNumbers
from shared.config import TimingSettings
from shared.effects import Effect, HttpFailed, HttpReply
from shared.units import NS_PER_MS, BootNs

LOOK_EVERY_NS = 500 * NS_PER_MS
"""Between reads that cannot count for the proof yet, but show what is left to cancel."""


class Sweep:
    """The three lanes to the venue.

    Attributes:
        cancels: Own cancel path.
        dead_man: Beats.
        reader: Reads of the open orders.
    """

    def __init__(self, timing: TimingSettings) -> None:
        numbers = RequestNumbers()
        self.cancels = CancelPath(timing.cancel_deadline_ms * NS_PER_MS, numbers)
        self.reader = OpenOrdersReader(timing.read_deadline_ms * NS_PER_MS, numbers)
        self.dead_man = DeadMan(
            BeatTiming(
                timing.beat_every_ms * NS_PER_MS,
                timing.beat_deadline_ms * NS_PER_MS,
                timing.beat_admission_ms * NS_PER_MS,
            ),
            numbers,
        )
        self._halted_poll_ns = timing.halted_poll_ms * NS_PER_MS
        self._look_ns = BootNs(0)

    def begin(self, now_ns: BootNs) -> list[Effect]:
        """Cancel everything, now."""
        self._look_ns = BootNs(0)
        self.reader.abandon()
        return self.cancels.cancel_all(now_ns)

    def tick(self, fence: Fence, now_ns: BootNs) -> list[Effect]:
        """Do what is due while nothing may trade."""
        effects = self.cancels.tick(now_ns)
        if not self.reader.is_idle(now_ns):
            return effects
        if fence.read_would_count(now_ns) or now_ns >= self._look_ns:
            pause_ns = self._halted_poll_ns if fence.is_zero else LOOK_EVERY_NS
            self._look_ns = BootNs(now_ns + pause_ns)
            effects += self.reader.begin(now_ns)
        return effects

    def keep_alive(self, now_ns: BootNs) -> list[Effect]:
        """Beat when one is due; not while cancels are refused: then the sweep is wanted."""
        return [] if self.cancels.refused else self.dead_man.beat(now_ns)

    def replied(self, reply: HttpReply, now_ns: BootNs) -> tuple[list[Effect], ReadResult | None]:
        """Take an answer to whoever asked; one that nobody waits for any more is dropped."""
        if self.cancels.owns(reply.request_id):
            self.cancels.replied(reply, now_ns)
        elif self.dead_man.owns(reply.request_id):
            self.dead_man.replied(reply)
        elif self.reader.owns(reply.request_id):
            return self.reader.replied(reply, now_ns)
        return [], None

    def failed(self, failure: HttpFailed, now_ns: BootNs) -> ReadResult | None:
        """Take a missing answer to whoever asked."""
        if self.cancels.owns(failure.request_id):
            self.cancels.failed(failure, now_ns)
        elif self.dead_man.owns(failure.request_id):
            self.dead_man.failed(failure, now_ns)
        elif self.reader.owns(failure.request_id):
            return self.reader.failed(failure, now_ns)
        return None
