"""Busy processes beside the group: what a machine that does other work takes away from it."""

import subprocess
import sys
from types import TracebackType

BUSY = """
import os
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""
"""Counts for as long as its parent lives, so that none outlives a killed test."""

ENDS_WITHIN_S = 10.0


class BusyLoad:
    """Processes that each take as much of a processor as they get, at the usual priority."""

    def __init__(self, processes: int) -> None:
        """Prepare so many; they run between entering and leaving."""
        self._count = processes
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "BusyLoad":
        """Start them."""
        self._processes = [
            subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(self._count)
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them, each by its own process."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(ENDS_WITHIN_S)
