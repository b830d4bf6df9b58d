"""Follows the real venue's market socket: connects, subscribes, listens, and doubts.

A market is believed while the socket is open and every frame leads to the venue's own
hash, and no longer than a bounded time after the last frame or second opinion over REST:
a socket that stalls answers pings for ever.
Source: https://docs.polymarket.com/market-data/realtime-data (2026-09-28);
https://github.com/Polymarket/py-clob-client/issues/292.
"""

from collections.abc import Iterable

from services.simulator.mirror.reads import READ_BOOKS, Reads
from services.simulator.mirror.venue import Followed, MirrorVenue
from shared.effects import Effect, Log, StreamClose, StreamOpen, StreamSend
from shared.facts import BookSnapshot, MarketEvent
from shared.identifiers import ConditionId, TokenId
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs
from shared.venue.faults import WireFault
from shared.venue.market_wire import BOOK, BOOK_PATH
from shared.venue.parse import market_events, rest_book
from shared.venue.streams_wire import ASSETS_MAX, PING, PONG, MarketOperation, MarketSubscription
from shared.venue.wire import decode, encode

PING_EVERY_NS = 10 * NS_PER_S
PONG_MISSED_MAX = 3

PAUSES_NS = tuple(seconds * NS_PER_S for seconds in (0, 1, 2, 4, 8, 16, 30))
"""Before the n-th attempt after a loss; the last one repeats. One process on one machine needs
no jitter: it is no crowd."""

OPEN_NS_MAX = 10 * NS_PER_S
STABLE_NS = 10 * NS_PER_S

WITNESS_AFTER_NS = 750 * NS_PER_MS
RESUBSCRIBE_EVERY_NS = 2 * NS_PER_S

STREAM = "mirror"


