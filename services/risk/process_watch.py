"""Exits as the kernel tells them, and the one signal that cannot hit the wrong process.

Impure. A pidfd becomes readable when its process ends (pidfd_open(2)), in the same poll as
everything else; a kill through it reaches that process or none. The parent is watched too:
without supervisord nobody restarts anything, so the group ends.
"""

import os
import signal
from collections.abc import Iterable

from bus.edge import Edge
from services.risk.messages import (
    ForgetProcess,
    KillProcess,
    ProcessExited,
    ProcessUnwatchable,
    SupervisorGone,
    WatchProcess,
)
from shared.effects import Effect, Message, Peer
from shared.units import Instant

POLLIN = 1
"""ZeroMQ's flag for a descriptor that can be read."""


class ProcessWatch(Edge):
    """Holds a pidfd on every run of every component, and on the parent."""

    handles = (WatchProcess, KillProcess, ForgetProcess)

    def __init__(self, supervisor_pid: int, *, kills: bool = True) -> None:
        """Begin to watch the parent.

        Args:
            supervisor_pid: The parent at the start of this process.
            kills: False leaves hung processes alone; for drills of what holds without it.
        """
        self._kills = kills
        self._held: dict[Peer, int] = {}
        self._supervisor_told = False
        try:
            self._supervisor: int | None = os.pidfd_open(supervisor_pid)
        except ProcessLookupError:
            self._supervisor = None

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Watch, kill or forget one run."""
        assert isinstance(effect, WatchProcess | KillProcess | ForgetProcess), f"not ours: {effect}"
        peer = Peer(effect.component, effect.incarnation)
        if isinstance(effect, WatchProcess):
            return self._watch(peer, effect.pid)
        held = self._held.get(peer)
        if held is None:
            return []
        if isinstance(effect, ForgetProcess):
            self._drop(peer)
        elif self._kills:
            _kill(held)
        return []

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return every pidfd."""
        parent = () if self._supervisor is None else (self._supervisor,)
        return [(descriptor, POLLIN) for descriptor in (*parent, *self._held.values())]

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Tell of an exit, once."""
        if descriptor == self._supervisor:
            os.close(descriptor)
            self._supervisor = None
            return []
        for peer, held in tuple(self._held.items()):
            if held == descriptor:
                self._drop(peer)
                return [ProcessExited(peer.component, peer.incarnation)]
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Tell that the parent is gone, once."""
        if self._supervisor is not None or self._supervisor_told:
            return []
        self._supervisor_told = True
        return [SupervisorGone()]

    def close(self) -> None:
        """Let go of every pidfd."""
        for peer in tuple(self._held):
            self._drop(peer)
        if self._supervisor is not None:
            os.close(self._supervisor)

    def _watch(self, peer: Peer, pid: int) -> list[Message]:
        if peer in self._held:
            return []
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return [ProcessExited(peer.component, peer.incarnation)]
        except (OSError, OverflowError) as error:
            return [ProcessUnwatchable(peer.component, peer.incarnation, str(error))]
        problem = _problem(pid)
        if problem:
            os.close(descriptor)
            return [ProcessUnwatchable(peer.component, peer.incarnation, problem)]
        self._held[peer] = descriptor
        return []

    def _drop(self, peer: Peer) -> None:
        os.close(self._held.pop(peer))


def _problem(pid: int) -> str:
    """Return why a process cannot be one of our components, empty when it can."""
    if pid in (os.getpid(), os.getppid()):
        return "it names risk itself or its parent"
    try:
        owner = os.stat(f"/proc/{pid}").st_uid
    except FileNotFoundError:
        return ""
    return "" if owner == os.getuid() else f"it belongs to user {owner}"


def _kill(descriptor: int) -> None:
    """Send SIGKILL; one that has just ended is what was wanted."""
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        return
