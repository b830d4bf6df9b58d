"""Risk's status for everybody: what is granted, what is not, and why. Pure."""

from collections.abc import Iterable

from services.risk.authority import Authority
from services.risk.breakers import Breakers
from services.risk.evidence import Evidence
from services.risk.liveness import Liveness
from services.risk.recovery import RecoveryFacts
from services.risk.strategy_inputs import StrategyInput, used_by
from services.risk.sweep import Sweep
from services.risk.writes import Writes
from shared.config import Config
from shared.control import ExecutionPong
from shared.facts import ComponentStatus, RiskStatus, SwitchStatus
from shared.identifiers import Component
from shared.topics import (
    COMPONENTS,
    DASHBOARD,
    EXECUTION,
    FEED_DISCOVERY,
    FEED_PRICE,
    FEED_USER,
    FEEDS,
    RISK,
    STATE,
    STRATEGIES,
)
from shared.units import NS_PER_MS, Instant, MonotonicNs

INTEREST: StrategyInput = "open interest"


def switch_statuses(authority: Authority, breakers: Breakers) -> tuple[SwitchStatus, ...]:
    """Return everything that is tripped, latches first."""
    latches = tuple(
        SwitchStatus(
            name=row.name,
            scope=row.scope,
            scope_id=row.scope_id,
            kind="latch",
            version=row.version,
            since_wall_ns=row.wall_ns,
            reason=row.reason,
            evidence=row.evidence,
        )
        for row in authority.latches.rows()
    )
    return latches + breakers.statuses()


def reasons(
    authority: Authority, breakers: Breakers, waits_for: tuple[str, ...], now: Instant
) -> tuple[str, ...]:
    """Return why the account is not ACTIVE; empty when it is.

    Args:
        authority: The present order.
        breakers: What is tripped.
        waits_for: Items of the recovery check list that did not hold when it was last looked at.
        now: Of the look.
    """
    found = [*authority.account_latches(), *breakers.account_reasons()]
    if authority.trading:
        return tuple(found)
    fence = authority.fence
    waits = fence.waits_for(now.boot_ns) if fence is not None else "risk starts"
    if waits:
        found.append(f"fence: {waits}")
    elif not authority.halting_latches() and not breakers.account_blocks():
        found += [f"recovery: {item}" for item in waits_for]
    return tuple(found) or ("recovery is being validated",)


def report_status(
    authority: Authority,
    breakers: Breakers,
    liveness: Liveness,
    sweep: Sweep,
    why: tuple[str, ...],
    now: Instant,
) -> RiskStatus:
    """Return the fact that is repeated ten times a second."""
    fence = authority.fence
    return RiskStatus(
        trading_state=authority.state(),
        reasons=why,
        epoch=authority.epochs.current,
        fence=fence.stage if fence is not None else "none",
        fence_reason=fence.reason if fence is not None else "",
        beat_age_ns=sweep.dead_man.age_ns(now.boot_ns),
        switches=switch_statuses(authority, breakers),
        components=component_statuses(liveness, now),
        switch_version=authority.latches.version + breakers.version,
        level=authority.level,
    )


def component_statuses(liveness: Liveness, now: Instant) -> tuple[ComponentStatus, ...]:
    """Return every component as risk sees it, in flow order."""
    found = []
    for component in COMPONENTS:
        if component == RISK:
            continue
        run = liveness.newest(component)
        condition = liveness.condition(component)
        if run is None and component == DASHBOARD:
            continue  # a profile may leave it out; once heard of, it is missed like any other
        if run is None:
            found.append(ComponentStatus(component, 0, 0, False, None, 0, "absent", ""))
            continue
        alive = condition == "alive"
        found.append(
            ComponentStatus(
                component=component,
                pid=run.pid,
                incarnation=run.peer.incarnation,
                alive=alive,
                pong_age_ns=now.boot_ns - run.pong_ns,
                loop_lag_ns=run.pong.loop_lag_ns,
                state=run.pong.state if alive else condition,
                reason=run.pong.reason,
            )
        )
    return tuple(found)


