"""Perpetual futures in a run: their settings, what goes wrong with them, and what must follow.

Their faults are drawn beside the others, so that a seed keeps what it had. None of them may stop
trading for longer than it lasts: no order rests on these data, and the level alone falls.
"""

import msgspec

from ops.simulation.faults import WARM_UP_NS, Fault, Plan
from services.simulator.chance import Chance
from services.simulator.faults.orders import FaultOrder
from shared.config import Config, PerpSettings
from shared.perps.wire import PERP_STREAM_PATH
from shared.units import NS_PER_MS

PERP_FAULTS: dict[str, tuple[FaultOrder, ...]] = {
    "perps-silent": (FaultOrder("silence", stream="perp"),),
    "perp-books-silent": (FaultOrder("silence", stream="perp", asset="l2Book"),),
    "perp-contexts-silent": (FaultOrder("silence", stream="perp", asset="activeAssetCtx"),),
    "perp-interest-negative": (FaultOrder("negate_interest", stream="perp"),),
    "perp-frames-lost": (FaultOrder("lose_frames", stream="perp", probability=0.5),),
    "perp-frames-doubled": (FaultOrder("double_frames", stream="perp", probability=0.5),),
    "perp-answers-cut": (FaultOrder("truncate_reply", method="POST", path="/info"),),
    "perps-dropped": (FaultOrder("drop_streams", stream="perp", count=1),),
}
"""By the names that a run's plan uses."""

GARBLING = ("perp-interest-negative", "perp-answers-cut")
"""Faults after which the feed may have met what it cannot use."""

EVENTS_RANGE = (1, 2)
LASTS_MS_RANGE = (500, 6_000)


def with_perps(config: Config) -> Config:
    """Return settings with which the simulated venue's perpetual futures are read."""
    url = config.venue.clob_url
    settings = PerpSettings(
        enabled=True,
        socket_url=url.replace("http", "ws", 1) + PERP_STREAM_PATH,
        info_url=url,
        context_stale_ms=3_000,
        book_stale_ms=7_000,
    )
    return msgspec.structs.replace(config, perp=settings)


def perp_orders(name: str, lasts_ns: int) -> tuple[FaultOrder, ...]:
    """Return what is asked of the venue for a fault that lasts so long."""
    duration_ms = max(1, lasts_ns // NS_PER_MS)
    return tuple(
        msgspec.structs.replace(order, duration_ms=duration_ms) for order in PERP_FAULTS[name]
    )


def with_perp_faults(plan: Plan, chance: Chance) -> Plan:
    """Return a plan with one or two faults of perpetual futures more."""
    if plan.calm_from_ns <= WARM_UP_NS:
        return plan
    names = tuple(PERP_FAULTS)
    faults: list[Fault] = []
    for _ in range(chance.between(*EVENTS_RANGE)):
        moment_ns = chance.between(WARM_UP_NS, plan.calm_from_ns)
        lasts_ns = chance.between(*LASTS_MS_RANGE) * NS_PER_MS
        lasts_ns = min(lasts_ns, plan.calm_from_ns - moment_ns + NS_PER_MS)
        name = names[chance.below(len(names))]
        faults.append(Fault(moment_ns, "venue_fault", lasts_ns=lasts_ns, mode=name))
    schedule = sorted([*plan.schedule, *faults], key=lambda fault: fault.moment_ns)
    garbles = plan.garbles or any(fault.mode in GARBLING for fault in faults)
    return msgspec.structs.replace(plan, schedule=tuple(schedule), garbles=garbles)
