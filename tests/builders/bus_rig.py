"""Real sockets in a short run directory, with loops that the test turns by hand."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bus import clock
from bus.actor import Loop
from bus.edge import Edge
from bus.locks import lock_component
from bus.log_lines import LogLines
from bus.process import Started, StopFlag, identify
from bus.settings import Settings
from shared.config import Config, parse
from shared.effects import Core, Effect, Message
from shared.identifiers import Component
from shared.units import NS_PER_S, Instant

PROFILE = """
[run]
profile = "test"
[account]
key_file = "key"
credentials_file = "credentials.json"
[venue]
clob_url = "http://127.0.0.1:18080"
discovery_url = "http://127.0.0.1:18080"
geoblock_url = "http://127.0.0.1:18080"
market_socket_url = "ws://127.0.0.1:18080/ws/market"
user_socket_url = "ws://127.0.0.1:18080/ws/user"
price_socket_url = "ws://127.0.0.1:18080/ws"
"""

WAIT_NS_MAX = 10 * NS_PER_S


@contextmanager
def run_directory() -> Iterator[Path]:
    """Yield a run directory short enough for socket paths, and remove it."""
    path = Path(tempfile.mkdtemp(dir="/tmp", prefix="il"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def settings_in(directory: Path) -> Settings:
    """Return settings whose run and data directory are the given one."""
    config = parse(PROFILE)
    assert isinstance(config, Config), config
    return Settings(
        config=config,
        path=directory / "test.toml",
        run_directory=directory,
        data_directory=directory,
        key_file=directory / "key",
        credentials_file=directory / "credentials.json",
        config_hash="c",
        build_hash="b",
        dependency_hash="d",
    )


def started_in(directory: Path, component: Component) -> Started:
    """Return a process's start without signals and death signal: many live in one test."""
    settings = settings_in(directory)
    lock = lock_component(directory, component)
    sink = (directory / f"{component}.log").open("wb", buffering=0)
    lines = LogLines(component, sink.fileno())
    _SINKS.append(sink)
    return Started(identify(component, settings), settings, lock, lines, StopFlag())


_SINKS: list[object] = []


M = TypeVar("M", bound=Message)


class Scripted:
    """A core that keeps what it hears and says what the test puts into `next`."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.next: list[Effect] = []
        self.replies: dict[type[Message], Callable[[Message, Instant], list[Effect]]] = {}

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        self.heard.append(message)
        reply = self.replies.get(type(message))
        return reply(message, now) if reply else []

    def on_tick(self, now: Instant) -> list[Effect]:
        said, self.next = self.next, []
        return said

    def of(self, kind: type[M]) -> list[M]:
        return [message for message in self.heard if isinstance(message, kind)]


class Rig:
    """Several loops in one thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.loops: dict[Component, Loop] = {}
        self.started: dict[Component, Started] = {}

    def add(
        self, component: Component, core: Core, edges: Sequence[Edge] = (), *, raw: bool = False
    ) -> Started:
        """Start a component."""
        started = started_in(self.directory, component)
        self.started[component] = started
        self.loops[component] = Loop(started, core, edges, raw=raw)
        return started

    def remove(self, component: Component) -> None:
        """End a component at once."""
        self.loops.pop(component).close()
        self.started.pop(component).lock.close()

    def turn_until(self, condition: Callable[[], bool]) -> None:
        """Turn all loops until a condition holds, or fail at the deadline."""
        deadline_ns = clock.read().monotonic_ns + WAIT_NS_MAX
        while not condition():
            assert clock.read().monotonic_ns < deadline_ns, "the condition never held"
            for loop in self.loops.values():
                loop.turn()

    def close(self) -> None:
        """End everything."""
        for component in list(self.loops):
            self.remove(component)


@contextmanager
def rig() -> Iterator[Rig]:
    """Yield an empty rig."""
    with run_directory() as directory:
        made = Rig(directory)
        try:
            yield made
        finally:
            made.close()
