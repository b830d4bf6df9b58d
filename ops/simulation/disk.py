"""The disk under the ledger: a commit takes its time, may take very long, and may fail.

Stands where `bus.writer.Writer` stands in a real execution. What was handed over is written when
its time has come, by the real ledger; a process that dies before leaves all of the commit or
nothing of it, as the disk had it or not.
"""

from bus.edge import CommitFailed, Edge
from ops.simulation.process import Process
from ops.simulation.world import World
from shared.effects import Effect, Message
from shared.units import NS_PER_MS, NS_PER_US, Instant

COMMIT_NS_RANGE = (200 * NS_PER_US, 9 * NS_PER_MS)
"""A commit with its sync, on a disk that others use a little (measured)."""

SLOW_NS_RANGE = (30 * NS_PER_MS, 900 * NS_PER_MS)
"""On one that others fill: 356 ms was seen, and longer ones are no different in kind."""

HAD_IT_PPM = 500_000
"""How likely a disk has all of a commit whose process dies."""


class SimulatedDisk(Edge):
    """A ledger whose commits end a while later; one is under way at a time."""

    def __init__(self, world: World, process: Process, ledger: Edge) -> None:
        """Stand before a ledger that is open."""
        self.handles = ledger.handles
        self._world = world
        self._process = process
        self._ledger = ledger
        self._chance = world.chance("disk", str(process.peer.incarnation))
        self._gathered: list[tuple[Effect, Instant]] = []
        self._is_under_way = False
        self._failure: CommitFailed | None = None

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Gather records for the next commit."""
        assert not self._is_under_way, "the turns behind a commit wait for it"
        self._gathered.append((effect, now))
        return []

    def commit(self, now: Instant) -> None:
        """Begin to write what was gathered."""
        if not self._gathered:
            return
        scheduler = self._world.scheduler
        is_slow = scheduler.now_ns < self._world.disk_slow_until_ns
        takes_ns = self._chance.between(*(SLOW_NS_RANGE if is_slow else COMMIT_NS_RANGE))
        if is_slow:
            self._world.trace.note(scheduler.now_ns, "disk", "slow", f"{takes_ns // NS_PER_MS} ms")
        self._is_under_way = True
        scheduler.after(takes_ns, self._end)

    def is_committed(self, now: Instant) -> bool:
        """Whether the newest commit has held.

        Raises:
            CommitFailed: It has not.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return not self._is_under_way

    def close(self) -> None:
        """Die: the disk has all of the commit that is under way, or nothing."""
        if self._is_under_way and self._chance.happens(HAD_IT_PPM):
            self._write()
        self._is_under_way = False
        self._ledger.close()

    def _end(self) -> None:
        if not self._is_under_way:
            return
        self._is_under_way = False
        if self._world.scheduler.now_ns < self._world.disk_fails_until_ns:
            self._world.trace.note(self._world.scheduler.now_ns, "disk", "fails")
            self._gathered.clear()
            self._failure = CommitFailed("simulated")
        else:
            self._write()
        self._process.wake()

    def _write(self) -> None:
        """Put what was gathered on disk, all of it at once."""
        gathered, self._gathered = self._gathered, []
        for effect, now in gathered:
            self._ledger.apply(effect, now)
        self._ledger.commit(gathered[-1][1])
