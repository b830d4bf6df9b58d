"""Halting by a signal, for when nothing but `kill` is at hand: SIGUSR1 to risk.

Impure. The handler sets a flag; the loop turns it into the same request that the control
socket delivers, so that latch, proof and trail are the same. Nobody waits for its answer.
"""

import os
import signal
from types import FrameType

from bus.edge import Edge
from shared.effects import Effect, Message
from shared.operator import Halt, OperatorRequest, encode_request
from shared.units import Instant

NO_CONNECTION = 0
"""Connections of the control socket count from 1."""


class HaltSignal(Edge):
    """Turns SIGUSR1 into an operator's halt of the account."""

    handles: tuple[type[Effect], ...] = ()

    def __init__(self) -> None:
        self._asked = False
        signal.signal(signal.SIGUSR1, self._handle)

    def on_tick(self, now: Instant) -> list[Message]:
        """Tell of a signal, once for each time it was seen."""
        if not self._asked:
            return []
        self._asked = False
        body = encode_request(Halt(reason="signal SIGUSR1"))
        return [OperatorRequest(NO_CONNECTION, os.getuid(), os.getpid(), body)]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
