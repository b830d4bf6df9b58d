"""One token's order book, folded from snapshots and changes and proven by the venue's hash.

Decides whether the folded levels are the venue's. A batch of changes may come in several
frames that share a stamp and a hash, and the hash describes the book after the whole batch:
so a book that does not agree is not wrong yet, it is open until `SETTLE_NS_MAX` has passed
without agreement. Nothing is guessed: an open book shows its last proven levels, a doubted
one shows none.

A change of the price step moves no level: resting orders stay. The levels are kept, and the
next hash must agree under the new step, which it covers; a book that is not proven under it
in time is doubted.

Source: recorded production frames (2026-09-30), and the hash in `shared/venue/book_hash.py`;
no recording holds the frames around a change of the step, after which other clients wait for a
whole book: https://github.com/nautechsystems/nautilus_trader/issues/3942 (2026-09-28).
"""

import hashlib
from collections.abc import Iterator

from shared.facts import BookSnapshot, Level, MarketInfo, PriceChange
from shared.identifiers import TokenId
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs, PriceE4, WallMs
from shared.venue.book_hash import (
    HashTrials,
    last_trade_candidates,
    spelled_last_trades,
    text_after_last_trade,
    text_before_stamp,
    text_of_terms,
)
from shared.venue.book_memory import REMEMBERED, BookMemory
from shared.venue.levels import FrozenLevels, Levels

SETTLE_NS_MAX = 300 * NS_PER_MS
"""Longest time from the first frame of a batch until the book must agree with its hash. The
eight frames of a recorded batch came within 4 ms; the rest is for a stalled link."""

STEP_NS_MAX = 3 * NS_PER_S
"""Longest time that levels proven under the former price step are shown under a new one: enough
to ask twice for a whole book of a market in which nothing moves."""

STEP_CHANGED = "price step changed"
"""Why a book that no hash has proven since then is to be told anew."""

HASH_DISAGREES = "hash disagrees"
"""The doubt of a book whose changes do not lead to the venue's hash."""

SEARCHES_MAX = 16
"""Searches for the hashed last price after each sign of a trade: one for each frame of the largest
batch recorded, twice. A search tries about 200 texts, or 2,000 at the finest step."""


