"""Makes the page's model out of what was heard: one look, plain data, every age in it."""

from typing import TypeVar

from services.dashboard.curves import Spread
from services.dashboard.health import HEARD_NS_MAX, Check
from services.dashboard.heard import Heard, Seen
from services.dashboard.market_panel import Known
from services.dashboard.model import (
    AlertRow,
    CheckRow,
    Component,
    Feed,
    Latency,
    Orders,
    Refusals,
    Strategy,
    SwitchRow,
    TransitionRow,
    Verdict,
)
from shared.facts import ExecutionStatus, FeedStatus, RiskStatus, StrategyStatus, SwitchStatus
from shared.identifiers import ConditionId
from shared.switches import BY_NAME, NEVER, PANIC, STRATEGY_DISABLED, SWITCHES
from shared.topics import EXECUTION, FEEDS, RISK, SIDE_FEEDS
from shared.trading_verdict import DRY_RUN, headline, is_active, reasons_not_trading
from shared.units import NS_PER_MS, NS_PER_US, Instant, MonotonicNs

S = TypeVar("S", RiskStatus, ExecutionStatus)


class Voices:
    """Risk and execution: what they said last, and what of it still counts."""

    def __init__(self, heard: Heard, now: Instant) -> None:
        """Take their newest words; those older than a second are not heard any more."""
        now_ns = now.monotonic_ns
        self.risk = heard.newest("risk.status", RISK, RiskStatus)
        self.execution = heard.newest("execution.status", EXECUTION, ExecutionStatus)
        self.risk_now = _live(self.risk, now_ns)
        self.execution_now = _live(self.execution, now_ns)
        self.strategies = {
            name: seen.body
            for name, seen in heard.of_topic("strategy.status", StrategyStatus).items()
        }

    @property
    def active(self) -> bool:
        """Whether both let orders pass, as of a second ago at most."""
        return is_active(self.risk_now, self.execution_now)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why no order of ours can be said to rest."""
        return reasons_not_trading(self.risk_now, self.execution_now, self.strategies)


def _live(seen: Seen[S] | None, now_ns: int) -> S | None:
    return None if seen is None or seen.age_ns(now_ns) > HEARD_NS_MAX else seen.body


def verdict(voices: Voices, now: Instant) -> Verdict:
    """Return whether we may trade, and why not."""
    risk_age = age_ms(voices.risk, now)
    execution_age = age_ms(voices.execution, now)
    known = risk_age is not None and execution_age is not None
    risk = None if voices.risk is None else voices.risk.body
    execution = None if voices.execution is None else voices.execution.body
    beat_ms = None
    if risk is not None and risk.beat_age_ns is not None and risk_age is not None:
        beat_ms = risk.beat_age_ns // NS_PER_MS + risk_age
    lease_ms = None
    if execution is not None and execution.lease_until_ns:
        lease_ms = (execution.lease_until_ns - now.boot_ns) // NS_PER_MS
    return Verdict(
        state=headline(voices.risk_now, voices.execution_now),
        active=voices.active,
        reasons=voices.reasons,
        age_ms=max(risk_age or 0, execution_age or 0) if known else None,
        risk_age_ms=risk_age,
        execution_age_ms=execution_age,
        epoch=None if risk is None else risk.epoch,
        fence=None if risk is None else risk.fence,
        fence_reason="" if risk is None else risk.fence_reason,
        beat_age_ms=beat_ms,
        lease_ms=lease_ms,
        dry_run=DRY_RUN if execution is not None and execution.dry_run else "",
    )


def orders(heard: Heard, now: Instant) -> Orders | None:
    """Return the counts of our orders; None when execution was never heard."""
    seen = heard.newest("execution.status", EXECUTION, ExecutionStatus)
    if seen is None:
        return None
    told = seen.body
    return Orders(
        open=told.open_orders,
        in_flight=told.in_flight,
        unknown=told.unknown,
        known=len(heard.orders),
        age_ms=seen.age_ns(now.monotonic_ns) // NS_PER_MS,
        reconciled_age_ms=_since(told.reconciled_ns, now),
    )


def components(heard: Heard, now: Instant) -> tuple[Component, ...] | None:
    """Return every process as risk sees it, risk included; None when risk was never heard."""
    seen = heard.newest("risk.status", RISK, RiskStatus)
    if seen is None:
        return None
    told_ms = seen.age_ns(now.monotonic_ns) // NS_PER_MS
    return tuple(
        Component(
            name=row.component,
            alive=row.alive,
            state=row.state,
            reason=row.reason,
            pid=row.pid,
            pong_age_ms=None if row.pong_age_ns is None else row.pong_age_ns // NS_PER_MS + told_ms,
            lag_us=row.loop_lag_ns // NS_PER_US,
            restarts=heard.restarts.get(row.component, 0),
        )
        for row in seen.body.components
    )


def switches(heard: Heard, known: Known) -> tuple[SwitchRow, ...] | None:
    """Return everything that is tripped; None when risk was never heard."""
    seen = heard.newest("risk.status", RISK, RiskStatus)
    if seen is None:
        return None
    return tuple(_switch(row, known) for row in seen.body.switches)


def switches_clear(heard: Heard) -> tuple[str, ...] | None:
    """Return the rows of the table that nothing has tripped; None when risk was never heard."""
    seen = heard.newest("risk.status", RISK, RiskStatus)
    if seen is None:
        return None
    tripped = {row.name for row in seen.body.switches}
    return tuple(switch.name for switch in SWITCHES if switch.name not in tripped)


def _switch(row: SwitchStatus, known: Known) -> SwitchRow:
    switch = BY_NAME.get(row.name)
    info = known.infos.get(ConditionId(row.scope_id))
    return SwitchRow(
        name=row.name,
        scope=f"{row.scope} {row.scope_id}".strip(),
        market=info.slug if info is not None else "",
        kind=row.kind,
        state="" if switch is None else switch.state,
        since_wall_ms=row.since_wall_ns // NS_PER_MS,
        reason=row.reason,
        evidence=row.evidence,
        trigger="" if switch is None else switch.trigger,
        resumes="" if switch is None else switch.resumes,
        command=_command(row),
        runbook=row.name.replace("_", "-") if switch is None else switch.runbook,
    )


def _command(row: SwitchStatus) -> str:
    """Return what an operator types to end a latch; empty for what ends by itself or never."""
    switch = BY_NAME.get(row.name)
    if row.name == PANIC.name:
        return 'interlock panic --clear --reason "..."'
    if row.name == STRATEGY_DISABLED.name:
        return f'interlock strategy enable {row.scope_id} --reason "..."'
    if row.kind != "latch" or (switch is not None and switch.resumes == NEVER):
        return ""
    scope = "" if row.scope == "account" else f" --scope {row.scope}:{row.scope_id}"
    return f'interlock resume{scope} --reason "..."'


def feeds(heard: Heard, limits_ms: dict[str, int], now: Instant) -> tuple[Feed, ...]:
    """Return every feed that is needed or wanted; one that was never heard has no age."""
    found = {name: heard.newest("feed.status", name, FeedStatus) for name in (*FEEDS, *SIDE_FEEDS)}
    return tuple(
        _feed(name, seen, limits_ms[name], now)
        for name, seen in found.items()
        if name in FEEDS or (seen is not None and seen.body.wanted)
    )


def _feed(name: str, seen: Seen[FeedStatus] | None, limit_ms: int, now: Instant) -> Feed:
    if seen is None:
        return Feed(name, None, False, "not heard", 0, None, None, limit_ms, 0, 0)
    status = seen.body
    stamps = [row.evident_ns for row in status.evidence]
    told = [stamp for stamp in stamps if stamp is not None]
    return Feed(
        name=name,
        age_ms=seen.age_ns(now.monotonic_ns) // NS_PER_MS,
        connected=status.connected,
        cause=status.cause,
        streams=len(stamps),
        oldest_ms=_since(min(told), now) if told and len(told) == len(stamps) else None,
        newest_ms=_since(max(told), now) if told else None,
        limit_ms=limit_ms,
        reconnects=status.reconnects,
        rejected_frames=status.rejected_frames,
    )


def strategies(heard: Heard, now: Instant) -> tuple[Strategy, ...]:
    """Return what strategies say of themselves."""
    return tuple(
        Strategy(
            name=name,
            state=seen.body.state,
            reason=seen.body.reason,
            markets=len(seen.body.markets),
            age_ms=seen.age_ns(now.monotonic_ns) // NS_PER_MS,
        )
        for name, seen in sorted(heard.of_topic("strategy.status", StrategyStatus).items())
    )


def refusals(heard: Heard, now: Instant) -> Refusals | None:
    """Return the denials of execution's run; None when execution was never heard."""
    seen = heard.newest("execution.status", EXECUTION, ExecutionStatus)
    if seen is None:
        return None
    rows = sorted(((row.reason, row.count) for row in seen.body.refusals), key=_by_count)
    return Refusals(seen.age_ns(now.monotonic_ns) // NS_PER_MS, tuple(rows))


def _by_count(row: tuple[str, int]) -> tuple[int, str]:
    return -row[1], row[0]


def alerts(heard: Heard, now: Instant) -> tuple[AlertRow, ...]:
    """Return the alerts heard, those of one name as one row, the newest first."""
    counts: dict[tuple[str, str], int] = {}
    for seen in heard.alerts:
        key = (seen.component, seen.body.name)
        counts[key] = counts.get(key, 0) + 1
    rows: dict[tuple[str, str], AlertRow] = {}
    for seen in reversed(heard.alerts):
        key = (seen.component, seen.body.name)
        if key not in rows:
            rows[key] = AlertRow(
                severity=seen.body.severity,
                name=seen.body.name,
                component=seen.component,
                text=seen.body.text,
                runbook=seen.body.runbook,
                count=counts[key],
                age_ms=seen.age_ns(now.monotonic_ns) // NS_PER_MS,
                wall_ms=seen.wall_ns // NS_PER_MS,
            )
    return tuple(rows.values())


def transitions(heard: Heard) -> tuple[TransitionRow, ...]:
    """Return what has changed lately, the newest first."""
    return tuple(
        TransitionRow(
            what=seen.body.what,
            scope=seen.body.scope,
            before=seen.body.before,
            after=seen.body.after,
            cause=seen.body.cause,
            actor=seen.body.actor,
            wall_ms=seen.wall_ns // NS_PER_MS,
        )
        for seen in reversed(heard.transitions)
    )


def latency(name: str, meaning: str, spread: Spread | None) -> Latency:
    """Return one measure; without samples everything about it is unknown."""
    if spread is None:
        return Latency(name, meaning, 0, None, None, None, None)
    return Latency(
        name=name,
        meaning=meaning,
        count=spread.count,
        median_us=spread.median_ns // NS_PER_US,
        p95_us=spread.p95_ns // NS_PER_US,
        max_us=spread.max_ns // NS_PER_US,
        age_ms=spread.age_ns // NS_PER_MS,
    )


def check_rows(checks: tuple[Check, ...]) -> tuple[CheckRow, ...]:
    """Return the checks of readiness as they stand on the page."""
    return tuple(CheckRow(c.name, c.holds, c.detail, c.age_ms, c.failures) for c in checks)


def age_ms(seen: Seen[RiskStatus] | Seen[ExecutionStatus] | None, now: Instant) -> int | None:
    """Return the age of a fact, None when it was never heard."""
    return None if seen is None else seen.age_ns(now.monotonic_ns) // NS_PER_MS


def _since(stamp_ns: MonotonicNs | None, now: Instant) -> int | None:
    return None if stamp_ns is None else max(0, now.monotonic_ns - stamp_ns) // NS_PER_MS
