"""`interlock resume`: clear the latches of a scope, exactly those that were seen."""

from pathlib import Path

import click

from ops import control
from ops.cli.asking import WITHIN_S, answer_or_exit, refuse, scope_or_exit, switches_or_exit
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import FAILED, fail, show_json
from shared.operator import LatchName, Resume, Resumed, SwitchList


@click.command("resume")
@group_options
@json_option
@click.option(
    "--scope",
    default="account",
    show_default=True,
    help="`account` clears every latch but a disabled strategy's.",
)
@click.option("--reason", default="", help="For the audit trail; without one nothing is cleared.")
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    scope: str,
    reason: str,
) -> None:
    """Clear latches, so that trading resumes once everything is proven healthy again.

    Shows first what would be cleared and what still blocks it; clears only with a reason and
    when nothing blocks. Names the versions it has seen, so a halt that arrives meanwhile is
    not cleared. Status 3: refused, with what blocks.
    """
    kind, identity = scope_or_exit(scope)
    run = place_of(profile, run_directory, data_directory).run_directory
    seen = switches_or_exit(run, as_json=as_json)
    latches = control.latches_in(seen.switches, kind, identity)
    if not latches:
        fail(f"no latch to clear in {scope}", FAILED, as_json=as_json)
    if not reason:
        refuse(
            (*would_block(seen, latches), 'a reason is needed: --reason "…"'),
            as_json=as_json,
            lead="nothing was cleared:",
        )
    request = Resume(latches=latches, reason=reason)
    show_resumed(answer_or_exit(run, request, Resumed, WITHIN_S, as_json=as_json), as_json=as_json)


def would_block(seen: SwitchList, latches: tuple[LatchName, ...]) -> tuple[str, ...]:
    """Return each latch with what blocks it now, in words."""
    reasons = {(row.name, row.scope, row.scope_id): row.reason for row in seen.switches}
    blockers = {(row.name, row.scope, row.scope_id): row.blockers for row in seen.details}
    words = []
    for latch in latches:
        key = (latch.name, latch.scope, latch.scope_id)
        place = f"{latch.name} {latch.scope} {latch.scope_id}".rstrip()
        words.append(f"{place}: {reasons[key]}")
        words += [f"  blocked: {blocker}" for blocker in blockers.get(key, ())] or [
            "  nothing blocks it now"
        ]
    return tuple(words)


def show_resumed(answer: Resumed, *, as_json: bool) -> None:
    """Show what was cleared and what trading waits for."""
    if as_json:
        show_json({"ok": True, "resumed": answer})
        return
    for latch in answer.latches:
        click.echo(f"cleared: {latch.name} {latch.scope} {latch.scope_id}".rstrip())
    for item in answer.waits_for:
        click.echo(f"  trading waits for: {item}")
