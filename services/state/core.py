"""The state builder's decisions: fold, prove, publish, doubt.

Holds every market of the calendar, the reference prices and the market feed's health.
Judges every price before it is used (`quality/`).
Publishes a market at each new proof (while one of its books is open, the proofs of both wait
for the tick and become one view), all markets every 100 ms, and asks for a new snapshot of
a book that it cannot prove.
"""

from collections import deque
from collections.abc import Iterable
from typing import Literal

import msgspec

from services.state.feed_health import FeedHealth
from services.state.hot_view import HotMarket
from services.state.memory import (
    Heard,
    KeepMemory,
    Memory,
    NotRemembered,
    Remembered,
    decode_fact,
)
from services.state.price_history import PriceHistory
from services.state.quality.inspector import Inspector
from shared.config import Config
from shared.effects import Effect, Exit, Gap, Log, Message, Paused, Publish, Received, Stop
from shared.facts import (
    BookChanged,
    BookDoubted,
    BookSnapshot,
    Calendar,
    FeedStatus,
    MarketResolved,
    PerpContext,
    PricesDoubted,
    ReferencePrice,
    StateView,
    TickChanged,
    TradePrinted,
)
from shared.identifiers import Asset, ConditionId, Incarnation, TokenId
from shared.topics import FEED_MARKET
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs
from shared.venue.token_book import HASH_DISAGREES

VIEW_EVERY_NS = 100 * NS_PER_MS

MEMORY_EVERY_NS = 3 * NS_PER_S
"""Between two memories on the disk: what was recorded in so long a time is read in milliseconds."""

DOUBT_AFTER_NS = 500 * NS_PER_MS
"""Patience with a book without snapshot before one is asked for: after a change of the price step,
or after a gap, it is usually on its way. A wrong hash has been waited for already."""

DOUBT_EVERY_NS = 2 * NS_PER_S
"""A doubt is a fact and may be lost: it is repeated while it lasts, and not faster, so that a venue
that answers slowly is not flooded with subscriptions."""

MARKETS_MAX = 200
"""Markets of the calendar that are held; more are refused and logged."""

EARLY_MAX = 500
"""Events kept of markets that the calendar has not told us yet: it may come a moment later here
than at the feed. Several seconds of one market."""

BookEvent = BookChanged | BookSnapshot | TradePrinted | TickChanged


