"""Each rule of the fence protocol, taken out of the real code once, is missed by its test."""

import os
import subprocess
import sys

import pytest

from ops.model.rules import RULES
from tests.mutation.session import ROOT
from tests.removals.session import without
from tests.removals.table import DEPTH, REMOVALS


def test_every_rule_has_a_removal_and_every_removal_a_rule() -> None:
    rules = {rule.name for rule in RULES}
    assert {removal.rule for removal in REMOVALS} == rules | DEPTH.keys()


@pytest.mark.parametrize(
    "removal", REMOVALS, ids=lambda removal: f"{removal.rule}-{removal.within}"
)
def test_removal_stands_where_it_says(removal: object) -> None:
    compile(without(removal), "removal", "exec")  # type: ignore[arg-type]


@pytest.mark.timeout(120)
def test_every_removal_is_missed_by_its_test() -> None:
    tests = sorted({removal.test for removal in REMOVALS})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--removals", *tests]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3_000:] + done.stdout[-3_000:]
