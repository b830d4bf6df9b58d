"""Busy processes beside the group: what a machine that does other work takes away from it."""

import os
import signal
import subprocess
import sys
from types import TracebackType

BUSY = """
import os, sys
for _ in range(int(sys.argv[1]) - 1):
    if os.fork() == 0:
        break
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1_000_000):
        pass
"""
"""Each counts for as long as its parent lives, so that none outlives a killed test."""

ENDS_WITHIN_S = 10.0


class BusyLoad:
    """Processes that each take as much of a processor as they get, at the usual priority.

    They share a session of their own, as those of any other program do: some kernels divide the
    processor among sessions first, and the venue under test belongs to the session of the test.
    """

    def __init__(self, processes: int) -> None:
        """Prepare so many; they run between entering and leaving."""
        self._count = processes
        self._leader: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "BusyLoad":
        """Start them."""
        command = [sys.executable, "-c", BUSY, str(self._count)]
        self._leader = subprocess.Popen(command, start_new_session=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them, by the process group that is theirs alone."""
        assert self._leader is not None, "left without having been entered"
        os.killpg(self._leader.pid, signal.SIGKILL)
        self._leader.wait(ENDS_WITHIN_S)
