"""Recovery validation: everything that must hold before trading resumes, as one list.

One function, looked at after every fence and shown item by item; nothing else decides that
trading may resume. What depends on something stands behind it, in the order of the flow: feeds,
state and what it vouches for, strategies, execution; so the first item that does not hold is where
to look. Holds no state: the facts are handed in.
"""

import msgspec

from shared.operator import RecoveryCheck
from shared.units import NS_PER_MS

MOVED = "like the last known good"
"""Name of the item that a price which moved far while nothing was traded fails (NET-3)."""


class RecoveryFacts(msgspec.Struct, frozen=True):
    """What the check list is judged by.

    Attributes:
        latches: Account's latches that hold.
        pauses: Account's pauses that hold; unclean: conditions not clean for long enough.
        fence_waits_for: What the newest fence still waits for, empty when zero is proven.
        feeds: Needed feeds that do not answer or do not call themselves ready, each with why;
            state, strategies and execution likewise. A strategy stops itself alone, so those hold
            nothing back.
        view_age_ns: Of state's hot view; None when it never spoke.
        valid_markets: Markets that state vouches for.
        executions: Executions that have not exited.
        start_state: What execution's start waits for; empty once it has proven its start.
        reconciled: Whether execution has reconciled since the fence began.
        asked: Whether an ask of execution answers a ping that counts.
        beat_trouble: Why the dead-man switch does not admit, empty when it does.
        cancel_trouble: Why the own cancel path is not sure to work, empty when it is.
        epoch_durable: Whether the next epoch may carry a grant.
        database_trouble: Empty when the database is written.
        thin, out_of_range, gap, future, wrong_market, moved: What is wrong with the data, by
            `data_sanity.py`; empty when nothing is.
        interest: Likewise of open interest; interest_used: whether any strategy uses it.
        wrong_strategies: Strategies that answer, are held by nothing, and are in no right state.
        alerts: What execution tells that must be looked at before anything is placed.
    """

    latches: tuple[str, ...]
    pauses: tuple[str, ...]
    unclean: tuple[str, ...]
    fence_waits_for: str
    feeds: tuple[str, ...]
    state: tuple[str, ...]
    strategies: tuple[str, ...]
    execution: tuple[str, ...]
    view_age_ns: int | None
    view_age_ns_max: int
    valid_markets: int
    executions: int
    start_state: str
    reconciled: bool
    asked: bool
    beat_trouble: str
    cancel_trouble: str
    epoch_durable: bool
    database_trouble: str
    thin: str = ""
    out_of_range: str = ""
    gap: str = ""
    future: str = ""
    wrong_market: str = ""
    moved: str = ""
    interest: str = ""
    interest_used: bool = False
    wrong_strategies: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()


def check_recovery(facts: RecoveryFacts) -> tuple[RecoveryCheck, ...]:
    """Return every item of the check list, whether it holds, and what was seen."""
    age = facts.view_age_ns
    fresh = age is not None and age < facts.view_age_ns_max
    age_text = "never heard of" if age is None else f"{age // NS_PER_MS} ms old"
    return (
        _names("nothing latched", facts.latches),
        _names("nothing paused", facts.pauses),
        _names("data clean for long enough", facts.unclean),
        _text("zero proven", facts.fence_waits_for, "proven"),
        _names("feeds answering", facts.feeds),
        _names("state answering", facts.state),
        RecoveryCheck("hot view fresh", fresh, age_text),
        RecoveryCheck("a market vouched for", facts.valid_markets > 0, str(facts.valid_markets)),
        RecoveryCheck("strategies answering", True, ", ".join(facts.strategies) or "all"),
        _names("execution answering", facts.execution),
        RecoveryCheck("one execution", facts.executions == 1, str(facts.executions)),
        _text("execution's start proven", facts.start_state, "proven"),
        _holds("orders reconciled", facts.reconciled, "not since the fence began"),
        _holds("lease asked for", facts.asked, "no ask answers a ping that counts"),
        _text("dead-man switch armed", facts.beat_trouble, "acknowledged"),
        _text("own cancel path works", facts.cancel_trouble, "answered"),
        _holds("epoch reserved on disk", facts.epoch_durable, "the reservation is not written"),
        _text("risk database written", facts.database_trouble, "written"),
        _text("depth over its minimum", facts.thin, "deep enough"),
        _text("mark price in its range", facts.out_of_range, "inside"),
        _text("open interest in its range", facts.interest, _interest(facts)),
        _text("no gap", facts.gap, "none"),
        _text("timestamps sane", facts.future, "sane"),
        _text("active markets valid", facts.wrong_market, "valid"),
        _names("strategies in a right state", facts.wrong_strategies),
        _names("no alert in the way", facts.alerts),
        _text(MOVED, facts.moved, "consistent"),
    )


def _interest(facts: RecoveryFacts) -> str:
    return "inside" if facts.interest_used else "no strategy uses it"


def _names(name: str, found: tuple[str, ...]) -> RecoveryCheck:
    return RecoveryCheck(name, not found, ", ".join(found) if found else "none")


def _text(name: str, trouble: str, fine: str) -> RecoveryCheck:
    return RecoveryCheck(name, not trouble, trouble or fine)


def _holds(name: str, holds: bool, why_not: str) -> RecoveryCheck:
    return RecoveryCheck(name, holds, "yes" if holds else why_not)
