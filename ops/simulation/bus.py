"""Facts and snapshots between the processes, as PUB, SUB, ROUTER and DEALER would carry them.

Carries whole encoded messages, so that the real envelope, sequence, gap and snapshot code
runs at both ends. A slow or stopped reader loses what passes the high-water mark; a reader
or publisher that has just started misses what is sent before they are connected.
"""

from collections.abc import Callable

from ops.simulation.faults import Rates
from ops.simulation.pipe import NEVER_NS, Pipe
from ops.simulation.scheduler import Scheduler
from ops.simulation.trace import Trace
from services.simulator.chance import Chance
from shared.effects import Peer
from shared.identifiers import Component
from shared.topics import COMPONENTS, subscriptions
from shared.units import NS_PER_MS, NS_PER_US

LATENCY_NS_RANGE = (30 * NS_PER_US, 400 * NS_PER_US)
CONNECT_NS_RANGE = (2 * NS_PER_MS, 200 * NS_PER_MS)
"""A subscriber is blind up to 200 ms after a publisher has bound again (measured)."""

LOST_IN_A_ROW = (1,) * 20 + (3,) * 3 + (50,)
"""How many facts a reader loses at once: mostly so few that they are filled (DQ-2)."""

HIGH_WATER = 5_000
SNAPSHOT_HIGH_WATER = 64

Frames = list[bytes]


class _End:
    """One process on the bus.

    Attributes:
        inbox: Facts on their way from each publisher.
        requests: Snapshot requests that others have sent here.
        answers: Snapshot answers on their way here.
        open_ns: From when each publisher's facts reach this reader.
        due_ns: Nothing of all these has arrived before.
    """

    __slots__ = ("answers", "due_ns", "inbox", "open_ns", "peer", "requests", "wanted")

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.wanted = tuple(subscriptions(peer.component))
        self.inbox: dict[Component, Pipe[Frames]] = {
            source: Pipe(HIGH_WATER) for source in self.wanted
        }
        self.open_ns: dict[Component, int] = dict.fromkeys(self.wanted, 0)
        self.requests: Pipe[tuple[Peer, bytes]] = Pipe(SNAPSHOT_HIGH_WATER)
        self.answers: Pipe[tuple[Component, Frames]] = Pipe(SNAPSHOT_HIGH_WATER)
        self.due_ns = NEVER_NS

    def expect(self, arrival_ns: int) -> None:
        """Something is on its way here."""
        if arrival_ns < self.due_ns:
            self.due_ns = arrival_ns

    def look(self) -> None:
        """Find out anew when the next of all this arrives."""
        facts = [pipe.next_ns() for pipe in self.inbox.values()]
        self.due_ns = min([*facts, self.requests.next_ns(), self.answers.next_ns()])


