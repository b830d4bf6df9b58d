"""The real venue's markets as the mirror has them: folded, proven or doubted, and matched against.

Takes the real market stream's events, from a socket or from a recording, and gives each
proven book to the matching. Folds the first token alone: the second one's book is its
mirror image, as in recorded production frames (2026-09-30), while trades of both count.
"""

from collections.abc import Iterator

import msgspec

from services.simulator.markets import TWAP_INTERVAL_S_MIN, Market
from services.simulator.matching import Book, Order, book_price
from services.simulator.mirror.book import MirrorBook, Print
from services.simulator.mirror.exchange import MirrorCalendar, MirrorExchange
from services.simulator.oracles.oracle import TWAP_MS
from services.simulator.stamps import Stamps
from shared.effects import Effect, Log
from shared.facts import (
    BookChanged,
    BookSnapshot,
    MarketEvent,
    MarketInfo,
    MarketResolved,
    TickChanged,
    TradePrinted,
)
from shared.identifiers import ConditionId
from shared.units import Instant, MonotonicNs, WallMs
from shared.venue.token_book import TokenBook

_MS_PER_S = 1_000
_CROSSED = "book is crossed"


class Followed(msgspec.Struct, eq=False):
    """One market of the real venue.

    Attributes:
        fold: Its first token's book as the stream tells it.
        book: What our orders match against.
        evidence_ns: When the stream, or a second opinion, last vouched for it.
    """

    info: MarketInfo
    market: Market
    fold: TokenBook
    book: MirrorBook
    evidence_ns: MonotonicNs


class MirrorVenue:
    """All markets that are followed.

    Attributes:
        followed: By condition, until they close.
        notes: What people should know, for the log, emptied by whoever writes it.
    """

    def __init__(
        self,
        exchange: MirrorExchange,
        calendar: MirrorCalendar,
        stamps: Stamps,
        print_lag_ms: int,
    ) -> None:
        """Begin with none."""
        self._exchange = exchange
        self._calendar = calendar
        self._stamps = stamps
        self._print_lag_ms = print_lag_ms
        self.followed: dict[ConditionId, Followed] = {}
        self.notes: list[Effect] = []
        exchange.on_rest = self._rested
        exchange.on_close = self._closed

    def market_of(self, condition: ConditionId) -> Market | None:
        """Return a market that is or was followed."""
        return self._calendar.by_condition.get(condition)

    def unresolved(self) -> Iterator[Market]:
        """Iterate over the markets whose winner is not known yet."""
        return (market for market in self._calendar if market.winner is None)

    def follow(self, info: MarketInfo, number: str, now: Instant) -> None:
        """Take in a market that discovery tells of, or what is new about it."""
        market = self._calendar.by_condition.get(info.condition_id)
        if market is None:
            is_open = info.active and info.accepting_orders and not info.closed
            if not is_open or info.end_ms <= now.wall_ms:
                return
            market = _market(info, number, WallMs(now.wall_ms))
            self._calendar.take_in(market)
        if info.winner in (0, 1):
            self.resolve(market, info.winner)
        elif info.closed or not (info.active and info.accepting_orders):
            self._calendar.end(market)
        if not market.is_trading or info.condition_id in self.followed:
            return
        self.followed[info.condition_id] = Followed(
            info,
            market,
            TokenBook(info, info.tokens[0]),
            MirrorBook(self._exchange, market, self._print_lag_ms),
            now.monotonic_ns,
        )

    def resolve(self, market: Market, winner: int) -> None:
        """Let a market resolve, once it has closed, as the real venue says."""
        if market.winner is None:
            market.winner = winner
            self._calendar.end(market)

    def end(self, market: Market) -> None:
        """Let a market take no more orders."""
        self._calendar.end(market)

    def take(self, event: MarketEvent, received_ns: MonotonicNs, now: Instant) -> None:
        """Fold an event of the real stream; `judge` makes something of it."""
        followed = self.followed.get(event.market)
        if followed is None:
            self._resolve_closed(event)
            return
        fold = followed.fold
        match event:
            case BookSnapshot() if event.token == fold.token:
                fold.apply_snapshot(event, received_ns, now)
                followed.evidence_ns = received_ns
            case BookChanged():
                for change in event.changes:
                    if change.token == fold.token:
                        fold.apply_change(change, event.venue_ms, received_ns, now)
                        followed.evidence_ns = received_ns
            case TickChanged() if event.token == fold.token:
                fold.apply_tick(event.new_e4, now)
            case TradePrinted():
                fold.note_trade(event.price)
                followed.book.printed(_print(followed.market, event), now)
            case MarketResolved():
                self.resolve(followed.market, followed.market.outcome_of(event.winning_token))
            case _:
                return

    def judge(self, followed: Followed, outside: str, now: Instant) -> None:
        """Show a proven book to our orders, or take a doubted one away from them.

        Args:
            followed: Which.
            outside: Why its stream cannot be believed; empty when it can.
            now: Now.
        """
        is_new = followed.fold.settle(now)
        proven = followed.fold.proven
        why = outside or followed.fold.doubt
        if not why and (proven is None or proven.is_crossed):
            why = "not proven yet" if proven is None else _CROSSED
        book = followed.book
        self._exchange.set_tick(followed.market, followed.fold.tick_e4)
        if why:
            if book.doubt != why:
                self._note(followed, why, now)
                book.distrust(why)
            return
        assert proven is not None
        if is_new or book.doubt:
            if book.doubt:
                self._note(followed, "", now)
            book.show(proven.bids, proven.asks, now)

    def _note(self, followed: Followed, why: str, now: Instant) -> None:
        market = followed.market
        state = "doubted" if why else "proven"
        self._stamps.add("mirror", now, market=market.condition_id, state=state, why=why)
        fields = {"slug": market.slug, "why": why}
        is_loss = bool(why) and not followed.book.doubt
        self.notes.append(Log(f"mirror.{state}", fields, "warning" if is_loss else "info"))

    def _rested(self, order: Order, now: Instant) -> None:
        followed = self.followed.get(ConditionId(order.market))
        if followed is not None:
            followed.book.rested(order, now)

    def _closed(self, market: Market) -> None:
        followed = self.followed.pop(market.condition_id, None)
        if followed is not None:
            followed.book.distrust("market is closed")

    def _resolve_closed(self, event: MarketEvent) -> None:
        """Take the winner of a market that has closed already."""
        market = self._calendar.by_condition.get(event.market)
        if market is not None and isinstance(event, MarketResolved):
            self.resolve(market, market.outcome_of(event.winning_token))


def _market(info: MarketInfo, number: str, listed_ms: WallMs) -> Market:
    interval_s = (info.end_ms - info.start_ms) // _MS_PER_S
    return Market(
        number=number,
        slug=info.slug,
        asset=info.asset,
        condition_id=info.condition_id,
        tokens=info.tokens,
        version=info.version,
        listed_ms=listed_ms,
        changed_ms=listed_ms,
        start_ms=info.start_ms,
        end_ms=info.end_ms,
        lookback_ms=TWAP_MS if interval_s >= TWAP_INTERVAL_S_MIN else 0,
        book=Book(),
        tick=info.tick_e4,
        neg_risk=info.neg_risk,
    )


def _print(market: Market, event: TradePrinted) -> Print:
    """Translate a real trade: a buy of the second token sells the first."""
    outcome = market.outcome_of(event.token)
    hits_bids = (event.side == "SELL") == (outcome == 0)
    return Print(book_price(outcome, event.price), event.size, hits_bids)
