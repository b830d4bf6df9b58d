"""The tokens of many markets over several connections of the market socket.

Decides which connection carries which token. A token stays where it is while its market is
followed; both tokens of a market share a connection, since one frame tells of both; a new
market goes to the first connection with room that is ready, and only when there is none to
another. So the loss of one connection makes only its own tokens stale, and the coming and
going of markets moves nobody else's.

Source: more than 500 assets on one connection lose their first books
(https://github.com/nautechsystems/nautilus_trader/issues/2915); how many connections one
address may have is written nowhere, so there are as few as possible.
"""

from collections.abc import Iterable, Sequence

from services.feed.connection import Connection
from services.feed.connection_rules import DATA_IDLE_NS, PING_EVERY_NS, ConnectionRules
from services.feed.evidence import EvidenceBoard
from services.feed.operations import Operations
from services.feed.witness import StreamedBook
from shared.effects import Effect, StreamSend
from shared.facts import BookChanged, BookSnapshot, Evidence, FeedShard
from shared.identifiers import TokenId
from shared.units import Instant, MonotonicNs
from shared.venue.streams_wire import PING, MarketSubscription
from shared.venue.wire import encode

SHARDS_MAX = 8
"""Connections of one feed: 4,000 tokens at the venue's bound. Half of the streams that the edge
holds, since a connection that is closing and its successor are there together."""


class Shard:
    """One connection and the books of the tokens that it carries.

    Attributes:
        number: From 0; stays the same over all connections of this shard.
        given_up_ns: When it was last given up because its books were wrong.
    """

    def __init__(self, number: int, urls: tuple[str, ...], seed: int) -> None:
        """Start without tokens and stopped."""
        self.number = number
        rules = ConnectionRules(
            f"market-{number}" if number else "market",
            urls[0],
            PING,
            PING_EVERY_NS,
            alternatives=urls[1:],
            data_idle_ns=DATA_IDLE_NS,
        )
        self.connection = Connection(rules, seed + number)
        self.books: dict[TokenId, StreamedBook] = {}
        self.operations = Operations()
        self.given_up_ns: MonotonicNs | None = None

    @property
    def is_used(self) -> bool:
        """Tell whether it carries any token."""
        return bool(self.books)

    def follow(self, tokens: Iterable[TokenId], now: Instant) -> list[Effect]:
        """Carry exactly these tokens; books of kept ones stay as they are."""
        wanted = tuple(tokens)
        before = self.books
        if tuple(before) == wanted:
            return []
        self.books = {token: before.get(token) or StreamedBook(token) for token in wanted}
        if not wanted:
            self.operations.clear()
            return self.connection.stop("nothing to listen to", now)
        if not self.connection.is_open:
            return self.connection.start(now)
        self.operations.leave(token for token in before if token not in self.books)
        self.operations.join(token for token in self.books if token not in before)
        return self.operate(now)

    def operate(self, now: Instant) -> list[Effect]:
        """Send what is to be asked for, when it may be."""
        if not self.connection.is_open:
            return []
        frames = self.operations.take(now)
        return [
            effect for frame in frames for effect in self.connection.send(encode(frame).decode())
        ]

    def on_opened(self, now: Instant) -> list[Effect]:
        """Subscribe everything on a connection that has just opened."""
        self.connection.on_opened(now)
        self.connection.supersede()
        self.operations.clear()
        for book in self.books.values():
            book.forget()
            book.settle()
        frame = MarketSubscription(tuple(self.books), custom_feature_enabled=True)
        return [StreamSend(self.connection.stream, encode(frame).decode())]

    def on_tick(self, now: Instant) -> list[Effect]:
        """Keep the connection, and send what had to wait."""
        return [*self.connection.on_tick(now), *self.operate(now)]

    def take_changes(
        self, event: BookChanged, board: EvidenceBoard, received_ns: MonotonicNs
    ) -> None:
        """Fold changed levels; each is evidence for its token alone."""
        venue_ms = event.venue_ms
        for change in event.changes:
            book = self.books.get(change.token)
            if book is not None:
                if book.advances(venue_ms):
                    board.prove(change.token, received_ns)
                book.apply_change(change, venue_ms)

    def take_snapshot(
        self, event: BookSnapshot, board: EvidenceBoard, received_ns: MonotonicNs
    ) -> None:
        """Replace a token's book; it is evidence for that token."""
        book = self.books.get(event.token)
        if book is not None:
            if book.advances(event.venue_ms):
                board.prove(event.token, received_ns)
            book.apply_snapshot(event)

    def say(self) -> FeedShard:
        """Return what the feed's status says of it."""
        connection = self.connection
        return FeedShard(
            self.number,
            connection.is_ready,
            connection.session,
            connection.since_ns,
            connection.cause,
            len(self.books),
        )


