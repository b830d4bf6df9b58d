"""What goes wrong in a run: how often, and when.

A seed draws which kinds of fault it has at all (most runs have some, few have all: faults
that always come together hide each other), how likely each is, and a schedule of those
that have a moment: a process killed or stopped at its n-th effect, a line cut, the venue
refusing, an operator's halt. The last part of a run is quiet, so that convergence can be
judged.
"""

from typing import Literal

import msgspec

from services.simulator.chance import Chance
from shared.identifiers import Component
from shared.topics import (
    EXECUTION,
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_PRICE,
    FEED_USER,
    MARKET_MAKING,
    RISK,
    STATE,
)
from shared.units import NS_PER_MS, NS_PER_S

Kind = Literal[
    "kill",
    "stop",
    "cut_line",
    "drop_streams",
    "stall_streams",
    "disk_fails",
    "disk_slow",
    "venue_mode",
    "fail_settlement",
    "entry",
    "venue_fault",
    "host",
    "visitor",
    "other_release",
    "clock_step",
    "halt",
    "resume",
]

WARM_UP_NS = 9 * NS_PER_S
"""Before this nothing is scheduled: start-up alone is a test of its own."""

QUIET_NS = 14 * NS_PER_S
"""The end of a run without new faults: a reconciliation period, a start-up and a margin."""

EVENTS_RANGE = (3, 8)
"""Events with a moment in one run; more leave no time to trade between them."""

EFFECTS_BEFORE_MAX = 12
"""A process dies or stops after up to so many further effects: between any two of a turn."""

POSTS_BEFORE_MAX = 4
"""Likewise, counting posts alone."""

AT_ONCE = "at_once"
"""Mode of a kill that waits for no effect: the process dies whatever it is waiting for."""

POST = "PlaceOrder"
"""How the types of the effects begin that post an order, or several."""

STOP_NS_RANGE = (50 * NS_PER_MS, 1_400 * NS_PER_MS)
STOP_LONG_NS_RANGE = (1_400 * NS_PER_MS, 5 * NS_PER_S)
SLEEP_MS_RANGE = (410, 800)
BLOW_MS_RANGE = (100, 420)
"""Execution sleeps for more than its lease, and risk goes before it has noticed that."""

VENUE_MODES = ("429", "425", "503")


class Rates(msgspec.Struct):
    """Probabilities, in parts per million of the messages they concern, and spans.

    Changes in place: all parts of a run look at the same one, and it calms down at the end.

    Attributes:
        fact_lost: A published fact never reaches one of its readers.
        fact_doubled: It reaches a reader twice.
        fact_delayed: It, and what follows on its link, is late by up to `delay_ns_max`.
        ping_lost: A message of the control line is lost, as at a reconnection.
        ping_delayed: Likewise late.
        request_lost: The venue never sees a request; the sender hears nothing.
        request_late: It lands late: the kernel retransmits, even after the sender died.
        reply_lost: The venue did what was asked; its answer is lost.
        connection_reset: The connection breaks with the answer on its way.
        reply_slow: The answer is late by up to `delay_ns_max`.
    """

    fact_lost: int = 0
    fact_doubled: int = 0
    fact_delayed: int = 0
    ping_lost: int = 0
    ping_delayed: int = 0
    request_lost: int = 0
    request_late: int = 0
    reply_lost: int = 0
    connection_reset: int = 0
    reply_slow: int = 0
    delay_ns_max: int = 80 * NS_PER_MS
    late_ns_max: int = 1_900 * NS_PER_MS

    def calm_down(self) -> None:
        """Let nothing go wrong from now on."""
        for name, _ in _RATE_LIMITS:
            setattr(self, name, 0)


_RATE_LIMITS: tuple[tuple[str, int], ...] = (
    ("fact_lost", 600),
    ("fact_doubled", 2_000),
    ("fact_delayed", 2_000),
    ("ping_lost", 30_000),
    ("ping_delayed", 30_000),
    ("request_lost", 15_000),
    ("request_late", 30_000),
    ("reply_lost", 20_000),
    ("connection_reset", 15_000),
    ("reply_slow", 40_000),
)


class Fault(msgspec.Struct, frozen=True):
    """One fault with a moment.

    Attributes:
        moment_ns: When it begins, or, with `effects_before`, from when effects are counted.
        target: Component; empty where none is meant.
        lasts_ns: How long a stop, a cut, a stall or a mode lasts; by how much a clock is set.
        effects_before: Effects that the target still applies before it is killed or stopped.
        before: How the type of the effects that are counted begins; empty for all.
        mode: Status that the venue answers with in `venue_mode`, or name of an `entry` or of a
            `venue_fault`, what is wrong with the `host`, what a `visitor` asks, or how a process
            is killed.
    """

    moment_ns: int
    kind: Kind
    target: Component = Component("")
    lasts_ns: int = 0
    effects_before: int = 0
    before: str = ""
    mode: str = ""


class Plan(msgspec.Struct, frozen=True):
    """All faults of one run.

    Attributes:
        calm_from_ns: From when nothing goes wrong by chance either.
        garbles: Whether the venue may send what nobody can read.
        kills: Whether risk can kill a hung execution; what rests on it then rests on less.
    """

    rates: Rates
    schedule: tuple[Fault, ...]
    calm_from_ns: int
    kills: bool = True
    garbles: bool = False


def no_faults() -> Plan:
    """Return the plan of a calm run."""
    return Plan(Rates(), (), 0)


# Execution and risk carry the promises, so most of what happens happens to them.
_TARGETS: tuple[Component, ...] = (
    *(EXECUTION,) * 8,
    *(RISK,) * 4,
    STATE,
    MARKET_MAKING,
    FEED_MARKET,
    FEED_USER,
    FEED_PRICE,
    FEED_DISCOVERY,
)


