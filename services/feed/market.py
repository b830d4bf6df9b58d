"""The market feed: public books and trades of the calendar's markets over one socket.

Publishes each event as it comes, keeps evidence for each token, asks REST for a second
opinion about tokens that are silent, and subscribes anew what cannot be right: a token that
state cannot prove, a token about which REST disagrees, at last the whole connection.

Source: recorded production frames (2026-09-30); silent single assets, subscriptions without
a first book and sockets that only answer pings in
https://github.com/nautechsystems/nautilus_trader/issues/4901 and
https://github.com/Polymarket/py-clob-client/issues/292.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from services.feed.connection import Connection
from services.feed.connection_rules import DATA_IDLE_NS, PING_EVERY_NS, ConnectionRules
from services.feed.evidence import EvidenceBoard
from services.feed.report import FeedReport
from services.feed.requests import Reads
from services.feed.witness import (
    DISAGREEMENTS_RECONNECT,
    DISAGREEMENTS_RESUBSCRIBE,
    StreamedBook,
)
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
from shared.facts import (
    BookChanged,
    BookDoubted,
    BookSnapshot,
    Calendar,
    MarketEvent,
    MarketResolved,
    TickChanged,
    TradePrinted,
)
from shared.identifiers import TokenId
from shared.topics import FEED_MARKET
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs
from shared.venue.faults import WireFault
from shared.venue.market_wire import BOOK, BOOK_PATH
from shared.venue.parse import market_events, rest_book
from shared.venue.streams_wire import ASSETS_MAX, PING, PONG, MarketOperation, MarketSubscription
from shared.venue.wire import decode, encode

WITNESS_AFTER_NS = 750 * NS_PER_MS
"""A token silent for so long gets a second opinion, and another each such time while it stays: the
answer may take a second on a busy machine before a quiet token counts as stale at 2 s. Forty
tokens make 53 reads a second, a third of the venue's limit of books."""

RESUBSCRIBE_EVERY_NS = 2 * NS_PER_S
"""At most this often for one token: the answer needs a moment, and a venue that lost a book shall
not be flooded."""

RECONNECT_EVERY_NS = 30 * NS_PER_S
"""A connection is given up for disagreement at most this often: it costs every market its book."""

FUTURE_MS_MAX = 5_000
"""A stamp farther ahead than this is refused."""


class _Opinion(msgspec.Struct, frozen=True):
    """What a read is for: the second opinion about one token."""

    token: TokenId
    asked_ns: MonotonicNs


