"""What happens to risk in a run besides deaths: its host, its visitors, its flock.

Drawn beside the other faults of a seed, so that those stay as they were.
"""

import msgspec

from ops.simulation import host, visitors
from ops.simulation.faults import AT_ONCE, WARM_UP_NS, Fault, Plan
from services.simulator.chance import Chance
from shared.identifiers import Component
from shared.topics import (
    EXECUTION,
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_USER,
    MARKET_MAKING,
    STATE,
)
from shared.units import NS_PER_MS

EVENTS_RANGE = (1, 3)
HOST_MS_RANGE = (1_500, 9_000)
VENUE_MS_RANGE = (800, 5_000)

LOOPS_MAX = 4
"""Crashes of one component in a row: one more than risk answers by a restart alone."""

LOOP_EVERY_MS_RANGE = (1_200, 2_500)
"""Between two of them: it has started again, and often begun to answer."""

TARGETS: tuple[Component, ...] = (
    EXECUTION,
    STATE,
    MARKET_MAKING,
    MARKET_MAKING,
    FEED_MARKET,
    FEED_USER,
    FEED_DISCOVERY,
)

RESTRICTIONS = (
    "closed-only",
    "banned",
    "region-blocked",
    "geoblock-unknown",
    "cancel-only",
    "trading-disabled",
    "restart",
)
"""Entries of the catalogue that stop everything for a while, or until an operator has looked."""


def with_risk_faults(plan: Plan, chance: Chance) -> Plan:
    """Return a plan with a few faults more of what risk watches."""
    if plan.calm_from_ns <= WARM_UP_NS:
        return plan
    faults: list[Fault] = []
    for _ in range(chance.between(*EVENTS_RANGE)):
        faults += _draw(chance, chance.between(WARM_UP_NS, plan.calm_from_ns), plan.calm_from_ns)
    schedule = sorted([*plan.schedule, *faults], key=lambda fault: fault.moment_ns)
    return msgspec.structs.replace(plan, schedule=tuple(schedule))


def _draw(chance: Chance, moment_ns: int, last_ns: int) -> list[Fault]:
    """Return one event."""
    drawn = chance.below(100)
    if drawn < 30:
        mode = host.MODES[chance.below(len(host.MODES))]
        lasts_ns = chance.between(*HOST_MS_RANGE) * NS_PER_MS
        return [Fault(moment_ns, "host", lasts_ns=min(lasts_ns, last_ns - moment_ns), mode=mode)]
    if drawn < 60:
        mode = visitors.MODES[chance.below(len(visitors.MODES))]
        return [Fault(moment_ns, "visitor", mode=mode)]
    if drawn < 72:
        return _draw_loop(chance, moment_ns, last_ns)
    if drawn < 80:
        target = TARGETS[chance.below(len(TARGETS))]
        # It comes back as another release than risk, and after a second death as the same.
        after_ns = chance.between(2_000, 6_000) * NS_PER_MS
        return [
            Fault(moment_ns, "other_release", target),
            Fault(min(last_ns, moment_ns + after_ns), "kill", target, mode=AT_ONCE),
        ]
    if drawn < 86:
        by_ms = chance.between(2_000, 60_000) * (1 if chance.happens(500_000) else -1)
        return [Fault(moment_ns, "clock_step", lasts_ns=by_ms * NS_PER_MS)]
    mode = RESTRICTIONS[chance.below(len(RESTRICTIONS))]
    lasts_ns = chance.between(*VENUE_MS_RANGE) * NS_PER_MS
    return [Fault(moment_ns, "entry", lasts_ns=min(lasts_ns, last_ns - moment_ns), mode=mode)]


def _draw_loop(chance: Chance, moment_ns: int, last_ns: int) -> list[Fault]:
    """Return a component that ends again and again."""
    target = TARGETS[chance.below(len(TARGETS))]
    faults: list[Fault] = []
    for _ in range(chance.between(2, LOOPS_MAX)):
        faults.append(Fault(min(moment_ns, last_ns), "kill", target, mode=AT_ONCE))
        moment_ns += chance.between(*LOOP_EVERY_MS_RANGE) * NS_PER_MS
    return faults
