"""What stands behind each switch: samples counted, evidence, what a resume would be refused for."""

from collections.abc import Callable

from services.risk.authority import Authority
from services.risk.breakers import Breakers
from shared.operator import LatchName, SwitchDetail

Blockers = Callable[[tuple[LatchName, ...]], tuple[str, ...]]


def switch_details(
    authority: Authority, breakers: Breakers, blockers: Blockers
) -> tuple[SwitchDetail, ...]:
    """Return the details of every latch and of every condition with a bad sample.

    Args:
        authority: Holds the latches.
        breakers: Hold the conditions.
        blockers: What stands against clearing latches now.
    """
    latched = []
    for row in authority.latches.rows():
        name = LatchName(row.name, row.scope, row.scope_id, row.version)
        blocks = blockers((name,))
        behind = breakers.behind((row.name, row.scope, row.scope_id))
        if not behind:
            latched.append(SwitchDetail(row.name, row.scope, row.scope_id, "", 0, 0, 0, "", blocks))
        latched += [
            SwitchDetail(
                row.name,
                row.scope,
                row.scope_id,
                condition.subject,
                condition.bad,
                condition.needed,
                condition.of,
                condition.why,
                blocks,
            )
            for condition in behind
        ]
    named = {(one.name, one.scope, one.scope_id) for one in latched}
    sampled = tuple(
        SwitchDetail(
            condition.name,
            condition.key[0],
            condition.key[1],
            condition.subject,
            condition.bad,
            condition.needed,
            condition.of,
            condition.why,
        )
        for condition in breakers.conditions()
        if condition.bad and (condition.name, *condition.key) not in named
    )
    return (*latched, *sampled)
