"""The shell of a mirror: beside its own servers it has clients of the real venue.

Impure. Drives the same edges as the other processes from the simulator's loop, which looks at
them at every tick: a hundredth of a second at most, and little beside the way to the venue.
"""

import select
from collections.abc import Iterator

from bus import clock
from bus.edge import Edge
from bus.http import HttpEdge, Lane
from bus.log_lines import LogLines
from bus.name_book import SYSTEM_ALONE, NameRules
from bus.websocket import StreamEdge
from services.simulator.line_file import LineFile
from services.simulator.mirror.core import MirrorCore
from services.simulator.mirror.reads import READ_BOOKS, READ_DISCOVERY, READ_GEOBLOCK
from services.simulator.shell import Shell
from shared.config import VenueSettings
from shared.effects import Effect, Log, Message
from shared.units import Instant

POLL_IN, POLL_OUT = 1, 2
"""How edges name readiness; the kernel's numbers are others."""

CONNECTIONS = 4
TURNS_MAX = 64
"""Rounds over the sockets in one tick, so that our own clients are served between them."""


class Upstream:
    """Clients of the real venue."""

    def __init__(self, venue: VenueSettings, names: NameRules = SYSTEM_ALONE) -> None:
        """Set the addresses; nothing is connected before the first poll."""
        lanes = (
            Lane(READ_BOOKS, venue.books_url or venue.clob_url, connections=CONNECTIONS),
            Lane(READ_DISCOVERY, venue.discovery_url, connections=CONNECTIONS),
            Lane(READ_GEOBLOCK, venue.geoblock_url),
        )
        self._edges: tuple[Edge, ...] = (StreamEdge(names=names), HttpEdge(lanes, names=names))
        self._waiting: list[Message] = []

    def takes(self, effect: Effect) -> bool:
        """Tell whether an effect is for the real venue."""
        return any(isinstance(effect, edge.handles) for edge in self._edges)

    def apply(self, effect: Effect, now: Instant) -> None:
        """Carry out an effect; what follows comes with the next poll."""
        for edge in self._edges:
            if isinstance(effect, edge.handles):
                self._waiting += edge.apply(effect, now)

    def poll(self) -> list[Message]:
        """Return what the real venue has said since the last call, without waiting."""
        now = clock.read()
        messages, self._waiting = self._waiting, []
        for edge in self._edges:
            for descriptor, events in _ready(edge):
                messages += edge.on_ready(descriptor, events, now)
            messages += edge.on_tick(now)
        return messages

    def close(self) -> None:
        """Leave the real venue at once."""
        for edge in self._edges:
            edge.close()


def _ready(edge: Edge) -> Iterator[tuple[int, int]]:
    poller = select.poll()
    count = 0
    for descriptor, events in edge.sockets():
        wanted = select.POLLIN if events & POLL_IN else 0
        poller.register(descriptor, wanted | (select.POLLOUT if events & POLL_OUT else 0))
        count += 1
    if not count:
        return
    for descriptor, found in poller.poll(0):
        is_in = found & (select.POLLIN | select.POLLHUP | select.POLLERR)
        yield descriptor, (POLL_IN if is_in else 0) | (POLL_OUT if found & select.POLLOUT else 0)


class MirrorShell(Shell):
    """A shell that carries the core's words to the real venue, and into the log."""

    def __init__(
        self,
        core: MirrorCore,
        wire_log: LineFile | None,
        journal: LineFile | None,
        upstream: Upstream | None,
        lines: LogLines | None,
    ) -> None:
        """Take the core, its files, its clients, none for a recording, and where to log."""
        super().__init__(core, wire_log, journal)
        self._upstream = upstream
        self._lines = lines

    def tick(self) -> int:
        """Let the core do what is due, and hear what the real venue has said."""
        now_ns = super().tick()
        for _ in range(TURNS_MAX):
            messages = [] if self._upstream is None else self._upstream.poll()
            if not messages:
                break
            for message in messages:
                self.feed(message)
        return now_ns

    def close(self) -> None:
        """Leave the real venue and close the files."""
        if self._upstream is not None:
            self._upstream.close()
        super().close()

    def _apply(self, effects: list[Effect]) -> None:
        inward: list[Effect] = []
        outward: list[Effect] = []
        for effect in effects:
            if isinstance(effect, Log):
                if self._lines is not None:
                    self._lines.write(effect, clock.read())
            elif self._upstream is not None and self._upstream.takes(effect):
                outward.append(effect)
            else:
                inward.append(effect)
        super()._apply(inward)
        if self._upstream is not None:
            now = clock.read()
            for effect in outward:
                self._upstream.apply(effect, now)
