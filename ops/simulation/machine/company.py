"""Whom execution hears: risk with its pings, the feeds that vouch, and one strategy that wishes.

They speak when time passes, each at its own pace, as long as they are well; actions make them
silent, late or contrary.
"""

from collections import deque
from collections.abc import Callable

import msgspec

from ops.simulation.machine.clock import Clock
from ops.simulation.machine.venue import ASSET, MachineVenue
from services.simulator.markets import Market
from services.simulator.matching import Ladder, book_price
from shared.control import Lease, Ping, ScopeOrder
from shared.effects import ControlReceived, Gap, Message, Received
from shared.facts import (
    BookView,
    Calendar,
    Evidence,
    FeedStatus,
    MarketInfo,
    MarketView,
    ReferencePrice,
    StateView,
    TickChanged,
)
from shared.identifiers import Asset, Component, ConditionId, Incarnation, StrategyName
from shared.targets import Target, TargetSet
from shared.topics import (
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_PRICE,
    FEED_USER,
    MARKET_MAKING,
    STATE,
)
from shared.trading_state import TradingState
from shared.units import BootNs, PriceE4, ReferenceE18, SizeE6, WallMs

PING_MS = 100
VOUCH_MS = 400
RENEW_MS = 800
PINGS_HELD_MAX = 50
RESOLVED_TOLD = 8
"""Resolved markets that discovery still tells of."""

MAKER = StrategyName(str(MARKET_MAKING))
Hear = Callable[[Message], None]


class Risk:
    """Risk as execution knows it.

    Attributes:
        speaks: Whether it pings at all.
        grants: Whether its pings bear a lease.
        is_held: Whether the control line keeps what it says until later.
        asked_ns: The newest ask of execution that it has read.
    """

    def __init__(self, clock: Clock, lease_ms: int) -> None:
        """Begin granting, in a first epoch."""
        self._clock = clock
        self._lease_ms = lease_ms
        self._count = 0
        self._next_ms = 0
        self.incarnation = Incarnation(1_000)
        self.epoch = 5
        self.fence_id = 0
        self.state: TradingState = "ACTIVE"
        self.lease_state: TradingState = "ACTIVE"
        self.scopes: tuple[ScopeOrder, ...] = ()
        self.speaks = True
        self.grants = True
        self.is_held = False
        self.asked_ns = BootNs(0)
        self.asker = Incarnation(0)
        self.line: deque[Ping] = deque(maxlen=PINGS_HELD_MAX)

    def is_due(self) -> bool:
        """Whether it pings now; then the next time is later."""
        if not self.speaks or self._clock.elapsed_ms < self._next_ms:
            return False
        self._next_ms = self._clock.elapsed_ms + PING_MS
        return True

    def say(self) -> None:
        """Put a ping on the line."""
        self._count += 1
        lease = None
        if self.grants and self.asker and self.state in ("ACTIVE", "REDUCING"):
            lease = Lease(self.asker, self.asked_ns, self._lease_ms, self.epoch, self.lease_state)
        ping = Ping(
            risk_incarnation=self.incarnation,
            ping_id=self._count,
            sent_ns=self._clock.now.boot_ns,
            epoch=self.epoch,
            fence_id=self.fence_id,
            fence_reason="fence" if self.fence_id else "",
            trading_state=self.state,
            reasons=(),
            scopes=self.scopes,
            switch_version=1,
            lease=lease,
        )
        self.line.append(ping)

    def fence(self) -> None:
        """Take a new epoch and let nothing be placed in it."""
        self.epoch += 1
        self.fence_id = self.epoch
        self.grants = False

    def resume(self) -> None:
        """Take a newer epoch than any fence, and grant."""
        self.epoch += 1
        self.grants = True
        self.speaks = True
        self.state = self.lease_state = "ACTIVE"
        self.scopes = ()

    def restart(self) -> None:
        """Be another run of risk, which knows no fence of its own yet."""
        self.incarnation = Incarnation(self.incarnation + 1)
        self.fence_id = 0
        self.epoch += 1
        self.asker = Incarnation(0)


