"""`interlock explain`: why the gate would refuse an order now, or what a switch means."""

from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec
from rich.text import Text

from bus import clock
from bus.ledger_reader import Unreadable
from bus.tap import Tap
from ops import control
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import DOWN, FAILED, age, console, duration, fail, show_json, table
from ops.cli.refusals_view import past_refusals
from ops.cli.switches import show_line
from ops.heard import hear
from ops.observe import observe
from ops.refusals import Refusals, refusals_of
from ops.switch_view import lines_of
from shared.effects import Received
from shared.facts import ExecutionStatus, Explanations, GateExplanation
from shared.level import Level
from shared.operator import Switches, SwitchList
from shared.switches import (
    BY_NAME,
    CLOSED_DOWN,
    CLOSING_DOWN,
    DEGRADED_MARKET,
    EMERGENCY,
)
from shared.topics import EXECUTION
from shared.units import NS_PER_MS, MonotonicNs

CUTOFF = "cutoff"
"""Predicate that an ended market never fulfils again."""

DRY_RUN = "dry_run"
"""Predicate that says that what passes is not sent."""

NOT_HEARD = "execution is not heard: what it would say of an order now is unknown"

SWITCH_WITHIN_S = 5.0

LEVEL = "level"

LEVEL_WORDS: dict[Level, str] = {
    "NORMAL": "everything as configured",
    "REDUCED": "the most liquid markets alone, half sizes, wider quotes, nothing advanced",
    "EMERGENCY": "positions are closed, nothing new is placed; back by itself",
    "SHUTDOWN": "positions are closed, then halted; an operator begins again",
}

CARRIERS = {row.name for row in (DEGRADED_MARKET, EMERGENCY, CLOSING_DOWN, CLOSED_DOWN)}
"""Switches that carry a level out; the reason of each names its cause."""

LISTEN_MS = 2_500
"""Execution explains itself every second."""


@click.command("explain")
@group_options
@json_option
@click.argument("market", required=False)
@click.option("--all", "show_all", is_flag=True, help="Predicates that hold, too.")
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    market: str | None,
    show_all: bool,
) -> None:
    """Show every predicate of the gate with its value and age; MARKET is a slug or an id.

    MARKET may be the name of a switch instead: then what it means, what was seen, what blocks
    its resume and what ends it; or `level`: what each level of degradation does, and which
    is in force and since what. Without MARKET those that are past their cutoff are left out.

    Status 0 when an order would pass everything shown, 3 when something stands against it, 4
    when execution is not heard: what the venue has refused is then shown from the ledger.
    """
    place = place_of(profile, run_directory, data_directory)
    if market == LEVEL:
        _explain_level(place.run_directory, as_json=as_json)
        return
    if market in BY_NAME:
        _explain_switch(place.run_directory, market, as_json=as_json)
        return
    told = listen(place.run_directory)
    past = refusals_of(place.data_directory)
    if told is None:
        _fall_back(past, as_json=as_json)
    explanations, age_ns = told
    scopes = [scope for scope in explanations.scopes if _is_meant(scope, market)]
    if market is not None and not any(scope.market for scope in scopes):
        fail(f"execution knows no market {market!r}", FAILED, as_json=as_json)
    if as_json:
        gate = {"age_ns": age_ns, "scopes": msgspec.to_builtins(scopes)}
        show_json({"heard": True, **gate, **_past_as_builtins(past)})
    else:
        for row in (row for scope in scopes for row in scope.predicates if row.name == DRY_RUN):
            console().print(Text(row.value, style="bold yellow"))
        for scope in scopes:
            _show(scope, show_all=show_all or market is not None)
        if ended := len(explanations.scopes) - len(scopes):
            console().print(f"{ended} other markets" if market else f"{ended} ended markets")
        console().print(Text("told ").append_text(age(age_ns, stale_ns=LISTEN_MS * NS_PER_MS)))
        _show_denied(place.run_directory)
        console().print(past_refusals(past))
    if not all(row.holds for scope in scopes for row in scope.predicates):
        raise SystemExit(3)


