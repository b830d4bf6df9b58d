"""The feed of perpetual futures: contexts, books and trades of another venue, and what it answers.

Subscribes the three channels of each asset, refuses what cannot be or comes from the future, tells
each trade once over reconnects, and asks the venue besides, as a second opinion for whoever judges.
Evidence for a stream is a frame of it that could be used; a pong shows nothing, since streams have
stopped while the socket answered. A socket on which one context or book is silent for too long is
given up for a new one. Trades have no such limit: nobody may have traded.

Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
(2026-09); a stream silent on an open socket:
https://github.com/nautechsystems/nautilus_trader/issues/4298.
"""

from collections import deque
from typing import Final, Literal

from services.feed.connection import Connection
from services.feed.connection_rules import ConnectionRules
from services.feed.evidence import EvidenceBoard
from services.feed.perp_sample import PerpSample
from services.feed.report import FUTURE, READ, FeedReport
from shared.config import Config
from shared.effects import (
    Effect,
    Exit,
    HttpFailed,
    HttpReply,
    Log,
    Message,
    Publish,
    ReachTold,
    Received,
    Stop,
    StreamClosed,
    StreamOpened,
    StreamSend,
    StreamText,
)
from shared.facts import PerpBook, PerpContext, PerpDoubted, PerpTrade
from shared.identifiers import Asset, Incarnation
from shared.perps.parse import coin_of, perp_book, perp_context, perp_trade
from shared.perps.wire import (
    BOOK_CHANNEL,
    CHANNELS,
    GREETING,
    BookFrame,
    ContextFrame,
    ErrorFrame,
    PerpRequest,
    PerpSubscription,
    PongFrame,
    TradesFrame,
    decode_perp_frame,
)
from shared.topics import FEED_PERP
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs, WallMs
from shared.venue.faults import Malformed, WireFault
from shared.venue.wire import encode

PING_EVERY_NS: Final = 5 * NS_PER_S
"""The venue closes a connection that was told nothing for 60 s."""

FUTURE_MS_MAX: Final = 5_000
"""A stamp farther ahead than this is refused (DQ-4)."""

TRADES_MAX: Final = 2_000
"""Trade ids remembered of each asset: minutes of the busiest, and far beyond what is replayed."""

REASON_CHARS_MAX: Final = 120
"""The venue repeats the whole request in its prose."""

CONTEXT: Final = "context"
BOOK: Final = "book"
SAMPLE: Final = "sample"


def key_of(asset: str, stream: str) -> str:
    """Return the key of a stream's evidence: `btc.context`."""
    return f"{asset}.{stream}"


