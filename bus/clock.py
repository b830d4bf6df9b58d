"""The only reading of clocks, and the only chance, of the whole system.

CLOCK_BOOTTIME goes on through a suspend, so leases are judged by it; CLOCK_MONOTONIC is
comparable between processes of one host; wall time is for people and signatures.
"""

import secrets
import time

from shared.identifiers import Incarnation
from shared.units import BootNs, Instant, MonotonicNs, WallNs

INCARNATION_BITS = 63
"""One bit less than a word, so that SQLite's signed integers hold it."""


def read() -> Instant:
    """Return one reading of all three clocks."""
    return Instant(
        BootNs(time.clock_gettime_ns(time.CLOCK_BOOTTIME)),
        MonotonicNs(time.monotonic_ns()),
        WallNs(time.time_ns()),
    )


def draw_incarnation() -> Incarnation:
    """Draw the identity of this run of a process, never 0."""
    return Incarnation(secrets.randbelow((1 << INCARNATION_BITS) - 1) + 1)
