"""Seeds at the lowest priority: they run beside the other tests and disturb none.

Run by its path with FIRST and LAST, it prints one outcome a line, as JSON.
"""

import contextlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import IO

import msgspec

from ops.simulation.run import Outcome, run

FIRST, LAST = 1, int(os.environ.get("INTERLOCK_SEEDS", "60"))
"""`make seeds` runs a hundred and more: what a change waits for has to end in time."""

WORKERS = 2
NICEST = 19
ROOT = Path(__file__).resolve().parents[2]
FINISH_S_MAX = 20 * LAST
"""Eight times what two cores need when they have nothing else to do: others go first."""


class Seeds:
    """The runs under way, in a process of their own."""

    def __init__(self) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `end`)
        # By its path: a dependency installs a package that is called `tests` too.
        command = [sys.executable, __file__, str(FIRST), str(LAST)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            command, env=environment, stdout=self._said, start_new_session=True
        )

    def outcomes(self) -> list[Outcome]:
        """Wait for the last run and return all outcomes."""
        status = self._process.wait(FINISH_S_MAX)
        assert status == 0, f"the seeds ended with status {status}"
        self._said.seek(0)
        return [msgspec.json.decode(line, type=Outcome) for line in self._said]

    def end(self) -> None:
        """End the runs when nobody waits for them any more."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, 15)
            self._process.wait(10)
        self._said.close()


def results(first: int, last: int) -> Iterator[Outcome]:
    """Run every seed, two at a time."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        yield from pool.map(run, range(first, last + 1))


def give_way() -> None:
    """Take the lowest priority, among sessions too: Linux shares processors by session first."""
    os.nice(NICEST)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICEST), encoding="ascii")


def main(first: str, last: str) -> None:
    """Print every outcome."""
    give_way()
    for outcome in results(int(first), int(last)):
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