class Bus:
    """All processes that are on the bus now."""

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
            wake: Called with a component and the moment at which something reaches it.
        """
        self._scheduler = scheduler
        self._chance = chance
        self._rates = rates
        self._trace = trace
        self._wake = wake
        self._ends: dict[Component, _End] = {}
        self._losing: dict[tuple[Component, Component], int] = {}
        self._readers: dict[tuple[Component, bytes], tuple[Component, ...]] = {}

    def attach(self, peer: Peer) -> None:
        """A process has started: it binds, and connects to everybody it reads."""
        end = _End(peer)
        self._ends[peer.component] = end
        for source in end.wanted:
            end.open_ns[source] = self._connected_ns()
        for other in self._ends.values():
            if peer.component in other.wanted:
                other.open_ns[peer.component] = self._connected_ns()

    def detach(self, component: Component) -> None:
        """A process has ended: what was queued for it is gone, what it sent still arrives."""
        self._ends.pop(component, None)

    def publish(self, publisher: Component, frames: Frames) -> None:
        """Broadcast one fact to whoever subscribes to its topic."""
        now_ns = self._scheduler.now_ns
        topic = frames[0]
        for reader in self._readers_of(publisher, topic):
            end = self._ends.get(reader)
            if end is None or now_ns < end.open_ns[publisher]:
                continue
            if self._loses((publisher, reader)):
                self._trace.note(now_ns, "bus", "lost", f"{topic.decode()} to {reader}")
                continue
            self._push(end, end.inbox[publisher], frames)

    def _loses(self, link: tuple[Component, Component]) -> bool:
        """Draw whether a fact is lost on its way, alone or with some behind it."""
        if not self._rates.fact_lost:
            return False
        left = self._losing.pop(link, 0) if self._losing else 0
        if not left and self._chance.happens(self._rates.fact_lost):
            left = LOST_IN_A_ROW[self._chance.below(len(LOST_IN_A_ROW))]
        if left > 1:
            self._losing[link] = left - 1
        return left > 0

    def _push(self, end: _End, pipe: Pipe[Frames], frames: Frames) -> None:
        chance, rates = self._chance, self._rates
        delay_ns = chance.between(*LATENCY_NS_RANGE)
        if chance.happens(rates.fact_delayed):
            delay_ns += chance.below(rates.delay_ns_max)
        for _ in range(1 + chance.happens(rates.fact_doubled)):
            arrival_ns = pipe.push(self._scheduler.now_ns + delay_ns, frames)
            if arrival_ns is not None:
                end.expect(arrival_ns)
                self._wake(end.peer.component, arrival_ns)

    def _readers_of(self, publisher: Component, topic: bytes) -> tuple[Component, ...]:
        """Return who subscribes to a publisher's topic, whether it is there or not."""
        key = (publisher, topic)
        known = self._readers.get(key)
        if known is None:
            name = topic.decode()
            known = tuple(
                reader for reader in COMPONENTS if name in subscriptions(reader).get(publisher, ())
            )
            self._readers[key] = known
        return known

    def has_arrived(self, component: Component) -> bool:
        """Tell whether a process has anything to receive."""
        return self._ends[component].due_ns <= self._scheduler.now_ns

    def receive(self, reader: Component, count_max: int) -> list[Frames]:
        """Return facts that have arrived, in order within each publisher."""
        end = self._ends[reader]
        now_ns = self._scheduler.now_ns
        taken: list[Frames] = []
        for pipe in end.inbox.values():
            if pipe.has_arrived(now_ns):
                taken += pipe.drain(now_ns, count_max - len(taken))
        end.look()
        return taken

    def request_snapshot(self, reader: Component, source: Component, request: bytes) -> bool:
        """Ask a publisher for its snapshot; False when it is not there."""
        publisher = self._ends.get(source)
        end = self._ends[reader]
        if publisher is None or self._scheduler.now_ns < end.open_ns[source]:
            return False
        arrival_ns = publisher.requests.push(self._arrival_ns(), (end.peer, request))
        if arrival_ns is not None:
            publisher.expect(arrival_ns)
            self._wake(source, arrival_ns)
        return arrival_ns is not None

    def receive_requests(self, publisher: Component) -> list[tuple[Peer, bytes]]:
        """Return the snapshot requests that have arrived at a publisher."""
        requests = self._ends[publisher].requests
        return requests.drain(self._scheduler.now_ns, SNAPSHOT_HIGH_WATER)

    def answer(self, publisher: Component, reader: Peer, frames: Frames) -> None:
        """Send a snapshot to the incarnation that asked; another one never gets it."""
        end = self._ends.get(reader.component)
        if end is None or end.peer != reader:
            return
        arrival_ns = end.answers.push(self._arrival_ns(), (publisher, frames))
        if arrival_ns is not None:
            end.expect(arrival_ns)
            self._wake(reader.component, arrival_ns)

    def receive_answers(self, reader: Component) -> list[Frames]:
        """Return the snapshots that have arrived at a reader."""
        answers = self._ends[reader].answers
        return [item[1] for item in answers.drain(self._scheduler.now_ns, SNAPSHOT_HIGH_WATER)]

    def _arrival_ns(self) -> int:
        return self._scheduler.now_ns + self._chance.between(*LATENCY_NS_RANGE)

    def _connected_ns(self) -> int:
        return self._scheduler.now_ns + self._chance.between(*CONNECT_NS_RANGE)
