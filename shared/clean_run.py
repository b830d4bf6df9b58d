"""A clean run: how long a group has traded since the last thing that spoils a run.

Measured from the audit trail and from nothing else, so that risk, the command and a later
reader come to the same figure. Trading counts from the row that begins it to the fence that
ends it; what was cut off without a fence (a kill, a power cut) counts only up to the last row
before the next start. Source: requirement ST-8; the definition is our own.
"""

import msgspec

from shared.risk_schema import AuditEntry
from shared.units import WallNs

RISK_STARTED = "risk has started"
"""Cause of the fence with which every run of risk begins."""

CAPITAL = "capital"
"""Subject of the row that a step of the capital leaves in the trail."""

MODE = "mode"
"""Subject of the row that says in which mode a run of risk begins."""

ASKED_FOR = frozenset({"operator_halt", "operator_flatten"})
"""Latches that an operator sets because he wants to: they end trading and spoil nothing."""


class CleanRun(msgspec.Struct, frozen=True):
    """What the trail says up to one of its rows.

    Attributes:
        traded_ns: Time ACTIVE since `began_ns`, of stretches that are over.
        began_ns: Wall time of the row from which it counts: the last step of the capital, or
            what spoiled the run before; 0 for the beginning of the trail.
        active_ns: Wall time since when trading is granted; None while it is not.
        row_ns: Wall time of the newest row.
        mode: In which all of it was traded; empty before a row has said.
        spoiled_by: What spoiled the run before this one; empty when nothing has.
    """

    traded_ns: int = 0
    began_ns: int = 0
    active_ns: int | None = None
    row_ns: int = 0
    mode: str = ""
    spoiled_by: str = ""

    def after(self, entry: AuditEntry, wall_ns: WallNs) -> "CleanRun":
        """Return what holds after one more row of the trail."""
        run = self
        if entry.what == "trading_state":
            run = run._ended(wall_ns)
            if entry.after == "ACTIVE":
                run = msgspec.structs.replace(run, active_ns=wall_ns)
        elif entry.kind == "fence" and entry.what == "fence":
            run = run._ended(run.row_ns if entry.cause == RISK_STARTED else wall_ns)
        if entry.what == MODE:
            run = run._ended(run.row_ns)
            if entry.after != run.mode:
                run = CleanRun(began_ns=wall_ns, mode=entry.after)
        elif entry.what == CAPITAL and entry.after:
            run = run._anew(wall_ns, "")
        elif spoils(entry):
            run = run._anew(wall_ns, f"{entry.what} {entry.after}: {entry.cause}"[:300])
        return msgspec.structs.replace(run, row_ns=wall_ns)

    def so_far_ns(self, wall_ns: WallNs) -> int:
        """Return the time traded clean up to a moment, the present stretch included."""
        return self._ended(wall_ns).traded_ns

    def _ended(self, at_ns: int) -> "CleanRun":
        """End the present stretch; a clock that went back makes nothing longer."""
        if self.active_ns is None:
            return self
        traded_ns = self.traded_ns + max(0, at_ns - self.active_ns)
        return msgspec.structs.replace(self, traded_ns=traded_ns, active_ns=None)

    def _anew(self, at_ns: int, spoiled_by: str) -> "CleanRun":
        """Begin a run anew; what trades goes on trading."""
        active_ns = None if self.active_ns is None else at_ns
        return CleanRun(began_ns=at_ns, active_ns=active_ns, mode=self.mode, spoiled_by=spoiled_by)


def spoils(entry: AuditEntry) -> bool:
    """Tell whether a row spoils a run: a latch that nobody asked for, or a process killed."""
    if entry.kind == "transition" and entry.after == "killed":
        return True
    return entry.after == "latched" and entry.what not in ASKED_FOR
