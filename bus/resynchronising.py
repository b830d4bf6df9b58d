"""A loop's questions to its sources, and their answers: snapshots and single facts.

What is asked and what is made of an answer is decided in `bus/intake.py`; this carries it over
the sockets, polls for the answers that are expected and only for those, and tells each message
whether it came as an answer: then nobody else may have heard it.
"""

from collections.abc import Iterator

import zmq

from bus import clock
from bus.intake import Intake
from bus.outlet import SocketOutlet
from bus.snapshot import encode_fill_request, encode_request
from bus.sockets import SNAPSHOT_QUEUE_MAX, Sockets
from shared.effects import Log, Message
from shared.identifiers import Component
from shared.units import Instant

Told = tuple[Message, bool]
"""A message for the core, and whether it came as an answer, or behind one."""


class Resynchronising:
    """The questions of one loop."""

    def __init__(
        self, sockets: Sockets, intake: Intake, poller: zmq.Poller, outlet: SocketOutlet
    ) -> None:
        """Take the parts of the loop; nothing is asked yet."""
        self._sockets = sockets
        self._intake = intake
        self._poller = poller
        self._outlet = outlet
        self._awaited: set[Component] = set()

    def register(self) -> None:
        """Poll for the answers that are expected, and only for those."""
        for component, source in self._intake.sources.items():
            if source.is_waiting == (component in self._awaited):
                continue
            socket = self._sockets.requests[component]
            if source.is_waiting:
                self._awaited.add(component)
                self._poller.register(socket, zmq.POLLIN)
            else:
                self._awaited.remove(component)
                self._poller.unregister(socket)

    def exchange(self) -> Iterator[Told]:
        """Send what is to be asked, and yield what has been answered or waited for in vain."""
        now = clock.read()
        for component, source in self._intake.sources.items():
            self._ask(component, now)
            if source.is_waiting:
                yield from self._take(component)
        for message in self._intake.expire(now):
            yield message, False
        for filled in self._intake.take_filled():
            fields = {"from": filled.component, "count": filled.count}
            self._outlet.log(Log("bus.gap_filled", fields))

    def _ask(self, component: Component, now: Instant) -> None:
        source = self._intake.sources[component]
        missing = source.fill.take_request()
        if missing is not None and self._sockets.request_snapshot(
            component, encode_fill_request(missing)
        ):
            source.fill.sent()
        number = source.resync.take_request(now.monotonic_ns)
        if number is not None and self._sockets.request_snapshot(component, encode_request(number)):
            source.resync.sent()

    def _take(self, component: Component) -> Iterator[Told]:
        """Take what has come; answers to older requests are read and dropped on the way."""
        for _ in range(SNAPSHOT_QUEUE_MAX):
            frames = self._sockets.receive_snapshot(component)
            if frames is None:
                return
            now = clock.read()
            filled = self._intake.fill(frames, now)
            for message in self._intake.answer(frames, now) if filled is None else filled:
                yield message, True
