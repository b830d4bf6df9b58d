"""What the audit trail of a paper group proves: for a first live step, or a strategy's return."""

from pathlib import Path

from bus.audit import NotProven, RiskTrail
from bus.ledger_reader import Unreadable
from ops.cli.output import FAILED, fail
from shared.clean_run import CleanRun
from shared.operator import PaperRun
from shared.risk_schema import RISK_FILE, AuditRow
from shared.units import NS_PER_S, WallNs

PAPER = "paper"


def paper_run(data: Path, *, as_json: bool) -> PaperRun:
    """Return what the trail of a paper group says, every hash of it proven; or end."""
    run = CleanRun()

    def take(row: AuditRow) -> None:
        nonlocal run
        run = run.after(row.entry, WallNs(row.wall_ns))

    proven = RiskTrail(data / RISK_FILE).prove(take)
    if isinstance(proven, Unreadable):
        fail(f"{data}: unknown: {proven.why}: {proven.detail}", FAILED, as_json=as_json)
    if isinstance(proven, NotProven):
        fail(f"{data}: not proven at row {proven.sequence}: {proven.what}", as_json=as_json)
    if run.mode != PAPER or not proven.rows:
        mode = run.mode or "nothing that its trail names"
        fail(f"{data}: this group ran in mode {mode}, not paper", as_json=as_json)
    clean_s = run.so_far_ns(WallNs(run.row_ns)) // NS_PER_S
    return PaperRun(clean_s, proven.rows, proven.last_hash, run.began_ns)
