"""State's memory where no disk is: the real bytes, judged as they are written and as they are read.

Stands where `services/state/memory_file.py` stands in a real process; no recorder runs here, so
that a start finds a memory alone, which a fault may have damaged.
"""

from bus.edge import Edge
from ops.simulation.process import Process
from ops.simulation.world import World
from services.state.memory import (
    SCHEMA,
    KeepMemory,
    NotRemembered,
    Refused,
    Remembered,
    Stored,
    read,
    settings_digest,
    write,
)
from shared.effects import Effect, Message
from shared.units import Instant

DAMAGED_PPM = 250_000
"""How often a byte of what a start finds is another one."""

DISK = "memory.ils"


class MemoryDisk(Edge):
    """What one state builder finds, and what it leaves."""

    handles = (KeepMemory,)

    def __init__(self, world: World, process: Process) -> None:
        """Find what the run before has left."""
        self._world = world
        self._incarnation = process.peer.incarnation
        self._path = world.directory / DISK
        self._found: list[Message] = []
        if self._path.exists():
            self._found.append(self._find())

    def on_tick(self, now: Instant) -> list[Message]:
        """Tell once what was found."""
        found, self._found = self._found, []
        return found

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Write a memory."""
        assert isinstance(effect, KeepMemory)
        config = self._world.config
        self._world.watch.memory.kept(effect.memory, config)
        digest = settings_digest(config)
        stored = Stored(SCHEMA, self._incarnation, digest, (), 0, effect.memory)
        self._path.write_bytes(write(stored))
        return []

    def _find(self) -> Remembered | NotRemembered:
        content = bytearray(self._path.read_bytes())
        chance = self._world.chance("memory", str(self._incarnation))
        is_damaged = chance.happens(DAMAGED_PPM)
        if is_damaged:
            content[chance.below(len(content))] ^= 1 << chance.below(8)
        now = self._world.scheduler.instant()
        checker = self._world.watch.memory
        try:
            stored = read(bytes(content), self._world.config, now)
        except Refused as refused:
            checker.found(is_damaged=is_damaged, is_refused=True)
            return NotRemembered((f"{DISK}: {refused}",))
        checker.found(is_damaged=is_damaged, is_refused=False)
        return Remembered(stored.memory, (), DISK)
