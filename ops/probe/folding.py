"""The books of a market folded from its socket, and which of them the venue's hash proves.

Pure. Frames of one batch share a moment and a hash, which describes the book after the whole
batch: only the last of them is judged.
"""

from typing import Any

from shared.facts import MarketInfo
from shared.identifiers import TokenId
from shared.units import PriceE4, SizeE6, WallMs
from shared.venue.book_hash import (
    HashedBook,
    book_hash,
    find_last_trade_price,
    last_trade_candidates,
)
from shared.venue.decimals import parse_price, parse_size
from shared.venue.faults import WireFault

HALF_E4 = PriceE4(5_000)
"""Which price is tried first does not matter: all are."""

Sides = tuple[dict[PriceE4, SizeE6], dict[PriceE4, SizeE6]]


class Folded:
    """Both books of a market.

    Attributes:
        snapshots: First books that came; snapshots_proven: those whose hash is theirs.
        changes: Batches of changes; traded: books sent after a trade.
        rule: How the last price is hashed that proved a book after a trade; empty before.
    """

    def __init__(self, info: MarketInfo) -> None:
        """Begin without any book."""
        self._info = info
        self._tick = info.tick_e4
        self._books: dict[str, Sides] = {}
        self._last: dict[str, str] = {}
        self._after_trade: str | None = None
        self._pending: dict[str, tuple[str, str]] = {}
        self.snapshots = self.snapshots_proven = 0
        self.changes = self.changes_proven = 0
        self.traded = self.traded_proven = 0
        self.rule = ""

    def take(self, frame: dict[str, Any]) -> None:
        """Take one object of the socket in; what cannot be read is not proven."""
        try:
            match frame.get("event_type"):
                case "book":
                    self._take_book(frame)
                case "price_change":
                    self._take_changes(frame)
                case "last_trade_price":
                    self._name_rule(parse_price(frame["price"], "price"))
                case "tick_size_change":
                    self._tick = parse_price(frame["new_tick_size"], "new_tick_size")
                    self._books.clear()
                case _:
                    pass
        except (KeyError, TypeError, WireFault):
            self.changes += 1

    def finish(self) -> None:
        """Judge the batches that nothing has followed."""
        for token in list(self._pending):
            self._settle(token)

    def proves(self, book: Any) -> str | None:
        """Return the last price under which a whole book has its own hash, None for none."""
        try:
            token, wanted, moment = book["asset_id"], book["hash"], book["timestamp"]
            sides = _sides(book)
        except (KeyError, TypeError, WireFault):
            return None
        told = str(book.get("last_trade_price", ""))
        return self._find(token, sides, wanted, moment, (told,))

    def _take_book(self, frame: dict[str, Any]) -> None:
        token, wanted, moment = frame["asset_id"], frame["hash"], frame["timestamp"]
        if token not in self._info.tokens:
            return
        self._settle(token)
        is_first = token not in self._books
        self._books[token] = _sides(frame)
        told = (str(frame["last_trade_price"]),) if "last_trade_price" in frame else ()
        found = self._find(token, self._books[token], wanted, moment, told)
        if found is not None:
            self._last[token] = found
        if is_first:
            self.snapshots += 1
            self.snapshots_proven += found is not None
            return
        self.traded += 1
        self.traded_proven += found is not None
        self._after_trade = found

    def _take_changes(self, frame: dict[str, Any]) -> None:
        moment = str(frame["timestamp"])
        for change in frame["price_changes"]:
            token, wanted = change["asset_id"], change["hash"]
            if token not in self._books:
                continue
            if self._pending.get(token, (moment, wanted)) != (moment, wanted):
                self._settle(token)
            side = self._books[token][0 if change["side"] == "BUY" else 1]
            price = parse_price(change["price"], "price")
            size = parse_size(change["size"], "size")
            side.pop(price, None)
            if size:
                side[price] = size
            self._pending[token] = (moment, wanted)

    def _settle(self, token: str) -> None:
        """Judge the batch of a token that is complete."""
        pending = self._pending.pop(token, None)
        if pending is None:
            return
        moment, wanted = pending
        known = (self._last[token],) if token in self._last else ()
        found = self._find(token, self._books[token], wanted, moment, known)
        self.changes += 1
        self.changes_proven += found is not None
        if found is not None:
            self._last[token] = found

    def _find(
        self, token: str, sides: Sides, wanted: str, moment: str, told: tuple[str, ...]
    ) -> str | None:
        bids = tuple((price, sides[0][price]) for price in sorted(sides[0]))
        asks = tuple((price, sides[1][price]) for price in sorted(sides[1], reverse=True))
        info = self._info
        book = HashedBook(
            market=info.condition_id,
            token=TokenId(token),
            venue_ms=WallMs(int(moment)),
            bids=bids,
            asks=asks,
            min_size_e6=info.min_size_e6,
            tick_e4=self._tick,
            neg_risk=info.neg_risk,
            version=info.version,
        )
        for text in (*told, ""):
            if book_hash(book, text) == wanted:
                return text
        return find_last_trade_price(book, wanted, last_trade_candidates(HALF_E4, self._tick))

    def _name_rule(self, traded: PriceE4) -> None:
        """Say how the books were hashed that came just before a trade was printed."""
        text, self._after_trade = self._after_trade, None
        if text is None:
            return
        value = parse_price(text, "last_trade_price") if text else PriceE4(0)
        names = {traded: "the trade's price", 10_000 - traded: "one less the trade's price"}
        decimals = len(text.partition(".")[2])
        self.rule = f"{names.get(value, 'another price')}, with {decimals} decimals"


def _sides(book: dict[str, Any]) -> Sides:
    return tuple(  # type: ignore[return-value]
        {
            parse_price(level["price"], "price"): parse_size(level["size"], "size")
            for level in book[name]
        }
        for name in ("bids", "asks")
    )
