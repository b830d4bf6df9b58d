"""The model of the fence protocol: no rule missing breaks nothing, and each missing rule is missed.

The whole search takes a while and is `make model`. Here every scope is searched as far as a second
goes, what the lease's rules carry is found anew, and every way that the whole search has found
is walked again: it must still lead to its broken property without the rule, and not with it.
"""

import json
from pathlib import Path

import pytest

from ops.model import build
from ops.model.liveness import find_stuck
from ops.model.machine import Machine, State
from ops.model.results import run
from ops.model.rules import BY_NAME as RULES
from ops.model.rules import PROPERTIES
from ops.model.scopes import BY_NAME, SCOPES
from ops.model.search import search

STATES = 5_000
WAYS = json.loads((Path(__file__).parents[3] / "docs" / "protocol-model.json").read_bytes())
WALKS = [
    pytest.param(*place.split("/"), fallen, tuple(way), id=f"{place}-{fallen}")
    for place, ways in WAYS.items()
    for fallen, way in ways.items()
]
SAFETY = [walk for walk in WALKS if str(walk.values[2]).startswith("S")]


def walk(machine: Machine, way: tuple[str, ...]) -> list[State]:
    """Return every state that these steps can lead to."""
    states = {machine.first()}
    for step in way:
        states = {
            after for state in states for label, after in machine.steps(state) if label == step
        }
    return list(states)


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.name)
def test_nothing_falls_with_every_rule_in_place(scope: object) -> None:
    found = search(build(BY_NAME[scope.name]), STATES)  # type: ignore[attr-defined]
    assert found.broken == "", found.trace
    assert found.states >= STATES


@pytest.mark.parametrize("rule", ["at_write", "loop_grants"])
def test_what_the_lease_carries_is_found_anew(rule: str) -> None:
    result = run(BY_NAME["lease"], rule, 80_000)
    assert tuple(result.traces) == RULES[rule].falls


@pytest.mark.parametrize(("scope", "rule", "fallen", "way"), SAFETY)
def test_way_breaks_its_property_without_the_rule_and_not_with_it(
    scope: str, rule: str, fallen: str, way: tuple[str, ...]
) -> None:
    without = build(BY_NAME[scope], rule)
    without.judged = frozenset({fallen})
    assert [state for state in walk(without, way) if without.broken(state)]
    assert not [state for state in walk(build(BY_NAME[scope]), way) if state[0]]


def test_search_that_is_cut_short_says_so() -> None:
    assert not search(build(BY_NAME["basic"]), 100).complete
    assert not find_stuck(build(BY_NAME["supervision"]), 100).complete


@pytest.mark.parametrize("rule", list(RULES))
def test_every_rule_has_a_way_for_each_property_that_it_carries(rule: str) -> None:
    known = RULES[rule]
    assert set(known.falls) <= set(PROPERTIES)
    assert set(WAYS.get(f"{known.scope}/{rule}", {})) == set(known.falls)
