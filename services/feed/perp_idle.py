"""Perpetual futures where the profile does not want them: the component idles, and says so."""

from typing import Final, Literal

from services.feed.connection import Connection
from services.feed.connection_rules import ConnectionRules
from services.feed.evidence import EvidenceBoard
from services.feed.report import FeedReport
from shared.effects import Effect, Exit, Message, Publish, Stop
from shared.topics import FEED_PERP
from shared.units import Instant

NOT_WANTED: Final = "not wanted"


class IdlePerpFeed:
    """The whole process where nobody wants perpetual futures, pure."""

    def __init__(self) -> None:
        """Connect to nothing."""
        self._connection = Connection(ConnectionRules("perp", "", "", 0), 0)
        self._connection.cause = NOT_WANTED
        self._evidence = EvidenceBoard()
        self._report = FeedReport(FEED_PERP, wanted=False)

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """End when told to."""
        return [Exit(0, message.cause)] if isinstance(message, Stop) else []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Repeat that nothing is wanted."""
        return self._report.on_tick(self._connection, self._evidence, now)

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the status: there is nothing else."""
        return [self._report.status(self._connection, self._evidence, now)]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return that nothing is missing."""
        return "ready", NOT_WANTED
