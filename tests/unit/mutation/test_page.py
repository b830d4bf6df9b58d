"""What a run of mutants fails for, and what its page says."""

import pytest

from tests.mutation import page
from tests.mutation.operators import Mutant
from tests.mutation.page import Module, render
from tests.mutation.targets import Target

PATH = "shared/thing.py"


def mutant(number: int) -> Mutant:
    return Mutant((number, 0), number, number, "judge", f"{number}", f"{number + 1}")


def module(killed: int, survived: int) -> Module:
    fates = ["killed"] * killed + ["survived"] * survived
    return Module(PATH, tuple((mutant(place), fate) for place, fate in enumerate(fates)))


@pytest.fixture
def targets(monkeypatch: pytest.MonkeyPatch) -> None:
    explained = {"judge: 9 → 10": "the bound is never met."}
    monkeypatch.setattr(page, "TARGETS", {PATH: Target((), explained)})


@pytest.mark.usefixtures("targets")
def test_explained_survivor_and_enough_killed_are_no_fault() -> None:
    assert module(9, 1).faults == ()


@pytest.mark.usefixtures("targets")
def test_survivor_without_an_explanation_is_a_fault() -> None:
    assert module(9, 2).faults[0] == f"{PATH}: not explained: judge: 10 → 11"


@pytest.mark.usefixtures("targets")
def test_explanation_of_what_is_killed_is_a_fault() -> None:
    assert module(10, 0).faults == (f"{PATH}: killed: judge: 9 → 10",)


@pytest.mark.usefixtures("targets")
def test_less_than_nine_tenths_killed_is_a_fault() -> None:
    assert module(8, 1).faults[-1] == f"{PATH}: 8 of 9 killed"


@pytest.mark.usefixtures("targets")
def test_page_tells_scores_and_survivors_with_their_reasons() -> None:
    text = render([module(9, 1)])
    assert f"| `{PATH}` | 10 | 9 | 90.0 % |\n| all | 10 | 9 | 90.0 % |" in text
    assert text.endswith("### shared/thing.py\n\n- `judge: 9 → 10`: the bound is never met.\n")
