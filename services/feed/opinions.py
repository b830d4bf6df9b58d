"""Second opinions: which books are asked for by request, when, and what an answer means.

Decides whom to ask about. A token that the stream leaves silent is asked about until it
speaks; a lively one now and then, since a stream may go on and tell the past. A few tokens are
asked one by one, many in one read. Bounded: so many reads at once, so many books a second.

Source: rate limits of `/book` (1,500 in 10 s) and `/books` (500 in 10 s, up to 500 books each)
in https://docs.polymarket.com/api-reference/rate-limits (2026-09-28); `/books` answers in an
order of its own.
"""

from collections.abc import Iterable, Mapping

import msgspec

from services.feed.evidence import EvidenceBoard
from services.feed.requests import Reads
from services.feed.shards import Shards
from services.feed.witness import StreamedBook, Verdict
from shared.effects import Effect, HttpReply
from shared.facts import BookSnapshot
from shared.identifiers import TokenId
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs
from shared.venue.faults import Malformed
from shared.venue.market_wire import BOOK, BOOK_PATH, BOOKS, BOOKS_PATH, BookRequest
from shared.venue.parse import rest_book
from shared.venue.wire import decode, encode

WITNESS_AFTER_NS = 750 * NS_PER_MS
"""A token silent for so long gets a second opinion, and another each such time while it stays: the
answer may take a second on a busy machine before a quiet token counts as stale at 2 s. Forty
tokens make 53 reads a second, a third of the venue's limit of books."""

COMPARE_EVERY_NS = 10 * NS_PER_S
"""A token whose stream is lively is compared this often all the same. What its hash cannot show, a
stream that tells the past in perfect order, is then known in half a minute."""

SINGLES_MAX = 8
"""More tokens than these at once are asked in one read: their answers then come together."""

BATCH_MAX = 100
"""Books in one read: some 400 kB, which do not hold back the stream for long."""

BATCH_EVERY_NS = 100 * NS_PER_MS
"""Between two reads of many books: 10 a second where the venue allows 50, and 1,000 books a second.
Above 750 silent tokens each is asked less often, which the feed's cadence then says."""


class Opinion(msgspec.Struct, frozen=True):
    """What a read is for: the second opinion about some tokens.

    Attributes:
        sessions: Of the connections that carried them: an answer is about these alone.
    """

    tokens: tuple[TokenId, ...]
    sessions: Mapping[int, int]
    asked_ns: MonotonicNs
    is_batch: bool


class Judged(msgspec.Struct, frozen=True):
    """What one book read by request says of the stream."""

    book: StreamedBook
    verdict: Verdict
    asked_ns: MonotonicNs


class Opinions:
    """Reads of books under way, and when each token was last asked about."""

    def __init__(self, deadline_ns: int, stale_ns: int) -> None:
        """Start with nothing asked.

        Args:
            deadline_ns: Of each read.
            stale_ns: Age at which a quiet token counts as stale: it is asked about in time.
        """
        self._reads: Reads[Opinion] = Reads(deadline_ns)
        # A setting below the usual one is met by asking sooner, in the same proportion.
        self._after_ns = min(WITNESS_AFTER_NS, stale_ns * 3 // 8)
        self._asked_ns: dict[TokenId, MonotonicNs] = {}
        self._compared_ns: dict[TokenId, MonotonicNs] = {}
        self._next_batch_ns = 0

    def follow(self, tokens: Iterable[TokenId], now: Instant) -> None:
        """Keep the moments of these tokens and of no others."""
        kept = tuple(tokens)
        self._asked_ns = {key: self._asked_ns[key] for key in kept if key in self._asked_ns}
        since_ns = now.monotonic_ns
        self._compared_ns = {key: self._compared_ns.get(key, since_ns) for key in kept}

    def ask(self, shards: Shards, evidence: EvidenceBoard, now: Instant) -> list[Effect]:
        """Return the reads that are due and that there is room for."""
        due = self._due(shards, evidence, now)
        if len(due) <= SINGLES_MAX:
            return [self._read((token,), shards, now) for token in due if not self._reads.is_full]
        if self._reads.is_full or now.monotonic_ns < self._next_batch_ns:
            return []
        self._next_batch_ns = now.monotonic_ns + BATCH_EVERY_NS
        return [self._read(tuple(due[:BATCH_MAX]), shards, now)]

    def failed(self, request_id: int) -> None:
        """Note that a read was not answered: it says nothing, and is made again."""
        self._reads.finish(request_id)

    def answered(self, reply: HttpReply, shards: Shards) -> list[Judged]:
        """Judge the books of an answer.

        Raises:
            WireFault: It cannot be read, or tells of a token that was not asked about.
        """
        opinion = self._reads.finish(reply.request_id)
        if opinion is None or reply.status != 200:
            return []  # no opinion: a new token may have no book there yet
        judged: list[Judged] = []
        for asked in self._books(opinion, reply.body):
            if asked.token not in opinion.tokens:
                raise Malformed("book", f"of another token, {asked.token}")
            shard = shards.of_token(asked.token)
            if shard is None or opinion.sessions[shard.number] != shard.connection.session:
                continue  # its stream has begun anew meanwhile
            book = shard.books[asked.token]
            judged.append(Judged(book, book.judge(asked), opinion.asked_ns))
        return judged

    def _books(self, opinion: Opinion, body: bytes) -> list[BookSnapshot]:
        if opinion.is_batch:
            return [rest_book(book) for book in decode(BOOKS, body, "books")]
        return [rest_book(decode(BOOK, body, "book"))]

    def _due(self, shards: Shards, evidence: EvidenceBoard, now: Instant) -> list[TokenId]:
        """Return whom to ask about: the silent first, the one asked longest ago first."""
        quiet: list[tuple[int, TokenId]] = []
        lively: list[tuple[int, TokenId]] = []
        silent_from = now.monotonic_ns - self._after_ns
        compare_from = now.monotonic_ns - COMPARE_EVERY_NS
        for shard in shards.used():
            if not shard.connection.is_ready:
                continue
            for token in shard.books:
                asked_ns = self._asked_ns.get(token, 0)
                if max(evidence.silent_since(token), asked_ns) <= silent_from:
                    quiet.append((asked_ns, token))
                elif max(self._compared_ns[token], asked_ns) <= compare_from:
                    lively.append((asked_ns, token))
        quiet.sort()
        lively.sort()
        return [token for _, token in (*quiet, *lively)]

    def _read(self, tokens: tuple[TokenId, ...], shards: Shards, now: Instant) -> Effect:
        moments = dict.fromkeys(tokens, now.monotonic_ns)
        self._asked_ns.update(moments)
        self._compared_ns.update(moments)
        sessions = {shard.number: shard.connection.session for shard in shards.used()}
        is_batch = len(tokens) > 1
        opinion = Opinion(tokens, sessions, now.monotonic_ns, is_batch)
        if is_batch:
            body = encode([BookRequest(token) for token in tokens])
            return self._reads.ask(BOOKS_PATH, opinion, now, body=body)
        return self._reads.ask(f"{BOOK_PATH}?token_id={tokens[0]}", opinion, now)