class Feeds:
    """What feeds, state and the strategy say of the venue's markets.

    Attributes:
        session: Of the own-order stream; a new one after each break.
        is_connected: Whether that stream is.
        silent: Components that say nothing.
        wishes: What the strategy wants in each market.
    """

    def __init__(self, clock: Clock, venue: MachineVenue, ttl_ms: int, cutoff_ms: int) -> None:
        """Begin with everybody well, and no wish."""
        self._clock = clock
        self._venue = venue
        self._ttl_ms = ttl_ms
        self._cutoff_ms = cutoff_ms
        self._sequence = 0
        self._vouch_ms = 0
        self._renew_ms = 0
        self._user_ns = clock.now.monotonic_ns
        self._ticks: dict[str, PriceE4] = {}
        self.session = 1
        self.is_connected = True
        self.silent: set[str] = set()
        self.wishes: dict[ConditionId, tuple[Target, ...]] = {}

    def speak(self, hear: Hear) -> None:
        """Let everybody who is due say what he says."""
        if self._clock.elapsed_ms >= self._vouch_ms:
            self._vouch_ms = self._clock.elapsed_ms + VOUCH_MS
            self.vouch(hear)
        if self._clock.elapsed_ms >= self._renew_ms:
            self._renew_ms = self._clock.elapsed_ms + RENEW_MS
            self.wish(hear)

    def wish(self, hear: Hear) -> None:
        """Let the strategy say its wishes."""
        if MARKET_MAKING in self.silent:
            return
        trading = {market.condition_id: market for market in self._venue.trading()}
        for name in [name for name in self.wishes if name not in trading]:
            del self.wishes[name]
        for name, targets in self.wishes.items():
            body = TargetSet(MAKER, name, self._ttl_ms, targets)
            hear(self.fact(MARKET_MAKING, "strategy.targets", body))

    def vouch(self, hear: Hear) -> None:
        """Let feeds and state tell that they are well, and what they see."""
        now = self._clock.now
        markets = self._venue.trading()
        if FEED_DISCOVERY not in self.silent:
            hear(self.fact(FEED_DISCOVERY, "feed.calendar", self._calendar()))
        tokens = tuple(token for market in markets for token in market.tokens)
        keys = {FEED_MARKET: tokens, FEED_PRICE: (ASSET,)}
        for feed, names in keys.items():
            if feed not in self.silent:
                evidence = tuple(Evidence(name, now.monotonic_ns) for name in names)
                status = FeedStatus(feed, True, now.monotonic_ns, "", 1, evidence)
                hear(self.fact(feed, "feed.status", status))
        if FEED_USER not in self.silent:
            if self.is_connected:
                self._user_ns = now.monotonic_ns
            evidence = (Evidence("orders", self._user_ns),)
            status = FeedStatus(
                FEED_USER, self.is_connected, now.monotonic_ns, "", self.session, evidence
            )
            hear(self.fact(FEED_USER, "feed.status", status))
        if STATE not in self.silent:
            views = tuple(self._view(market) for market in markets)
            hear(self.fact(STATE, "state.view", StateView(views)))
        self._tell_ticks(hear)

    def gap(self, component: Component) -> Gap:
        """Return the news that facts of a component were lost."""
        return Gap(component, "", -1, "sequence")

    def fact(self, component: Component, topic: str, body: msgspec.Struct) -> Received:
        """Return a fact as it comes off the bus now."""
        self._sequence += 1
        now = self._clock.now
        return Received(
            component,
            Incarnation(1),
            topic,
            self._sequence,
            now.monotonic_ns,
            now.monotonic_ns,
            now.wall_ns,
            body,
        )

    def _tell_ticks(self, hear: Hear) -> None:
        for market in self._venue.trading():
            known = self._ticks.get(market.condition_id)
            self._ticks[market.condition_id] = market.tick
            if known is None or known == market.tick or FEED_MARKET in self.silent:
                continue
            for token in market.tokens:
                wall_ms = WallMs(self._clock.now.wall_ms)
                body = TickChanged(market.condition_id, token, known, market.tick, wall_ms)
                hear(self.fact(FEED_MARKET, "feed.market", body))

    def _calendar(self) -> Calendar:
        markets = list(self._venue.exchange.calendar)
        resolved = [market for market in markets if market.state == "RESOLVED"][-RESOLVED_TOLD:]
        others = [market for market in markets if market.state != "RESOLVED"]
        told = tuple(self._info(market) for market in (*resolved, *others))
        return Calendar(told, self._clock.now.monotonic_ns)

    def _info(self, market: Market) -> MarketInfo:
        return MarketInfo(
            condition_id=market.condition_id,
            slug=market.slug,
            asset=Asset(ASSET),
            version=market.version,
            tokens=market.tokens,
            outcomes=("Up", "Down"),
            tick_e4=market.tick,
            min_size_e6=SizeE6(5_000_000),
            neg_risk=market.neg_risk,
            start_ms=market.start_ms,
            end_ms=market.end_ms,
            cutoff_ms=WallMs(market.end_ms - self._cutoff_ms),
            active=True,
            closed=not market.is_trading,
            accepting_orders=market.is_trading,
            restricted=False,
            fee_rate_e6=70_000,
            taker_delay=False,
            winner=market.winner,
        )

    def _view(self, market: Market) -> MarketView:
        now = self._clock.now
        reference = ReferencePrice(
            Asset(ASSET),
            "chainlink",
            ReferenceE18(100_000 * 10**18),
            WallMs(now.wall_ms),
            now.monotonic_ns,
        )
        return MarketView(
            market=market.condition_id,
            asset=Asset(ASSET),
            valid=True,
            reason="",
            proven_ns=now.monotonic_ns,
            tick_e4=market.tick,
            books=(_book(market, 0), _book(market, 1)),
            reference=reference,
            strike_e18=ReferenceE18(100_000 * 10**18),
            volatility_e9=100_000,
            venue_ms=WallMs(now.wall_ms),
        )


def ping_message(ping: Ping) -> Message:
    """Return a ping as it comes off the control line."""
    return ControlReceived(ping)


def _book(market: Market, outcome: int) -> BookView:
    """Return the touch of one token's book."""
    bids, asks = market.book.bids, market.book.asks
    if outcome == 0:
        return BookView(market.tokens[0], _touch(bids, 0), _touch(asks, 0))
    return BookView(market.tokens[1], _touch(asks, 1), _touch(bids, 1))


def _touch(ladder: Ladder, outcome: int) -> tuple[tuple[PriceE4, SizeE6], ...]:
    best = ladder.best()
    if best is None:
        return ()
    return ((PriceE4(book_price(outcome, best)), SizeE6(ladder.total(best))),)
