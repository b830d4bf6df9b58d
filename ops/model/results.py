"""What runs of the model came to: one file a run, so that a whole run can be made in parts."""

from pathlib import Path

import msgspec

from ops.model import build
from ops.model.liveness import find_stuck
from ops.model.rules import BY_NAME as RULES_BY_NAME
from ops.model.rules import RULES
from ops.model.scopes import BY_NAME, SCOPES, Scope
from ops.model.search import search

STATES_MAX = 12_000_000
"""A state takes some two hundred bytes with the way to it: 2.5 GB."""


class Result(msgspec.Struct, frozen=True):
    """One search.

    Attributes:
        scope: Where; rule: what was taken out, empty for nothing.
        complete: Whether every state was seen; a search that found something has stopped there.
        traces: Shortest way to each property that fell.
    """

    scope: str
    rule: str
    states: int
    steps: int
    depth: int
    complete: bool
    traces: dict[str, tuple[str, ...]]


def run(scope: Scope, rule: str, states_max: int = STATES_MAX) -> Result:
    """Search one scope, with one rule taken out or none.

    A rule that is said to carry several properties is searched for each of them.
    """
    off = (rule,) if rule else ()
    if scope.lives:
        stuck = find_stuck(build(scope, *off), states_max)
        return Result(scope.name, rule, stuck.states, stuck.steps, 0, stuck.complete, stuck.stuck)
    traces: dict[str, tuple[str, ...]] = {}
    states = steps = depth = 0
    complete = True
    for judged in (RULES_BY_NAME[rule].falls or ("",)) if rule else ("",):
        machine = build(scope, *off)
        if judged:
            machine.judged = frozenset({judged})
        found = search(machine, states_max)
        states, steps = max(states, found.states), max(steps, found.steps)
        depth, complete = max(depth, found.depth), complete and found.complete
        if found.broken:
            traces[found.broken] = found.trace
    return Result(scope.name, rule, states, steps, depth, complete, traces)


def wanted() -> list[tuple[Scope, str]]:
    """Return every search of a whole run: each scope as it is, each rule where it shows."""
    return [(scope, "") for scope in SCOPES] + [(BY_NAME[rule.scope], rule.name) for rule in RULES]


def load(directory: Path) -> dict[tuple[str, str], Result]:
    """Return what was kept of earlier runs."""
    found = [
        msgspec.json.decode(path.read_bytes(), type=Result) for path in directory.glob("*.json")
    ]
    return {(result.scope, result.rule): result for result in found}


def keep(directory: Path, result: Result) -> None:
    """Keep one result."""
    directory.mkdir(parents=True, exist_ok=True)
    name = f"{result.scope}-{result.rule or 'whole'}.json"
    (directory / name).write_bytes(msgspec.json.encode(result))
