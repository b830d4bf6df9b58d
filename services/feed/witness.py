"""The second opinion about quiet books: what the stream told, compared with what REST tells.

Decides whether a book read by request agrees with the one folded from the stream. Agreement
is evidence that a quiet stream is quiet and not dead. Disagreement is never evidence; when it
repeats, the stream has lost something and the owner subscribes anew. A book read by request
never replaces a streamed one.

A lively book is compared too: what a request shows must have been on the stream, or come
there soon. A stream that goes on, and tells the past, never catches up with what requests
show: only a frame at least as new as the disputed book ends a disagreement.

Source: books by request have been seen to lag the stream by seconds at a change of window,
so one that is older than the stream says nothing.
"""

from collections import deque
from typing import Literal

from shared.facts import BookSnapshot, Level, PriceChange
from shared.identifiers import TokenId
from shared.units import PriceE4, SizeE6, WallMs

Verdict = Literal["equal", "told", "older", "different"]
"""`told`: the stream has told this very book and has gone on; no proof of the present one."""

TOLD_MAX = 64
"""Hashes of a book that are remembered: two seconds of the liveliest token recorded."""

DISAGREEMENTS_RESUBSCRIBE = 3
"""Witnesses in a row, one a second: a frame under way explains one, a lagging cache two."""

DISAGREEMENTS_RECONNECT = 8
"""A new subscription did not help: the connection itself is to blame."""


class StreamedBook:
    """One token's levels as the stream told them; proves nothing by itself.

    Attributes:
        venue_ms: The venue's stamp of the newest frame, 0 before the first.
        disagreements: Witnesses in a row that saw another book.
    """

    def __init__(self, token: TokenId) -> None:
        """Start before the first frame."""
        self.token = token
        self.venue_ms = WallMs(0)
        self.disagreements = 0
        self._hash = ""
        self._told: deque[str] = deque(maxlen=TOLD_MAX)
        self._disputed_ms = WallMs(0)
        self._newest: BookSnapshot | None = None
        self._tick: PriceE4 | None = None
        self._bids: dict[PriceE4, SizeE6] = {}
        self._asks: dict[PriceE4, SizeE6] = {}

    @property
    def has_book(self) -> bool:
        """Tell whether a snapshot has come."""
        return self._newest is not None

    def forget(self) -> None:
        """Start over, as on a new connection."""
        self._newest = None
        self._hash = ""
        self._told.clear()
        self.venue_ms = WallMs(0)
        self._bids.clear()
        self._asks.clear()

    def apply_snapshot(self, snapshot: BookSnapshot) -> None:
        """Take a whole book of the stream."""
        self._newest = snapshot
        self._bids = dict(snapshot.bids)
        self._asks = dict(snapshot.asks)
        self._take_hash(snapshot.hash)
        self.venue_ms = snapshot.venue_ms
        if snapshot.tick_e4 is not None:
            self._tick = snapshot.tick_e4

    def apply_tick(self, tick: PriceE4) -> None:
        """Take a new price step."""
        self._tick = tick

    def apply_change(self, change: PriceChange, venue_ms: WallMs) -> None:
        """Take one level's new total."""
        if self._newest is None:
            return
        levels = self._bids if change.side == "BUY" else self._asks
        if change.size == 0:
            levels.pop(change.price, None)
        else:
            levels[change.price] = change.size
        if change.hash != self._hash:
            self._take_hash(change.hash)
        self.venue_ms = venue_ms

    def judge(self, asked: BookSnapshot) -> Verdict:
        """Compare with a book read by request, and remember what is in dispute."""
        verdict = self._compare(asked)
        if verdict == "different":
            self.disagreements += 1
            self._disputed_ms = max(self._disputed_ms, asked.venue_ms)
        elif verdict != "older":
            self.settle()
        return verdict

    def settle(self) -> None:
        """Nothing is in dispute any more."""
        self.disagreements = 0
        self._disputed_ms = WallMs(0)

    def advances(self, venue_ms: WallMs) -> bool:
        """Tell whether a frame of this stamp shows the stream going on, and end disputes by it.

        A stamp that goes back shows nothing, nor does one of a stream that is behind what
        requests have shown time and again.
        """
        if venue_ms < self.venue_ms:
            return False
        if self.disagreements and venue_ms >= self._disputed_ms:
            self.settle()
        return self.disagreements < DISAGREEMENTS_RESUBSCRIBE

    def retell(self) -> BookSnapshot | None:
        """Return the folded book for a reader that joins late, None before the first frame.

        The last trade's text is left out: it may be older than the book.
        """
        newest = self._newest
        if newest is None:
            return None
        return BookSnapshot(
            market=newest.market,
            token=self.token,
            bids=tuple[Level, ...](sorted(self._bids.items())),
            asks=tuple[Level, ...](sorted(self._asks.items(), reverse=True)),
            venue_ms=self.venue_ms,
            hash=self._hash,
            source="socket",
            tick_e4=self._tick,
        )

    def _compare(self, asked: BookSnapshot) -> Verdict:
        if self._newest is None:
            return "different"
        if asked.hash == self._hash or self._is_same_content(asked):
            return "equal"
        if asked.hash in self._told:
            return "told"
        return "older" if asked.venue_ms < self.venue_ms else "different"

    def _take_hash(self, text: str) -> None:
        self._hash = text
        self._told.append(text)

    def _is_same_content(self, asked: BookSnapshot) -> bool:
        return dict(asked.bids) == self._bids and dict(asked.asks) == self._asks
