"""How the state of a group is shown, to people and as JSON; every line with its age."""

from pathlib import Path
from typing import Any

import msgspec
from rich.console import Group
from rich.text import Text

from bus.ledger_reader import Unreadable
from ops.cli.output import UNKNOWN, age, dollars, duration, table
from ops.cli.quality_view import render_quality
from ops.cli.reach_view import render_reach
from ops.ledger import totals
from ops.observe import View
from ops.trading import is_active, reasons_not_trading
from shared.facts import ExecutionStatus, FeedStatus, LossStatus, RiskStatus
from shared.profit import Totals
from shared.topics import COMPONENTS, EXECUTION, FEEDS, RECORDER, RISK, SIDE_FEEDS, STATE
from shared.trading_verdict import DRY_RUN, headline
from shared.units import NS_PER_S, MonotonicNs

NEAR_PERCENT = 80
"""Of the daily limit: from there on it is shown as what it soon will be."""

STALE_NS = 3 * NS_PER_S
SIDE_STALE_NS = 15 * NS_PER_S
"""Evidence older than this is shown as what stops something, or what is missing."""

FLOW: dict[str, int] = {name: place for place, name in enumerate(COMPONENTS)}


def render(view: View, data_directory: Path | None) -> Group:
    """Return the whole picture for a terminal."""
    parts: list[Any] = [_headline(view), Text("")]
    risk = view.risk()
    if risk is not None:
        parts += [_components(risk), Text("")]
        if risk.switches:
            parts += [_switches(view, risk), Text("")]
    parts += [_feeds(view), *render_reach(view), Text(""), render_quality(view), Text("")]
    parts += [_orders(view), Text("")]
    if data_directory is not None:
        parts.append(_profit(totals(data_directory, view.wall_ns), view.wall_ns))
    if risk is not None:
        parts.append(losses_line(risk.losses))
    return Group(*parts)


def as_builtins(view: View, data_directory: Path | None) -> dict[str, Any]:
    """Return the same as plain data: each status with its age in nanoseconds, or null."""
    return {
        "active": is_active(view),
        "dry_run": None if (execution := view.execution()) is None else execution.dry_run,
        "reasons": list(reasons_not_trading(view)),
        "wall_ns": view.wall_ns,
        "risk": _aged(view, "risk.status", RISK),
        "execution": _aged(view, "execution.status", EXECUTION),
        "feeds": {feed: _aged(view, "feed.status", feed) for feed in (*FEEDS, *SIDE_FEEDS)},
        "quality": _aged(view, "state.quality", STATE),
        "strategies": {name: _aged(view, "strategy.status", name) for name in view.strategies()},
        "recorder": _aged(view, "recorder.status", RECORDER),
        "profit": None
        if data_directory is None
        else msgspec.to_builtins(totals(data_directory, view.wall_ns)),
    }


def _aged(view: View, topic: str, component: str) -> dict[str, Any] | None:
    seen = view.facts.get((topic, component))
    if seen is None:
        return None
    return {"age_ns": seen.age_ns(view.at_ns), "status": msgspec.to_builtins(seen.fact.body)}


def _headline(view: View) -> Text:
    risk = view.risk()
    if risk is None:
        return Text(headline(None, None), style="bold red")
    execution = view.execution()
    made = Text(headline(risk, execution), style="bold green" if is_active(view) else "bold red")
    if execution is not None and execution.dry_run:
        made.append(f"  {DRY_RUN}", style="bold yellow")
    made.append(f"  epoch {risk.epoch}, heard ", style="none")
    made.append_text(age(view.age_ns("risk.status", RISK)))
    made.append(", venue dead-man fed ")
    made.append_text(age(risk.beat_age_ns, stale_ns=7_000_000_000))
    if risk.fence != "none":
        made.append(f", fence {risk.fence}: {risk.fence_reason}")
    for reason in reasons_not_trading(view):
        made.append(f"\n  {reason}")
    return made


def _components(risk: RiskStatus) -> Group:
    known = {row.component: row for row in risk.components}
    order = sorted(known, key=lambda name: FLOW.get(name, len(FLOW)))
    rows = [
        (
            name,
            known[name].pid,
            known[name].state if known[name].alive else "dead",
            age(known[name].pong_age_ns),
            duration(known[name].loop_lag_ns),
            known[name].reason,
        )
        for name in order
    ]
    return table("components", ("name", "pid", "state", "pong", "lag", "reason"), rows)


def _switches(view: View, risk: RiskStatus) -> Group:
    return table(
        "switches",
        ("name", "scope", "kind", "version", "since", "reason", "evidence"),
        [
            (
                row.name,
                f"{row.scope} {row.scope_id}".strip(),
                row.kind,
                row.version,
                duration(max(0, view.wall_ns - row.since_wall_ns)),
                row.reason,
                row.evidence,
            )
            for row in risk.switches
        ],
    )


