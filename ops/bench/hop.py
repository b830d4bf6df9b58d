"""One hop of a fact: from one process's `Publish` to another core's `Received`."""

import subprocess
import sys

from bus.actor import run as run_actor
from bus.floors import ipc_round_trips
from bus.process import start
from bus.settings import SOURCE_ROOT
from ops.bench.place import Place, loop, place, turn_until
from ops.bench.results import Result, halved, summarise
from shared.effects import Effect, Exit, Message, Publish, Received, Stop
from shared.facts import BookView, MarketView
from shared.identifiers import Asset, ConditionId, TokenId
from shared.topics import MARKET_MAKING, STATE
from shared.units import NS_PER_MS, Instant, PriceE4, SizeE6, WallMs

NAME = "hop"
SAMPLES = 300
PACE_NS = 10 * NS_PER_MS
"""The loop's tick: the publisher says something at each."""

TOPIC = "state.market"


def make_view() -> MarketView:
    """Return a view of usual size: five levels a side of both tokens."""
    bids = tuple((PriceE4(4_000 + 100 * level), SizeE6(10**7)) for level in range(5))
    asks = tuple((PriceE4(6_000 - 100 * level), SizeE6(10**7)) for level in range(5))
    up, down = (TokenId(str(10**76 + number)) for number in (1, 2))
    return MarketView(
        market=ConditionId("0x" + "a" * 64),
        asset=Asset("btc"),
        valid=True,
        reason="",
        proven_ns=None,
        tick_e4=PriceE4(100),
        books=(BookView(up, bids, asks), BookView(down, bids, asks)),
        reference=None,
        strike_e18=None,
        volatility_e9=None,
        venue_ms=WallMs(0),
    )


class Publisher:
    """Publishes a view at each tick."""

    def __init__(self) -> None:
        self._view = make_view()

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """End when told to."""
        return [Exit(0, message.cause)] if isinstance(message, Stop) else []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Say the same again."""
        return [Publish(TOPIC, self._view, now.monotonic_ns)]


class Reader:
    """Keeps how old each view was when the core got it."""

    def __init__(self) -> None:
        self.ages_ns: list[int] = []

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Look at the publisher's send stamp: monotonic clocks of one host agree."""
        if isinstance(message, Received) and message.topic == TOPIC:
            self.ages_ns.append(now.monotonic_ns - message.sent_ns)
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Do nothing."""
        return []


def measure() -> Result:
    """Measure one hop between two processes."""
    with place() as where:
        ages_ns = _ages(where)
        floors = halved(ipc_round_trips(where.directory, SAMPLES, PACE_NS))
    what = "a fact from Publish in one process to Received in another"
    return summarise(NAME, what, ages_ns, "half a bare ipc round trip", floors)


def _ages(where: Place) -> list[int]:
    reader = Reader()
    with loop(where, MARKET_MAKING, reader) as turned:
        publisher = subprocess.Popen(
            [sys.executable, "-c", "from ops.bench.hop import publish; publish()"],
            cwd=SOURCE_ROOT,
            env=where.environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            # The first facts wait for a snapshot or pay for the connection.
            turn_until(turned, lambda: len(reader.ages_ns) >= SAMPLES + 50, "facts")
        finally:
            publisher.kill()
            publisher.wait()
    return reader.ages_ns[50:]


def publish() -> None:
    """Be the other process: publish until killed."""
    sys.exit(run_actor(start(STATE), Publisher()))