class PerpFeed:
    """The whole process, pure."""

    def __init__(self, config: Config, seed: int) -> None:
        """Connect at the first look.

        Args:
            config: Assets, and where the venue answers.
            seed: Of the jitter.
        """
        settings = config.perp
        self._assets = tuple(Asset(asset) for asset in config.markets.assets)
        self._by_coin = {coin_of(asset): asset for asset in self._assets}
        self._book_is_fast = settings.book == "fast"
        self._stale_ns = {
            CONTEXT: settings.context_stale_ms * NS_PER_MS,
            BOOK: settings.book_stale_ms * NS_PER_MS,
        }
        ping = encode(PerpRequest("ping")).decode()
        rules = ConnectionRules("perp", settings.socket_url, ping, PING_EVERY_NS)
        self._connection = Connection(rules, seed)
        self._sample: PerpSample | None = None
        if settings.info_url:
            deadline_ms = config.timing.read_deadline_ms
            self._sample = PerpSample(self._assets, settings.sample_ms, deadline_ms)
        self._evidence = EvidenceBoard()
        self._report = FeedReport(FEED_PERP)
        self._newest: dict[tuple[Asset, str, str], PerpContext | PerpBook] = {}
        self._book_ms: dict[Asset, WallMs] = {}
        self._told: dict[Asset, deque[int]] = {}
        self._unseen: set[str] = set()
        self._replaying: set[Asset] = set()
        self._doubted: dict[Asset, tuple[Incarnation, int]] = {}

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take what the edges say."""
        match message:
            case ReachTold():
                self._report.hear(message)
                return []
            case StreamOpened(stream=stream) if self._connection.owns(stream):
                return self._on_opened(now)
            case StreamText(stream=stream) if self._connection.owns(stream):
                return self._on_text(message, now)
            case StreamClosed(stream=stream) if self._connection.owns(stream):
                return self._connection.on_closed(message, now)
            case HttpReply():
                return self._on_reply(message, now)
            case HttpFailed() if self._sample is not None:
                self._sample.on_failed(message)
                return []
            case Received(body=PerpDoubted() as doubted):
                return self._read_anew(doubted, message.incarnation, now)
            case Stop(cause=cause):
                return [Exit(0, cause)]
            case _:
                return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Keep the connection, notice silence, ask for the second opinion, repeat the status."""
        self._evidence.watch(self._keys(), now.monotonic_ns)
        effects = self._connection.start(now) or self._connection.on_tick(now)
        silent = self._silent(now) if self._connection.is_ready else ""
        if silent:
            effects.extend(self._connection.drop(f"{silent} is silent", now))
        if self._sample is not None:
            effects.extend(self._sample.on_tick(now))
        effects.extend(self._report.on_tick(self._connection, self._evidence, now))
        return effects

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the newest context and book of each asset, by both ways, and the status."""
        facts = sorted(self._newest.items())
        return [
            *(Publish("feed.perp", fact, fact.received_ns) for _, fact in facts),
            self._report.status(self._connection, self._evidence, now),
        ]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return that nothing is waited for: the connection's state stands in the status."""
        return "ready", ""

    # --- connection -----------------------------------------------------------------

    def _keys(self) -> list[str]:
        streams = [CONTEXT, BOOK] if self._sample is None else [CONTEXT, BOOK, SAMPLE]
        return [key_of(asset, stream) for asset in self._assets for stream in streams]

    def _silent(self, now: Instant) -> str:
        """Return the stream of the socket that has been silent for too long, empty without one."""
        for asset in self._assets:
            for stream, limit_ns in self._stale_ns.items():
                key = key_of(asset, stream)
                since_ns = max(self._evidence.silent_since(key), self._connection.since_ns)
                if now.monotonic_ns - since_ns >= limit_ns:
                    return key
        return ""

    def _on_opened(self, now: Instant) -> list[Effect]:
        self._connection.on_opened(now)
        self._unseen = {
            key_of(asset, stream) for asset in self._assets for stream in (CONTEXT, BOOK)
        }
        self._replaying = set(self._assets)
        self._book_ms.clear()
        wishes = [
            PerpSubscription(channel, coin, fast=self._is_fast(channel))
            for coin in self._by_coin
            for channel in CHANNELS
        ]
        return [
            *(self._send(PerpRequest("subscribe", wish)) for wish in wishes),
            self._report.status(self._connection, self._evidence, now),
        ]

    def _is_fast(self, channel: str) -> bool | None:
        return True if channel == BOOK_CHANNEL and self._book_is_fast else None

    def _send(self, request: PerpRequest) -> StreamSend:
        return StreamSend(self._connection.stream, encode(request).decode())

    def _read_anew(self, doubted: PerpDoubted, risk: Incarnation, now: Instant) -> list[Effect]:
        """Forget what risk has found to be an error, and read it over a new connection."""
        asset = doubted.asset
        if asset not in self._assets or self._doubted.get(asset) == (risk, doubted.number):
            return []
        self._doubted[asset] = (risk, doubted.number)
        for key in [key for key in self._newest if key[0] == asset]:
            del self._newest[key]
        return self._connection.drop(f"risk doubts {asset}: {doubted.reason}", now)

    # --- frames ---------------------------------------------------------------------

    def _on_text(self, message: StreamText, now: Instant) -> list[Effect]:
        if message.text == GREETING:
            return []
        self._report.frame(now)
        try:
            frame = decode_perp_frame(message.text)
            match frame:
                case ContextFrame(data=data):
                    asset = self._asset(data.coin)
                    fact = perp_context(asset, data.ctx, "socket", message.received_ns)
                    return self._tell(fact, CONTEXT, now)
                case BookFrame(data=book):
                    asset = self._asset(book.coin)
                    return self._on_book(perp_book(asset, book, "socket", message.received_ns), now)
                case TradesFrame():
                    return self._on_trades(frame, message.received_ns, now)
                case PongFrame():
                    self._connection.on_pong(now)
                case ErrorFrame(data=reason):
                    return self._on_error(reason, now)
                case _:
                    pass
        except _FutureStamp:
            return self._report.reject(message.text, FUTURE, now)
        except WireFault as fault:
            return self._report.reject(message.text, str(fault), now)
        return []

    def _asset(self, coin: str) -> Asset:
        asset = self._by_coin.get(coin)
        if asset is None:
            raise Malformed("perp frame", f"nobody asked for {coin!r}")
        return asset

    def _on_book(self, book: PerpBook, now: Instant) -> list[Effect]:
        _check_stamp(book.venue_ms, now)
        known_ms = self._book_ms.get(book.asset, book.venue_ms)
        if book.venue_ms < known_ms:
            raise Malformed("perp l2Book", f"{known_ms - book.venue_ms} ms older than known")
        self._book_ms[book.asset] = book.venue_ms
        return self._tell(book, BOOK, now)

    def _tell(self, fact: PerpContext | PerpBook, stream: str, now: Instant) -> list[Effect]:
        """Publish a context or a book of the socket, and note that its stream is alive."""
        self._newest[(fact.asset, stream, fact.source)] = fact
        key = key_of(fact.asset, stream)
        self._evidence.prove(key, fact.received_ns)
        self._unseen.discard(key)
        if not self._unseen:
            self._connection.confirm(now)
        return [Publish("feed.perp", fact, fact.received_ns)]

    def _on_trades(
        self, frame: TradesFrame, received_ns: MonotonicNs, now: Instant
    ) -> list[Effect]:
        """Publish what is new; the first frame of a subscription brings the past as well."""
        trades: list[PerpTrade] = []
        for row in frame.data:
            asset = self._asset(row.coin)
            replayed = asset in self._replaying
            trade = perp_trade(asset, row, replayed=replayed, received_ns=received_ns)
            _check_stamp(trade.venue_ms, now)
            trades.append(trade)
        effects: list[Effect] = []
        for trade in trades:
            told = self._told.setdefault(trade.asset, deque(maxlen=TRADES_MAX))
            if trade.trade_id not in told:
                told.append(trade.trade_id)
                effects.append(Publish("feed.perp", trade, received_ns))
        self._replaying.difference_update(trade.asset for trade in trades)
        return effects

    def _on_error(self, reason: str, now: Instant) -> list[Effect]:
        """Give the connection up and do not call again soon: what is refused is so for good."""
        return [
            Log("perp.refused", {"reason": reason}, "error"),
            *self._connection.bar(f"refused: {reason[:REASON_CHARS_MAX]}", now),
        ]

    # --- second opinion ---------------------------------------------------------------

    def _on_reply(self, reply: HttpReply, now: Instant) -> list[Effect]:
        if self._sample is None:
            return []
        self._report.frame(now)
        text = reply.body.decode(errors="replace")
        try:
            facts, effects = self._sample.on_reply(reply, now)
            for fact in facts:
                if isinstance(fact, PerpBook):
                    _check_stamp(fact.venue_ms, now)
        except _FutureStamp:
            return self._report.reject(text, FUTURE, now, READ)
        except WireFault as fault:
            return self._report.reject(text, str(fault), now, READ)
        for fact in facts:
            stream = BOOK if isinstance(fact, PerpBook) else CONTEXT
            self._newest[(fact.asset, stream, fact.source)] = fact
            self._evidence.prove(key_of(fact.asset, SAMPLE), fact.received_ns)
            effects.append(Publish("feed.perp", fact, fact.received_ns))
        return effects


class _FutureStamp(WireFault):
    """A stamp is farther ahead than clocks are apart."""


def _check_stamp(venue_ms: WallMs, now: Instant) -> None:
    """Refuse a stamp of the future.

    Raises:
        _FutureStamp: It is one.
    """
    if venue_ms - now.wall_ms > FUTURE_MS_MAX:
        raise _FutureStamp(FUTURE)
