"""`interlock switches`: the whole switch table, and which of them are tripped now."""

from pathlib import Path

import click
import msgspec

from bus import clock
from ops import control
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import DOWN, console, duration, show_json, table
from shared.facts import SwitchStatus
from shared.operator import Switches, SwitchList
from shared.switches import SWITCHES

WITHIN_S = 5.0


@click.command("switches")
@group_options
@json_option
@click.option("--all", "show_all", is_flag=True, help="The whole table, tripped or not.")
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    show_all: bool,
) -> None:
    """Show tripped switches with their evidence and what it takes to go on.

    Status 4 when risk does not answer: the table is shown, but what is tripped is unknown.
    """
    run = place_of(profile, run_directory, data_directory).run_directory
    answer = control.ask(run, Switches(), WITHIN_S)
    tripped = answer.switches if isinstance(answer, SwitchList) else None
    if as_json:
        show_json(
            {
                "tripped": None if tripped is None else msgspec.to_builtins(tripped),
                "table": msgspec.to_builtins(SWITCHES) if show_all or tripped is None else None,
            }
        )
    else:
        _show(tripped, show_all=show_all)
        if isinstance(answer, control.Silent):
            click.echo(f"tripped: unknown ({answer.why})", err=True)
    if tripped is None:
        raise SystemExit(DOWN)


def _show(tripped: tuple[SwitchStatus, ...] | None, *, show_all: bool) -> None:
    shown = console()
    if tripped is not None and not tripped:
        shown.print("no switch is tripped")
    if tripped:
        now_ns = clock.read().wall_ns
        shown.print(
            table(
                "tripped",
                ("name", "scope", "kind", "version", "since", "reason", "evidence"),
                [
                    (
                        row.name,
                        f"{row.scope} {row.scope_id}".strip(),
                        row.kind,
                        row.version,
                        duration(max(0, now_ns - row.since_wall_ns)),
                        row.reason,
                        row.evidence,
                    )
                    for row in tripped
                ],
            )
        )
    if show_all or tripped is None:
        shown.print(
            table(
                "switches",
                ("id", "name", "scope", "state", "kind", "trigger", "resumes", "ready"),
                [
                    (
                        row.requirement,
                        row.name,
                        row.scope,
                        row.state,
                        row.kind,
                        row.trigger,
                        row.resumes,
                        row.implemented,
                    )
                    for row in SWITCHES
                ],
            )
        )
