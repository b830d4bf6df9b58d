"""Subscriptions that one connection asks for after its first, at a bounded rate.

Decides when a frame may leave and what stands in it: whatever was asked for since the last one
goes together, so that a thousand doubts are two frames and not two thousand. Forgets nothing
that was asked for; a connection that is gone asks for everything anew, and `clear` says so.

Source: the operations in https://docs.polymarket.com/asyncapi.json (2026-09-28). How many a
connection may send is written nowhere: the bound is ours.
"""

from collections.abc import Iterable

from shared.identifiers import TokenId
from shared.units import NS_PER_MS, Instant
from shared.venue.streams_wire import MarketOperation

OPERATE_EVERY_NS = 200 * NS_PER_MS
"""Between two pairs of frames on one connection: ten frames a second at most. A book is told anew
at most each two seconds, so a tenth of that is nothing that anybody waits for."""


class Operations:
    """What one connection has still to ask for."""

    def __init__(self) -> None:
        """Start with nothing to ask for."""
        self._leave: dict[TokenId, None] = {}
        self._join: dict[TokenId, None] = {}
        self._next_ns = 0

    def clear(self) -> None:
        """Forget what waits: the subscription of a new connection holds all of it."""
        self._leave.clear()
        self._join.clear()

    def leave(self, tokens: Iterable[TokenId]) -> None:
        """Ask no more for these tokens."""
        for token in tokens:
            self._join.pop(token, None)
            self._leave[token] = None

    def join(self, tokens: Iterable[TokenId]) -> None:
        """Ask for these tokens; one that is to be left first is left, and told anew."""
        self._join.update(dict.fromkeys(tokens))

    def renew(self, token: TokenId) -> None:
        """Ask for a new first book of a token: leave it, then join it."""
        self._leave[token] = None
        self._join[token] = None

    def take(self, now: Instant) -> list[MarketOperation]:
        """Return the frames that may leave now, what is left before what is joined."""
        if now.monotonic_ns < self._next_ns or not (self._leave or self._join):
            return []
        self._next_ns = now.monotonic_ns + OPERATE_EVERY_NS
        frames: list[MarketOperation] = []
        if self._leave:
            frames.append(MarketOperation("unsubscribe", tuple(self._leave)))
        if self._join:
            joined = tuple(self._join)
            frames.append(MarketOperation("subscribe", joined, custom_feature_enabled=True))
        self.clear()
        return frames
