"""Where a benchmark lives: directories of its own, a profile, and loops in this process."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bus import clock
from bus.actor import Loop
from bus.edge import Edge
from bus.locks import lock_component
from bus.log_lines import LogLines
from bus.process import Started, StopFlag, identify
from bus.settings import (
    CONFIG_VARIABLE,
    DATA_VARIABLE,
    RUN_VARIABLE,
    SOURCE_ROOT,
    Settings,
    load,
)
from ops.bench.results import BenchFailed
from shared.effects import Core
from shared.identifiers import Component
from shared.units import NS_PER_S

WITHIN_NS = 60 * NS_PER_S
"""For anything that is waited for: an interpreter's start on a busy machine is the longest."""

PROFILE = SOURCE_ROOT / "ops" / "sim.toml"
PORT_OF_PROFILE = "18080"
NO_CHANGES: Mapping[str, str] = {}


class Place(msgspec.Struct, frozen=True):
    """One benchmark's directories and settings."""

    directory: Path
    settings: Settings

    @property
    def environment(self) -> dict[str, str]:
        """Variables for processes that shall live here."""
        return {
            **os.environ,
            CONFIG_VARIABLE: str(self.settings.path),
            RUN_VARIABLE: str(self.settings.run_directory),
            DATA_VARIABLE: str(self.settings.data_directory),
        }


@contextmanager
def place(changes: Mapping[str, str] = NO_CHANGES) -> Iterator[Place]:
    """Make a place with a free port for its venue, and take it away afterwards.

    Args:
        changes: Texts of the shipped profile, and what to put in their place.
    """
    with tempfile.TemporaryDirectory(prefix="ilb", dir="/tmp") as name:
        directory = Path(name)
        port = free_port()
        profile = directory / "bench.toml"
        text = PROFILE.read_text(encoding="utf-8")
        assert PORT_OF_PROFILE in text, "the simulated venue's port stands in the profile"
        for old, new in changes.items():
            assert old in text, f"the shipped profile says {old!r}"
            text = text.replace(old, new)
        profile.write_text(text.replace(PORT_OF_PROFILE, str(port)), encoding="utf-8")
        variables = {RUN_VARIABLE: f"{directory}/r", DATA_VARIABLE: f"{directory}/d"}
        settings = load(profile, variables)
        assert isinstance(settings, Settings), f"the benchmark's own profile: {settings}"
        settings.data_directory.mkdir(mode=0o700)
        yield Place(directory, settings)


@contextmanager
def execution_process(where: Place) -> Iterator[None]:
    """Run the real execution process for the length of a block; its log is kept in the place."""
    with (where.directory / "execution.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.execution"],
            cwd=SOURCE_ROOT,
            env=where.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def loop(
    where: Place, component: Component, core: Core, edges: Sequence[Edge] = ()
) -> Iterator[Loop]:
    """Run a component in this process, turned by `turn_until`."""
    lock = lock_component(where.settings.run_directory, component)
    with (where.directory / f"{component}.log").open("wb", buffering=0) as log:
        lines = LogLines(component, log.fileno())
        identity = identify(component, where.settings)
        started = Started(identity, where.settings, lock, lines, StopFlag())
        made = Loop(started, core, edges)
        try:
            yield made
        finally:
            made.close()
            lock.close()


def turn_until(turned: Loop, holds: Callable[[], bool], what: str) -> None:
    """Turn a loop until a condition holds.

    Raises:
        BenchFailed: It did not in a minute.
    """
    deadline_ns = clock.read().boot_ns + WITHIN_NS
    while not holds():
        if clock.read().boot_ns > deadline_ns:
            raise BenchFailed(f"no {what} within {WITHIN_NS // NS_PER_S} s")
        turned.turn()
