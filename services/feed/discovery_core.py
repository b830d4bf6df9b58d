"""Discovery as one process: the market calendar, and what the venue says of our address.

Hands every message to whichever of the two it is for; decides nothing itself.
"""

from typing import Literal

from services.feed.discovery import DiscoveryFeed
from services.feed.place import PlaceWatch
from shared.config import Config
from shared.effects import Effect, HttpFailed, HttpReply, Message, Publish
from shared.units import NS_PER_MS, Instant


class DiscoveryCore:
    """The whole process, pure."""

    def __init__(self, config: Config, seed: int = 0) -> None:
        """Begin knowing neither a market nor where we are; the seed is that of the jitter."""
        self._calendar = DiscoveryFeed(config, seed)
        self._place = PlaceWatch(config.access, config.timing.read_deadline_ms * NS_PER_MS)

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take a message in."""
        taken: list[Effect] | None = None
        if isinstance(message, HttpReply):
            taken = self._place.on_reply(message, now)
        elif isinstance(message, HttpFailed):
            taken = self._place.on_failed(message, now)
        return self._calendar.on_message(message, now) if taken is None else taken

    def on_tick(self, now: Instant) -> list[Effect]:
        """Look at the time."""
        return [*self._calendar.on_tick(now), *self._place.on_tick(now)]

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return what a reader needs that has missed everything."""
        return [*self._calendar.snapshot(now), self._place.fact(now)]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return whether there is a calendar."""
        return self._calendar.health()
