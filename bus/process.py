"""The start of a process: settings, lock, death signal, signal flags, and who it is.

`start` is the first line of every shell. It returns only when this process may run; a
wrong configuration or a second copy ends it here, with the reasons on standard output.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec

from bus import clock
from bus.control_line import Identity
from bus.locks import FileLock, LockFault, lock_component
from bus.log_lines import LogLines
from bus.process_limits import limit
from bus.settings import Settings, load
from shared.effects import Log
from shared.identifiers import Component, Incarnation
from shared.topics import RECORDER, SIMULATOR

EXIT_CONFIGURATION = 2
EXIT_LOCKED = 3
EXIT_ORPHAN = 4

PR_SET_PDEATHSIG = 1
SUPERVISED_VARIABLE = "SUPERVISOR_PROCESS_NAME"
"""How supervisord names each of its programs in their environment. An interpreter takes a moment
to start: when supervisord dies in it, somebody else is the parent by the first look at it.
Source: http://supervisord.org/subprocess.html, 4.3.0."""
"""Source: linux/prctl.h."""


class StopFlag:
    """What the signal handlers set and the loop reads; None until the process shall end."""

    def __init__(self) -> None:
        self.cause: str | None = None

    def install(self) -> None:
        """Set the flag on SIGTERM and SIGINT, and when the parent dies."""
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.cause = signal.Signals(number).name


class Started(msgspec.Struct, frozen=True):
    """A process that may run.

    Attributes:
        lock: Held to the end of the process.
    """

    identity: Identity
    settings: Settings
    lock: FileLock
    lines: LogLines
    stop: StopFlag

    @property
    def component(self) -> Component:
        """Name of this process."""
        return self.identity.component

    @property
    def incarnation(self) -> Incarnation:
        """This run of it."""
        return self.identity.incarnation


def start(component: Component) -> Started:
    """Become the one process of a component, or exit saying why not.

    Exit status 2: configuration; 3: another one runs, or the run directory is not ours;
    4: the parent died while this started, or before.
    """
    if sys.flags.optimize:
        sys.exit("asserts are part of the safety of this program: start it without -O")
    lines = LogLines(component)
    parent = os.getppid()
    _die_with_parent()
    if os.getppid() != parent:
        _refuse(lines, EXIT_ORPHAN, "parent died during the start")
    if os.environ.get(SUPERVISED_VARIABLE) == component and not _is_supervisord(parent):
        _refuse(lines, EXIT_ORPHAN, "supervisord has started this and is gone")
    settings = load()
    if not isinstance(settings, Settings):
        _refuse(lines, EXIT_CONFIGURATION, *(f"{found.where} {found.what}" for found in settings))
    if component != SIMULATOR:
        _follow_wrong_clock(settings, lines)
    try:
        lock = lock_component(settings.run_directory, component)
    except (LockFault, OSError) as error:
        _refuse(lines, EXIT_LOCKED, str(error))
    if not limit(component, _memory_mib(settings, component)):
        lines.write(Log("process.not_first"), clock.read())
    settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    stop = StopFlag()
    stop.install()
    started = Started(identify(component, settings), settings, lock, lines, stop)
    lines.write(Log("process.started", msgspec.to_builtins(started.identity)), clock.read())
    return started


def _follow_wrong_clock(settings: Settings, lines: LogLines) -> None:
    """Let this process's clock be as wrong as a drill wants it; the venue's never is."""
    try:
        clock.may_be_wrong(settings.config.run.mode)
    except (OSError, ValueError) as error:
        _refuse(lines, EXIT_CONFIGURATION, f"{clock.WRONG_CLOCK_VARIABLE}: {error}")


def _memory_mib(settings: Settings, component: Component) -> int:
    """Return how much data a process may have; the recorder's buffer comes on top."""
    config = settings.config
    buffer_mib = 2 * config.recorder.memory_mib_max if component == RECORDER else 0
    return config.resources.process_memory_mib_max + buffer_mib


def identify(component: Component, settings: Settings) -> Identity:
    """Draw an incarnation and put together who this process is."""
    return Identity(
        component=component,
        incarnation=clock.draw_incarnation(),
        pid=os.getpid(),
        build_hash=settings.build_hash,
        config_hash=settings.config_hash,
        dependency_hash=settings.dependency_hash,
    )


def _refuse(lines: LogLines, status: int, *reasons: str) -> NoReturn:
    for reason in reasons:
        lines.write(Log("process.refused", {"reason": reason}, "critical"), clock.read())
    sys.exit(status)


def _is_supervisord(process_id: int) -> bool:
    """Tell whether a process is supervisord; one that cannot be looked at is not."""
    try:
        return b"supervisord" in Path(f"/proc/{process_id}/cmdline").read_bytes()
    except OSError:
        return False


def _die_with_parent() -> None:
    """Ask the kernel for SIGTERM at the parent's death. Source: prctl(2)."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