def _explain_switch(run: Path, name: str, *, as_json: bool) -> None:
    """Show one switch in every scope in which it stands; status 4 when risk does not say."""
    answer = control.ask(run, Switches(), SWITCH_WITHIN_S)
    seen = answer if isinstance(answer, SwitchList) else None
    lines = [line for line in lines_of(seen) if line.name == name]
    if as_json:
        show_json({"heard": seen is not None, "switch": BY_NAME[name], "lines": lines})
    else:
        for line in lines:
            show_line(line)
    if seen is None:
        raise SystemExit(DOWN)


def _explain_level(run: Path, *, as_json: bool) -> None:
    """Show the levels, the one in force, and the switches that carry it out; 4 when not heard."""
    status = observe(run).risk()
    held = () if status is None else tuple(row for row in status.switches if row.name in CARRIERS)
    level = None if status is None else status.level
    if as_json:
        show_json({"heard": status is not None, "level": level, "switches": held})
    else:
        rows = [
            (Text("in force", style="bold yellow") if name == level else "", name, words)
            for name, words in LEVEL_WORDS.items()
        ]
        console().print(table("levels of degradation", ("", "level", "what it does"), rows))
        for row in held:
            console().print(f"{row.name} {row.scope} {row.scope_id}: {row.reason}", markup=False)
        console().print("runbook: ops/runbooks/degradation.md")
    if status is None:
        click.echo("risk is not heard: which one is in force is unknown", err=True)
        raise SystemExit(DOWN)


def _fall_back(past: Refusals | Unreadable, *, as_json: bool) -> NoReturn:
    """Show what the ledger holds, say that nothing else is known, and end with status 4."""
    if as_json:
        show_json({"heard": False, "why": NOT_HEARD, **_past_as_builtins(past)})
    else:
        click.echo(NOT_HEARD, err=True)
        console().print(past_refusals(past))
    raise SystemExit(DOWN)


def _past_as_builtins(past: Refusals | Unreadable) -> dict[str, Any]:
    return {"refusals": msgspec.to_builtins(past)}


def _show_denied(run_directory: Path) -> None:
    """Show how often the gate has denied an order in this run, by reason."""
    told = hear(run_directory, EXECUTION, "execution.status", ExecutionStatus)
    if told is None:
        console().print(Text("denied by us: unknown, execution is not heard", style="bold red"))
        return
    status, age_ns = told
    rows = [(row.reason, row.count) for row in sorted(status.refusals, key=lambda r: -r.count)]
    title = f"denied by us in this run, {duration(age_ns)} ago"
    console().print(table(title, ("reason", "count"), rows) if rows else f"{title}: nothing")


def listen(run_directory: Path) -> tuple[Explanations, int] | None:
    """Return what execution says of its gate and how old that is, None when it is not heard."""
    with Tap(run_directory, (EXECUTION,), ("execution.explain",)) as tap:
        until_ns = MonotonicNs(clock.read().monotonic_ns + LISTEN_MS * NS_PER_MS)
        while (heard := tap.receive(until_ns)) is not None:
            fact = heard.fact
            if isinstance(fact, Received) and isinstance(fact.body, Explanations):
                return fact.body, max(0, heard.received_ns - fact.sent_ns)
    return None


def _is_meant(scope: GateExplanation, market: str | None) -> bool:
    """Tell whether a scope is asked for: by name, or without one those that are not over."""
    if not scope.market:
        return True
    if market is not None:
        return scope.slug == market or scope.market.startswith(market)
    return all(row.holds for row in scope.predicates if row.name == CUTOFF)


def _show(scope: GateExplanation, *, show_all: bool) -> None:
    rows = [row for row in scope.predicates if show_all or not row.holds]
    title = f"{scope.slug} {scope.market}" if scope.market else "account"
    if not rows and not scope.denials:
        console().print(f"{title}: an order would pass")
        return
    marks = {True: Text("holds", style="green"), False: Text("REFUSES", style="bold red")}
    shown = [
        (marks[row.holds], row.name, row.value, "" if row.age_ns is None else age(row.age_ns))
        for row in rows
    ]
    console().print(table(title, ("", "predicate", "value", "age"), shown))
    for denial in scope.denials:
        console().print(f"  denied: {denial}", markup=False)
