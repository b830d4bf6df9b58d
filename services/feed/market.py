"""The market feed: public books and trades of the calendar's markets over their sockets.

Publishes each event as it comes, keeps evidence for each token, asks REST for a second
opinion (`opinions.py`), and subscribes anew what cannot be right: a token that state cannot
prove, a token about which REST disagrees, at last the whole connection that carries it.

Source: recorded production frames (2026-09-30); silent single assets, subscriptions without
a first book and sockets that only answer pings in
https://github.com/nautechsystems/nautilus_trader/issues/4901 and
https://github.com/Polymarket/py-clob-client/issues/292.
"""

from typing import Literal

from services.feed.cadence import Cadence
from services.feed.evidence import EvidenceBoard
from services.feed.opinions import Judged, Opinions
from services.feed.report import FUTURE, READ, FeedReport
from services.feed.shards import Shard, Shards
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
from shared.venue.parse import market_events
from shared.venue.streams_wire import is_pong

RESUBSCRIBE_EVERY_NS = 2 * NS_PER_S
"""At most this often for one token: the answer needs a moment, and a venue that lost a book shall
not be flooded."""

RECONNECT_EVERY_NS = 30 * NS_PER_S
"""A connection is given up for disagreement at most this often: its markets lose their books."""

FUTURE_MS_MAX = 5_000
"""A stamp farther ahead than this is refused."""


