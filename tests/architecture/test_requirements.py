"""Ids of requirements: known, unique, and the safety case that is made of them."""

import ast
import json
from pathlib import Path

import pytest

from shared.switches import SWITCHES
from tests.architecture.tree import ROOT, modules, name_of
from tests.safety_case import ROW, known_ids, merge, render

TESTS = [path for path in modules("tests") if path.name.startswith("test_")]


def marks_of(path: Path) -> list[str]:
    """Return the ids that a file's tests carry."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.req":
            assert node.args, "a mark without an id"
            found += [ast.literal_eval(argument) for argument in node.args]
    return found


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_requirement_marks_name_known_ids(path: Path) -> None:
    assert set(marks_of(path)) <= known_ids()


def test_requirement_ids_are_unique() -> None:
    text = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
    names = [row[1] for line in text.splitlines() if (row := ROW.match(line))]
    assert len(names) == len(set(names))
    assert len(names) > 100


def test_every_switch_carries_a_known_requirement() -> None:
    assert {switch.requirement for switch in SWITCHES} <= known_ids()


def test_safety_case_calls_row_proven_only_when_all_its_tests_passed() -> None:
    chapters = {"One": {"A-1": "x", "A-2": "y", "A-3": "z", "A-4": "w"}}
    found = {
        "A-1": {"t::a": "passed", "t::b": "passed"},
        "A-2": {"t::a": "passed", "t::b": "FAILED"},
        "A-3": {"t::a": "passed", "t::c": "skipped"},
    }
    page = render(chapters, found)
    assert "Proven: 1 of 4." in page
    assert "| A-1 | proven | `t::a`<br>`t::b` |" in page
    assert "| A-2 | FAILED | `t::a`<br>`t::b` FAILED |" in page
    assert "| A-3 | skipped |" in page
    assert "| A-4 | open |  |" in page


def test_safety_case_of_several_runs_is_one_page(tmp_path: Path) -> None:
    for number, outcome in enumerate(("passed", "FAILED")):
        (tmp_path / f"{number}.json").write_text(json.dumps([[["KS-2"], f"t{number}::a", outcome]]))
    page = tmp_path / "page.md"
    merge(page, [tmp_path / "0.json", tmp_path / "1.json"])
    assert "| KS-2 | FAILED | `t0::a`<br>`t1::a` FAILED |" in page.read_text()
