"""Length of modules and functions, which no linter of ours measures."""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import modules, name_of

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

MODULES = modules("bus", "ops", "services", "shared", "tests")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_is_no_longer_than_a_reader_can_hold(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE_LINES_MAX, "split it by noun"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_fit_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines"
