"""A strategy that did too badly trades real money again only after a paper run (CB-4). Pure.

The run is another group's: its own proven trail says how long it traded clean, and since when. One
that began before the latch shows what the strategy was, not what was mended since.
"""

from collections.abc import Iterable

from shared.config import Config
from shared.operator import PaperRun
from shared.risk_schema import LatchRow
from shared.switches import STRATEGY_PERFORMANCE


def paper_blockers(
    config: Config, rows: Iterable[LatchRow | None], paper: PaperRun | None
) -> tuple[str, ...]:
    """Return what the latches to be cleared still ask of a paper run; empty for nothing.

    Args:
        config: Mode, and the length of the run.
        rows: The latches that are to be cleared.
        paper: What the trail of a paper group says; None when none was shown.
    """
    if config.run.mode != "live":
        return ()
    latched = [row for row in rows if row is not None and row.name == STRATEGY_PERFORMANCE.name]
    needed_s = config.performance.paper_run_s
    found = []
    for row in latched:
        name = row.scope_id
        if paper is None:
            found.append(
                f"{name} did too badly: `interlock strategy reset {name} --paper DATA` shows the "
                f"trail of a paper group that has traded clean for {needed_s} s since"
            )
        elif paper.began_wall_ns < row.wall_ns:
            found.append(f"the paper run began before {name} was latched")
        elif paper.clean_s < needed_s:
            clean_s = paper.clean_s
            found.append(f"paper has traded clean for {clean_s} s of {needed_s} s: {name}")
    return tuple(found)


def paper_words(paper: PaperRun | None) -> str:
    """Return what the trail keeps of a paper run; empty for none."""
    return f", paper {paper.clean_s} s to {paper.hash_hex}" if paper else ""
