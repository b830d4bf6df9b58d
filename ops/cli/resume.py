"""`interlock resume`: clear the latches of a scope, exactly those that were seen."""

from pathlib import Path

import click

from ops import control
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import DOWN, FAILED, NOT_TRADING, fail, show_json
from shared.operator import (
    RequestRefused,
    Resume,
    Resumed,
    ResumeRefused,
    Switches,
    SwitchList,
)

WITHIN_S = 15.0


@click.command("resume")
@group_options
@json_option
@click.option("--scope", default="account", show_default=True, help="`account` clears all latches.")
@click.option("--reason", required=True, help="For the audit trail.")
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    scope: str,
    reason: str,
) -> None:
    """Clear latches, so that trading resumes once everything is proven healthy again.

    Names the versions it has seen, so a halt that arrives meanwhile is not cleared. Status 3:
    refused, with what blocks.
    """
    try:
        kind, identity = control.parse_scope(scope)
    except control.ScopeFault as fault:
        raise click.UsageError(str(fault)) from None
    run = place_of(profile, run_directory, data_directory).run_directory
    seen = control.ask(run, Switches(), WITHIN_S)
    if not isinstance(seen, SwitchList):
        why = seen.why if isinstance(seen, control.Silent) else type(seen).__name__
        fail(why, DOWN, as_json=as_json)
    latches = control.latches_in(seen.switches, kind, identity)
    if not latches:
        fail(f"no latch to clear in {scope}", FAILED, as_json=as_json)
    answer = control.ask(run, Resume(latches=latches, reason=reason), WITHIN_S)
    match answer:
        case Resumed():
            _show(answer, as_json=as_json)
        case ResumeRefused():
            if as_json:
                show_json({"ok": False, "blockers": list(answer.blockers)})
                raise SystemExit(NOT_TRADING)
            fail("refused:\n  " + "\n  ".join(answer.blockers), NOT_TRADING)
        case RequestRefused():
            fail(f"refused: {answer.error}: {answer.detail}", FAILED, as_json=as_json)
        case control.Silent():
            fail(answer.why, DOWN, as_json=as_json)
        case _:
            fail(f"unexpected answer: {type(answer).__name__}", FAILED, as_json=as_json)


def _show(answer: Resumed, *, as_json: bool) -> None:
    if as_json:
        show_json({"ok": True, "resumed": answer})
        return
    for latch in answer.latches:
        click.echo(f"cleared: {latch.name} {latch.scope} {latch.scope_id}".rstrip())
    for item in answer.waits_for:
        click.echo(f"  trading waits for: {item}")
