"""The publisher's side of snapshots: one answer a request, made by the core in its turn.

Single facts that a reader lost are answered from what was kept of them; no core is asked.
"""

from typing import Protocol, runtime_checkable

from bus import clock
from bus.outlet import SocketOutlet
from bus.process import Started
from bus.snapshot import Answer, FillRequest, decode_request, encode_answer
from bus.sockets import Sockets
from shared.effects import Core, Publish
from shared.units import Instant

REQUESTS_A_TURN_MAX = 16
"""Every reader asks once after a restart; the rest waits for the next turn."""


@runtime_checkable
class Snapshots(Protocol):
    """A core with state that readers need whole."""

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the present facts, as they would be published now."""
        ...


def answer_requests(started: Started, core: Core, sockets: Sockets, outlet: SocketOutlet) -> None:
    """Answer the requests that wait, after the facts published so far."""
    for _ in range(REQUESTS_A_TURN_MAX):
        frames = sockets.receive_snapshot_request()
        if frames is None:
            return
        request = decode_request(frames[-1])
        if request is None:
            continue
        if isinstance(request, FillRequest):
            sockets.send_snapshot([frames[0], *outlet.fill(request)])
            continue
        now = clock.read()
        newest = outlet.newest()
        facts = [
            outlet.envelope(fact, now, max(1, newest.get(fact.topic, 0)))
            for fact in (core.snapshot(now) if isinstance(core, Snapshots) else [])
        ]
        answer = Answer(request.number, started.component, started.incarnation, newest, len(facts))
        sockets.send_snapshot([frames[0], *encode_answer(answer, facts)])
