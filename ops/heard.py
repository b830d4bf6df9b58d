"""One fact of a running group, with its age: for what the ledger does not hold."""

from pathlib import Path
from typing import TypeVar

import msgspec

from bus import clock
from bus.tap import Tap
from shared.effects import Received
from shared.identifiers import Component
from shared.units import NS_PER_MS, MonotonicNs

WITHIN_MS = 1_500
"""What is listened for is told every second, or more often."""

T = TypeVar("T", bound=msgspec.Struct)


def hear(
    run_directory: Path, component: Component, topic: str, kind: type[T]
) -> tuple[T, int] | None:
    """Return the next fact of a kind and how old it is, None when nobody says it."""
    if not run_directory.is_dir():
        return None
    with Tap(run_directory, (component,), (topic,)) as tap:
        until_ns = MonotonicNs(clock.read().monotonic_ns + WITHIN_MS * NS_PER_MS)
        while (heard := tap.receive(until_ns)) is not None:
            fact = heard.fact
            if isinstance(fact, Received) and isinstance(fact.body, kind):
                return fact.body, max(0, heard.received_ns - fact.sent_ns)
    return None
