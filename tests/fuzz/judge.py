"""A judge of books that shares nothing with state: dictionaries, and the hash written out.

Folds what the feed has accepted. A book that state calls proven must be the judge's own at that
moment, and the venue's hash of it must be the one that the venue told.
"""

import hashlib
import json

from services.state.core import StateCore
from shared.facts import BookChanged, BookSnapshot, MarketInfo
from shared.venue.token_book import ProvenLevels, TokenBook

Sides = tuple[dict[int, int], dict[int, int]]


class BookJudge:
    """The accepted frames of all tokens, folded.

    Attributes:
        proofs: How many books were called proven, and were.
    """

    def __init__(self) -> None:
        self.proofs = 0
        self._folded: dict[tuple[str, str], Sides] = {}
        self._stamps: dict[tuple[str, str], tuple[int, str]] = {}
        self._seen: dict[str, ProvenLevels | None] = {}

    def accept(self, body: object) -> None:
        """Take in what the feed has told."""
        if isinstance(body, BookSnapshot):
            key = (body.market, body.token)
            self._folded[key] = (dict(body.bids), dict(body.asks))
            self._stamps[key] = (body.venue_ms, body.hash)
        if isinstance(body, BookChanged):
            for change in body.changes:
                key = (body.market, change.token)
                sides = self._folded.setdefault(key, ({}, {}))
                side = sides[0 if change.side == "BUY" else 1]
                side[change.price] = change.size
                if not change.size:
                    del side[change.price]
                self._stamps[key] = (body.venue_ms, change.hash)

    def look(self, state: StateCore) -> None:
        """Compare every book that state has come to call proven since the last look."""
        for market in state._markets.values():
            for book in market.books():
                if book.proven is not None and book.proven is not self._seen.get(book.token):
                    self._judge(market.info, book, book.proven)
                self._seen[book.token] = book.proven

    def _judge(self, info: MarketInfo, book: TokenBook, proven: ProvenLevels) -> None:
        key = (info.condition_id, book.token)
        bids, asks = sides = self._folded[key]
        assert proven.bids == tuple(sorted(bids.items(), reverse=True)), "other bids"
        assert proven.asks == tuple(sorted(asks.items())), "other asks"
        venue_ms, told = self._stamps[key]
        steps = (book.tick_e4, book._former_tick_e4 or book.tick_e4)
        last = book._last_trade or ""
        hashes = {plain_hash(info, book.token, venue_ms, sides, step, last) for step in steps}
        assert told in hashes, "called proven under a hash that is not the venue's"
        self.proofs += 1


def plain_hash(
    info: MarketInfo, token: str, venue_ms: int, sides: Sides, tick: int, last: str
) -> str:
    """Return the venue's hash of a book.

    Source: recomputed on recorded production frames (2026-09-30).
    """
    body: dict[str, object] = {
        "market": info.condition_id,
        "asset_id": token,
        "timestamp": str(venue_ms),
        "hash": "",
        "bids": [row(price, size) for price, size in sorted(sides[0].items())],
        "asks": [row(price, size) for price, size in sorted(sides[1].items(), reverse=True)],
        "min_order_size": decimal(info.min_size_e6, 6),
        "tick_size": decimal(tick, 4),
        "neg_risk": info.neg_risk,
        "last_trade_price": last,
    }
    if info.version == "v2":
        body["version"] = "v2"
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def row(price: int, size: int) -> dict[str, str]:
    return {"price": decimal(price, 4), "size": decimal(size, 6)}


def decimal(number: int, places: int) -> str:
    """Return a scaled integer as the venue writes it."""
    text = f"{number // 10**places}.{number % 10**places:0{places}d}"
    return text.rstrip("0").rstrip(".")
