"""What each component is made of here: its real core, and simulated edges around it.

One function a component, each mirroring that component's shell (`services/*/__main__.py`).
A test that plants a bug replaces one of them, or subclasses what it builds.
"""

from collections.abc import Callable, Mapping, Sequence

from bus.edge import Edge
from bus.http import BeforeWrite, Headers, Lane
from ops.simulation.body import Body
from ops.simulation.lanes import Lanes, Watcher
from ops.simulation.memory_disk import MemoryDisk
from ops.simulation.process import Process
from ops.simulation.streams import Streams
from ops.simulation.world import World
from services.feed.discovery_core import DiscoveryCore
from services.feed.market import MarketFeed
from services.feed.messages import CredentialsFound, KeepFrame
from services.feed.perp import PerpFeed
from services.feed.perp_idle import IdlePerpFeed
from services.feed.price import PriceFeed
from services.feed.user import UserFeed
from services.state.core import StateCore
from services.strategy.caretaker import Caretaker
from services.strategy.core import StrategyCore
from services.strategy.interface import Strategy
from services.strategy.market_making import MarketMaking
from shared.effects import Core, Effect, HttpRequest, Message
from shared.identifiers import Component
from shared.topics import (
    CARETAKER,
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_PERP,
    FEED_PRICE,
    FEED_USER,
    MARKET_MAKING,
    STATE,
)
from shared.units import NS_PER_S, Instant
from shared.venue.auth import Credentials, request_headers

Builder = Callable[[World, Process], Body]

READ_CONNECTIONS = 4


class OneMessage(Edge):
    """Has one thing to say, at its first turn."""

    handles: tuple[type[Effect], ...] = ()

    def __init__(self, message: Message) -> None:
        self._messages = [message]

    def on_tick(self, now: Instant) -> list[Message]:
        """Say it once."""
        messages, self._messages = self._messages, []
        return messages

    def close(self) -> None:
        """Nothing to let go of."""


class Unkept(Edge):
    """Keeps no refused frame: what is refused is counted in the feed's own status."""

    handles: tuple[type[Effect], ...] = (KeepFrame,)

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Forget it."""
        return []


class Unwatched:
    """Watches writes in which no order can be."""

    def written(self, who: str, request: HttpRequest, now: Instant) -> None:
        """Nothing to judge."""


NOBODY = Unwatched()


def make_lanes(
    world: World,
    process: Process,
    lanes: Sequence[Lane],
    headers: Headers | None = None,
    before_write: BeforeWrite | None = None,
    watcher: Watcher = NOBODY,
) -> Lanes:
    """Return lanes of one process."""
    return Lanes(
        process.component,
        world.scheduler,
        world.chance("lanes", str(process.peer.incarnation)),
        world.rates,
        world.trace,
        world.venue,
        watcher,
        process.wake,
        before_write,
        lanes,
        headers,
    )


def read_lanes(world: World, process: Process) -> Lanes:
    """Return authenticated lanes for reads, and the one that asks about our address."""
    url = world.config.venue.clob_url
    reads = [Lane("read", url, connections=READ_CONNECTIONS), Lane("place", url)]
    credentials = world.credentials
    return make_lanes(
        world,
        process,
        reads,
        lambda request, now: sign_request(credentials, request, now),
    )


def sign_request(credentials: Credentials, request: HttpRequest, now: Instant) -> Mapping[str, str]:
    """Return the venue's authentication of one request."""
    timestamp_s = now.wall_ns // NS_PER_S
    return request_headers(credentials, timestamp_s, request.method, request.path, request.body)


def make_streams(world: World, process: Process) -> Streams:
    """Return the streams of one process."""
    return Streams(
        process.component,
        world.scheduler,
        world.chance("streams", str(process.peer.incarnation)),
        world.trace,
        world.venue,
        process.wake,
    )


def make_body(core: Core, *edges: Edge) -> Body:
    """Return a body whose edges are closed when it dies."""

    def die() -> None:
        for edge in edges:
            edge.close()

    return Body(core, edges, die)


def feed_market(world: World, process: Process) -> Body:
    """Build the market feed."""
    core = MarketFeed(world.config, process.peer.incarnation)
    lanes = read_lanes(world, process)
    return make_body(core, make_streams(world, process), lanes, Unkept())


def feed_user(world: World, process: Process) -> Body:
    """Build the feed of our own orders."""
    core = UserFeed(world.config, process.peer.incarnation)
    lanes = read_lanes(world, process)
    found = OneMessage(CredentialsFound(world.credentials))
    return make_body(core, make_streams(world, process), lanes, found, Unkept())


def feed_price(world: World, process: Process) -> Body:
    """Build the feed of reference prices."""
    core = PriceFeed(world.config, process.peer.incarnation)
    found = OneMessage(CredentialsFound(world.credentials))
    return make_body(core, make_streams(world, process), found, Unkept())


def feed_discovery(world: World, process: Process) -> Body:
    """Build the feed of the market calendar."""
    lanes = read_lanes(world, process)
    return make_body(DiscoveryCore(world.config, process.peer.incarnation), lanes, Unkept())


def feed_perp(world: World, process: Process) -> Body:
    """Build the feed of perpetual futures."""
    if not world.config.perp.enabled:
        return make_body(IdlePerpFeed(), Unkept())
    core = PerpFeed(world.config, process.peer.incarnation)
    lanes = read_lanes(world, process)
    return make_body(core, make_streams(world, process), lanes, Unkept())


def state(world: World, process: Process) -> Body:
    """Build state."""
    return make_body(StateCore(world.config), MemoryDisk(world, process))


def _strategy(world: World, strategy: Strategy) -> Body:
    takeover_ms = world.config.strategy.caretaker.takeover_ms
    return make_body(StrategyCore(strategy, world.config.timing, takeover_ms))


def market_making(world: World, process: Process) -> Body:
    """Build the market maker."""
    settings = world.config.strategy.market_making
    spread_e4 = world.config.degradation.reduced_spread_e4
    return _strategy(world, MarketMaking(settings, world.config.limits, spread_e4))


def caretaker(world: World, process: Process) -> Body:
    """Build the caretaker."""
    return _strategy(
        world, Caretaker(world.config.strategy.caretaker, world.config.limits.unknown_position)
    )


BUILDERS: dict[Component, Builder] = {
    FEED_MARKET: feed_market,
    FEED_USER: feed_user,
    FEED_PRICE: feed_price,
    FEED_DISCOVERY: feed_discovery,
    FEED_PERP: feed_perp,
    STATE: state,
    MARKET_MAKING: market_making,
    CARETAKER: caretaker,
}
"""In flow order; execution and risk stand in `guarded.py`."""
