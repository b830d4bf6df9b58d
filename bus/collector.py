"""Collects cycles when there is nothing else to do; automatic collection is off."""

import gc
from typing import Final

from shared.units import NS_PER_S, Instant

COLLECT_EVERY_NS: Final = NS_PER_S
COLLECT_ALL_EVERY_NS: Final = 60 * NS_PER_S
"""Automatic collection is off: one of a million live records took 223 ms."""


class Collector:
    """Collects in idle turns."""

    def __init__(self, now: Instant) -> None:
        self._collected_ns = now.boot_ns
        self._collected_all_ns = now.boot_ns

    def collect(self, now: Instant, *, busy: bool) -> None:
        """Collect in an idle turn: the youngest each second, the minute's survivors once."""
        if busy or now.boot_ns - self._collected_ns < COLLECT_EVERY_NS:
            return
        self._collected_ns = now.boot_ns
        if now.boot_ns - self._collected_all_ns < COLLECT_ALL_EVERY_NS:
            gc.collect(1)
            return
        self._collected_all_ns = now.boot_ns
        gc.collect()
        gc.freeze()
