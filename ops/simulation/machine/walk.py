"""Walks: actions drawn from a seed, until something is found; and the shortest way to it.

A walk is cut into machines of some thousand actions each, so that one that is found can be
played again from its own beginning.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ops.simulation.checkers import Violation
from ops.simulation.machine.actions import Action, do, draw
from ops.simulation.machine.machine import Account, Machine, prepare
from ops.simulation.machine.run import MakeCore
from services.execution.core import ExecutionCore
from services.simulator.chance import stream

ACTIONS_A_MACHINE = 1_500
MEMORY_DIRECTORY = Path("/dev/shm")  # noqa: S108  (where there is no disk to wait for)

TRIES_MAX = 1_500
"""Plays that a shrinking may take."""


class Found(msgspec.Struct, frozen=True):
    """A violation, with the actions that lead to it from a fresh machine."""

    violation: Violation
    actions: tuple[Action, ...]


class Walked(msgspec.Struct):
    """What a walk has done.

    Attributes:
        steps: Actions taken.
        starts: Runs of execution.
        legs: Trade legs of ours at the venue.
        failed: Those whose settlement failed.
    """

    seed: int
    steps: int = 0
    machines: int = 0
    posts: int = 0
    starts: int = 0
    legs: int = 0
    failed: int = 0
    found: Found | None = None


class Prepared:
    """Key and credentials in a directory that lives as long as this (a context manager)."""

    def __enter__(self) -> Account:
        """Make them."""
        parent = MEMORY_DIRECTORY if MEMORY_DIRECTORY.is_dir() else None
        self._directory = Path(tempfile.mkdtemp(prefix="interlock-machine-", dir=parent))
        return prepare(self._directory)

    def __exit__(self, *_: object) -> None:
        """Remove them."""
        shutil.rmtree(self._directory)


def walk(seed: int, steps: int, account: Account, make_core: MakeCore = ExecutionCore) -> Walked:
    """Take actions until there were enough or something is found.

    Args:
        seed: Of the actions.
        steps: How many at most.
        account: Of every machine.
        make_core: The core, or one that a test has spoiled.
    """
    walked = Walked(seed)
    while walked.steps < steps and walked.found is None:
        chance = stream(seed, "machine", str(walked.machines))
        walked.machines += 1
        machine = Machine(account, make_core)
        taken: list[Action] = []
        count = min(ACTIONS_A_MACHINE, steps - walked.steps)
        while len(taken) < count and not machine.violations:
            taken.append(draw(chance))
            do(machine, taken[-1])
        walked.steps += len(taken)
        walked.posts += machine.judge.posts
        walked.starts += machine.starts
        legs = machine.venue.legs().values()
        walked.legs += len(legs)
        walked.failed += sum(1 for leg in legs if leg.status == "FAILED")
        if machine.violations:
            walked.found = Found(machine.violations[0], tuple(taken))
    return walked


def play(
    actions: Sequence[Action], account: Account, make_core: MakeCore = ExecutionCore
) -> Violation | None:
    """Play actions on a fresh machine; return the first thing that is found."""
    machine = Machine(account, make_core)
    for action in actions:
        if machine.violations:
            break
        do(machine, action)
    return machine.violations[0] if machine.violations else None


def shrink(found: Found, account: Account, make_core: MakeCore = ExecutionCore) -> Found:
    """Return fewer actions that break the same rule: halves, quarters, ... are left out."""
    best = found
    tries = 0
    size = max(1, len(best.actions) // 2)
    while tries < TRIES_MAX:
        start, has_shrunk = 0, False
        while start < len(best.actions) and tries < TRIES_MAX:
            fewer = (*best.actions[:start], *best.actions[start + size :])
            tries += 1
            violation = _broken_by(fewer, account, make_core)
            if violation is not None and violation.rule == best.violation.rule:
                best, has_shrunk = Found(violation, fewer), True
            else:
                start += size
        if size == 1 and not has_shrunk:
            break
        size = max(1, size // 2)
    return best


def _broken_by(
    actions: Sequence[Action], account: Account, make_core: MakeCore
) -> Violation | None:
    try:
        return play(actions, account, make_core)
    except AssertionError as error:
        return Violation(0, "assert", str(error))


def report(found: Found) -> list[str]:
    """Return what a person needs: the rule, and actions that can be given to `play`."""
    lines = [f"{found.violation.rule}: {found.violation.text}"]
    lines += [f"    Action({action.name!r}, {action.a}, {action.b})," for action in found.actions]
    return lines
