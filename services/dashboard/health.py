"""Readiness check by check: what must hold before orders may pass, each with its age.

A check that fails fails at once. One that has failed `FAILURES_MAX` times in a row has an
action: it is alerted, and counts as failed until it has held `GOOD_NEEDED` times in a row, so
that what comes and goes does not pass for healthy between two looks.
"""

from collections.abc import Mapping

import msgspec

from services.dashboard.heard import Heard, Seen
from shared.config import Config
from shared.facts import ExecutionStatus, FeedStatus, RiskStatus
from shared.topics import (
    EXECUTION,
    FEED_DISCOVERY,
    FEED_MARKET,
    FEED_PERP,
    FEED_PRICE,
    FEED_USER,
    FEEDS,
    RISK,
)
from shared.topics import STATE as STATE_COMPONENT
from shared.trading_verdict import ACTIVE
from shared.units import NS_PER_MS, NS_PER_S, MonotonicNs

HEARD_NS_MAX = NS_PER_S
"""Statuses are repeated ten times a second; a second of silence is not live."""

FAILURES_MAX = 3
GOOD_NEEDED = 3
"""Looks, one each second: long enough that a requote is no alert, short enough for a person."""


class Check(msgspec.Struct, frozen=True):
    """One thing that must hold.

    Attributes:
        name: Stable, lower case.
        holds: Judged now, and not alerted any more.
        detail: What was seen, for people.
        age_ms: Of what was seen; None when nothing was, or it has no age.
        failures: Looks in a row at which it did not hold.
    """

    name: str
    holds: bool
    detail: str
    age_ms: int | None
    failures: int = 0


class Turned(msgspec.Struct, frozen=True):
    """A check that has passed its threshold, or is good again."""

    check: Check
    failed: bool


class _Count(msgspec.Struct):
    """How often a check has failed, and held since; until it first holds it counts as failed.

    Attributes:
        proven: Whether it has ever held often enough: a start is nothing to alert.
    """

    failures: int = 0
    good: int = 0
    failed: bool = True
    proven: bool = False


class Counts:
    """The memory of all checks, by name."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}

    def judge(self, looks: tuple[Check, ...]) -> tuple[tuple[Check, ...], tuple[Turned, ...]]:
        """Take one look at everything; return the checks as they count, and what has turned."""
        turned: list[Turned] = []
        for one in looks:
            count = self._counts.setdefault(one.name, _Count())
            if _add(count, holds=one.holds):
                turned.append(Turned(one, count.failed))
        return self.shown(looks), tuple(turned)

    def shown(self, looks: tuple[Check, ...]) -> tuple[Check, ...]:
        """Return the checks as they count, without counting this look."""
        return tuple(_shown(one, self._counts.get(one.name, _Count())) for one in looks)


def _shown(one: Check, count: _Count) -> Check:
    detail = one.detail
    if one.holds and count.failed:
        detail = f"{detail}; good {count.good} of {GOOD_NEEDED} times"
    holds = one.holds and not count.failed
    return Check(one.name, holds, detail, one.age_ms, count.failures)


def _add(count: _Count, *, holds: bool) -> bool:
    """Count one look; True when the check has turned."""
    if holds:
        count.failures = 0
        count.good += 1
    else:
        count.failures += 1
        count.good = 0
    if not count.failed and count.failures >= FAILURES_MAX:
        count.failed = True
        return True
    if count.failed and count.good >= GOOD_NEEDED:
        count.failed = False
        was, count.proven = count.proven, True
        return was
    return False


def evidence_limits_ms(config: Config) -> dict[str, int]:
    """Return for each feed how long its evidence may stay away, by the settings in force."""
    timing = config.timing
    return {
        FEED_MARKET: timing.market_stale_ms,
        FEED_USER: timing.user_stale_ms,
        FEED_PRICE: timing.oracle_pause_ms,
        FEED_DISCOVERY: config.markets.calendar_stale_ms,
        FEED_PERP: config.perp.context_stale_ms,
    }


def look(heard: Heard, limits_ms: Mapping[str, int], now_ns: MonotonicNs) -> tuple[Check, ...]:
    """Return every check of readiness as it is now."""
    risk = heard.newest("risk.status", RISK, RiskStatus)
    execution = heard.newest("execution.status", EXECUTION, ExecutionStatus)
    view_ns = heard.sent_ns("state.view", STATE_COMPONENT)
    feeds = [
        _feed(name, heard.newest("feed.status", name, FeedStatus), limits_ms[name], now_ns)
        for name in FEEDS
    ]
    return (
        _voice(RISK, risk, risk.body.trading_state if risk else "", now_ns),
        _voice(EXECUTION, execution, execution.body.trading_state if execution else "", now_ns),
        _fresh("hot view", view_ns, now_ns),
        *feeds,
    )


def _voice(
    name: str, seen: Seen[RiskStatus] | Seen[ExecutionStatus] | None, state: str, now_ns: int
) -> Check:
    """Judge whether risk or execution is heard and says ACTIVE."""
    if seen is None:
        return Check(name, False, "not heard", None)
    age_ns = seen.age_ns(now_ns)
    if age_ns > HEARD_NS_MAX:
        return Check(name, False, f"not heard any more, was {state}", age_ns // NS_PER_MS)
    return Check(name, state == ACTIVE, state, age_ns // NS_PER_MS)


def _fresh(name: str, sent_ns: int | None, now_ns: int) -> Check:
    if sent_ns is None:
        return Check(name, False, "not heard", None)
    age_ns = max(0, now_ns - sent_ns)
    words = "heard" if age_ns <= HEARD_NS_MAX else "not heard any more"
    return Check(name, age_ns <= HEARD_NS_MAX, words, age_ns // NS_PER_MS)


def _feed(name: str, seen: Seen[FeedStatus] | None, limit_ms: int, now_ns: int) -> Check:
    """Judge one feed: heard, connected, and with fresh evidence on one stream at least.

    A single silent stream stops its market alone, by risk's own switch; a feed of which every
    stream is silent stops all.
    """
    if seen is None:
        return Check(name, False, "not heard", None)
    age_ns = seen.age_ns(now_ns)
    if age_ns > HEARD_NS_MAX:
        return Check(name, False, "not heard any more", age_ns // NS_PER_MS)
    status = seen.body
    if not status.connected:
        return Check(name, False, status.cause or "disconnected", age_ns // NS_PER_MS)
    stamps = [row.evident_ns for row in status.evidence if row.evident_ns is not None]
    if not stamps:
        return Check(name, False, "no evidence yet", None)
    evidence_ms = max(0, now_ns - max(stamps)) // NS_PER_MS
    holds = evidence_ms <= limit_ms
    return Check(name, holds, "connected" if holds else "no evidence", evidence_ms)