class Shards:
    """All connections of the feed; seen together they answer as one connection does.

    Attributes:
        left_out: Tokens that no connection had room for.
    """

    def __init__(
        self, urls: tuple[str, ...], seed: int, tokens_max: int, board: EvidenceBoard
    ) -> None:
        """Start with one connection and no token.

        Args:
            urls: Of the market socket: where it is, and its alternatives.
            seed: Of the jitter.
            tokens_max: Tokens on one connection, 2..500.
            board: Evidence of every token.
        """
        self._board = board
        self._urls = urls
        self._seed = seed
        self._tokens_max = tokens_max
        self._shards = [Shard(0, urls, seed)]
        self._of_token: dict[TokenId, Shard] = {}
        self._wanted: tuple[tuple[TokenId, ...], ...] = ()
        self.left_out = 0

    @property
    def is_ready(self) -> bool:
        """Tell whether any connection is: the others show in the evidence of their tokens."""
        return any(shard.connection.is_ready for shard in self._shards)

    @property
    def session(self) -> int:
        """Count connections as if there were one: a first opening is only the first one's."""
        opened = [shard.connection.session for shard in self._shards if shard.connection.session]
        return 1 + sum(opened) - len(opened) if opened else 0

    @property
    def cause(self) -> str:
        """Say why connections are not ready; empty when all that are needed are."""
        used = self.used()
        if len(used) <= 1:
            return (used or self._shards)[0].connection.cause
        lost = [shard for shard in used if not shard.connection.is_ready]
        return "; ".join(f"connection {shard.number}: {shard.connection.cause}" for shard in lost)

    @property
    def since_ns(self) -> MonotonicNs:
        """Since when it is so: since the newest change of any."""
        return max(shard.connection.since_ns for shard in self._shards)

    @property
    def reconnects(self) -> int:
        """Losses so far."""
        return sum(shard.connection.reconnects for shard in self._shards)

    @property
    def state(self) -> str:
        """State of the worst connection."""
        return self._worst().state

    @property
    def failures(self) -> int:
        """Attempts in a row that did not become stable, of the worst connection."""
        return self._worst().failures

    @property
    def fault(self) -> str:
        """How the worst connection ended last; empty when it is ready."""
        return self._worst().fault

    @property
    def url(self) -> str:
        """Endpoint of the worst connection."""
        return self._worst().url

    @property
    def next_try_ns(self) -> MonotonicNs | None:
        """When the worst connection is tried again."""
        return self._worst().next_try_ns

    @property
    def outgoing_dropped(self) -> int:
        """Texts to the venue that fell out, of all connections."""
        return sum(shard.connection.outgoing_dropped for shard in self._shards)

    def is_suspect(self, now: Instant) -> bool:
        """Tell whether a pong is late on any."""
        return any(shard.connection.is_suspect(now) for shard in self._shards)

    def used(self) -> list[Shard]:
        """Return the connections that carry tokens."""
        return [shard for shard in self._shards if shard.is_used]

    def all(self) -> list[Shard]:
        """Return every connection, unused ones included."""
        return self._shards

    def tokens(self) -> tuple[TokenId, ...]:
        """Return every token that is carried."""
        return tuple(self._of_token)

    def of_token(self, token: TokenId) -> Shard | None:
        """Return what carries a token, None for one that is not carried."""
        return self._of_token.get(token)

    def book(self, token: TokenId) -> StreamedBook | None:
        """Return a token's book, None for one that is not carried."""
        shard = self._of_token.get(token)
        return None if shard is None else shard.books[token]

    def of_stream(self, stream: str) -> Shard | None:
        """Return the connection whose present attempt a stream is, None for an older one."""
        for shard in self._shards:
            if shard.connection.owns(stream):
                return shard
        return None

    def follow(self, markets: Sequence[tuple[TokenId, ...]], now: Instant) -> list[Effect] | None:
        """Carry the tokens of these markets and no others; None when nothing is new."""
        wanted = tuple(markets)
        if wanted == self._wanted:
            return None
        self._wanted = wanted
        carried = self._assign(wanted)
        self.left_out = sum(map(len, wanted)) - len(self._of_token)
        effects: list[Effect] = []
        for shard in self._shards:
            effects.extend(shard.follow(carried[shard.number], now))
        return effects

    def entries(self) -> tuple[Evidence, ...]:
        """Return what the status says: what a lost connection carries is evident by nothing."""
        return tuple(
            Evidence(
                entry.key,
                entry.evident_ns if shard.connection.is_ready else None,
                shard.number,
            )
            for entry in self._board.entries()
            if (shard := self._of_token.get(TokenId(entry.key))) is not None
        )

    def say(self) -> tuple[FeedShard, ...]:
        """Return what the feed's status says of each connection in use."""
        return tuple(shard.say() for shard in self.used())

    def _worst(self) -> Connection:
        """Return the connection of which people have to hear first."""
        connections = [shard.connection for shard in self.used() or self._shards]
        return max(connections, key=lambda one: (not one.is_ready, one.failures))

    def _assign(self, markets: Sequence[tuple[TokenId, ...]]) -> list[list[TokenId]]:
        """Return the tokens of each connection, by its number; a kept token stays."""
        former = self._of_token
        self._of_token = {}
        carried: list[list[TokenId]] = [[] for _ in self._shards]
        new: list[tuple[TokenId, ...]] = []
        for tokens in markets:
            shard = former.get(tokens[0])
            if shard is None:
                new.append(tokens)
                continue
            self._place(tokens, shard, carried)
        for tokens in new:
            shard = self._with_room(len(tokens), carried)
            if shard is not None:
                self._place(tokens, shard, carried)
        return carried

    def _place(
        self, tokens: tuple[TokenId, ...], shard: Shard, carried: list[list[TokenId]]
    ) -> None:
        carried[shard.number].extend(tokens)
        self._of_token.update(dict.fromkeys(tokens, shard))

    def _with_room(self, count: int, carried: list[list[TokenId]]) -> Shard | None:
        roomy = [
            shard
            for shard in self._shards
            if len(carried[shard.number]) + count <= self._tokens_max
        ]
        # One that is used and ready first, then one that is used, then one that has to be opened.
        roomy.sort(key=lambda shard: (not carried[shard.number], not shard.connection.is_ready))
        if roomy:
            return roomy[0]
        if len(self._shards) == SHARDS_MAX:
            return None
        self._shards.append(Shard(len(self._shards), self._urls, self._seed))
        carried.append([])
        return self._shards[-1]
