"""The recovery check list as `interlock status` shows it, item by item (RV-2)."""

from pathlib import Path

from rich.console import Group

from ops.cli.output import table
from ops.control import ask
from shared.operator import RecoveryCheck, Status, StatusReport

WITHIN_S = 1.0
"""Risk answers at once or it hangs; the rest of the status waits for nobody."""


def read_checks(run_directory: Path) -> tuple[RecoveryCheck, ...] | None:
    """Return the check list as risk sees it now; None when it does not answer."""
    reply = ask(run_directory, Status(), WITHIN_S)
    return reply.recovery if isinstance(reply, StatusReport) else None


def render_checks(checks: tuple[RecoveryCheck, ...]) -> Group:
    """Return every item, what holds back first."""
    rows = [
        (check.name, "holds" if check.holds else "WAITS", check.detail)
        for check in sorted(checks, key=lambda check: check.holds)
    ]
    return table("before trading resumes", ("item", "", "seen"), rows)
