"""The simulated venue's core alone, under virtual time: how much of it a second costs."""

import time

from services.simulator.core import SimulatorCore
from services.simulator.edge import StreamOpened, StreamText
from shared.config import SimulatorSettings
from shared.units import NS_PER_S, BootNs, Instant, MonotonicNs, WallNs
from shared.venue.wire import encode

INTERVAL_S = 900
_START_NS = 1_790_000_100 * NS_PER_S
"""A window's beginning."""

_READER = 1


class Alone:
    """A venue at the calm rate with one market that somebody reads."""

    def __init__(self) -> None:
        self._core = SimulatorCore(SimulatorSettings(wire_log=""), ("btc",), INTERVAL_S)
        self._ns = 0
        self._core.on_tick(self._now())
        market = next(iter(self._core.exchange.calendar))
        self._core.on_message(StreamOpened(_READER, "market"), self._now())
        wanted = encode({"type": "market", "assets_ids": market.tokens}).decode()
        self._core.on_message(StreamText(_READER, wanted), self._now())

    def cost_ns(self, seconds: int) -> int:
        """Let virtual seconds pass; return this process's processor time for them."""
        end = self._ns + seconds * NS_PER_S
        began = time.process_time_ns()
        while self._ns < end:
            self._ns = min(end, max(self._ns + 1, self._core.next_ns()))
            self._core.on_tick(self._now())
        return time.process_time_ns() - began

    def _now(self) -> Instant:
        ns = self._ns
        return Instant(BootNs(ns), MonotonicNs(ns), WallNs(_START_NS + ns))
