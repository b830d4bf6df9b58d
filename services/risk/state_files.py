"""Two files that need no bus: the PANIC latch that risk obeys, and the sign of its own life.

Impure. PANIC is looked for in every turn, so that the last resort works with nothing else
alive; a file that cannot be looked at counts as there. `risk.alive` names this process and
is touched by the loop itself, so that a hung loop shows to whoever watches it.
"""

import os
from pathlib import Path

from bus.edge import Edge
from services.risk.messages import PanicSeen
from shared.effects import Effect, Message
from shared.units import NS_PER_MS, BootNs, Instant

ALIVE_FILE = "risk.alive"
"""Inside the run directory: the process id, and a modification time that moves."""

TOUCH_EVERY_NS = 200 * NS_PER_MS
"""A fifth of the shortest silence that watch may take for a hang."""


class PanicFile(Edge):
    """Tells of the PANIC file at start and at each change."""

    handles: tuple[type[Effect], ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told: bool | None = None

    def on_tick(self, now: Instant) -> list[Message]:
        """Look, in every turn."""
        present = self._is_there()
        if present == self._told:
            return []
        self._told = present
        return [PanicSeen(present)]

    def _is_there(self) -> bool:
        try:
            self._path.stat()
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True


class AliveFile(Edge):
    """Touches a file for as long as the loop turns."""

    handles: tuple[type[Effect], ...] = ()

    def __init__(self, directory: Path) -> None:
        path = directory / ALIVE_FILE
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        self._touched_ns = BootNs(0)

    def on_tick(self, now: Instant) -> list[Message]:
        """Touch it when it is time."""
        if now.boot_ns >= self._touched_ns + TOUCH_EVERY_NS:
            self._touched_ns = now.boot_ns
            os.utime(self._descriptor, ns=(now.wall_ns, now.wall_ns))
        return []

    def close(self) -> None:
        """Say that nobody is alive here any more."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
