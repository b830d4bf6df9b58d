"""What is wrong with prices in a run: stamps, frames that are cut, a source that hangs.

They are drawn beside all other faults, so that a seed keeps what it had. Prices that jump are not
among them: an asset that jumped rests for a minute (CB-3), which is a run of its own.
"""

from typing import Final

import msgspec

from ops.simulation.faults import WARM_UP_NS, Fault, Plan
from services.simulator.chance import Chance
from services.simulator.faults.orders import FaultOrder
from shared.units import NS_PER_MS

SOMETIMES: Final = 0.3
TENTH: Final = 0.1
SPOT: Final = "chainlink"

DATA_FAULTS: Final[dict[str, tuple[FaultOrder, ...]]] = {
    "prices-ahead": (
        FaultOrder("shift_stamps", stream="price", delay_ms=8_000, probability=SOMETIMES),
    ),
    "prices-backwards": (
        FaultOrder("shift_stamps", stream="price", delay_ms=-4_000, probability=SOMETIMES),
    ),
    "prices-garbled": (FaultOrder("garble_frames", stream="price", probability=TENTH),),
    "older-prices-garbled": (FaultOrder("garble_frames", stream="rtds"),),
    "price-hangs": (
        FaultOrder("freeze_price", stream="price", event=SPOT),
        FaultOrder("move_price", event="pyth", percent=1),
    ),
}
"""By the names that a run's plan uses."""

HAS_ONE_PPM: Final = 500_000
LASTS_MS_RANGE: Final = (1_000, 12_000)
"""Long enough for a price that hangs to be found, which takes ten seconds."""


def with_data_faults(plan: Plan, chance: Chance) -> Plan:
    """Return a plan with perhaps one fault of the data more."""
    if plan.calm_from_ns <= WARM_UP_NS or not chance.happens(HAS_ONE_PPM):
        return plan
    names = tuple(DATA_FAULTS)
    name = names[chance.below(len(names))]
    lasts_ns = chance.between(*LASTS_MS_RANGE) * NS_PER_MS
    moment_ns = chance.between(WARM_UP_NS, plan.calm_from_ns)
    lasts_ns = min(lasts_ns, plan.calm_from_ns - moment_ns + NS_PER_MS)
    fault = Fault(moment_ns, "venue_fault", lasts_ns=lasts_ns, mode=name)
    schedule = sorted([*plan.schedule, fault], key=lambda each: each.moment_ns)
    return msgspec.structs.replace(plan, schedule=tuple(schedule), garbles=True)
