"""What a feed's status is made of: what it listens over, and what shows that each stream is right.

One connection and its evidence are one such pair, several connections that answer as one
another. Decides nothing.
"""

from collections.abc import Callable
from typing import Protocol

from shared.facts import Evidence, FeedShard
from shared.units import Instant, MonotonicNs


class Link(Protocol):
    """What a feed listens over: one connection, or several that answer as one."""

    @property
    def is_ready(self) -> bool:
        """Tell whether it is open and subscribed."""
        ...

    @property
    def session(self) -> int:
        """Count its connections."""
        ...

    @property
    def cause(self) -> str:
        """Say why it is not ready."""
        ...

    @property
    def since_ns(self) -> MonotonicNs:
        """Since when it is so."""
        ...

    @property
    def reconnects(self) -> int:
        """Losses so far."""
        ...

    @property
    def state(self) -> str:
        """State of the connection's table."""
        ...

    @property
    def failures(self) -> int:
        """Attempts in a row that did not become stable."""
        ...

    @property
    def fault(self) -> str:
        """How the newest attempt or connection ended."""
        ...

    @property
    def url(self) -> str:
        """Endpoint in use."""
        ...

    @property
    def next_try_ns(self) -> MonotonicNs | None:
        """When it is tried again."""
        ...

    @property
    def outgoing_dropped(self) -> int:
        """Texts to the venue that fell out."""
        ...

    def is_suspect(self, now: Instant) -> bool:
        """Tell whether a pong is late."""
        ...


class Board(Protocol):
    """What shows that each stream is right."""

    def entries(self) -> tuple[Evidence, ...]:
        """Return what the status says."""
        ...


Shards = Callable[[], tuple[FeedShard, ...]]


def no_shards() -> tuple[FeedShard, ...]:
    """Answer for a feed that has one connection."""
    return ()
