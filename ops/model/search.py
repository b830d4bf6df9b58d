"""Breadth-first search: every state that can be reached, the shortest way to a broken property."""

from collections.abc import Callable

import msgspec

from ops.model.layout import BAD
from ops.model.machine import Machine, State


class Found(msgspec.Struct, frozen=True):
    """What a search came to.

    Attributes:
        states: Different states seen.
        steps: Steps taken between them.
        depth: Longest of the shortest ways to a state.
        complete: Whether nothing was left unseen.
        broken: Property that fell, empty for none.
        trace: Steps of the shortest way to it.
    """

    states: int
    steps: int
    depth: int
    complete: bool
    broken: str = ""
    trace: tuple[str, ...] = ()


def search(machine: Machine, states_max: int, stop: Callable[[], bool] = lambda: False) -> Found:
    """Visit every state, up to a number of them, until a property breaks."""
    first = machine.first()
    before: dict[State, State | None] = {first: None}
    frontier = [first]
    steps = depth = 0
    expand = machine.steps
    while frontier:
        following: list[State] = []
        for state in frontier:
            for _, after in expand(state):
                steps += 1
                if after in before:
                    continue
                before[after] = state
                if after[BAD]:
                    trace = _way(machine, before, after)
                    return Found(len(before), steps, depth + 1, False, machine.broken(after), trace)
                following.append(after)
            if len(before) >= states_max:
                return Found(len(before), steps, depth, False)
        if stop():
            return Found(len(before), steps, depth, False)
        depth += 1 if following else 0
        frontier = following
    return Found(len(before), steps, depth, True)


def _way(machine: Machine, before: dict[State, State | None], last: State) -> tuple[str, ...]:
    """Return the labels of the steps that led to a state."""
    labels = []
    state = last
    while (earlier := before[state]) is not None:
        labels.append(next(label for label, after in machine.steps(earlier) if after == state))
        state = earlier
    return tuple(reversed(labels))
