"""Stand-ins for everybody around execution: they vouch for one market, and risk grants.

Each is a component of its own on the real bus, all turned in this process. What they say is
always at its best, so that execution does nothing but what the strategy's stand-in wishes.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from bus.actor import Loop
from ops.bench.place import Place, loop
from shared.control import Lease, Ping, Pong
from shared.effects import Control, ControlReceived, Effect, Message, Peer, Publish, Received
from shared.facts import (
    BookView,
    Calendar,
    Evidence,
    ExecutionStatus,
    FeedStatus,
    MarketInfo,
    MarketView,
    OrderFact,
    StateView,
)
from shared.identifiers import Component, StrategyName
from shared.targets import Target, TargetSet
from shared.topics import (
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_PRICE,
    FEED_USER,
    MARKET_MAKING,
    RISK,
    STATE,
)
from shared.units import NS_PER_MS, BootNs, Instant, PriceE4, SizeE6

EVERY_NS = 50 * NS_PER_MS
"""How often everybody repeats what he says: twice in the shortest time to live."""

LEASE_MS = 2_000
"""More than execution takes: its own setting bounds it."""

DEPTH = SizeE6(100_000_000)

Says = Callable[[Instant], list[Effect]]


class Voice:
    """Says the same again and again."""

    def __init__(self, says: Says) -> None:
        """Begin; `says` makes what is said at a moment."""
        self._says = says
        self._due_ns = BootNs(0)

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Hear nobody."""
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Say it when it is due."""
        if now.boot_ns < self._due_ns:
            return []
        self._due_ns = BootNs(now.boot_ns + EVERY_NS)
        return self._says(now)


class Granting:
    """Risk's part: a lease for every ask, and a newer epoch for an execution that fenced itself.

    Attributes:
        status: What execution last said of itself; None before.
    """

    def __init__(self) -> None:
        """Begin before anybody is heard."""
        self.status: ExecutionStatus | None = None
        self._execution: Peer | None = None
        self._asked_ns = BootNs(0)
        self._epoch = 1
        self._pings = 0
        self._due_ns = BootNs(0)

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take asks and the status of execution."""
        if isinstance(message, ControlReceived) and isinstance(message.body, Pong):
            execution = message.body.execution
            if execution is not None:
                self._execution, self._asked_ns = message.sender, execution.asked_ns
                if execution.self_fenced is not None:
                    self._epoch = max(self._epoch, execution.self_fenced.epoch + 1)
        elif isinstance(message, Received) and isinstance(message.body, ExecutionStatus):
            self.status = message.body
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Ping and grant when it is due."""
        if self._execution is None or now.boot_ns < self._due_ns:
            return []
        self._due_ns = BootNs(now.boot_ns + EVERY_NS)
        self._pings += 1
        incarnation = self._execution.incarnation
        ping = Ping(
            risk_incarnation=incarnation,
            ping_id=self._pings,
            sent_ns=now.boot_ns,
            epoch=self._epoch,
            fence_id=0,
            fence_reason="",
            trading_state="ACTIVE",
            reasons=(),
            scopes=(),
            switch_version=1,
            lease=Lease(incarnation, self._asked_ns, LEASE_MS, self._epoch, "ACTIVE"),
        )
        return [Control(ping, self._execution)]


class Wishing:
    """The strategy's part: wishes what it is told to, and keeps what becomes of it.

    Attributes:
        wishes: What shall be in the market.
        live: Order of each (token, level) that rests.
        said: What was said last; None before.
        said_ns: When the newest change of the wish was sent, CLOCK_MONOTONIC.
    """

    def __init__(self, market: MarketInfo, ttl_ms: int) -> None:
        """Begin with no wish in a market."""
        self.wishes: tuple[Target, ...] = ()
        self.live: dict[tuple[str, int], str] = {}
        self.said_ns = 0
        self.said: tuple[Target, ...] | None = None
        self._market = market
        self._ttl_ms = ttl_ms
        self._due_ns = BootNs(0)

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Follow the orders."""
        if isinstance(message, Received) and isinstance(message.body, OrderFact):
            order = message.body
            place = (str(order.token), order.level)
            if order.state in ("LIVE", "PARTLY_FILLED"):
                self.live[place] = order.order_id
            elif self.live.get(place) == order.order_id:
                del self.live[place]
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Say a change at once, and everything when it is due."""
        if self.wishes == self.said and now.boot_ns < self._due_ns:
            return []
        if self.wishes != self.said:
            self.said_ns = now.monotonic_ns
        self.said = self.wishes
        self._due_ns = BootNs(now.boot_ns + EVERY_NS)
        strategy = StrategyName(str(MARKET_MAKING))
        body = TargetSet(strategy, self._market.condition_id, self._ttl_ms, self.wishes)
        return [Publish("strategy.targets", body, now.monotonic_ns)]


class Stage:
    """Everybody around execution.

    Attributes:
        risk: Grants.
        strategy: Wishes.
    """

    def __init__(self, risk: Granting, strategy: Wishing, loops: list[Loop]) -> None:
        """Take the loops that are to be turned."""
        self.risk = risk
        self.strategy = strategy
        self._loops = loops

    def turn(self) -> None:
        """Let everybody take a turn; takes a tick of a loop."""
        for one in self._loops:
            one.turn()


@contextmanager
def stage(where: Place, market: MarketInfo, touch: tuple[PriceE4, PriceE4]) -> Iterator[Stage]:
    """Play everybody around execution, who vouch for a market with a touch of our choice."""
    risk = Granting()
    strategy = Wishing(market, where.settings.config.timing.target_ttl_ms)
    tokens = tuple(str(token) for token in market.tokens)
    cast: dict[Component, Voice | Granting | Wishing] = {
        RISK: risk,
        FEED_DISCOVERY: Voice(
            lambda now: [_calendar(market, now), _status(FEED_DISCOVERY, (), now)]
        ),
        FEED_MARKET: Voice(lambda now: [_status(FEED_MARKET, tokens, now)]),
        FEED_USER: Voice(lambda now: [_status(FEED_USER, ("orders",), now)]),
        FEED_PRICE: Voice(lambda now: [_status(FEED_PRICE, (str(market.asset),), now)]),
        STATE: Voice(lambda now: [_view(market, touch, now)]),
        MARKET_MAKING: strategy,
    }
    with ExitStack() as stack:
        loops = [stack.enter_context(loop(where, name, core)) for name, core in cast.items()]
        yield Stage(risk, strategy, loops)


def _calendar(market: MarketInfo, now: Instant) -> Effect:
    return Publish("feed.calendar", Calendar((market,), now.monotonic_ns), now.monotonic_ns)


def _status(feed: Component, keys: tuple[str, ...], now: Instant) -> Effect:
    evidence = tuple(Evidence(key, now.monotonic_ns) for key in keys)
    fact = FeedStatus(str(feed), True, now.monotonic_ns, "", 1, evidence)
    return Publish("feed.status", fact, now.monotonic_ns)


def _view(market: MarketInfo, touch: tuple[PriceE4, PriceE4], now: Instant) -> Effect:
    bid, ask = touch
    books = tuple(BookView(token, ((bid, DEPTH),), ((ask, DEPTH),)) for token in market.tokens)
    view = MarketView(
        market=market.condition_id,
        asset=market.asset,
        valid=True,
        reason="",
        proven_ns=now.monotonic_ns,
        tick_e4=market.tick_e4,
        books=(books[0], books[1]),
        reference=None,
        strike_e18=None,
        volatility_e9=None,
        venue_ms=now.wall_ms,
    )
    return Publish("state.view", StateView((view,)), now.monotonic_ns)
