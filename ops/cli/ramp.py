"""`interlock ramp`: how much capital may be at work, and what the next step takes (ST-8)."""

from pathlib import Path
from typing import cast

import click

from ops.cli.asking import WITHIN_S, answer_or_exit
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import FAILED, duration, fail, show_json
from ops.cli.paper_run import paper_run
from shared.config.ramp import STEPS_USD, Step
from shared.operator import Capital, CapitalReport, Ramp, Ramped
from shared.units import NS_PER_S


@click.command("ramp")
@group_options
@json_option
@click.argument("usd", required=False, type=click.Choice([str(step) for step in STEPS_USD]))
@click.option("--reason", default="", help="For the audit trail; needed to take a step.")
@click.option(
    "--paper",
    type=click.Path(path_type=Path),
    help="Data directory of a paper group: its proven trail, for the first live step.",
)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    usd: str | None,
    reason: str,
    paper: Path | None,
) -> None:
    """Show the capital that may be at work, or set it to USD.

    Down at any time. Up one step at a time, after a clean run at the step before: time ACTIVE
    without a latch that nobody asked for and without a process killed, as the audit trail has
    it. The first live step needs a day of paper. Status 3: refused, with what is missing.
    """
    run = place_of(profile, run_directory, data_directory).run_directory
    if usd is None:
        report = answer_or_exit(run, Capital(), CapitalReport, WITHIN_S, as_json=as_json)
        _show(report, as_json=as_json)
        return
    if not reason:
        fail('a reason is needed: --reason "…"', FAILED, as_json=as_json)
    proof = None if paper is None else paper_run(paper, as_json=as_json)
    request = Ramp(usd=cast(Step, int(usd)), reason=reason, paper=proof)
    taken = answer_or_exit(run, request, Ramped, WITHIN_S, as_json=as_json)
    if as_json:
        show_json({"ok": True, "ramped": taken})
    else:
        click.echo(f"capital: {taken.usd} USD (was {taken.before_usd} USD)")


def _show(report: CapitalReport, *, as_json: bool) -> None:
    if as_json:
        show_json(report)
        return
    by = "set by an operator" if report.is_set else "of the profile: no step was set yet"
    click.echo(f"capital: {report.usd} USD, {by}")
    clean, needed = duration(report.clean_s * NS_PER_S), duration(report.needed_s * NS_PER_S)
    click.echo(f"traded clean: {clean} of {needed}")
    if report.spoiled_by:
        click.echo(f"  the run before was spoiled by {report.spoiled_by}")
    if report.next_usd is None:
        click.echo("this is the highest step")
        return
    click.echo(f"next step: {report.next_usd} USD")
    for blocker in report.blockers:
        click.echo(f"  needs: {blocker}")
