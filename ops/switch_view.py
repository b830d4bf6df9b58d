"""Every switch of the table with what is known of it now: tripped first, then what has bad samples.

Pure: rows of risk's answer laid beside the table. A row that risk has not answered for is
UNKNOWN, never clear.
"""

from typing import Literal

import msgspec

from shared.operator import SwitchDetail, SwitchList
from shared.switches import BY_NAME, SWITCHES, Switch

Condition = Literal["latched", "paused", "tripped", "seen", "clear", "unknown"]

ORDER: tuple[Condition, ...] = ("latched", "paused", "tripped", "seen", "unknown", "clear")
"""Tripped first; `seen` has bad samples that do not trip it yet."""


class SwitchLine(msgspec.Struct, frozen=True):
    """One line of the list.

    Attributes:
        scope: Kind and id of what it holds; the widest scope of the row when it is clear.
        since_wall_ns: 0 while it is not tripped.
        reason: Why it tripped; evidence: what was seen.
        samples: `bad of needed of m` in words; empty when nothing is sampled.
        blockers: What a resume would be refused for.
        resumes: What ends it.
    """

    name: str
    requirement: str
    condition: Condition
    scope: str
    state: str
    version: int
    since_wall_ns: int
    reason: str
    evidence: str
    samples: str
    blockers: tuple[str, ...]
    resumes: str
    runbook: str


def lines_of(seen: SwitchList | None) -> tuple[SwitchLine, ...]:
    """Return every row of the table, and whatever is tripped that no row knows.

    Args:
        seen: Risk's answer; None when it gave none.
    """
    if seen is None:
        return tuple(_idle(switch, "unknown") for switch in SWITCHES)
    found = [
        *_tripped(seen),
        *_only_seen(seen),
    ]
    named = {line.name for line in found}
    found += [_idle(switch, "clear") for switch in SWITCHES if switch.name not in named]
    return tuple(sorted(found, key=lambda line: ORDER.index(line.condition)))


def samples_words(detail: SwitchDetail) -> str:
    """Return how many samples are bad, of how many, and how many trip it."""
    if not detail.of:
        return ""
    return f"{detail.bad} of {detail.of} bad, {detail.needed} trip"


def _tripped(seen: SwitchList) -> list[SwitchLine]:
    details = {(one.name, one.scope, one.scope_id): one for one in seen.details}
    found = []
    for row in seen.switches:
        switch = BY_NAME.get(row.name)
        detail = details.get((row.name, row.scope, row.scope_id))
        condition: Condition = "latched" if row.kind == "latch" else "paused"
        if switch is not None and switch.state == "ACTIVE":
            condition = "tripped"
        found.append(
            SwitchLine(
                name=row.name,
                requirement="" if switch is None else switch.requirement,
                condition=condition,
                scope=f"{row.scope} {row.scope_id}".strip(),
                state="HALTED" if switch is None else switch.state,
                version=row.version,
                since_wall_ns=row.since_wall_ns,
                reason=row.reason,
                evidence=row.evidence,
                samples="" if detail is None else samples_words(detail),
                blockers=() if detail is None else detail.blockers,
                resumes="operator" if switch is None else switch.resumes,
                runbook=row.name.replace("_", "-") if switch is None else switch.runbook,
            )
        )
    return found


def _only_seen(seen: SwitchList) -> list[SwitchLine]:
    """Return the conditions with bad samples that have not tripped."""
    tripped = {(row.name, row.scope, row.scope_id) for row in seen.switches}
    return [
        msgspec.structs.replace(
            _idle(BY_NAME[one.name], "seen"),
            scope=f"{one.scope} {one.scope_id}".strip(),
            reason=one.why,
            evidence=one.subject,
            samples=samples_words(one),
        )
        for one in seen.details
        if one.name in BY_NAME and (one.name, one.scope, one.scope_id) not in tripped
    ]


def _idle(switch: Switch, condition: Condition) -> SwitchLine:
    return SwitchLine(
        name=switch.name,
        requirement=switch.requirement,
        condition=condition,
        scope=switch.scope,
        state=switch.state,
        version=0,
        since_wall_ns=0,
        reason="",
        evidence="",
        samples="",
        blockers=(),
        resumes=switch.resumes,
        runbook=switch.runbook,
    )
