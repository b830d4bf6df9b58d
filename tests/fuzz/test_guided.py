"""Inputs guided by coverage find nothing that ends a core or makes a wrong book right."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

INPUTS = int(os.environ.get("INTERLOCK_FUZZ_INPUTS", "3000"))
INPUTS_A_SECOND_MIN = 50
"""Only guards against a hang: a busy machine takes some hundreds."""

EDGES_MIN = 1_500
"""Reached by the right sessions and little more; fewer mean that the cores are not looked at."""

SEED = 1
RUNNER = Path(__file__).with_name("guided.py")

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("atheris") is None, reason="no atheris for this platform"
    ),
    pytest.mark.timeout(120 + INPUTS // INPUTS_A_SECOND_MIN),
]


@pytest.mark.req("DQ-5", "VEN-4")
def test_no_input_ends_a_core_or_makes_a_wrong_book_right(tmp_path: Path) -> None:
    command = [sys.executable, str(RUNNER), str(INPUTS), str(SEED), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    told = done.stderr
    history = tmp_path / "history.txt"
    broken = history.read_text(encoding="utf-8")[-2_000:] if history.exists() else ""
    assert done.returncode == 0, f"{told[-3_000:]}\n{broken}"
    executed = int(found(r"number_of_executed_units: (\d+)", told))
    edges = max(int(edge) for edge in re.findall(r"cov: (\d+)", told))
    speed = found(r"average_exec_per_sec: +(\d+)", told)
    sys.stdout.write(f"{executed} inputs, {speed} a second, {edges} edges\n")
    assert executed >= INPUTS
    assert edges >= EDGES_MIN


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text[-3_000:]
    return match[1]
