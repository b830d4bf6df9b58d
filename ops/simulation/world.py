"""What stands outside every process of one simulation, and what their edges are made from."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from bus.settings import Settings
from ops.simulation.faults import Rates
from ops.simulation.host import Host
from ops.simulation.scheduler import Scheduler
from ops.simulation.supervisor import Supervisor
from ops.simulation.trace import Trace
from ops.simulation.venue import SimulatedVenue
from ops.simulation.watch import Watch
from services.simulator.chance import Chance, stream
from shared.config import Config
from shared.effects import Message, Peer
from shared.identifiers import Component, Incarnation
from shared.venue.auth import Credentials


class World(msgspec.Struct):
    """Time, venue, disk and kernel of one run.

    Attributes:
        seed: Of everything.
        settings: Configuration, and the directory of databases and secrets.
        disk_fails_until_ns: Until when a commit of the ledger fails.
        disk_slow_until_ns: Until when a commit of the ledger that begins takes long.
        exit_watchers: Told of each exit of a process.
        runs: Tells whether one incarnation has not ended.
        kill: SIGKILL for one incarnation, whoever asks.
        host: What is wrong with the machine.
        kills: Whether risk can kill a hung execution.
        operator: Takes what risk answers on its control socket.
        supervisor: Keeps the programs.
    """

    seed: int
    settings: Settings
    scheduler: Scheduler
    trace: Trace
    rates: Rates
    venue: SimulatedVenue
    watch: Watch
    credentials: Credentials
    runs: Callable[[Peer], bool]
    kill: Callable[[Peer, str], None]
    operator: Callable[[int, bytes], None]
    supervisor: Supervisor
    kills: bool
    host: Host
    disk_fails_until_ns: int = 0
    disk_slow_until_ns: int = 0
    exit_watchers: list[Callable[[Peer], None]] = []
    _drawn: dict[str, int] = {}

    @property
    def config(self) -> Config:
        """Settings of all components and of the venue."""
        return self.settings.config

    @property
    def directory(self) -> Path:
        """Where databases are; lives as long as the run."""
        return self.settings.data_directory

    def chance(self, *labels: str) -> Chance:
        """Return a stream of its own for one purpose."""
        return stream(self.seed, "world", *labels)

    def draw_incarnation(self, component: Component) -> Incarnation:
        """Return the identity of the next run of a component, never 0."""
        count = self._drawn.get(component, 0) + 1
        self._drawn[component] = count
        bits = self.chance("incarnation", component, str(count)).bits()
        return Incarnation(bits >> 1 or 1)


class Inbox:
    """Messages that the world has for one process; most edges here are one."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """Begin empty; `wake` gives the process a turn."""
        self._wake = wake
        self._messages: list[Message] = []

    def put(self, message: Message) -> None:
        """Deliver a message with the process's next turn."""
        self._messages.append(message)
        self._wake()

    def take(self) -> list[Message]:
        """Return what was delivered since the last call."""
        messages, self._messages = self._messages, []
        return messages
