"""KS-11: the venue restarts, or takes cancels only, or nothing: waited out.

By the calendar, by answers to risk's own requests, and by what execution says of its own. A
venue that refuses everybody is nobody's fault here: the account pauses, everything is
cancelled as far as the venue lets it, and nothing is latched. That it trades again is found by
the first answers that do not refuse, and in the end by an order.

Source: https://docs.polymarket.com/trading/matching-engine and
https://docs.polymarket.com/resources/error-codes (2026-09-28).
"""

from collections.abc import Iterator

from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from shared.control import Pong
from shared.effects import ControlReceived, HttpReply, Message
from shared.switches import VENUE_MODE
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant
from shared.venue.modes import REFUSING_MODES, read_mode
from shared.venue.planned_restarts import RESTART_PLANNED, PlannedRestarts

ANSWER_HELD_NS = 3 * NS_PER_S
"""For so long one answer shows the mode unless the venue names a longer wait: cancels are
repeated four times a second until one is taken, and beats go out every two seconds."""


class VenueModeSource:
    """The newest word on the venue's mode from each who was told one."""

    def __init__(self, planned: PlannedRestarts) -> None:
        """Begin in normal mode.

        Args:
            planned: Restarts that the venue's calendar names.
        """
        self._planned = planned
        self._mode = ""
        self._until_ns = BootNs(0)
        self._execution = ""

    def hear(self, message: Message, now: Instant) -> None:
        """Take in answers of the venue, and execution's pongs."""
        if isinstance(message, HttpReply):
            signal = read_mode(message.status, message.headers, message.body)
            if signal is None or signal.mode not in REFUSING_MODES:
                return
            asked_ns = (signal.retry_after_ms or 0) * NS_PER_MS
            self._mode = signal.mode.value
            self._until_ns = BootNs(now.boot_ns + max(asked_ns, ANSWER_HELD_NS))
        elif isinstance(message, ControlReceived) and isinstance(message.body, Pong):
            told = message.body.execution
            if told is not None:
                self._execution = told.venue_mode

    def data(self, now: Instant) -> Iterator[Sample | Notice]:
        """Yield one sample for each who knows."""
        is_planned = self._planned.is_near(now.wall_ns)
        yield Sample(VENUE_MODE, "calendar", ACCOUNT, is_planned, RESTART_PLANNED)
        is_told = now.boot_ns < self._until_ns
        yield Sample(VENUE_MODE, "risk", ACCOUNT, is_told, f"risk was answered {self._mode}")
        why = f"execution was answered {self._execution}"
        yield Sample(VENUE_MODE, "execution", ACCOUNT, bool(self._execution), why)
