"""What goes wrong in a run with what is only read: price sockets, and the pace of discovery.

Drawn beside the other faults, so that a seed keeps what it had; at most one in a run, in every
second run.
"""

import msgspec

from ops.simulation.data_faults import DATA_FAULTS
from ops.simulation.faults import WARM_UP_NS, Fault, Plan
from services.simulator.chance import Chance
from services.simulator.faults.orders import FaultOrder
from shared.units import NS_PER_MS

READ_FAULTS: dict[str, tuple[FaultOrder, ...]] = {
    "prices-current-silent": (FaultOrder("silence", stream="price"),),
    "prices-older-silent": (FaultOrder("silence", stream="rtds"),),
    "prices-both-silent": (
        FaultOrder("silence", stream="price"),
        FaultOrder("silence", stream="rtds"),
    ),
    "prices-differ": (FaultOrder("move_price", stream="rtds", percent=1),),
    "prices-dropped": (FaultOrder("drop_prices", probability=0.2),),
    "key-refused": (
        FaultOrder("refuse_auth", text="auth_invalid"),
        FaultOrder("drop_streams", stream="price", count=1),
    ),
    "discovery-limited": (
        FaultOrder("refuse", method="GET", path="/markets", status=429, probability=0.5),
    ),
}
"""By the names that a run's plan uses."""

MOVING = ("prices-differ",)
"""Faults under which a socket tells what the oracle did not."""

LASTS_MS_RANGE = (500, 6_000)


def moves_prices(plan: Plan) -> bool:
    """Tell whether a socket may tell what the oracle did not."""
    return any(fault.mode in MOVING or fault.mode in DATA_FAULTS for fault in plan.schedule)


def with_read_faults(plan: Plan, chance: Chance) -> Plan:
    """Return a plan with one more fault of what is read, or as it was."""
    if plan.calm_from_ns <= WARM_UP_NS or not chance.happens(500_000):
        return plan
    names = tuple(READ_FAULTS)
    moment_ns = chance.between(WARM_UP_NS, plan.calm_from_ns)
    lasts_ns = chance.between(*LASTS_MS_RANGE) * NS_PER_MS
    fault = Fault(
        moment_ns,
        "venue_fault",
        lasts_ns=min(lasts_ns, plan.calm_from_ns - moment_ns + NS_PER_MS),
        mode=names[chance.below(len(names))],
    )
    schedule = sorted([*plan.schedule, fault], key=lambda one: one.moment_ns)
    return msgspec.structs.replace(plan, schedule=tuple(schedule))