class MarketFeed:
    """The whole process, pure."""

    def __init__(self, config: Config, seed: int) -> None:
        """Wait for the calendar; then connect.

        Args:
            config: Socket and deadlines.
            seed: Of the jitter.
        """
        rules = ConnectionRules(
            "market",
            config.venue.market_socket_url,
            PING,
            PING_EVERY_NS,
            alternatives=config.venue.market_socket_alternatives,
            data_idle_ns=DATA_IDLE_NS,
        )
        self._connection = Connection(rules, seed)
        self._evidence = EvidenceBoard()
        self._report = FeedReport(FEED_MARKET)
        self._reads: Reads[_Opinion] = Reads(config.timing.read_deadline_ms * NS_PER_MS)
        self._calendar: Calendar | None = None
        self._books: dict[TokenId, StreamedBook] = {}
        self._asked_ns: dict[TokenId, MonotonicNs] = {}
        self._resubscribed_ns: dict[TokenId, MonotonicNs] = {}
        self._given_up_ns = MonotonicNs(-RECONNECT_EVERY_NS)

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take what the edges and the bus say."""
        match message:
            case StreamText(stream=stream) if self._connection.owns(stream):
                return self._on_text(message, now)
            case Received(body=Calendar() as calendar):
                self._calendar = calendar
                return self._follow_calendar(now)
            case Received(body=BookDoubted(token=token)):
                return self._resubscribe(token, "state doubts", now)
            case HttpReply():
                return self._on_opinion(message, now)
            case ReachTold():
                self._report.hear(message)
                return []
            case HttpFailed(request_id=request_id):
                self._reads.finish(request_id)
                return []
            case StreamOpened(stream=stream) if self._connection.owns(stream):
                return self._on_opened(now)
            case StreamClosed(stream=stream) if self._connection.owns(stream):
                return self._connection.on_closed(message, now)
            case Stop(cause=cause):
                return [Exit(0, cause)]
            case _:
                return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Keep the connection, drop what has ended, ask about what is silent, report."""
        effects = self._follow_calendar(now)
        effects.extend(self._connection.on_tick(now))
        if self._connection.is_ready:
            effects.extend(self._ask_witness(now))
        effects.extend(self._report.on_tick(self._connection, self._evidence, now))
        return effects

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the status and the books as the stream told them so far."""
        books = [book.retell() for book in self._books.values()]
        return [
            self._report.status(self._connection, self._evidence, now),
            *(
                Publish("feed.market", book, now.monotonic_ns)
                for book in books
                if book is not None and self._connection.is_ready
            ),
        ]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return whether there is anything to listen to."""
        return ("ready", "") if self._books else ("starting", "no calendar yet")

    def _follow_calendar(self, now: Instant) -> list[Effect]:
        """Subscribe the tokens of the markets that are not over, and no others."""
        wanted = self._wanted(now)
        if wanted == tuple(self._books):
            return []
        before = self._books
        self._books = {token: before.get(token) or StreamedBook(token) for token in wanted}
        self._evidence.watch(wanted, now.monotonic_ns)
        self._asked_ns = {key: at for key, at in self._asked_ns.items() if key in self._books}
        self._resubscribed_ns = {
            key: at for key, at in self._resubscribed_ns.items() if key in self._books
        }
        if not wanted:
            return self._connection.stop("nothing to listen to", now)
        if not self._connection.is_open:
            return self._connection.start(now)
        gone = [token for token in before if token not in self._books]
        new = [token for token in wanted if token not in before]
        return [*self._operate("unsubscribe", gone), *self._operate("subscribe", new)]

    def _wanted(self, now: Instant) -> tuple[TokenId, ...]:
        if self._calendar is None:
            return ()
        live = (
            market
            for market in self._calendar.markets
            if not market.closed and market.end_ms > now.wall_ms
        )
        tokens = [token for market in live for token in market.tokens]
        # Beyond the venue's bound first books are missing: a token left out has no evidence,
        # so that nothing is traded on it.
        return tuple(tokens[:ASSETS_MAX])

    def _operate(
        self, operation: Literal["subscribe", "unsubscribe"], tokens: Iterable[TokenId]
    ) -> list[Effect]:
        ids = tuple(tokens)
        if not ids:
            return []
        featured = True if operation == "subscribe" else None
        frame = MarketOperation(operation, ids, featured)
        return self._connection.send(encode(frame).decode())

    def _on_opened(self, now: Instant) -> list[Effect]:
        self._connection.on_opened(now)
        for book in self._books.values():
            book.forget()
            book.disagreements = 0
        self._reads.give_up()
        self._connection.supersede()
        frame = MarketSubscription(tuple(self._books), custom_feature_enabled=True)
        return [
            StreamSend(self._connection.stream, encode(frame).decode()),
            # Before any book of the new session: readers drop those of the old one by it.
            self._report.status(self._connection, self._evidence, now),
        ]

    def _on_text(self, message: StreamText, now: Instant) -> list[Effect]:
        text = message.text
        if text.startswith(PONG):
            self._connection.on_pong(now)
            self._connection.confirm(now)
            return []
        try:
            events = market_events(text)
        except WireFault as fault:
            return self._report.reject(text, str(fault), now)
        if any(event.venue_ms - now.wall_ms > FUTURE_MS_MAX for event in events):
            return self._report.reject(text, "stamped in the future", now)
        self._connection.confirm(now)
        self._connection.on_life(now)
        for event in events:
            self._note(event, message.received_ns)
        return [Publish("feed.market", event, message.received_ns) for event in events]

    def _note(self, event: MarketEvent, received_ns: MonotonicNs) -> None:
        """Fold for the witness, and note the evidence that an event is."""
        match event:
            case BookChanged():
                for change in event.changes:
                    book = self._books.get(change.token)
                    if book is not None:
                        self._prove(book, event.venue_ms, received_ns)
                        book.apply_change(change, event.venue_ms)
            case BookSnapshot():
                book = self._books.get(event.token)
                if book is not None:
                    self._prove(book, event.venue_ms, received_ns)
                    book.apply_snapshot(event)
            case TickChanged():
                book = self._books.get(event.token)
                if book is not None:
                    book.apply_tick(event.new_e4)
            case TradePrinted() | MarketResolved():
                pass  # a print without its books would show that something is missing

    def _prove(self, book: StreamedBook, venue_ms: int, received_ns: MonotonicNs) -> None:
        """Take a frame as evidence unless its stamp goes backwards."""
        if venue_ms >= book.venue_ms:
            book.disagreements = 0
            self._evidence.prove(book.token, received_ns)

    def _ask_witness(self, now: Instant) -> list[Effect]:
        effects: list[Effect] = []
        for token in self._books:
            if self._reads.is_full:
                break
            silent_since = max(self._evidence.silent_since(token), self._asked_ns.get(token, 0))
            if now.monotonic_ns - silent_since < WITNESS_AFTER_NS:
                continue
            self._asked_ns[token] = now.monotonic_ns
            opinion = _Opinion(token, now.monotonic_ns)
            effects.append(self._reads.ask(f"{BOOK_PATH}?token_id={token}", opinion, now))
        return effects

    def _on_opinion(self, reply: HttpReply, now: Instant) -> list[Effect]:
        opinion = self._reads.finish(reply.request_id)
        book = None if opinion is None else self._books.get(opinion.token)
        if opinion is None or book is None or reply.status != 200:
            return []  # no opinion: a new token may have no book there yet
        try:
            asked = rest_book(decode(BOOK, reply.body, "book"))
        except WireFault as fault:
            return self._report.reject(reply.body.decode(errors="replace"), str(fault), now)
        if asked.token != opinion.token:
            return self._report.reject(asked.token, "book of another token", now)
        match book.judge(asked):
            case "equal":
                book.disagreements = 0
                self._connection.on_life(now)
                self._evidence.prove(book.token, opinion.asked_ns)
            case "different":
                book.disagreements += 1
                return self._on_disagreement(book, now)
            case "older":
                pass
        return []

    def _on_disagreement(self, book: StreamedBook, now: Instant) -> list[Effect]:
        is_late = now.monotonic_ns - self._given_up_ns >= RECONNECT_EVERY_NS
        if book.disagreements >= DISAGREEMENTS_RECONNECT and is_late:
            self._given_up_ns = now.monotonic_ns
            return self._connection.drop("books differ from those by request", now)
        if book.disagreements >= DISAGREEMENTS_RESUBSCRIBE:
            return self._resubscribe(book.token, "books differ", now)
        return []

    def _resubscribe(self, token: TokenId, why: str, now: Instant) -> list[Effect]:
        """Ask for a new first book of one token, at a bounded rate."""
        last = self._resubscribed_ns.get(token)
        is_early = last is not None and now.monotonic_ns - last < RESUBSCRIBE_EVERY_NS
        if token not in self._books or not self._connection.is_ready or is_early:
            return []
        self._resubscribed_ns[token] = now.monotonic_ns
        return [
            Log("market.resubscribed", {"token": token, "why": why}, "warning"),
            *self._operate("unsubscribe", [token]),
            *self._operate("subscribe", [token]),
        ]