class StateCore:
    """The whole process, pure."""

    def __init__(self, config: Config) -> None:
        """Start empty: the first calendar and the feed's snapshot fill it."""
        self._health = FeedHealth(config.timing.market_stale_ms * NS_PER_MS)
        self._markets: dict[ConditionId, HotMarket] = {}
        self._quality = Inspector(config)
        self._prices = PriceHistory(
            (Asset(asset) for asset in config.markets.assets), config.markets.interval_s
        )
        self._doubted_ns: dict[TokenId, MonotonicNs] = {}
        self._early: deque[tuple[BookEvent, MonotonicNs]] = deque(maxlen=EARLY_MAX)
        self._awaiting: dict[ConditionId, HotMarket] = {}
        self._next_view_ns = 0
        self._refused = 0
        self._next_memory_ns = 0
        self._has_calendar = False
        self._heard: dict[tuple[str, str], tuple[Incarnation, int]] = {}
        self._rebuilt: dict[Asset, tuple[Incarnation, int]] = {}

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Fold facts; note gaps; end when asked."""
        match message:
            case Received(body=body, component=component, topic=topic):
                self._heard[component, topic] = (message.incarnation, message.sequence)
                return self._on_fact(body, message, now)
            case Gap(component=component, cause=cause):
                if component == FEED_MARKET:
                    self._distrust_all(f"gap: {cause}")
            case Paused():
                self._distrust_all("own pause")
            case Stop(cause=cause):
                return [KeepMemory(self.remember(now)), Exit(0, cause)]
            case Remembered():
                return self._recall(message, now)
            case NotRemembered(problems=problems):
                return _refusals(problems)
            case _:
                pass
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Settle what is still open, doubt what stays so, and publish."""
        effects: list[Effect] = []
        self._awaiting.clear()
        for market in self._markets.values():
            market.distrust_stale(self._health, now)
            market.settle(now)
            effects.extend(self._publish_proven(market, now))
        effects.extend(self._doubts(now))
        if now.monotonic_ns >= self._next_view_ns:
            self._next_view_ns = now.monotonic_ns + VIEW_EVERY_NS
            effects.extend(self.snapshot(now))
            effects.extend(self._told_quality(now))
        if now.monotonic_ns >= self._next_memory_ns:
            # The first turn comes before anything is known: nothing is worth to be kept yet.
            is_first, self._next_memory_ns = (
                not self._next_memory_ns,
                now.monotonic_ns + MEMORY_EVERY_NS,
            )
            effects.extend([] if is_first else [KeepMemory(self.remember(now))])
        return effects

    def remember(self, now: Instant) -> Memory:
        """Return everything that is folded, as it is kept for the next start."""
        markets = self._markets.values()
        books = (book.remember() for market in markets for book in market.books())
        return Memory(
            now,
            tuple(market.info for market in markets),
            tuple(book for book in books if book is not None),
            self._prices.remember(),
            tuple(Heard(*stream, *newest) for stream, newest in self._heard.items()),
        )

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the view of all markets, as it is repeated and as a reader asks for it."""
        views = tuple(
            market.view(self._health, self._prices.get(market.info.asset), now)
            for market in self._markets.values()
        )
        return [Publish("state.view", StateView(views), now.monotonic_ns)]

    def health(self) -> tuple[Literal["starting", "ready"], str]:
        """Return whether the process can do its work, and what it waits for."""
        return ("ready", "") if self._has_calendar else ("starting", "no calendar yet")

    def _on_fact(self, body: object, received: Received, now: Instant) -> list[Effect]:
        match body:
            case BookChanged() | BookSnapshot() | TradePrinted() | TickChanged():
                return self._on_book_event(body, received.input_ns, now)
            case ReferencePrice():
                return self._on_price(body, now)
            case PerpContext():
                self._quality.perp(body, now)
            case PricesDoubted():
                self._on_prices_doubted(body, received)
            case FeedStatus():
                self._quality.feed(body, now)
                return self._on_feed_status(body, received)
            case Calendar():
                self._has_calendar = bool(body.markets)
                return self._on_calendar(body, now)
            case MarketResolved():
                pass  # the calendar tells the winner; a stream's word alone is not enough
            case _:
                pass
        return []

    def _on_book_event(self, event: BookEvent, input_ns: MonotonicNs, now: Instant) -> list[Effect]:
        market = self._markets.get(event.market)
        if market is None:
            self._early.append((event, input_ns))
            return []
        market.apply(event, input_ns, now)
        if isinstance(event, BookChanged) and event.more:
            # The rest of the batch is here already: proving now would hash for nothing.
            self._awaiting[event.market] = market
            return []
        effects: list[Effect] = []
        if self._awaiting:
            self._awaiting.pop(event.market, None)
            for other in self._awaiting.values():
                effects.extend(self._settle(other, now))
            self._awaiting.clear()
        return [*effects, *self._settle(market, now)]

    def _settle(self, market: HotMarket, now: Instant) -> list[Effect]:
        market.settle(now)
        return [] if market.is_open else self._publish_proven(market, now)

    def _publish_proven(self, market: HotMarket, now: Instant) -> list[Effect]:
        """Publish a market's view if something in it was proven since the last time."""
        input_ns = market.changed_input_ns
        if input_ns is None:
            return []
        market.changed_input_ns = None
        view = market.view(self._health, self._prices.get(market.info.asset), now)
        return [Publish("state.market", view, input_ns)]

    def _on_price(self, tick: ReferencePrice, now: Instant) -> list[Effect]:
        """Take a price that is right; one that is refused is as if it had never been told."""
        if tick.asset not in self._prices:
            return []
        judged = self._quality.price(tick, now)
        if not judged.is_used:
            return []
        return [*self._prices.add(tick, is_suspect=judged.is_suspect)]

    def _told_quality(self, now: Instant) -> list[Effect]:
        """Look for what nobody tells, and say what is wrong, beside every view."""
        self._quality.look(now)
        effects: list[Effect] = [
            Log("state.quality", msgspec.to_builtins(found), "warning")
            for found in self._quality.take_new()
        ]
        return [*effects, Publish("state.quality", self._quality.told(), now.monotonic_ns)]

    def _on_feed_status(self, status: FeedStatus, received: Received) -> list[Effect]:
        if received.component != FEED_MARKET:
            return []
        renewed = self._health.update(status, received.incarnation, received.sent_ns)
        if renewed:
            # Whatever happened between two connections was told to nobody.
            self._early.clear()
            for market in self._markets.values():
                market.distrust_renewed(renewed, self._health)
        return []

    def _on_prices_doubted(self, doubted: PricesDoubted, received: Received) -> None:
        """Forget, once, what risk has found to be an error; the feed tells the rest anew."""
        doubt = (received.incarnation, doubted.number)
        if doubted.asset in self._prices and doubt != self._rebuilt.get(doubted.asset):
            self._rebuilt[doubted.asset] = doubt
            self._prices.forget_since(doubted.asset, doubted.since_ms)
            self._quality.retell(doubted.asset)

    def _on_calendar(self, calendar: Calendar, now: Instant) -> list[Effect]:
        listed = {market.condition_id: market for market in calendar.markets if not market.closed}
        for condition_id in [known for known in self._markets if known not in listed]:
            del self._markets[condition_id]
            self._awaiting.pop(condition_id, None)
        effects: list[Effect] = []
        for condition_id, info in listed.items():
            known = self._markets.get(condition_id)
            if known is not None and not known.is_same(info):
                # Nothing of the former books may be shown under what is described now.
                effects.append(Log("state.market_contradicted", {"slug": info.slug}, "error"))
                del self._markets[condition_id]
                known = None
            if known is not None:
                known.update_info(info)
            elif len(self._markets) < MARKETS_MAX:
                self._markets[condition_id] = HotMarket(info)
                for event, input_ns in self._early:
                    if event.market == condition_id:
                        effects.extend(self._on_book_event(event, input_ns, now))
            else:
                effects.append(Log("state.market_refused", {"slug": info.slug}, "error"))
        kept = {token for info in listed.values() for token in info.tokens}
        self._doubted_ns = {
            token: at_ns for token, at_ns in self._doubted_ns.items() if token in kept
        }
        return effects

    def _recall(self, found: Remembered, now: Instant) -> list[Effect]:
        """Go on from what was remembered and recorded since; every proof has to come live."""
        memory = found.memory
        books = {book.token: book for book in memory.books}
        for info in memory.markets:
            self._markets[info.condition_id] = HotMarket(info)
            self._markets[info.condition_id].recall(books)
        ticks: list[ReferencePrice] = []
        problems = list(found.problems)
        self._heard = {
            (one.component, one.topic): (one.incarnation, one.sequence) for one in memory.heard
        }
        for fact in found.facts:
            body = decode_fact(fact)
            match body:
                case ReferencePrice():
                    if body.asset in self._prices and self._quality.price(body, now).is_used:
                        ticks.append(body)
                case BookChanged() | BookSnapshot() | TradePrinted() | TickChanged():
                    if body.market in self._markets:
                        input_ns = MonotonicNs(fact.input_ns)
                        self._markets[body.market].apply(body, input_ns, now)
                case Calendar():
                    self._on_calendar(body, now)
                case str():
                    problems.append(body)
                case _:
                    pass
            self._heard[fact.component, fact.topic] = (fact.incarnation, fact.sequence)
        self._prices.recall(memory.prices, ticks, now.monotonic_ns)
        for market in self._markets.values():
            market.doubt_again()
        fields = {
            "where": found.where,
            "age_ms": (now.boot_ns - memory.taken.boot_ns) // NS_PER_MS,
            "markets": len(memory.markets),
            "facts": len(found.facts),
            "took_ms": found.took_ns // NS_PER_MS,
        }
        return [Log("state.remembered", fields), *_refusals(problems)]

    def _doubts(self, now: Instant) -> list[Effect]:
        """Ask for snapshots of the books that cannot be proven, at a bounded rate."""
        effects: list[Effect] = []
        is_deaf = bool(self._health.problem(now))
        for market in self._markets.values():
            is_over = now.wall_ms >= market.info.end_ms
            for book in market.books():
                why = book.wants_snapshot
                if not why or is_deaf or is_over or self._health.token_problem(book.token):
                    self._doubted_ns.pop(book.token, None)
                    continue
                patience = 0 if why == HASH_DISAGREES else DOUBT_AFTER_NS
                due = self._doubted_ns.setdefault(
                    book.token, MonotonicNs(now.monotonic_ns + patience)
                )
                if now.monotonic_ns < due:
                    continue
                self._doubted_ns[book.token] = MonotonicNs(now.monotonic_ns + DOUBT_EVERY_NS)
                fact = BookDoubted(market.info.condition_id, book.token, why)
                effects.append(Publish("state.doubted", fact, now.monotonic_ns))
                effects.append(Log("state.doubted", {"token": book.token, "why": why}))
        return effects

    def _distrust_all(self, why: str) -> None:
        self._early.clear()
        for market in self._markets.values():
            market.distrust(why)


def _refusals(problems: Iterable[str]) -> list[Effect]:
    """Return the lines that say what of a memory could not be used."""
    return [Log("state.memory_refused", {"problem": problem}, "warning") for problem in problems]
