"""What people are told of the recording (CP-4, CP-5): each trouble once, and its end. Pure.

Nothing trips: a recorder that fails stops no trading. What it says of itself is repeated each
second; only what has changed is told.
"""

from collections.abc import Iterator

from services.risk.notes import Severity
from services.risk.source import Notice
from shared.effects import Message, Received
from shared.facts import RecorderStatus
from shared.units import Instant

RUNBOOK = "recording"


class RecordingWatch:
    """Draws alerts from the recorder's status."""

    def __init__(self) -> None:
        """Know nothing: a recorder that was never heard is a component that is lost."""
        self._state = "recording"
        self._damage = ""
        self._notices: list[Notice] = []

    def hear(self, message: Message, now: Instant) -> None:
        """Take the recorder's status."""
        if not (isinstance(message, Received) and isinstance(message.body, RecorderStatus)):
            return
        told = message.body
        if told.state != self._state:
            self._state = told.state
            text = told.reason or "everything is kept again"
            is_well = told.state == "recording"
            severity: Severity = "info" if is_well else "warning"
            self._notices.append(Notice(severity, f"recorder_{told.state}", text, RUNBOOK))
        if told.damage != self._damage:
            self._damage = told.damage
            if told.damage:
                self._notices.append(Notice("warning", "recording_damaged", told.damage, RUNBOOK))

    def data(self, now: Instant) -> Iterator[Notice]:
        """Yield what has changed."""
        notices, self._notices = self._notices, []
        yield from notices
