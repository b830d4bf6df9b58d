"""The control line between risk and every component, as ZeroMQ would carry it.

A message waits while its receiver is stopped, and is lost when either end is gone, not
yet connected, or the line is cut. Nothing overtakes on it.
"""

from collections.abc import Callable

from ops.simulation.faults import Rates
from ops.simulation.pipe import NEVER_NS, Pipe
from ops.simulation.scheduler import Scheduler
from ops.simulation.trace import Trace
from services.simulator.chance import Chance
from shared.effects import ControlReceived, Peer
from shared.identifiers import Component
from shared.topics import RISK
from shared.units import NS_PER_MS, NS_PER_US

LATENCY_NS_RANGE = (30 * NS_PER_US, 400 * NS_PER_US)
CONNECT_NS_RANGE = (NS_PER_MS, 100 * NS_PER_MS)
"""From the start of either end until messages flow."""

HIGH_WATER = 128
DELAY_NS_MAX = 150 * NS_PER_MS
DRAIN_MAX = 10_000


class _Lane:
    """Both directions between risk and one component.

    Attributes:
        open_ns: From when messages flow between the two present incarnations.
        cut_until_ns: Until when a fault swallows everything.
    """

    __slots__ = ("cut_until_ns", "from_risk", "open_ns", "peer", "to_risk")

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.from_risk: Pipe[ControlReceived] = Pipe(HIGH_WATER)
        self.to_risk: Pipe[ControlReceived] = Pipe(HIGH_WATER)
        self.open_ns = 0
        self.cut_until_ns = 0


class ControlLine:
    """All lanes of the line."""

    def __init__(
        self,
        scheduler: Scheduler,
        chance: Chance,
        rates: Rates,
        trace: Trace,
        wake: Callable[[Component, int], None],
    ) -> None:
        """Take the parts.

        Args:
            scheduler: Time.
            chance: Of latencies and losses.
            rates: How likely those are.
            trace: Where losses are noted.
            wake: Called with a component and the moment at which a message reaches it.
        """
        self._scheduler = scheduler
        self._chance = chance
        self._rates = rates
        self._trace = trace
        self._wake = wake
        self._risk: Peer | None = None
        self._risk_due_ns = NEVER_NS
        self._lanes: dict[Component, _Lane] = {}

    def connect(self, peer: Peer) -> None:
        """A process has started: it connects after a while, with empty queues."""
        if peer.component == RISK:
            self._risk = peer
            for lane in self._lanes.values():
                self._reopen(lane)
            return
        lane = _Lane(peer)
        self._lanes[peer.component] = lane
        self._reopen(lane)

    def disconnect(self, component: Component) -> None:
        """A process has ended: what was queued for it is lost."""
        if component == RISK:
            self._risk = None
            for lane in self._lanes.values():
                lane.to_risk.clear()
            return
        ended = self._lanes.pop(component, None)
        if ended is not None:
            ended.from_risk.clear()

    def cut(self, component: Component, lasts_ns: int) -> None:
        """Swallow everything between risk and a component for a while."""
        lane = self._lanes.get(component)
        if lane is not None:
            lane.cut_until_ns = self._scheduler.now_ns + lasts_ns

    def send_to_risk(self, sender: Peer, body: object) -> None:
        """Send a component's message."""
        lane = self._lanes.get(sender.component)
        if lane is not None and lane.peer == sender:
            self._push(lane, lane.to_risk, RISK, ControlReceived(body, sender))

    def send_to(self, receiver: Peer, body: object) -> None:
        """Send risk's message to one incarnation; another one never gets it."""
        lane = self._lanes.get(receiver.component)
        if lane is not None and lane.peer == receiver:
            message = ControlReceived(body, self._risk)
            self._push(lane, lane.from_risk, receiver.component, message)

    def receive(self, component: Component, now_ns: int) -> list[ControlReceived]:
        """Return everything that has arrived at a process, to the end of its queue."""
        if component == RISK:
            received: list[ControlReceived] = []
            if now_ns < self._risk_due_ns:
                return received
            for lane in self._lanes.values():
                received += lane.to_risk.drain(now_ns, DRAIN_MAX)
            arrivals = [lane.to_risk.next_ns() for lane in self._lanes.values()]
            self._risk_due_ns = min(arrivals, default=NEVER_NS)
            return received
        lane_of = self._lanes.get(component)
        if lane_of is None or not lane_of.from_risk.has_arrived(now_ns):
            return []
        return lane_of.from_risk.drain(now_ns, DRAIN_MAX)

    def _reopen(self, lane: _Lane) -> None:
        lane.from_risk.clear()
        lane.to_risk.clear()
        lane.open_ns = self._scheduler.now_ns + self._chance.between(*CONNECT_NS_RANGE)

    def _push(
        self,
        lane: _Lane,
        pipe: Pipe[ControlReceived],
        receiver: Component,
        message: ControlReceived,
    ) -> None:
        now_ns = self._scheduler.now_ns
        if self._risk is None or now_ns < lane.open_ns or now_ns < lane.cut_until_ns:
            return
        if self._chance.happens(self._rates.ping_lost):
            self._trace.note(now_ns, "line", "lost", receiver)
            return
        delay_ns = self._chance.between(*LATENCY_NS_RANGE)
        if self._chance.happens(self._rates.ping_delayed):
            delay_ns += self._chance.below(DELAY_NS_MAX)
        arrival_ns = pipe.push(now_ns + delay_ns, message)
        if arrival_ns is not None:
            if receiver == RISK and arrival_ns < self._risk_due_ns:
                self._risk_due_ns = arrival_ns
            self._wake(receiver, arrival_ns)