class ProvenLevels:
    """Levels of a book at the moment of its last proof, best first.

    Attributes:
        proven_ns: When the hash agreed.
        venue_ms: The venue's stamp of this content.
        input_ns: When the frame that completed it reached the edge.
    """

    __slots__ = ("_asks", "_bids", "input_ns", "is_crossed", "proven_ns", "venue_ms")

    def __init__(
        self,
        bids: FrozenLevels,
        asks: FrozenLevels,
        proven_ns: MonotonicNs,
        venue_ms: WallMs,
        input_ns: MonotonicNs,
    ) -> None:
        """Keep both sides, which nothing changes any more."""
        self._bids = bids
        self._asks = asks
        self.proven_ns = proven_ns
        self.venue_ms = venue_ms
        self.input_ns = input_ns
        bid, ask = bids.best(), asks.best()
        self.is_crossed = bid is not None and ask is not None and bid >= ask
        """Whether a buyer pays more than a seller asks, which no venue leaves standing."""

    @property
    def bids(self) -> tuple[Level, ...]:
        """Return every bid, best first."""
        return self._bids.all()

    @property
    def asks(self) -> tuple[Level, ...]:
        """Return every ask, best first."""
        return self._asks.all()

    def top(self, count: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return so many bids and asks, best first."""
        return self._bids.top(count), self._asks.top(count)


class TokenBook:
    """Folded levels of one token, and what is known about their truth.

    Attributes:
        doubt: Why the book may not be trusted; empty when it is proven or still settling.
        tick_e4: Price step in force.
        proven: Levels at the last proof, None when there is none to trust.
    """

    def __init__(self, market: MarketInfo, token: TokenId) -> None:
        """Start without a book: doubted until a snapshot is proven."""
        self._market = market
        self._text_start = text_before_stamp(market.condition_id, token)
        self._text_end = text_after_last_trade(market.version)
        self._terms: dict[PriceE4, str] = {}
        self.token = token
        self.tick_e4 = market.tick_e4
        self.doubt = "no snapshot yet"
        self.proven: ProvenLevels | None = None
        self._bids = Levels("BUY")
        self._asks = Levels("SELL")
        self._has_snapshot = False
        self._last_trade: str | None = None
        self._traded_at: PriceE4 | None = None
        self._former_bests: tuple[PriceE4 | None, PriceE4 | None] = (None, None)
        self._venue_ms = WallMs(0)
        self._hash = ""
        self._is_dirty = False
        self._searches_left = 0
        self._input_ns = MonotonicNs(0)
        self._open_since_ns: MonotonicNs | None = None
        self._former_tick_e4: PriceE4 | None = None
        self._step_since_ns: MonotonicNs | None = None

    @property
    def wants_snapshot(self) -> str:
        """Return why a new whole book would help; empty when nothing is in doubt."""
        return self.doubt or (STEP_CHANGED if self._step_since_ns is not None else "")

    @property
    def is_open(self) -> bool:
        """Tell whether something was folded that is not proven yet."""
        return self._open_since_ns is not None

    def distrust(self, why: str) -> None:
        """Stop trusting everything folded until the next snapshot is proven."""
        self.doubt = why
        self.proven = None
        self._has_snapshot = False
        self._open_since_ns = None
        self._former_tick_e4 = self._step_since_ns = None
        self._bids.clear()
        self._asks.clear()

    def remember(self) -> BookMemory | None:
        """Return what is folded, None when there is no book."""
        if not self._has_snapshot:
            return None
        return BookMemory(
            self.token,
            self.tick_e4,
            dict(self._bids.frozen().all()),
            dict(self._asks.frozen().all()),
            self._last_trade,
            self._venue_ms,
        )

    def recall(self, memory: BookMemory) -> None:
        """Go on from remembered levels: doubted until a hash agrees with them."""
        assert memory.token == self.token
        self.tick_e4 = memory.tick_e4
        self._bids.replace(tuple(memory.bids.items()))
        self._asks.replace(tuple(memory.asks.items()))
        self._last_trade = memory.last_trade
        self._venue_ms = memory.venue_ms
        self._has_snapshot = True
        self.doubt_again()

    def doubt_again(self) -> None:
        """Keep the levels and take every proof away: what comes next has to agree with them."""
        if not self._has_snapshot:
            return
        self.doubt = REMEMBERED
        self.proven = None
        self._open_since_ns = None
        self._is_dirty = False
        self._searches_left = SEARCHES_MAX

    def apply_snapshot(self, snapshot: BookSnapshot, input_ns: MonotonicNs, now: Instant) -> None:
        """Replace all levels; proven by the next `settle`."""
        assert snapshot.token == self.token
        if self._is_before(snapshot):
            return
        self._former_bests = (self._bids.best(), self._asks.best())
        self._bids.replace(snapshot.bids)
        self._asks.replace(snapshot.asks)
        self._has_snapshot = True
        if snapshot.tick_e4 is not None:
            self.tick_e4 = snapshot.tick_e4
        if snapshot.last_trade_price is not None:
            self._last_trade = snapshot.last_trade_price
            self._searches_left = 0
        else:  # a frame without the key follows a trade, or retells a book
            self._searches_left = SEARCHES_MAX
        self._fold_until(snapshot.venue_ms, snapshot.hash, input_ns, now)

    def apply_change(
        self, change: PriceChange, venue_ms: WallMs, input_ns: MonotonicNs, now: Instant
    ) -> bool:
        """Set one level's new total size; without a snapshot there is nothing to change.

        Returns:
            Whether the batch before was proven by this: a frame of another batch shows that it
            was whole, so that it is tried before anything of the next is folded.
        """
        assert change.token == self.token
        if not self._has_snapshot:
            return False
        is_next = self._is_dirty and change.hash != self._hash
        was_proven = is_next and self._open_since_ns is not None and self._prove(now)
        (self._bids if change.side == "BUY" else self._asks).set(change.price, change.size)
        self._fold_until(venue_ms, change.hash, input_ns, now)
        return was_proven

    def note_trade(self, price: PriceE4) -> None:
        """Note that the market traded: the hashed last price may be another from now on."""
        self._traded_at = price
        self._searches_left = SEARCHES_MAX
        self._is_dirty = True

    def apply_tick(self, tick_e4: PriceE4, now: Instant) -> None:
        """Take a new price step: no level moves, and the next hash must agree under it."""
        if tick_e4 == self.tick_e4:
            return
        if self._has_snapshot:
            # Frames that were sent before the change may still come: both steps may be hashed.
            if self._former_tick_e4 is None:
                self._former_tick_e4 = self.tick_e4
                self._step_since_ns = now.monotonic_ns
            self._searches_left = SEARCHES_MAX
            self._is_dirty = True
        self.tick_e4 = tick_e4

    def settle(self, now: Instant) -> bool:
        """Try to prove what was folded; return whether a new proof was found.

        A book that stays without proof too long becomes doubted.
        """
        since_ns = self._step_since_ns
        if since_ns is not None and now.monotonic_ns - since_ns >= STEP_NS_MAX:
            self.distrust(STEP_CHANGED)
        if self._open_since_ns is None:
            return False
        if self._is_dirty and self._prove(now):
            return True
        if now.monotonic_ns - self._open_since_ns >= SETTLE_NS_MAX:
            self.distrust(HASH_DISAGREES)
        return False

    def _prove(self, now: Instant) -> bool:
        """Compare with the venue's hash; keep the levels as proven when it agrees."""
        self._is_dirty = False
        if not self._is_hash_equal():
            return False
        self.proven = ProvenLevels(
            self._bids.frozen(),
            self._asks.frozen(),
            now.monotonic_ns,
            self._venue_ms,
            self._input_ns,
        )
        self._open_since_ns = None
        self.doubt = ""
        return True

    def _is_before(self, snapshot: BookSnapshot) -> bool:
        """Tell whether a snapshot read by request is older than what is folded already."""
        is_old = snapshot.venue_ms < self._venue_ms
        return snapshot.source == "rest" and self._has_snapshot and is_old

    def _fold_until(
        self, venue_ms: WallMs, expected: str, input_ns: MonotonicNs, now: Instant
    ) -> None:
        self._venue_ms = venue_ms
        self._hash = expected
        self._input_ns = input_ns
        self._is_dirty = True
        if self._open_since_ns is None:
            self._open_since_ns = now.monotonic_ns

    def _is_hash_equal(self) -> bool:
        """Whether the venue's hash is that of our levels, under the step in force or the former."""
        if self._is_hashed_under(self.tick_e4):
            self._former_tick_e4 = self._step_since_ns = None
            return True
        return self._former_tick_e4 is not None and self._is_hashed_under(self._former_tick_e4)

    def _is_hashed_under(self, tick_e4: PriceE4) -> bool:
        text = self._text(tick_e4)
        if self._last_trade is not None:
            whole = f"{text}{self._last_trade}{self._text_end}".encode()
            if hashlib.sha1(whole, usedforsecurity=False).hexdigest() == self._hash:
                return True
        if self._searches_left == 0:
            return False
        self._searches_left -= 1
        found = HashTrials(text, self._text_end).find(self._hash, self._candidates())
        if found is None:
            return False
        self._last_trade = found
        self._searches_left = 0
        return True

    def _candidates(self) -> Iterator[str]:
        """Yield the texts that may be the hashed last price, likeliest first.

        The books of a trade come before its print. But a taker trades at a touch: that of the
        book before, or what is left of it, so these come first and the grid of all prices last.
        """
        bests = (*self._former_bests, self._bids.best(), self._asks.best())
        touched = [price for price in bests if price is not None]
        yield from spelled_last_trades(touched)
        traded = self._traded_at if self._traded_at is not None else (touched or [_HALF])[0]
        yield from last_trade_candidates(traded, self.tick_e4)

    def _text(self, tick_e4: PriceE4) -> str:
        """Return what is hashed up to the last trade's price, as `book_hash.py` writes it."""
        terms = self._terms.get(tick_e4)
        if terms is None:
            market = self._market
            terms = text_of_terms(market.min_size_e6, tick_e4, neg_risk=market.neg_risk)
            self._terms[tick_e4] = terms
        return (
            f'{self._text_start}{self._venue_ms}","hash":"","bids":[{",".join(self._bids.texts)}],'
            f'"asks":[{",".join(self._asks.texts)}],{terms}'
        )


_HALF = PriceE4(5_000)
