"""Risk's database: a thread writes it beside the loop, since no fence waits for a disk.

Impure. `Persist` is handed to a worker, whose answer comes through a pipe that the loop
polls. Writes keep their order, those that wait share one transaction, and each is tried
again until it is done: nothing that was asked for is given up.
Opening and judging the file is `risk_file.py`.
"""

import os
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable

from bus.edge import Edge
from services.risk.messages import Persist, Persisted, PersistFailed
from services.risk.risk_file import RiskFile
from shared.effects import Effect, Message
from shared.units import Instant

RETRY_S = 1.0
"""Between attempts at a write that the disk refuses."""

BATCH_MAX = 64
"""Writes in one transaction: an fsync costs the same for one as for many."""

CLOSE_S = 3.0
"""How long the end of the process waits for what is still being written."""

POLLIN = 1
"""ZeroMQ's flag for a descriptor that can be read."""


class RiskStore(Edge):
    """Carries out `Persist`."""

    handles = (Persist,)

    def __init__(self, file: RiskFile) -> None:
        """Start the worker; the file belongs to it from now on."""
        self._file = file
        self._asked: queue.SimpleQueue[Persist | None] = queue.SimpleQueue()
        self._told: deque[Message] = deque()
        self._closing = threading.Event()
        self._wake_in, self._wake_out = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._worker = threading.Thread(target=self._work, name="risk-store", daemon=True)
        self._worker.start()

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Hand a write to the worker."""
        assert isinstance(effect, Persist), f"not of this edge: {effect}"
        self._asked.put(effect)
        return []

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return the pipe through which the worker wakes the loop."""
        return ((self._wake_in, POLLIN),)

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Return what the worker has told."""
        try:
            os.read(self._wake_in, 4096)
        except BlockingIOError:
            return []
        told = []
        while self._told:
            told.append(self._told.popleft())
        return told

    def close(self) -> None:
        """End the worker after what it holds, or after a while without it."""
        self._asked.put(None)
        self._closing.set()
        self._worker.join(CLOSE_S)

    def _work(self) -> None:
        while True:
            batch = self._next_batch()
            if not batch:
                self._file.close()
                return
            self._write(batch)

    def _next_batch(self) -> list[Persist]:
        """Return the writes that wait; empty when the process ends."""
        first = self._asked.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < BATCH_MAX and not self._asked.empty():
            following = self._asked.get()
            if following is None:
                self._asked.put(None)
                break
            batch.append(following)
        return batch

    def _write(self, batch: list[Persist]) -> None:
        records = tuple(record for write in batch for record in write.records)
        while True:
            try:
                self._file.write(records)
            except (sqlite3.Error, OSError) as error:
                self._tell(PersistFailed(batch[-1].write_id, str(error)))
                if self._closing.wait(RETRY_S):
                    return
                continue
            self._tell(Persisted(batch[-1].write_id))
            return

    def _tell(self, message: Message) -> None:
        self._told.append(message)
        try:
            os.write(self._wake_out, b"x")
        except BlockingIOError:
            return