class Follower:
    """One socket for all markets.

    Attributes:
        losses: Connections lost so far.
    """

    def __init__(self, venue: MirrorVenue, reads: Reads, url: str, stale_ms: int) -> None:
        """Set whom to tell; the first tick with a market to follow connects."""
        self._venue = venue
        self._reads = reads
        self._url = url
        self._stale_ns = stale_ms * NS_PER_MS
        self._stream = ""
        self._is_open = False
        self._attempt = 0
        self._failures = 0
        self._due_ns = 0
        self._deadline_ns = 0
        self._opened_ns = 0
        self._ping_ns = 0
        self._unanswered = 0
        self._cause = "not connected yet"
        self._tokens: dict[TokenId, ConditionId] = {}
        self._asked_ns: dict[ConditionId, int] = {}
        self._resubscribed_ns: dict[ConditionId, int] = {}
        self.losses = 0

    def owns(self, stream: str) -> bool:
        """Tell whether a message is about the present connection."""
        return stream == self._stream

    def on_tick(self, now: Instant) -> list[Effect]:
        """Connect, subscribe, ping, ask for second opinions, and judge every book."""
        at = now.monotonic_ns
        effects: list[Effect] = []
        wanted = self._wanted()
        if not self._stream and wanted and at >= self._due_ns:
            return self._connect(now)
        if self._stream and not self._is_open and at >= self._deadline_ns:
            effects += self._lose("handshake took too long", now, close=True)
        if self._is_open:
            effects += self._follow(wanted)
            effects += self._ping(now)
            effects += self._ask(now)
        for followed in list(self._venue.followed.values()):
            self._venue.judge(followed, self._doubt(followed, now), now)
            effects += self._mend(followed, now)
        return effects

    def on_opened(self, now: Instant) -> list[Effect]:
        """Subscribe everything; every book begins anew."""
        self._is_open = True
        self._opened_ns = self._ping_ns = now.monotonic_ns
        self._unanswered = 0
        self._cause = ""
        self._tokens = {}
        for followed in self._venue.followed.values():
            followed.fold.distrust("connected anew")
        tokens = self._wanted()
        self._tokens = dict(tokens)
        frame = MarketSubscription(tuple(tokens), custom_feature_enabled=True)
        return [StreamSend(self._stream, encode(frame).decode())]

    def on_text(self, text: str, received_ns: MonotonicNs, now: Instant) -> list[Effect]:
        """Fold what the venue says; a text that cannot be understood may have been a book's."""
        if text.startswith(PONG):
            self._unanswered = 0
            return []
        try:
            events = market_events(text)
        except WireFault as fault:
            return [
                Log("mirror.rejected", {"why": str(fault), "raw": text[:200]}, "warning"),
                *self._lose("a frame cannot be understood", now, close=True),
            ]
        self.take(events, received_ns, now)
        return []

    def take(self, events: Iterable[MarketEvent], received_ns: MonotonicNs, now: Instant) -> None:
        """Fold events and judge the books that they are about."""
        touched: dict[ConditionId, None] = {}
        for event in events:
            self._venue.take(event, received_ns, now)
            touched[event.market] = None
        for condition in touched:
            followed = self._venue.followed.get(condition)
            if followed is not None:
                self._venue.judge(followed, self._doubt(followed, now), now)

    def on_closed(self, reason: str, now: Instant) -> list[Effect]:
        """Doubt everything, and plan the next attempt."""
        return self._lose(f"closed: {reason}", now, close=False)

    def on_book(self, condition: ConditionId, body: bytes, asked_ns: int) -> None:
        """Take a second opinion: an equal book vouches for a silent stream."""
        followed = self._venue.followed.get(condition)
        if followed is None or followed.fold.proven is None:
            return
        try:
            asked = rest_book(decode(BOOK, body, "book"))
        except WireFault:
            return  # no opinion
        if asked.token == followed.fold.token and _is_same(followed, asked):
            followed.evidence_ns = MonotonicNs(max(followed.evidence_ns, asked_ns))

    def _wanted(self) -> dict[TokenId, ConditionId]:
        pairs = [
            (token, condition)
            for condition, followed in self._venue.followed.items()
            for token in followed.info.tokens
        ]
        return dict(pairs[:ASSETS_MAX])

    def _doubt(self, followed: Followed, now: Instant) -> str:
        if not self._is_open:
            return self._cause
        if now.monotonic_ns - followed.evidence_ns > self._stale_ns:
            return "the stream is silent"
        return ""

    def _connect(self, now: Instant) -> list[Effect]:
        self._attempt += 1
        self._stream = f"{STREAM}.{self._attempt}"
        self._deadline_ns = now.monotonic_ns + OPEN_NS_MAX
        return [StreamOpen(self._stream, self._url)]

    def _lose(self, cause: str, now: Instant, *, close: bool) -> list[Effect]:
        if self._is_open and now.monotonic_ns - self._opened_ns >= STABLE_NS:
            self._failures = 0
        pause = PAUSES_NS[min(self._failures, len(PAUSES_NS) - 1)]
        self._failures += 1
        self.losses += 1
        self._due_ns = now.monotonic_ns + pause
        stream, self._stream = self._stream, ""
        self._is_open = False
        self._cause = cause
        for followed in list(self._venue.followed.values()):
            self._venue.judge(followed, cause, now)
        fields = {"cause": cause, "pause_ms": pause // NS_PER_MS}
        log = Log("mirror.connection_lost", fields, "warning")
        return [StreamClose(stream), log] if close else [log]

    def _follow(self, wanted: dict[TokenId, ConditionId]) -> list[Effect]:
        if wanted.keys() == self._tokens.keys():
            return []
        gone = [token for token in self._tokens if token not in wanted]
        new = [token for token in wanted if token not in self._tokens]
        self._tokens = wanted
        return [*self._operate("unsubscribe", gone), *self._operate("subscribe", new)]

    def _operate(self, operation: str, tokens: list[TokenId]) -> list[Effect]:
        if not tokens:
            return []
        if operation == "subscribe":
            frame = MarketOperation("subscribe", tuple(tokens), custom_feature_enabled=True)
        else:
            frame = MarketOperation("unsubscribe", tuple(tokens))
        return [StreamSend(self._stream, encode(frame).decode())]

    def _ping(self, now: Instant) -> list[Effect]:
        if now.monotonic_ns < self._ping_ns:
            return []
        if self._unanswered >= PONG_MISSED_MAX:
            return self._lose(f"{self._unanswered} pongs missed", now, close=True)
        self._unanswered += 1
        self._ping_ns = now.monotonic_ns + PING_EVERY_NS
        return [StreamSend(self._stream, PING)]

    def _ask(self, now: Instant) -> list[Effect]:
        """Ask REST about books whose stream is silent."""
        effects: list[Effect] = []
        at = now.monotonic_ns
        for condition, followed in self._venue.followed.items():
            last = max(followed.evidence_ns, self._asked_ns.get(condition, 0))
            if at - last < WITNESS_AFTER_NS or followed.fold.proven is None:
                continue
            if self._reads.is_full:
                break
            self._asked_ns[condition] = at
            path = f"{BOOK_PATH}?token_id={followed.fold.token}"
            effects.append(self._reads.ask(READ_BOOKS, path, condition, now))
        for known in (self._asked_ns, self._resubscribed_ns):
            for gone in [key for key in known if key not in self._venue.followed]:
                del known[gone]
        return effects

    def _mend(self, followed: Followed, now: Instant) -> list[Effect]:
        """Ask for a new first book of a market whose fold cannot be right, at a bounded rate."""
        condition = followed.info.condition_id
        last = self._resubscribed_ns.get(condition, self._opened_ns)
        is_early = now.monotonic_ns - last < RESUBSCRIBE_EVERY_NS
        if not self._is_open or not self._doubt_is_ours(followed, now) or is_early:
            return []
        self._resubscribed_ns[condition] = now.monotonic_ns
        tokens = list(followed.info.tokens)
        return [*self._operate("unsubscribe", tokens), *self._operate("subscribe", tokens)]

    def _doubt_is_ours(self, followed: Followed, now: Instant) -> bool:
        return bool(followed.fold.doubt or self._doubt(followed, now))


def _is_same(followed: Followed, asked: BookSnapshot) -> bool:
    proven = followed.fold.proven
    assert proven is not None
    return dict(asked.bids) == dict(proven.bids) and dict(asked.asks) == dict(proven.asks)
