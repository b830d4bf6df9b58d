"""An edge that asks something in a thread of its own, again and again, and tells the loop.

Impure. What may take as long as it likes (a name server, a device) never stands in risk's
loop: the thread puts what it found into a bounded queue and wakes the poll by a pipe.
"""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable

from bus.edge import Edge
from shared.effects import Effect, Message
from shared.units import NS_PER_S, Instant

TOLD_MAX = 64
"""Answers that the loop has not taken yet; of more the oldest are dropped, they are out of date."""

POLLIN = 1
"""ZeroMQ's flag for a descriptor that can be read."""

Round = tuple[tuple[Message, ...], int]
"""What was found, and after how long to ask again, ns."""


class AskingThread(Edge):
    """Asks in a thread; the messages come through a pipe that the loop polls."""

    handles: tuple[type[Effect], ...] = ()

    def __init__(self, name: str, ask: Callable[[], Round]) -> None:
        """Begin to ask at once.

        Args:
            name: Of the thread.
            ask: Called in the thread; it may block and must bound itself where it can.
        """
        self._ask = ask
        self._told: deque[Message] = deque(maxlen=TOLD_MAX)
        self._closing = False
        self._hurried = threading.Event()
        self._wake_in, self._wake_out = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._worker = threading.Thread(target=self._work, name=name, daemon=True)
        self._worker.start()

    def hurry(self) -> None:
        """Ask again now instead of at the end of the pause."""
        self._hurried.set()

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return the pipe through which the thread wakes the loop."""
        return ((self._wake_in, POLLIN),)

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Return what was found."""
        try:
            os.read(self._wake_in, 4096)
        except BlockingIOError:
            return []
        told = []
        while self._told:
            told.append(self._told.popleft())
        return told

    def close(self) -> None:
        """Ask no more. The thread is left where it is: it may hang in what it asks."""
        self._closing = True
        self._hurried.set()

    def _work(self) -> None:
        while not self._closing:
            found, pause_ns = self._ask()
            self._told.extend(found)
            with contextlib.suppress(BlockingIOError):
                os.write(self._wake_out, b"x")
            self._hurried.wait(pause_ns / NS_PER_S)
            self._hurried.clear()
