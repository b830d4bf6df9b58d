"""Pings of one connection: when one is due, whether its pong is late, and when too many are missed.

A socket that never answers is pinged where its rules say so, but not judged by pongs.

Source: requirement NET-1; pongs that never come in the price stream that is being retired, and
pongs that come although the data has stopped
(https://github.com/Polymarket/py-clob-client/issues/292).
"""

from services.feed.connection_rules import ConnectionRules
from shared.units import Instant


class Pulse:
    """Pings and pongs since the connection opened."""

    def __init__(self, rules: ConnectionRules) -> None:
        """Begin closed: nothing is due before `opened`."""
        self._rules = rules
        self._next_ns = 0
        self._waiting_ns: int | None = None
        self.missed = 0

    def opened(self, now: Instant) -> None:
        """Begin anew: the first ping is due at once."""
        self._next_ns = now.monotonic_ns
        self.closed()

    def closed(self) -> None:
        """Await nothing any more."""
        self._waiting_ns = None
        self.missed = 0

    def is_due(self, now: Instant) -> bool:
        """Tell whether it is time for a ping."""
        return bool(self._rules.ping_text) and now.monotonic_ns >= self._next_ns

    def ping(self, now: Instant) -> bool:
        """Note a ping that goes out now; False when too many pongs are missed for another."""
        self._next_ns = now.monotonic_ns + self._rules.ping_every_ns
        if not self._rules.answers_pings:
            return True
        if self._waiting_ns is None:
            self._waiting_ns = now.monotonic_ns
            return True
        self.missed += 1
        return self.missed < self._rules.pong_missed_max

    def ponged(self) -> None:
        """Note an answer."""
        self.closed()

    def is_late(self, now: Instant) -> bool:
        """Tell whether a pong is later than it may be."""
        waiting = self._waiting_ns
        return waiting is not None and now.monotonic_ns - waiting > self._rules.pong_suspect_ns
