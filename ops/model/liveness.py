"""Liveness: from every state that can be reached, a good one stays reachable without another fault.

That is what is shown, and no more: there is always a way on. That it is taken rests on nobody being
stopped for ever, on messages not being lost for ever, and on a venue that answers some day.
"""

from array import array
from collections.abc import Callable
from itertools import pairwise

import msgspec

from ops.model.execution import may_place
from ops.model.layout import (
    ALIVE,
    BAD,
    FAULTS,
    LATCH,
    STARTING,
    SUPERVISOR,
    TRADING,
    UP,
    ZERO,
)
from ops.model.machine import Machine, State
from ops.model.venue import exists_any, time_steps

Judge = Callable[[Machine, State], bool]


class Stuck(msgspec.Struct, frozen=True):
    """What a search for states without a way on came to.

    Attributes:
        states: Different states seen; steps: between them.
        complete: Whether all were seen.
        stuck: For each property that falls, the shortest way to a state from which none is good.
    """

    states: int
    steps: int
    complete: bool
    stuck: dict[str, tuple[str, ...]]


def owes_trading(machine: Machine, state: State) -> bool:
    """Tell whether trading must be possible again: supervised, and nothing latched."""
    latched = any(state[block + LATCH] for block in machine.layout.risks)
    return bool(state[SUPERVISOR]) and not latched


def trades(machine: Machine, state: State) -> bool:
    """Tell whether execution may place under a risk that trades."""
    (risk,), (execution,) = machine.layout.risks, machine.layout.executions
    if not state[risk + TRADING] or not state[execution + ALIVE] or state[execution + STARTING]:
        return False
    return may_place(machine, state, execution)


def owes_proof(machine: Machine, state: State) -> bool:
    """Tell whether a fence is open that must end in its proof."""
    (risk,) = machine.layout.risks
    return bool(state[SUPERVISOR] and state[risk + UP]) and not state[risk + TRADING]


def is_proven(machine: Machine, state: State) -> bool:
    """Tell whether zero is proven."""
    return bool(state[machine.layout.risks[0] + ZERO])


def stays_for_ever(machine: Machine, state: State) -> bool:
    """Tell whether everybody is gone for good and an order of ours would stay for ever."""
    if state[SUPERVISOR] or not exists_any(machine, state):
        return False
    drafts: list[tuple[str, list[int]]] = []
    time_steps(machine, state, drafts)
    return bytes(drafts[0][1]) == state


GOALS: dict[str, tuple[Judge, Judge]] = {
    "L1": (owes_trading, trades),
    "L2": (owes_proof, is_proven),
}


class Graph:
    """Every state and every step between them."""

    def __init__(self, machine: Machine, states_max: int) -> None:
        self.machine = machine
        self.place: dict[State, int] = {machine.first(): 0}
        self.states: list[State] = [machine.first()]
        self.parent = array("l", [-1])
        self.sources = array("l")
        self.targets = array("l")
        self.steps = 0
        self.complete = False
        at = 0
        while at < len(self.states) and len(self.states) < states_max:
            self._expand(at)
            at += 1
        self.complete = at == len(self.states)

    def _expand(self, at: int) -> None:
        state = self.states[at]
        for _, after in self.machine.steps(state):
            self.steps += 1
            place = self.place.get(after)
            if place is None:
                place = self.place[after] = len(self.states)
                self.states.append(after)
                self.parent.append(at)
            if after[FAULTS] == state[FAULTS]:
                self.sources.append(at)
                self.targets.append(place)

    def reaching(self, is_good: Judge) -> bytearray:
        """Return, for each state, whether a good one can be reached from it without a fault."""
        begins = array("l", bytes(8 * (len(self.states) + 1)))
        for target in self.targets:
            begins[target + 1] += 1
        for place in range(len(self.states)):
            begins[place + 1] += begins[place]
        fill, earlier = array("l", begins), array("l", bytes(8 * len(self.targets)))
        for source, target in zip(self.sources, self.targets, strict=True):
            earlier[fill[target]] = source
            fill[target] += 1
        reaches = bytearray(len(self.states))
        waiting = [at for at, state in enumerate(self.states) if is_good(self.machine, state)]
        for at in waiting:
            reaches[at] = 1
        while waiting:
            at = waiting.pop()
            for source in earlier[begins[at] : begins[at + 1]]:
                if not reaches[source]:
                    reaches[source] = 1
                    waiting.append(source)
        return reaches

    def way(self, at: int) -> tuple[str, ...]:
        """Return the labels of the shortest way to a state."""
        path = [at]
        while self.parent[path[-1]] >= 0:
            path.append(self.parent[path[-1]])
        labels = []
        for before, after in pairwise(reversed(path)):
            found = self.machine.steps(self.states[before])
            labels.append(next(label for label, state in found if state == self.states[after]))
        return tuple(labels)


def find_stuck(machine: Machine, states_max: int) -> Stuck:
    """Search for states from which what they owe cannot be reached any more."""
    graph = Graph(machine, states_max)
    stuck: dict[str, tuple[str, ...]] = {}
    if not graph.complete:
        return Stuck(len(graph.states), graph.steps, False, stuck)
    for name, (owes, is_good) in GOALS.items():
        reaches = graph.reaching(is_good)
        for at, state in enumerate(graph.states):
            if not reaches[at] and not state[BAD] and owes(machine, state):
                stuck[name] = graph.way(at)
                break
    for at, state in enumerate(graph.states):
        if stays_for_ever(machine, state):
            stuck["L3"] = graph.way(at)
            break
    return Stuck(len(graph.states), graph.steps, True, stuck)
