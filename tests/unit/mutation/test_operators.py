"""Which lies a module can be made to tell, and that each is told when the module runs."""

import ast
from typing import Any

import pytest

from tests.mutation.operators import Mutant, mutants_of, mutated

SOURCE = '''
"""A module."""

from typing import Literal

LIMIT = 3
"""Its limit."""

Side = Literal["BUY", "SELL"]


class Box:
    """A box."""

    size: int = 1

    def holds(self, value: int) -> bool:
        """Tell whether it does."""
        assert value >= 0, "never below"
        return 0 < value <= self.size


def judge(value: int, words: str = "") -> str:
    """Return what a value is."""
    if value < LIMIT and not words:
        return f"small {value - 1}"
    total = 0
    for number in range(value):
        total += number
    return "large" if total else "none"
'''


def of_source() -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in mutants_of(SOURCE)}


def run(mutant: Mutant) -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec(compile(mutated(SOURCE, mutant), "mutant", "exec"), space)
    return space


def test_every_lie_is_listed_once_and_nothing_else() -> None:
    assert list(of_source()) == [
        "module: 3 → 4",
        "module: 1 → 2",
        "Box.holds: return 0 < value <= self.size → return None",
        "Box.holds: 0 < value <= self.size → 0 <= value <= self.size",
        "Box.holds: 0 < value <= self.size → 0 > value <= self.size",
        "Box.holds: 0 < value <= self.size → 0 < value < self.size",
        "Box.holds: 0 < value <= self.size → 0 < value > self.size",
        "Box.holds: 0 → 1",
        "module: '' → 'XX'",
        "judge: if value < LIMIT and (not words): → if not (value < LIMIT and (not words)):",
        "judge: value < LIMIT and (not words) → value < LIMIT or not words",
        "judge: value < LIMIT and (not words) → not words",
        "judge: value < LIMIT and (not words) → value < LIMIT",
        "judge: value < LIMIT → value <= LIMIT",
        "judge: value < LIMIT → value > LIMIT",
        "judge: not words → words",
        "judge: return f'small {value - 1}' → return None",
        "judge: total = 0 → (nothing)",
        "judge: 0 → 1",
        "judge: total += number → (nothing)",
        "judge: total += number → total -= number",
        "judge: return 'large' if total else 'none' → return None",
        "judge: 'large' if total else 'none' → 'large' if not total else 'none'",
        "judge: 'large' → 'largeXX'",
        "judge: 'none' → 'noneXX'",
    ]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("module: 3 → 4", 3, "small 2"),
        ("judge: value < LIMIT → value <= LIMIT", 3, "small 2"),
        ("judge: 0 → 1", 0, "small -1"),
        ("judge: 'large' → 'largeXX'", 3, "largeXX"),
        ("judge: total += number → (nothing)", 3, "none"),
    ],
)
def test_mutant_tells_its_lie(name: str, value: int, told: str) -> None:
    assert run(of_source()[name])["judge"](value) == told


def test_lies_about_constants_and_defaults_belong_to_the_module() -> None:
    within = {name: mutant.within for name, mutant in of_source().items()}
    assert within["module: 3 → 4"] == within["module: '' → 'XX'"] == ""
    assert within["Box.holds: 0 → 1"] == "Box.holds"


def test_each_mutant_differs_from_its_source() -> None:
    original = ast.dump(ast.parse(SOURCE))
    dumps = {ast.dump(mutated(SOURCE, mutant)) for mutant in mutants_of(SOURCE)}
    assert len(dumps) == len(mutants_of(SOURCE))
    assert original not in dumps
