"""Runs benchmarks by name, one after the other."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ops.bench import cancel, feed, fence, group_fence, hop, simulator, state_restart, tick
from ops.bench.results import Result

NAMES = (
    hop.NAME,
    fence.BLOCKED,
    fence.CANCEL,
    cancel.NAME,
    tick.NAME,
    simulator.BUSY,
    simulator.CALM,
    *feed.NAMES,
    state_restart.NAME,
    *group_fence.NAMES,
)

SETS = {"frames": feed.NAMES, "fence": (fence.BLOCKED, fence.CANCEL, *group_fence.NAMES)}
"""Names that stand for several."""


def run(
    names: Sequence[str] = NAMES,
    say: Callable[[str], None] = lambda words: None,
    frames: Path | None = None,
) -> list[Result]:
    """Measure what is named; takes about ten minutes for everything.

    Args:
        names: Of `NAMES`, or of `SETS`.
        say: Told what is being measured.
        frames: Recorded frames of the market socket; None makes them.

    Raises:
        ValueError: A name is not known.
        BenchFailed: What was to be measured did not happen.
    """
    names = _expanded(names)
    results: list[Result] = []
    if hop.NAME in names:
        say("one hop of a fact")
        results.append(hop.measure())
    fences = [name for name in (fence.BLOCKED, fence.CANCEL) if name in names]
    if fences:
        say("fences at a real execution")
        results.extend(fence.measure(fences))
    if cancel.NAME in names:
        say("cancels beside posts that are backed off and queued")
        results.append(cancel.measure())
    if tick.NAME in names:
        results.append(tick.measure(say))
    if simulator.BUSY in names:
        say("busy seconds of the simulated venue")
        results.append(simulator.measure_busy())
    if simulator.CALM in names:
        say("calm seconds of the simulated venue's core")
        results.append(simulator.measure_calm())
    if any(name in names for name in feed.NAMES):
        say("frames of the market socket")
        results.extend(row for row in feed.measure(frames) if row.name in names)
    if state_restart.NAME in names:
        say("restarts of the state builder over an hour's recording")
        results.append(state_restart.measure())
    whole = [name for name in group_fence.NAMES if name in names]
    if whole:
        results.extend(group_fence.measure(whole, say))
    return results


def _expanded(names: Sequence[str]) -> list[str]:
    """Return the names that are meant.

    Raises:
        ValueError: A name is not known.
    """
    found = [each for name in names for each in SETS.get(name, (name,))]
    unknown = [name for name in found if name not in NAMES]
    if unknown:
        raise ValueError(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return found
