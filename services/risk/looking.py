"""What the sources see, once a ping: all but their samples is carried out here.

Samples are handed on, since what they lead to is the guard's; alerts, what is to be kept, effects
for the edges of sources, and the level of degradation (DG-4) need nobody's decision any more.
"""

from collections.abc import Iterable, Iterator

from services.risk.authority import Authority
from services.risk.degradation import LevelShift
from services.risk.notes import Notes, Severity
from services.risk.samples import Sample
from services.risk.source import Notice
from services.risk.writes import Writes
from shared.effects import Effect
from shared.level import rank
from shared.risk_schema import Kept
from shared.units import Instant

LEVEL_RUNBOOK = "degradation"


def samples_of(
    seen: Iterable[Sample | Notice | LevelShift | Kept | Effect],
    authority: Authority,
    notes: Notes,
    writes: Writes,
    out: list[Effect],
    now: Instant,
) -> Iterator[Sample]:
    """Yield the samples among what is seen, and carry out the rest."""
    for one in seen:
        if isinstance(one, Notice):
            notes.alert(one.severity, one.name, one.text, one.runbook, now)
        elif isinstance(one, LevelShift):
            _shift(one, authority, notes, now)
        elif isinstance(one, Kept):
            writes.add(one)
        elif isinstance(one, Effect):
            out.append(one)
        else:
            yield one


def _shift(shift: LevelShift, authority: Authority, notes: Notes, now: Instant) -> None:
    """Take the level that every ping repeats from now on, and tell of it with its cause."""
    authority.level = shift.after
    notes.transition("level", shift.before, shift.after, shift.cause, now)
    is_worse = rank(shift.after) >= rank("EMERGENCY")
    severity: Severity = "critical" if is_worse else "warning"
    text = f"{shift.before} to {shift.after}: {shift.cause}"
    notes.alert(severity, f"level {shift.after}", text, LEVEL_RUNBOOK, now)
