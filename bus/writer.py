"""Commits beside the loop: what may take as long as a lease has a thread of its own.

Wraps the edge of a database. Its durable effects are gathered in the loop; at the commit they
are handed to the one thread that touches the wrapped edge from then on, which applies and
commits them while the loop goes on. The end comes back through a descriptor that the loop
polls. A process that dies meanwhile leaves what the database makes of it: all of a commit or
nothing.
"""

import os
import queue
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from bus.edge import CommitFailed, Edge
from shared.effects import Effect, Message
from shared.units import Instant

CLOSE_S: Final = 3.0
"""How long the end of the process waits for a commit that is under way; the kernel ends it then,
and the next start finds all of it or nothing."""

POLLIN: Final = 1
"""ZeroMQ's flag for a descriptor that can be read."""

Asked = list[tuple[Effect, Instant]]


class Writer(Edge):
    """An edge whose commits take no time in the loop; one is under way at a time."""

    def __init__(self, edge: Edge) -> None:
        """Start the thread; the edge belongs to it from now on.

        Args:
            edge: Takes durable effects, has nothing to say to them, and may be used by another
                thread than the one that made it. Closed by the thread at the end.
        """
        self.handles = edge.handles
        self._edge = edge
        self._gathered: Asked = []
        self._is_under_way = False
        self._asked: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._over: deque[CommitFailed | None] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Gather an effect for the next commit."""
        assert not self._is_under_way, "the turns behind a commit wait for it"
        self._gathered.append((effect, now))
        return []

    def commit(self, now: Instant) -> None:
        """Hand what was gathered to the thread."""
        if not self._gathered:
            return
        asked, self._gathered = self._gathered, []
        self._is_under_way = True
        self._asked.put(asked)

    def is_committed(self, now: Instant) -> bool:
        """Whether the newest commit has held; False while the thread is at it.

        Raises:
            CommitFailed: It has not held.
        """
        if not self._is_under_way:
            return True
        if not self._over:
            assert self._thread.is_alive() or self._over, "the writer's thread has died"
            return False
        self._is_under_way = False
        failure = self._over.popleft()
        if failure is not None:
            raise failure
        return True

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return the descriptor by which the thread wakes the loop."""
        return ((self._wake, POLLIN),)

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Take the wake-up; what it is about is asked for in every turn."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        return []

    def close(self) -> None:
        """End the thread after what it is at, or after a while without it."""
        self._asked.put(None)
        self._thread.join(CLOSE_S)
        if not self._thread.is_alive():
            os.close(self._wake)

    def _work(self) -> None:
        """Write what is asked for until the end."""
        while (asked := self._asked.get()) is not None:
            self._over.append(self._write(asked))
            os.eventfd_write(self._wake, 1)
        self._edge.close()

    def _write(self, asked: Asked) -> CommitFailed | None:
        """Put one commit's effects on disk; return why they are not there."""
        try:
            for effect, now in asked:
                said = self._edge.apply(effect, now)
                assert not said, f"nobody is there to hear {said}"
            self._edge.commit(asked[-1][1])
        except CommitFailed as failure:
            return failure
        return None
