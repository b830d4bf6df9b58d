"""A real supervisord, a real watch, and risk's count of ends: stopped, and started again.

One program that sleeps stands for a component; risk's loop is played by the test.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bus import clock
from services.risk.messages import LatchEnded, ProgramRow, ProgramsSeen
from services.risk.restarts import Restarts
from services.risk.samples import Sample
from services.risk.supervisor_line import SupervisorLine
from shared.config import ComponentsSettings
from shared.effects import Effect
from shared.switches import FLAPPING
from shared.topics import STATE
from shared.units import NS_PER_S
from tests.architecture.tree import ROOT
from tests.builders.bus_rig import run_directory

WITHIN_S = 60.0
LOOK_S = 0.1

CONFIGURATION = """
[unix_http_server]
file = %(ENV_INTERLOCK_RUN)s/supervisor.sock
[supervisord]
pidfile = %(ENV_INTERLOCK_RUN)s/supervisord.pid
logfile = %(ENV_INTERLOCK_RUN)s/supervisord.log
nodaemon = true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:state]
command = sleep 1000
autorestart = true
startsecs = 0
stdout_logfile = NONE
[eventlistener:watch]
command = %(ENV_INTERLOCK_PYTHON)s -m services.watch
events = PROCESS_STATE
stdout_logfile = NONE
stderr_logfile = NONE
"""


class Played:
    """Risk's loop with one edge and one source.

    Attributes:
        row: The program as supervisord showed it last; None before the first look.
        sample: The source's newest sample; None while it has none.
    """

    def __init__(self, directory: Path) -> None:
        self.line = SupervisorLine(directory)
        self.source = Restarts(ComponentsSettings())
        self.row: ProgramRow | None = None
        self.sample: Sample | None = None

    def turn(self) -> None:
        """Hear what there is, and carry out what the source wants."""
        descriptors = [descriptor for descriptor, _ in self.line.sockets()]
        ready, _, _ = select.select(descriptors, [], [], LOOK_S)
        for descriptor in ready:
            for message in self.line.on_ready(descriptor, select.POLLIN, clock.read()):
                if isinstance(message, ProgramsSeen):
                    self.row = next(row for row in message.rows if row.program == STATE)
                self.source.hear(message, clock.read())
        for seen in self.source.data(clock.read()):
            if isinstance(seen, Effect):
                self.line.apply(seen, clock.read())
            elif isinstance(seen, Sample):
                self.sample = seen

    def until(self, holds: Callable[[], bool]) -> None:
        """Turn until something holds."""
        until_ns = clock.read().monotonic_ns + int(WITHIN_S * NS_PER_S)
        while not holds():
            assert clock.read().monotonic_ns < until_ns, f"{self.row} {self.sample}"
            self.turn()


@pytest.fixture
def played() -> Iterator[Played]:
    """Yield the loop beside a supervisord that runs one program and watch."""
    with run_directory() as directory:
        configuration = directory / "supervisor.conf"
        configuration.write_text(CONFIGURATION, encoding="utf-8")
        environment = os.environ | {
            "INTERLOCK_RUN": str(directory),
            "INTERLOCK_DATA": str(directory),
            "INTERLOCK_PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdout=subprocess.DEVNULL
        )
        made = Played(directory)
        try:
            yield made
        finally:
            made.line.close()
            process.terminate()
            process.wait(WITHIN_S)


@pytest.mark.req("CP-1", "CP-3")
def test_program_that_is_killed_four_times_is_stopped_until_its_latch_ends(played: Played) -> None:
    killed = 0
    for _ in range(4):
        played.until(lambda was=killed: played.row is not None and played.row.pid not in (0, was))  # type: ignore[misc]
        assert played.sample is None
        assert played.row is not None
        killed = played.row.pid
        os.kill(killed, signal.SIGKILL)
    played.until(lambda: played.sample is not None)
    assert played.sample is not None
    assert (played.sample.switch, played.sample.bad) == (FLAPPING, True)
    assert "4 crashes" in played.sample.why
    played.until(lambda: played.row is not None and played.row.state == "STOPPED")
    played.until(lambda: played.sample is not None and not played.sample.bad)
    played.source.hear(LatchEnded(FLAPPING.name, "account", ""), clock.read())
    played.until(lambda: played.row is not None and played.row.state == "RUNNING")