def _carriers(status: FeedStatus, at_ns: int) -> str:
    """Return over which socket prices come where it is not the usual one, and who disagrees."""
    said = []
    for row in status.carriers:
        if row.socket == "legacy":
            since_s = (at_ns - row.since_ns) // NS_PER_S
            said.append(f"{row.asset} over the older socket for {since_s} s: {row.why}")
        if row.doubt:
            said.append(f"{row.asset} unverified: {row.doubt}")
        if row.refused:
            said.append("the current socket refuses our credentials")
    return "; ".join(dict.fromkeys(said))


def _feeds(view: View) -> Group:
    heard = view.feeds()
    rows: list[tuple[object, ...]] = []
    for feed in (*FEEDS, *SIDE_FEEDS):
        status = heard.get(feed)
        if status is None:
            rows.append((feed, Text("not heard", style="bold red"), None, None, None, ""))
            continue
        if not status.wanted:
            heard_ago = age(view.age_ns("feed.status", feed))
            rows.append((feed, "idle", heard_ago, None, None, status.cause))
            continue
        oldest = [
            None if row.evident_ns is None else view.at_ns - row.evident_ns
            for row in status.evidence
        ]
        worst = (
            None if not oldest or None in oldest else max(age for age in oldest if age is not None)
        )
        rows.append(
            (
                feed,
                "connected" if status.connected else Text("disconnected", style="bold red"),
                age(view.age_ns("feed.status", feed)),
                age(worst, stale_ns=SIDE_STALE_NS if feed in SIDE_FEEDS else STALE_NS),
                f"{len(status.evidence)}",
                status.cause or _carriers(status, view.at_ns),
            )
        )
    return table("feeds", ("feed", "state", "heard", "oldest evidence", "streams", "cause"), rows)


def _orders(view: View) -> Text:
    execution = view.execution()
    if execution is None:
        return Text(f"orders {UNKNOWN}: execution is not heard", style="bold red")
    made = Text(
        f"orders: {execution.open_orders} open, {execution.in_flight} in flight, "
        f"{execution.unknown} unknown; heard "
    )
    made.append_text(age(view.age_ns("execution.status", EXECUTION)))
    made.append(", reconciled ")
    made.append_text(age(_since(view.at_ns, execution.reconciled_ns), stale_ns=15_000_000_000))
    made.append(", positions agreed ")
    made.append_text(age(_since(view.at_ns, execution.agreed_ns), stale_ns=120_000_000_000))
    if execution.mismatch:
        made.append(f"\nDISAGREES with the venue: {execution.mismatch}", style="bold red")
    made.append_text(_start(view, execution))
    if execution.refusals:
        denied = ", ".join(f"{row.reason} {row.count}" for row in execution.refusals)
        made.append(f"\ndenied in this run: {denied}")
    return made


def _start(view: View, execution: ExecutionStatus) -> Text:
    """Return each stage of the start: when it was done, or what it waits for and how long."""
    made = Text("\nstart:")
    for place, stage in enumerate(execution.start):
        made.append(", " if place else " ")
        made.append(f"{stage.name} ")
        if stage.since_ns is None:
            made.append("later", style="dim")
            continue
        took = duration(max(0, view.at_ns - stage.since_ns))
        if stage.state == "done":
            made.append(f"done {took} ago")
        else:
            made.append(f"waits for {took} ({stage.why})", style="bold red")
    return made if execution.start else Text("")


def _since(at_ns: MonotonicNs, moment_ns: MonotonicNs | None) -> int | None:
    return None if moment_ns is None else at_ns - moment_ns


def losses_line(losses: LossStatus | None) -> Text:
    """Return both counts of the day beside its limits."""
    if losses is None:
        return Text(f"losses {UNKNOWN}: risk does not say", style="bold red")
    told, own = losses.told_realised_e6, losses.realised_e6
    made = Text(
        f"today (UTC): realised {_dollars(told)} by the ledger, {dollars(own)} by the venue's "
        f"stream; unrealised {_dollars(losses.told_unrealised_e6)} and "
        f"{_dollars(losses.unrealised_e6)} USD\n"
    )
    style = "bold red" if losses.daily_percent >= NEAR_PERCENT else ""
    made.append(
        f"lost {dollars(max(0, losses.lost_e6))} of {dollars(losses.daily_limit_e6)} USD "
        f"({losses.daily_percent} %) at a capital of {losses.capital_usd} USD",
        style=style,
    )
    session = f"{dollars(max(0, losses.session_lost_e6))} of {dollars(losses.session_limit_e6)}"
    made.append(f", with open positions {session} USD; {losses.in_row} losses in a row")
    if not losses.agrees:
        made.append("\nthe two counts differ", style="bold red")
    return made


def _dollars(money_e6: int | None) -> str:
    return UNKNOWN if money_e6 is None else dollars(money_e6)


def _profit(found: Totals | Unreadable, wall_ns: int) -> Text:
    if isinstance(found, Unreadable):
        return Text(f"profit {UNKNOWN}: ledger {found.why}, {found.detail}", style="bold red")
    return Text(
        f"profit realised: {dollars(found.realised_e6)} USD over {found.markets_closed} closed "
        f"positions, {dollars(found.realised_today_e6)} today (UTC); {found.fills} fills, "
        f"ledger as of {duration(max(0, wall_ns - found.as_of_wall_ns))} ago"
    )
