"""How long a state builder takes to be what it was: memory read, recording behind it, both folded.

Another process rehearses it (`services/state/rehearsal.py`) over an hour's recording of ten
markets with twenty frames a second each, and compares the views with those of a twin that never
stopped. The start of the interpreter is not in it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from bus.settings import SOURCE_ROOT
from ops.bench.results import BenchFailed, Result, summarise
from shared.units import NS_PER_S

NAME: Final = "state-restart"
MARKETS: Final = 10
SECONDS: Final = 3_600
RESTARTS: Final = 20
WITHIN_S: Final = 600.0
BOUND_NS: Final = 2 * NS_PER_S


class _Rehearsed(msgspec.Struct, frozen=True):
    """The part of a rehearsal's line that counts here."""

    facts: int
    recorded_bytes: int
    took_ns: tuple[int, ...]
    read_ns: tuple[int, ...]
    is_equal: bool
    problem: str


def measure(markets: int = MARKETS, seconds: int = SECONDS, restarts: int = RESTARTS) -> Result:
    """Rehearse; takes half a minute and half a gigabyte under the temporary directory.

    Raises:
        BenchFailed: It did not end, or the views differ from the twin's.
    """
    profile = SOURCE_ROOT / "ops" / "sim.toml"
    with tempfile.TemporaryDirectory(prefix="ilb") as directory:
        counts = (str(markets), str(seconds), str(restarts))
        try:
            ran = subprocess.run(  # noqa: S603
                [
                    sys.executable,
                    "-m",
                    "services.state",
                    "rehearse",
                    str(Path(directory) / "data"),
                    str(profile),
                    *counts,
                ],
                cwd=SOURCE_ROOT,
                capture_output=True,
                text=True,
                timeout=WITHIN_S,
                check=False,
            )
            done = msgspec.json.decode(ran.stdout, type=_Rehearsed)
        except subprocess.TimeoutExpired as error:
            raise BenchFailed(f"{NAME}: not done within {WITHIN_S:.0f} s") from error
        except msgspec.DecodeError as error:
            raise BenchFailed(f"{NAME}: {ran.stderr[-500:]}") from error
    if not done.is_equal:
        raise BenchFailed(f"{NAME}: {done.problem}")
    what = (
        f"memory and {done.facts} facts behind it in {done.recorded_bytes // 10**6} MB of"
        f" recording, found and folded to the twin's views; {markets} markets"
    )
    found = summarise(NAME, what, done.took_ns, "a bare read of the memory's files", done.read_ns)
    return msgspec.structs.replace(found, bound_ns=BOUND_NS)
