"""What the venue does wrong in a run besides refusing: answers, settlement, and rates.

Each strikes for a while, by chance, at whatever is there then. Those that the catalogue of real
users' reports holds are switched on by their names there; these are more.
"""

import msgspec

from ops.simulation.data_faults import DATA_FAULTS
from ops.simulation.faults import WARM_UP_NS, Fault, Kind, Plan
from ops.simulation.read_faults import READ_FAULTS
from services.simulator.chance import Chance
from services.simulator.faults.orders import FaultOrder
from services.simulator.faults.quirks import QUIRKS
from shared.units import NS_PER_MS

HALF = 0.5
POST = "POST"
DELETE = "DELETE"
ORDER = "/order"
"""Prefix of the paths of one order and of several."""

TRADES = "/data/trades"
HTML_PAGE = "<html><head><title>502 Bad Gateway</title></head></html>"

DRAINED = 1_000_000
"""More tokens than any bucket has."""

CROSSES_MS = 150
"""A frame so late is behind the ones that came of it."""

DIES_MS = 1_200
"""A stream says nothing for so long and breaks then: what was filled meanwhile, nobody tells."""

_READS = ("/data/orders", TRADES, "/balance-allowance")


def _reads_fail(status: int, text: str) -> tuple[FaultOrder, ...]:
    return tuple(
        FaultOrder("replace_reply", method="GET", path=path, status=status, text=text)
        for path in _READS
    )


VENUE_FAULTS: dict[str, tuple[FaultOrder, ...]] = {
    **{
        f"posts-{name}": (
            FaultOrder("quirk_posts", method=POST, path=ORDER, probability=HALF, text=name),
        )
        for name in QUIRKS
    },
    "posts-html": (
        FaultOrder(
            "replace_reply",
            method=POST,
            path=ORDER,
            probability=HALF,
            status=200,
            text=HTML_PAGE,
        ),
    ),
    "posts-cut": (FaultOrder("truncate_reply", method=POST, path=ORDER, probability=HALF),),
    "cancels-cut": (FaultOrder("truncate_reply", method=DELETE, probability=HALF),),
    "cancels-html": (
        FaultOrder("replace_reply", method=DELETE, probability=HALF, status=502, text=HTML_PAGE),
    ),
    "reads-empty": _reads_fail(200, "[]"),
    "reads-null": _reads_fail(200, "null"),
    "reads-html": _reads_fail(502, HTML_PAGE),
    "stream-says-the-other-end": (FaultOrder("other_end", stream="user", probability=HALF),),
    "confirmed-then-failed": (FaultOrder("undo_settlement", probability=HALF),),
    "failed-and-denied": (
        FaultOrder("fail_settlement", probability=HALF),
        FaultOrder("other_end", stream="user"),
    ),
    "stream-in-seconds": (FaultOrder("stamp_seconds", stream="user"),),
    "stream-spelt-loosely": (FaultOrder("loose_fields", stream="user", probability=HALF),),
    "stream-out-of-order": (
        FaultOrder("delay_frames", stream="user", probability=HALF, delay_ms=CROSSES_MS),
    ),
    "stream-told-twice": (FaultOrder("double_frames", stream="user", probability=HALF),),
    "stream-unreadable": (FaultOrder("garble_own", stream="user", probability=HALF),),
    "fill-in-a-drop": (
        FaultOrder("silence", stream="user"),
        FaultOrder("drop_streams", stream="user", after_ms=DIES_MS, count=1),
    ),
    "posts-drained": (FaultOrder("drain_orders", rows=DRAINED),),
    "cancels-drained": (FaultOrder("drain_cancels", rows=DRAINED, probability=0.8),),
}
"""By the names that a run's plan uses."""


_MARKET = "market"
_TENTH = 0.1
MARKET_FRAMES: dict[str, tuple[FaultOrder, ...]] = {
    "market-frames-lost": (FaultOrder("lose_frames", stream=_MARKET, probability=_TENTH),),
    "market-frames-doubled": (FaultOrder("double_frames", stream=_MARKET, probability=_TENTH),),
    "market-frames-late": (
        FaultOrder("delay_frames", stream=_MARKET, probability=_TENTH, delay_ms=120),
    ),
    "market-hashes-wrong": (FaultOrder("corrupt_hash", stream=_MARKET, probability=HALF),),
    "market-books-crossed": (FaultOrder("cross_book", stream=_MARKET, probability=_TENTH),),
    "market-sides-empty": (FaultOrder("empty_side", stream=_MARKET, probability=_TENTH),),
}
"""What a network and a venue do to frames of books: asked for by name, since each costs every
market its book for a moment and a run of chance would hardly trade any more."""


REPORTED = (
    "ghost-fills",
    "canceled-then-filled",
    "events-cross",
    "slow-settlement",
    "trade-before-reply",
    "ended-orders-hidden",
    "lists-capped",
    "success-without-id",
    "execution-failed",
    "match-delayed",
    "rate-limited",
)
"""Entries of the catalogue that strike in a run too."""

GARBLING = (
    "reads-",
    "stream-unreadable",
    "success-without-id",
    "execution-failed",
    "ended-orders-hidden",
)
"""How the names begin of faults after which a feed may have met what it cannot read."""

LYING = ("stream-says-the-other-end", "confirmed-then-failed", "failed-and-denied")
"""Faults that make a trade's end uncertain: a sell of what was confirmed may be refused."""

EVENTS_RANGE = (1, 3)
LASTS_MS_RANGE = (500, 6_000)


def orders_of(name: str, lasts_ns: int) -> tuple[FaultOrder, ...]:
    """Return what is asked of the venue for a fault that lasts so long."""
    duration_ms = max(1, lasts_ns // NS_PER_MS)
    orders = (VENUE_FAULTS | READ_FAULTS | DATA_FAULTS | MARKET_FRAMES)[name]
    return tuple(msgspec.structs.replace(order, duration_ms=duration_ms) for order in orders)


def tells_lies(plan: Plan) -> bool:
    """Tell whether the venue may name ends of trades that are none."""
    return any(fault.mode in LYING for fault in plan.schedule)


def with_venue_faults(plan: Plan, chance: Chance) -> Plan:
    """Return a plan with a few faults of the venue more, at their own moments.

    They are drawn beside the others, so that a seed keeps what it had.
    """
    if plan.calm_from_ns <= WARM_UP_NS:
        return plan
    names = (*VENUE_FAULTS, *REPORTED)
    faults: list[Fault] = []
    for _ in range(chance.between(*EVENTS_RANGE)):
        name = names[chance.below(len(names))]
        moment_ns = chance.between(WARM_UP_NS, plan.calm_from_ns)
        lasts_ns = chance.between(*LASTS_MS_RANGE) * NS_PER_MS
        kind: Kind = "entry" if name in REPORTED else "venue_fault"
        lasts_ns = min(lasts_ns, plan.calm_from_ns - moment_ns + NS_PER_MS)
        faults.append(Fault(moment_ns, kind, lasts_ns=lasts_ns, mode=name))
    schedule = sorted([*plan.schedule, *faults], key=lambda fault: fault.moment_ns)
    garbles = plan.garbles or any(fault.mode.startswith(GARBLING) for fault in faults)
    return msgspec.structs.replace(plan, schedule=tuple(schedule), garbles=garbles)
