"""What follows from what the exchange has done: for streams, log, journal and participants."""

from collections.abc import Callable

from services.simulator.agenda import Agenda
from services.simulator.exchange import Exchange
from services.simulator.happenings import (
    Happening,
    MarketMoved,
    OrderChanged,
    TradeChanged,
    TradePrinted,
)
from services.simulator.journal import Journal
from services.simulator.markets import Market
from services.simulator.participants.crowds import Participants
from services.simulator.stamps import Stamps
from services.simulator.streams import Streams
from shared.effects import Effect
from shared.units import NS_PER_MS, Instant, WallMs

PRINT_DELAY_NS = 39 * NS_PER_MS
"""A trade is printed this long after the books that follow from it (recorded frames)."""


Listener = Callable[[Happening, Instant], None]


class Telling:
    """Tells everybody who should hear of it.

    Attributes:
        listeners: Hear every happening, beside those that are named.
    """

    def __init__(
        self,
        exchange: Exchange,
        streams: Streams,
        participants: Participants,
        stamps: Stamps,
        journal: Journal | None,
        agenda: Agenda,
        *,
        tick_change_books: bool,
    ) -> None:
        """Set whom to ask and whom to tell, and whether whole books follow a new price step."""
        self._exchange = exchange
        self._streams = streams
        self._participants = participants
        self._stamps = stamps
        self._journal = journal
        self._tick_change_books = tick_change_books
        self._agenda = agenda
        self.listeners: list[Listener] = []

    def flush(self, now: Instant) -> list[Effect]:
        """Tell of everything since the last call."""
        exchange = self._exchange
        if not exchange.dirty and not exchange.happenings:
            return []
        out: list[Effect] = []
        if exchange.dirty:
            dirty, exchange.dirty = exchange.dirty, {}
            for market in dirty.values():
                out += self._flush_book(market, now)
        if exchange.happenings:
            happenings, exchange.happenings = exchange.happenings, []
            for happening in happenings:
                self._note(happening, now)
                out += self._tell(happening, now)
        return out

    def _flush_book(self, market: Market, now: Instant) -> list[Effect]:
        market.changed_ms = WallMs(max(market.changed_ms, now.wall_ms))
        out: list[Effect] = []
        change = self._exchange.change_tick(market)
        if change is not None:
            self._note(change, now)
            out += self._streams.tick_changed(change, now)
        is_whole = change is not None and self._tick_change_books
        out += self._streams.book_changed(market, now, whole=is_whole)
        market.book.touched = {}
        market.book.traded = False
        return out

    def _note(self, happening: Happening, now: Instant) -> None:
        self._stamps.note(happening, self._exchange, now)
        if self._journal is not None:
            self._journal.note(happening)
        for listener in self.listeners:
            listener(happening, now)

    def _tell(self, happening: Happening, now: Instant) -> list[Effect]:
        match happening:
            case OrderChanged():
                return list(self._streams.order_changed(happening, now))
            case TradeChanged():
                return list(self._streams.trade_changed(happening, now))
            case TradePrinted() if self._streams.has_listeners(happening.market):
                printed = happening
                self._agenda.at(
                    now.monotonic_ns + PRINT_DELAY_NS,
                    lambda later: list(self._streams.trade_printed(printed, later)),
                )
                return []
            case MarketMoved():
                return self._follow(happening, now)
            case _:
                return []

    def _follow(self, moved: MarketMoved, now: Instant) -> list[Effect]:
        out: list[Effect] = []
        if moved.state == "LISTED":
            out += self._streams.listed(moved.market, now)
        if moved.state in ("LISTED", "OPEN"):
            self._participants.join(moved.market, now)
        if moved.state == "CLOSED":
            self._participants.leave(moved.market)
        if moved.state == "RESOLVED":
            out += self._streams.resolved(moved.market, now)
        return out
