"""The recovery check list for people: every item, what holds back first."""

from pathlib import Path

import pytest
from rich.console import Console

from ops.cli.recovery_view import read_checks, render_checks
from shared.operator import RecoveryCheck


@pytest.mark.req("RV-2")
def test_every_item_is_shown_and_what_waits_stands_first() -> None:
    checks = (
        RecoveryCheck("zero proven", True, "proven"),
        RecoveryCheck("no gap", False, "messages of state were lost"),
    )
    console = Console(width=100)
    with console.capture() as capture:
        console.print(render_checks(checks))
    lines = capture.get()
    assert lines.index("no gap") < lines.index("zero proven")
    assert "messages of state were lost" in lines


def test_risk_that_does_not_answer_has_no_list(tmp_path: Path) -> None:
    assert read_checks(tmp_path) is None
