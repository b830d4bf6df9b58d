"""From the newest market frame that an order knew of to the order's first byte.

A whole group runs at the simulated venue. Every fact's header names what its sender had seen
(`caused_by`), so the way of an order is followed back over the bus: execution, strategy, state,
feed, and the moment at which the feed's frame reached its edge. The first byte's moment stands in
the ledger. What a strategy waits for by its own cadence is in the result: it is the age of
what an order is decided on.
"""

from bus import clock
from bus.envelope import Header
from bus.floors import ipc_round_trips, synced_writes, tcp_round_trips
from bus.ledger_reader import LedgerReader, Rows
from bus.tap import Heard, Tap
from ops.bench.place import Place, place
from ops.bench.results import BenchFailed, Result, TooBusy, added, halved, summarise
from ops.group import Asked
from ops.start import Begun, Say, start
from ops.stop import stop
from shared.facts import OrderFact
from shared.identifiers import Component
from shared.ledger_schema import LEDGER_FILE
from shared.topics import EXECUTION, FEED_MARKET, MARKET_MAKING, STATE
from shared.units import NS_PER_MS, NS_PER_S, MonotonicNs

NAME = "tick-to-wire"
SAMPLES = 40
WITHIN_NS = 120 * NS_PER_S
FLOOR_PACE_NS = 10 * NS_PER_MS

WAY = (
    (MARKET_MAKING, "strategy.targets"),
    (STATE, "state.market"),
    (FEED_MARKET, "feed.market"),
)
"""Back from execution: whose fact each step rests on."""


class Follower:
    """Keeps headers and follows orders back to the frame they knew of."""

    def __init__(self) -> None:
        self.input_ns: dict[str, int] = {}
        self.wall_offset_ns: dict[str, int] = {}
        self._headers: dict[tuple[Component, int, str, int], Header] = {}

    def take(self, heard: Heard) -> None:
        """Keep a header; follow an order when it is heard for the first time."""
        header = heard.header
        if header is None:
            return
        self._headers[header.component, header.incarnation, header.topic, header.sequence] = header
        body = getattr(heard.fact, "body", None)
        if not isinstance(body, OrderFact) or body.state != "INTENDED":
            return
        frame = self._follow(header)
        if frame is not None and body.order_id not in self.input_ns:
            self.input_ns[body.order_id] = frame.input_ns
            self.wall_offset_ns[body.order_id] = header.wall_ns - header.sent_ns

    def _follow(self, header: Header | None) -> Header | None:
        for component, topic in WAY:
            if header is None:
                return None
            causes = [cause for cause in header.caused_by if cause.component == component]
            if not causes or topic not in causes[0].newest:
                return None
            key = (component, causes[0].incarnation, topic, causes[0].newest[topic])
            header = self._headers.get(key)
        return header


def measure(say: Say) -> Result:
    """Run a group until enough orders were followed; takes about half a minute."""
    with place() as where:
        settings = where.settings
        begun = start(Asked(settings.path, settings.run_directory, settings.data_directory), say)
        if not isinstance(begun, Begun):
            raise BenchFailed(f"the group did not start: {begun}")
        try:
            follower = _listen(where, say)
        finally:
            stop(settings, say, without_proof=True)
        measured = _latencies(follower, where)
        hop = halved(ipc_round_trips(where.directory, SAMPLES, FLOOR_PACE_NS))
        synced = synced_writes(settings.data_directory, SAMPLES, FLOOR_PACE_NS)
        wire = halved(tcp_round_trips(SAMPLES, FLOOR_PACE_NS))
    what = "newest market frame an order knew of, at the feed, to the order's first byte"
    floor = "three bare ipc hops, one synced write, one way of loopback TCP"
    return summarise(NAME, what, measured, floor, added(hop, hop, hop, synced, wire))


def _listen(where: Place, say: Say) -> Follower:
    """Tap the bus until enough orders were followed."""
    follower = Follower()
    components = (EXECUTION, MARKET_MAKING, STATE, FEED_MARKET)
    topics = ("execution.order", *(topic for _, topic in WAY))
    deadline_ns = clock.read().boot_ns + WITHIN_NS
    with Tap(where.settings.run_directory, components, topics) as tap:
        while len(follower.input_ns) < SAMPLES:
            now = clock.read()
            if now.boot_ns > deadline_ns:
                failure = TooBusy if follower.input_ns else BenchFailed
                raise failure(f"only {len(follower.input_ns)} orders in {WITHIN_NS / NS_PER_S} s")
            heard = tap.receive(MonotonicNs(now.monotonic_ns + NS_PER_S))
            followed = len(follower.input_ns)
            if heard is not None:
                follower.take(heard)
            if len(follower.input_ns) > followed:
                say(f"tick to wire: {followed + 1} of {SAMPLES} orders")
    return follower


def _latencies(follower: Follower, where: Place) -> list[int]:
    rows = LedgerReader(where.settings.data_directory / LEDGER_FILE).orders()
    if not isinstance(rows, Rows):
        raise BenchFailed(f"the ledger: {rows.detail}")
    return [
        order.sent_wall_ns
        - follower.wall_offset_ns[order.order_id]
        - follower.input_ns[order.order_id]
        for order in rows.rows
        if order.order_id in follower.input_ns and order.sent_wall_ns
    ]