class MarketFeed:
    """The whole process, pure."""

    def __init__(self, config: Config, seed: int) -> None:
        """Wait for the calendar; then connect.

        Args:
            config: Sockets and deadlines.
            seed: Of the jitter.
        """
        timing, venue = config.timing, config.venue
        self._stale_ms = timing.market_stale_ms
        self._cadence = Cadence(timing.market_stale_ms * NS_PER_MS)
        self._evidence = EvidenceBoard(self._cadence)
        self._shards = Shards(
            (venue.market_socket_url, *venue.market_socket_alternatives),
            seed,
            venue.market_socket_tokens,
            self._evidence,
        )
        self._report = FeedReport(FEED_MARKET)
        self._opinions = Opinions(
            timing.read_deadline_ms * NS_PER_MS, timing.market_stale_ms * NS_PER_MS
        )
        self._calendar: Calendar | None = None
        self._resubscribed_ns: dict[TokenId, MonotonicNs] = {}

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take what the edges and the bus say."""
        match message:
            case StreamText() | StreamOpened() | StreamClosed():
                shard = self._shards.of_stream(message.stream)
                return [] if shard is None else self._on_stream(shard, message, now)
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
                self._opinions.failed(request_id)
                return []
            case Stop(cause=cause):
                return [Exit(0, cause)]
            case _:
                return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Keep the connections, drop what has ended, ask about what is silent, report."""
        effects = self._follow_calendar(now)
        for shard in self._shards.all():
            effects.extend(shard.on_tick(now))
        effects.extend(self._opinions.ask(self._shards, self._evidence, now))
        effects.extend(self._judge_cadence(now))
        shards = self._shards
        effects.extend(self._report.on_tick(shards, shards, now, shards.say))
        return effects

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the status and the books as the streams told them so far."""
        books = [
            book.retell()
            for shard in self._shards.used()
            if shard.connection.is_ready
            for book in shard.books.values()
        ]
        return [
            self._status(now),
            *(Publish("feed.market", book, now.monotonic_ns) for book in books if book is not None),
        ]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return whether there is anything to listen to."""
        return ("ready", "") if self._shards.used() else ("starting", "no calendar yet")

    def _status(self, now: Instant) -> Publish:
        return self._report.status(self._shards, self._shards, now, self._shards.say)

    def _follow_calendar(self, now: Instant) -> list[Effect]:
        """Subscribe the tokens of the markets that are not over, and no others."""
        former = self._shards.left_out
        effects = self._shards.follow(self._wanted(now), now)
        if effects is None:
            return []
        tokens = self._shards.tokens()
        self._evidence.watch(tokens, now.monotonic_ns)
        self._opinions.follow(tokens, now)
        carried = frozenset(tokens)
        self._resubscribed_ns = {
            key: at for key, at in self._resubscribed_ns.items() if key in carried
        }
        if self._shards.left_out > former:
            # What is left out has no evidence, so that nothing is traded on it.
            effects.append(Log("market.left_out", {"tokens": self._shards.left_out}, "error"))
        return effects

    def _wanted(self, now: Instant) -> list[tuple[TokenId, ...]]:
        if self._calendar is None:
            return []
        wall_ms = now.wall_ms
        return [
            market.tokens
            for market in self._calendar.markets
            if not market.closed and market.end_ms > wall_ms
        ]

    def _on_stream(
        self, shard: Shard, message: StreamText | StreamOpened | StreamClosed, now: Instant
    ) -> list[Effect]:
        if isinstance(message, StreamText):
            return self._on_text(shard, message, now)
        self._evidence.interrupt(shard.books)
        if isinstance(message, StreamClosed):
            return shard.connection.on_closed(message, now)
        # Before any book of the new session: readers drop those of the old one by the status.
        return [*shard.on_opened(now), self._status(now)]

    def _on_text(self, shard: Shard, message: StreamText, now: Instant) -> list[Effect]:
        text = message.text
        if is_pong(text):
            shard.connection.on_pong(now)
            shard.connection.confirm(now)
            return []
        self._report.frame(now)
        try:
            events = market_events(text, more=message.more)
        except WireFault as fault:
            return self._report.reject(text, str(fault), now)
        newest_ms = now.wall_ms + FUTURE_MS_MAX
        for event in events:
            if event.venue_ms > newest_ms:
                return self._report.reject(text, FUTURE, now)
        shard.connection.confirm(now)
        shard.connection.on_life(now)
        received_ns = message.received_ns
        effects: list[Effect] = []
        for event in events:
            self._note(shard, event, received_ns)
            effects.append(Publish("feed.market", event, received_ns))
        return effects

    def _note(self, shard: Shard, event: MarketEvent, received_ns: MonotonicNs) -> None:
        """Fold for the witness, and note the evidence that an event is."""
        match event:
            case BookChanged():
                shard.take_changes(event, self._evidence, received_ns)
            case BookSnapshot():
                shard.take_snapshot(event, self._evidence, received_ns)
            case TickChanged():
                book = shard.books.get(event.token)
                if book is not None:
                    book.apply_tick(event.new_e4)
            case TradePrinted() | MarketResolved():
                pass  # a print without its books would show that something is missing

    def _on_opinion(self, reply: HttpReply, now: Instant) -> list[Effect]:
        self._report.frame(now)
        try:
            judged = self._opinions.answered(reply, self._shards)
        except WireFault as fault:
            return self._report.reject(reply.body.decode(errors="replace"), str(fault), now, READ)
        effects: list[Effect] = []
        for opinion in judged:
            effects.extend(self._on_judged(opinion, now))
        return effects

    def _on_judged(self, opinion: Judged, now: Instant) -> list[Effect]:
        match opinion.verdict:
            case "equal":
                self._agrees(opinion.book.token, now)
                self._evidence.prove(opinion.book.token, opinion.asked_ns)
            case "different":
                return self._on_disagreement(opinion.book, now)
            case "older" | "told":
                pass
        return []

    def _agrees(self, token: TokenId, now: Instant) -> None:
        shard = self._shards.of_token(token)
        if shard is not None:
            shard.connection.on_life(now)

    def _on_disagreement(self, book: StreamedBook, now: Instant) -> list[Effect]:
        shard = self._shards.of_token(book.token)
        assert shard is not None, "only books that are carried are judged"
        last_ns = shard.given_up_ns
        is_late = last_ns is None or now.monotonic_ns - last_ns >= RECONNECT_EVERY_NS
        if book.disagreements >= DISAGREEMENTS_RECONNECT and is_late:
            shard.given_up_ns = now.monotonic_ns
            self._evidence.interrupt(shard.books)
            return shard.connection.drop("books differ from those by request", now)
        if book.disagreements >= DISAGREEMENTS_RESUBSCRIBE:
            return self._resubscribe(book.token, "books differ", now)
        return []

    def _resubscribe(self, token: TokenId, why: str, now: Instant) -> list[Effect]:
        """Ask for a new first book of one token, at a bounded rate; no other token is touched."""
        last = self._resubscribed_ns.get(token)
        is_early = last is not None and now.monotonic_ns - last < RESUBSCRIBE_EVERY_NS
        shard = self._shards.of_token(token)
        if shard is None or not shard.connection.is_ready or is_early:
            return []
        self._resubscribed_ns[token] = now.monotonic_ns
        self._evidence.interrupt((token,))
        shard.operations.renew(token)
        return [
            Log("market.resubscribed", {"token": token, "why": why}, "warning"),
            *shard.operate(now),
        ]

    def _judge_cadence(self, now: Instant) -> list[Effect]:
        """Say it when the setting is shorter than the rhythm of the streams (KS-4)."""
        finding = self._cadence.judge(now)
        if finding is None or not finding.is_too_short:
            return []
        words = finding.words("timing.market_stale_ms", self._stale_ms)
        return [Log("market.cadence", {"words": words}, "warning")]
