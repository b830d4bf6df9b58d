"""`interlock switches`: the whole switch table, and which of them are tripped now."""

from pathlib import Path

import click
import msgspec
from rich.text import Text

from bus import clock
from ops import control
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import DOWN, console, duration, show_json, table
from ops.switch_view import SwitchLine, lines_of
from ops.switches_page import confirmation_words, render
from shared.operator import Switches, SwitchList
from shared.switches import BY_NAME, SWITCHES

WITHIN_S = 5.0

STYLES = {"latched": "bold red", "paused": "bold red", "tripped": "yellow", "seen": "yellow"}


@click.command("switches")
@group_options
@json_option
@click.option("--all", "show_all", is_flag=True, help="Rows that are clear, too.")
@click.option("--page", is_flag=True, help="The table as a Markdown page; asks nobody.")
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    show_all: bool,
    page: bool,
) -> None:
    """Show tripped switches with their evidence, what blocks a resume, and what ends them.

    Tripped ones first, then those with bad samples that do not trip them yet. Status 4 when
    risk does not answer: the table is shown, but what is tripped is unknown.
    """
    if page:
        print(render(), end="")
        return
    run = place_of(profile, run_directory, data_directory).run_directory
    answer = control.ask(run, Switches(), WITHIN_S)
    seen = answer if isinstance(answer, SwitchList) else None
    lines = lines_of(seen)
    if as_json:
        tripped = None if seen is None else msgspec.to_builtins(seen.switches)
        show_json(
            {
                "tripped": tripped,
                "switches": msgspec.to_builtins(lines),
                "table": msgspec.to_builtins(SWITCHES) if show_all or seen is None else None,
            }
        )
    else:
        _show(lines, show_all=show_all or seen is None)
        if isinstance(answer, control.Silent):
            click.echo(f"tripped: unknown ({answer.why})", err=True)
    if seen is None:
        raise SystemExit(DOWN)


def show_line(line: SwitchLine) -> None:
    """Show one switch whole: what it does, what was seen, what ends it."""
    switch = BY_NAME.get(line.name)
    rows: list[tuple[str, object]] = [
        ("condition", Text(line.condition, style=STYLES.get(line.condition, ""))),
        ("scope", line.scope),
        ("state of the scope", line.state),
    ]
    if switch is not None:
        rows.append(("trips when", switch.trigger))
        rows.append(("samples that trip it", confirmation_words(switch)))
        rows += [("setting", name) for name in switch.setting]
    if line.since_wall_ns:
        rows.append(("since", f"{_since(line)} ago, version {line.version}"))
    if line.reason:
        rows.append(("reason", line.reason))
    if line.evidence:
        rows.append(("evidence", line.evidence))
    if line.samples:
        rows.append(("samples now", line.samples))
    rows += [("blocks a resume", blocker) for blocker in line.blockers]
    rows.append(("ends by", line.resumes))
    rows.append(("runbook", f"ops/runbooks/{line.runbook}.md"))
    console().print(table(f"{line.requirement} {line.name}", ("", ""), rows))


def _show(lines: tuple[SwitchLine, ...], *, show_all: bool) -> None:
    shown = [line for line in lines if show_all or line.condition not in ("clear", "unknown")]
    if not any(line.condition in ("latched", "paused", "tripped") for line in lines):
        known = any(line.condition != "unknown" for line in lines)
        console().print("no switch is tripped" if known else "what is tripped is unknown")
    if not shown:
        return
    rows = [
        (
            Text(line.condition, style=STYLES.get(line.condition, "")),
            line.name,
            line.scope,
            line.state,
            _since(line),
            "; ".join(part for part in (line.reason, line.evidence, line.samples) if part),
            "; ".join((line.resumes, *(f"BLOCKED: {blocker}" for blocker in line.blockers))),
            line.runbook,
        )
        for line in shown
    ]
    columns = ("", "switch", "scope", "state", "since", "seen", "ends by", "runbook")
    console().print(table("switches", columns, rows))


def _since(line: SwitchLine) -> str:
    if not line.since_wall_ns:
        return ""
    return duration(max(0, clock.read().wall_ns - line.since_wall_ns))
