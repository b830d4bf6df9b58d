"""What stands between the loop and one part of the world: files, sockets, devices.

An edge applies the effects that it handles and brings messages back. It never blocks, it
decides nothing, and it is the only place where its part of the world is touched. Its
messages reach the core in the next turn, which follows at once.
"""

from collections.abc import Iterable

from shared.effects import Effect, Message
from shared.units import Instant


class CommitFailed(Exception):
    """Local fault: what a turn wanted on disk is not there. The core hears `JournalFailed`."""


class Edge:
    """Inherit from this and write what differs; the defaults do nothing.

    Attributes:
        handles: Types of effects that go to this edge; one edge for each type in a process.
            A subclass of `Durable` is applied before all others, then `commit` is called.
    """

    handles: tuple[type[Effect], ...] = ()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Carry out one effect without blocking."""
        assert False, f"{type(self).__name__} has no effects"  # noqa: B011, PT015

    def commit(self, now: Instant) -> None:
        """Put the durable effects of this turn on disk.

        Raises:
            CommitFailed: They are not there, and nothing of this turn will be.
        """

    def is_urgent(self, effect: Effect) -> bool:
        """Tell whether an effect goes out before the commit: it rests on nothing in it.

        True for what only makes the market safer: a cancel never waits for a disk.
        """
        return False

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        """Answer for an effect that is not applied because the commit of its turn failed."""
        return []

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return descriptors to poll, each with zmq.POLLIN, zmq.POLLOUT or both."""
        return ()

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Handle a descriptor that the poll found ready."""
        return []

    def on_tick(self, now: Instant) -> list[Message]:
        """Look at deadlines; called at each tick and after each turn's sockets."""
        return []

    def close(self) -> None:
        """Let go of everything, at once."""