def draw(chance: Chance, length_ns: int) -> Plan:
    """Return the faults of one run of a length."""
    rates = Rates(
        **{
            name: chance.between(limit // 10, limit)
            for name, limit in _RATE_LIMITS
            if chance.happens(600_000)
        }
    )
    last_ns = length_ns - QUIET_NS
    if last_ns <= WARM_UP_NS:
        return Plan(rates, (), max(0, last_ns))
    kills = chance.happens(500_000)
    faults: list[Fault] = []
    for _ in range(chance.between(*EVENTS_RANGE)):
        faults += _draw_fault(chance, WARM_UP_NS, last_ns)
    return Plan(rates, tuple(sorted(faults, key=lambda fault: fault.moment_ns)), last_ns, kills)


def _draw_fault(chance: Chance, first_ns: int, last_ns: int) -> list[Fault]:
    """Return one fault, or several that make one event together."""
    moment_ns = chance.between(first_ns, last_ns)
    drawn = chance.below(100)
    if drawn < 42:
        return [_draw_blow(chance, moment_ns)]
    if drawn < 55:
        return _draw_both(chance, moment_ns)
    if drawn < 61:
        target = _TARGETS[chance.below(len(_TARGETS))]
        return [Fault(moment_ns, "cut_line", target, chance.between(100, 1500) * NS_PER_MS)]
    if drawn < 69:
        feed = (FEED_MARKET, FEED_USER, FEED_PRICE)[chance.below(3)]
        kind: Kind = "drop_streams" if chance.happens(500_000) else "stall_streams"
        return [Fault(moment_ns, kind, feed, chance.between(500, 4000) * NS_PER_MS)]
    if drawn < 73:
        return _draw_disk(chance, moment_ns)
    if drawn < 76:
        return [Fault(moment_ns, "fail_settlement")]
    if drawn < 87:
        return _draw_refusals(chance, moment_ns)
    return _draw_operator(chance, moment_ns, last_ns)


def _draw_blow(chance: Chance, moment_ns: int) -> Fault:
    """Return a kill or a stop of one process, between any two of its effects.

    For execution often directly before a post: there everything has been decided and written
    down, and nothing has left.
    """
    target = _TARGETS[chance.below(len(_TARGETS))]
    effects, before = chance.below(EFFECTS_BEFORE_MAX), ""
    if target == EXECUTION and chance.happens(600_000):
        effects, before = chance.below(POSTS_BEFORE_MAX), POST
    if chance.happens(450_000):
        return Fault(moment_ns, "kill", target, effects_before=effects, before=before)
    span = STOP_NS_RANGE if chance.happens(650_000) else STOP_LONG_NS_RANGE
    return Fault(moment_ns, "stop", target, chance.between(*span), effects, before)


def _draw_both(chance: Chance, moment_ns: int) -> list[Fault]:
    """Return a stop of execution during which risk dies or hangs.

    Execution wakes after its lease, to pings that were fresh when they were sent, and for a
    moment nobody corrects it: that moment is what the lease's counting is for.
    """
    stop = Fault(moment_ns, "stop", EXECUTION, chance.between(*SLEEP_MS_RANGE) * NS_PER_MS)
    blow_ns = moment_ns + chance.between(*BLOW_MS_RANGE) * NS_PER_MS
    if chance.happens(500_000):
        return [stop, Fault(blow_ns, "kill", RISK)]
    return [stop, Fault(blow_ns, "stop", RISK, chance.between(*STOP_NS_RANGE))]


def _draw_refusals(chance: Chance, moment_ns: int) -> list[Fault]:
    """Return a venue that refuses for a while, and often a risk that hangs meanwhile.

    Then execution must cancel by itself while its posts are being refused.
    """
    mode = VENUE_MODES[chance.below(len(VENUE_MODES))]
    lasts_ns = chance.between(300, 3000) * NS_PER_MS
    faults = [Fault(moment_ns, "venue_mode", lasts_ns=lasts_ns, mode=mode)]
    if chance.happens(600_000):
        hangs_ns = chance.between(900, 2_500) * NS_PER_MS
        faults.append(Fault(moment_ns + chance.below(lasts_ns), "stop", RISK, hangs_ns))
    return faults


def _draw_operator(chance: Chance, moment_ns: int, last_ns: int) -> list[Fault]:
    """Return a halt with the resume that ends it, and sometimes a kill of risk between."""
    end_ns = min(last_ns, moment_ns + chance.between(3_000, 12_000) * NS_PER_MS)
    faults = [Fault(moment_ns, "halt"), Fault(end_ns, "resume")]
    if chance.happens(700_000) and end_ns > moment_ns:
        between_ns = chance.between(moment_ns, end_ns)
        effects = chance.below(EFFECTS_BEFORE_MAX)
        faults.append(Fault(between_ns, "kill", RISK, effects_before=effects))
    return faults


def _draw_disk(chance: Chance, moment_ns: int) -> list[Fault]:
    """Return a disk that fails, is slow, or first the one and then the other.

    Often execution dies while a commit is under way: it dies at once, whatever it does next.
    """
    fails = Fault(moment_ns, "disk_fails", EXECUTION, chance.between(10, 800) * NS_PER_MS)
    drawn = chance.below(100)
    if drawn < 30:
        return [fails]
    slow_ms = chance.between(400, 3_000)
    slow = Fault(moment_ns, "disk_slow", EXECUTION, slow_ms * NS_PER_MS)
    if drawn < 60:
        return [slow]
    if drawn < 75:
        return [slow, fails]
    dies_ns = moment_ns + chance.below(slow_ms) * NS_PER_MS
    return [slow, Fault(dies_ns, "kill", EXECUTION, mode=AT_ONCE)]
