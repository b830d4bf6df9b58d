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
            A subclass of `Durable` is applied before all others, then `commit` is called, and
            the others follow once `is_committed` says so.
    """

    handles: tuple[type[Effect], ...] = ()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Carry out one effect without blocking."""
        assert False, f"{type(self).__name__} has no effects"  # noqa: B011, PT015

    def commit(self, now: Instant) -> None:
        """Put the durable effects since the last commit on disk, or begin to.

        No durable effect is applied while a commit is under way.

        Raises:
            CommitFailed: They are not there, and nothing of them will be.
        """

    def is_committed(self, now: Instant) -> bool:
        """Whether the newest commit has held; False while it is under way.

        Raises:
            CommitFailed: It has not held, and nothing of it is on disk; raised once.
        """
        return True

    def is_urgent(self, effect: Effect) -> bool:
        """Tell whether an effect goes out before the commit: it rests on nothing in it.

        True for what only makes the market safer: a cancel never waits for a disk.
        """
        return False

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        """Answer for an effect that is not applied because the commit of its turn failed."""
        return []

    def withdraw(self, urgent: Effect, waiting: Effect, now: Instant) -> list[Message]:
        """Answer for an effect that waits for its commit and that an urgent one undoes.

        Args:
            urgent: Of this edge; it is about to be applied.
            waiting: Of this edge too. It is dropped when it is answered for.
            now: Present moment.
        """
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
