"""The model is of the code as it is: whatever the real cores do, the model can do too.

Random walks move the real cores of risk and execution by the model's own steps. After each, some
state of the model must look exactly as they do, reached from one that did before by what may follow
that step. A walk that the model cannot follow means that code and model differ.
"""

import os
import random

import pytest

from ops.model import build
from ops.model.machine import State
from ops.model.scopes import Scope
from tests.properties.conformance import Both, Seen, seen_of

WALKS = int(os.environ.get("INTERLOCK_MODEL_WALKS", "3"))
STEPS = 20
SCOPE = Scope(name="conformance", text="both cores", faults=4, halts=9, crashes="r", orders=False)
RISK = ("risk 0 ", "the venue shows ")
FOLLOWS = {
    "time": ("execution 0 fences itself", "execution 0 has proven its zero", "risk 0 wakes", *RISK),
    "risk turns": RISK,
    "execution turns": ("execution 0 fences itself", "execution 0 has proven its zero"),
    "execution hears": ("execution 0 hears", "execution 0 has proven its zero"),
    "execution greets": ("execution 0 says hello",),
    "risk hears": RISK,
    "risk fences": RISK,
    "risk restarts": ("risk 0 crashes", *RISK),
    "operator halts": ("the operator asks risk 0 to halt", *RISK),
    "operator resumes": ("the operator asks risk 0 to resume", *RISK),
}
MACHINE = build(SCOPE)


def is_possible(both: Both, kind: str) -> bool:
    """Tell whether there is something to hear."""
    if kind == "execution hears":
        return both.under_way is not None
    return kind != "risk hears" or both.said is not None


def choose(both: Both, chance: random.Random) -> str:
    """Return what may happen next."""
    if both.ms % 500 > 36:
        return "time"
    kinds = ["time", "risk turns", "risk turns", "execution turns"]
    if both.under_way is not None:
        kinds += ["execution hears"] * 4
    if not both.is_greeted:
        kinds += ["execution greets"] * 2
    if both.said is not None:
        kinds += ["risk hears"] * 4
    if both.core._guard.authority.trading:
        kinds += ["risk fences"]
    if chance.random() < 0.1:
        kinds += ["risk restarts", "operator halts", "operator resumes"]
    return chance.choice(kinds)


def move(both: Both, kind: str, chance: random.Random) -> None:
    """Move the real cores."""
    if kind == "time":
        calm = chance.random() < 0.7
        both.pass_time(
            risk_awake=calm or chance.random() < 0.5,
            execution_awake=calm or chance.random() < 0.5,
        )
        return
    {
        "risk turns": both.turn_risk,
        "execution turns": both.turn_execution,
        "execution hears": both.hear_ping,
        "execution greets": both.say_hello,
        "risk hears": both.hear_pong,
        "risk fences": both.fence,
        "risk restarts": both.restart_risk,
        "operator halts": both.ask_halt,
        "operator resumes": both.ask_resume,
    }[kind]()


def follow(states: set[State], kind: str, wanted: Seen) -> set[State]:
    """Return every state that may follow and looks as wanted."""
    if kind == "time":
        states = {
            after
            for state in states
            for label, after in MACHINE.steps(state)
            if label == "time passes"
        }
    seen, waiting = set(states), list(states)
    allowed = FOLLOWS[kind]
    while waiting:
        for label, after in MACHINE.steps(waiting.pop()):
            if label.startswith(allowed) and after not in seen:
                seen.add(after)
                waiting.append(after)
    return {state for state in seen if seen_of(MACHINE, state) == wanted}


def begin(both: Both) -> set[State]:
    """Return the states of the model that look as the real cores do at first."""
    states = {MACHINE.first()}
    for labels in (("execution 0 starts",), ("execution 0 has proven its zero",), RISK):
        found = set(states)
        for state in states:
            found |= {a for label, a in MACHINE.steps(state) if label.startswith(labels)}
        states = found
    return {state for state in states if seen_of(MACHINE, state) == both.seen()}


CALM = ("time", "risk turns", "execution hears", "risk hears", "risk turns", "execution hears")


def plan(both: Both, chance: random.Random) -> list[str]:
    """Return what happens next: one thing, or a calm round that brings trading nearer."""
    if chance.random() < 0.25 and both.ms % 500 < 20:
        return list(CALM)
    return [choose(both, chance)]


def walk(seed: int, both: Both) -> list[str]:
    """Return the last moves of a walk that the model cannot follow; none when it can."""
    chance = random.Random(seed)
    states = begin(both)
    said: list[str] = []
    kinds = ["execution greets", "risk hears", *CALM * 4]
    for _ in range(STEPS):
        for kind in kinds:
            if is_possible(both, kind):
                move(both, kind, chance)
                said.append(f"{kind}: {both.seen()}")
                states = follow(states, kind, both.seen())
            if not states:
                return said[-14:]
        kinds = plan(both, chance)
    return []


@pytest.mark.parametrize("seed", range(WALKS))
def test_model_can_do_whatever_the_real_cores_do(seed: int) -> None:
    assert walk(seed, Both()) == []


def test_model_does_not_follow_whatever_it_is_shown() -> None:
    both = Both()
    seen = both.seen()
    states = begin(both)
    for place, value in enumerate(seen):
        other = (*seen[:place], not value, *seen[place + 1 :])
        assert not follow(states, "execution turns", other), place
