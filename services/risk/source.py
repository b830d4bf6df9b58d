"""A source of samples: what watches one kind of condition for risk.

Guard hands every message to each source and asks each for its samples once a ping; what a
sample leads to (n of m, pause, latch, fence) is the switch table's and the guard's. A source
is pure: what must be read from the host arrives as a message of one of risk's edges.
"""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from services.risk.degradation import LevelShift
from services.risk.notes import Severity
from services.risk.samples import Sample
from shared.effects import Effect, Message
from shared.risk_schema import Kept
from shared.units import Instant


class Notice(msgspec.Struct, frozen=True):
    """Something that people should know and that trips nothing.

    Attributes:
        name: Of the alert; one name is told at most once in a while.
        runbook: Page in `ops/runbooks`.
    """

    severity: Severity
    name: str
    text: str
    runbook: str


class Source(Protocol):
    """Watches one kind of condition."""

    def hear(self, message: Message, now: Instant) -> None:
        """Take in a message if it concerns this source."""
        ...

    def data(self, now: Instant) -> Iterator[Sample | Notice | LevelShift | Kept | Effect]:
        """Yield what is seen now; asked once a ping, so that n of m samples is a time.

        An effect is handed on as it is, to an edge of risk that belongs to the source. What is to
        be kept for the next run is written in the transaction of this turn, with the latches
        that its samples lead to.
        """
        ...