def gather_recovery(
    config: Config,
    authority: Authority,
    breakers: Breakers,
    liveness: Liveness,
    evidence: Evidence,
    sweep: Sweep,
    writes: Writes,
    fence_began: MonotonicNs,
    now: Instant,
) -> RecoveryFacts:
    """Return what the recovery check list is judged by."""
    fence = authority.fence
    run = liveness.newest(EXECUTION)
    told = run.pong.execution if run is not None else None
    status = evidence.execution
    reconciled = status.reconciled_ns if status is not None else None
    asked = run is not None and authority.grantor.has_asked(run.peer.incarnation, now.boot_ns)
    start = "execution was never heard of"
    if told is not None:
        start = "" if told.proven_start else told.start_state or "not proven"
    # Nothing is sent in a dry run, so there are no own orders to hear of (KS-2).
    spared = {FEED_USER} if config.run.dry_run else set()
    closes = authority.state() == "REDUCING"
    if closes:
        # Closing rests on books, own orders and execution; a price feed's loss may be its cause.
        spared |= {FEED_PRICE, FEED_DISCOVERY}
    feeds = [name for name in FEEDS if name not in spared]
    sanity, limits, used = evidence.sanity, config.recovery, used_by(STRATEGIES)
    return RecoveryFacts(
        latches=authority.halting_latches(),
        pauses=breakers.account_blocks(),
        unclean=breakers.unclean(now.boot_ns),
        fence_waits_for=fence.waits_for(now.boot_ns) if fence is not None else "no fence yet",
        feeds=_unready(liveness, feeds),
        state=_unready(liveness, [STATE]),
        strategies=_unready(liveness, STRATEGIES),
        execution=_unready(liveness, [EXECUTION]),
        view_age_ns=evidence.view_age_ns(now),
        view_age_ns_max=config.timing.state_stale_ms * NS_PER_MS,
        valid_markets=evidence.valid_markets(),
        executions=len(liveness.living(EXECUTION)),
        start_state=start,
        reconciled=reconciled is not None and reconciled >= fence_began,
        asked=asked,
        beat_trouble=_beat_trouble(sweep, now),
        cancel_trouble=_cancel_trouble(sweep),
        epoch_durable=authority.epochs.next_is_durable(),
        database_trouble=writes.trouble,
        thin=sanity.thin(limits),
        out_of_range="" if closes else sanity.out_of_range(limits, used=used),
        interest=sanity.perps.out_of_range(limits, INTEREST) if INTEREST in used else "",
        interest_used=INTEREST in used,
        gap=sanity.gap(now),
        future=sanity.from_the_future(limits, now),
        wrong_market=sanity.wrong_market(now),
        moved="" if closes else sanity.moved(limits, now),
        wrong_strategies=() if closes else _wrong_strategies(authority, liveness),
        alerts=_alerts(told),
    )


def _unready(liveness: Liveness, names: Iterable[Component]) -> tuple[str, ...]:
    """Return who of these does not answer or is not ready yet, each with why."""
    found = []
    for name in names:
        if liveness.is_answering(name):
            continue
        run, condition = liveness.newest(name), liveness.condition(name)
        if run is None or condition != "alive":
            found.append(f"{name} is {condition}")
        else:
            found.append(f"{name} is {run.pong.state}: {run.pong.reason}".rstrip(": "))
    return tuple(found)


def _wrong_strategies(authority: Authority, liveness: Liveness) -> tuple[str, ...]:
    """Return the strategies that answer, are held by nothing of their own, and are not ready."""
    held = {order.scope_id for order in authority.scopes.orders() if order.state != "ACTIVE"}
    found = []
    for name in STRATEGIES:
        run = liveness.newest(name)
        if run is None or name in held or liveness.condition(name) != "alive":
            continue
        if run.pong.state != "ready":
            found.append(f"{name} is {run.pong.state}: {run.pong.reason}")
    return tuple(found)


def _alerts(told: ExecutionPong | None) -> tuple[str, ...]:
    """Return what execution tells that a lease would not mend.

    What it was answered about our standing is not among them: that is latched, and told until the
    grant that follows the latch's end. Nor is its own fence, which it repeats until a newer epoch
    answers it: where a fence stands already, only the resume brings one.
    """
    if told is None:
        return ()
    mismatch = told.mismatch
    found = (
        f"ledger: {told.ledger_fault}" if told.ledger_fault else "",
        mismatch.text if mismatch is not None and mismatch.in_a_row else "",
    )
    return tuple(text for text in found if text)


def _beat_trouble(sweep: Sweep, now: Instant) -> str:
    """Return why the dead-man switch does not admit, empty when it does."""
    if sweep.dead_man.admits(now.boot_ns):
        return ""
    return sweep.dead_man.trouble or "the last acknowledged beat is too old"


def _cancel_trouble(sweep: Sweep) -> str:
    """Return why the own cancel path is not sure to work, empty when it is."""
    if sweep.cancels.refused:
        return "the venue refuses our cancels: the beats have stopped"
    if sweep.cancels.answered_ns is None:
        return sweep.cancels.trouble or "cancel-all is not answered yet"
    return ""
