"""`interlock halt`: cancel everything and stay so; returns when zero is proven."""

from pathlib import Path

import click

from ops import control
from ops.cli.asking import scope_or_exit
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import DOWN, FAILED, duration, fail, progress_console, show_json
from ops.waiting import Progress
from shared.operator import Disable, Flatten, Halt, Halted, Reply, RequestRefused

WITHIN_S_DEFAULT = 60
"""Proof takes about six seconds where the venue answers; an order in flight some more."""

REASON_DEFAULT = "halted by the operator"
"""One word halts: who has no time for a reason is not asked for one."""


@click.command("halt")
@group_options
@json_option
@click.option("--scope", default="account", show_default=True, help="Or asset:btc, market:0x…")
@click.option("--reason", default=REASON_DEFAULT, show_default=True, help="For the audit trail.")
@click.option(
    "--within",
    "within_s",
    type=click.IntRange(1, 3600),
    default=WITHIN_S_DEFAULT,
    show_default=True,
    help="Seconds to wait for the proof; the halt itself stands at once.",
)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    scope: str,
    reason: str,
    within_s: int,
) -> None:
    """Halt trading until `interlock resume`, through every restart.

    Status 0 only when the latch is on disk and, for the account, nothing is open, proven
    by the venue.
    """
    kind, identity = scope_or_exit(scope)
    place = place_of(profile, run_directory, data_directory)
    request = Halt(scope=kind, scope_id=identity, reason=reason)
    answer = hold(place.run_directory, request, "halting", within_s, as_json=as_json)
    if as_json:
        show_json({"ok": True, "halted": answer})
        return
    show_held("halted", answer)


def hold(
    run: Path, request: Halt | Flatten | Disable, doing: str, within_s: float, *, as_json: bool
) -> Halted:
    """Ask for a hold and return its answer, or end with the reason."""
    with Progress(progress_console()) as progress:
        progress.say(f"{doing}: cancel, and wait for proof from the venue")
        answer = control.ask(run, request, within_s)
    if isinstance(answer, control.Silent) and not answer.taken:
        fail(f"{answer.why}; `interlock panic` needs no process", DOWN, as_json=as_json)
    if not isinstance(answer, Halted):
        fail(_why(answer), FAILED, as_json=as_json)
    return answer


def _why(answer: Reply | control.Silent) -> str:
    if isinstance(answer, control.Silent):
        return answer.why
    if isinstance(answer, RequestRefused):
        return f"refused: {answer.error}: {answer.detail}"
    return f"unexpected answer: {type(answer).__name__}"


def show_held(words: str, answer: Halted) -> None:
    """Show what is held, and how long its proof took."""
    latch = answer.latch
    where = latch.scope if latch.scope == "account" else f"{latch.scope} {latch.scope_id}"
    click.echo(f"{words}: {where} (version {latch.version})")
    if answer.fence is None:
        return
    for name, span_ns in (
        ("placements blocked", answer.fence.blocked_ns),
        ("queues empty", answer.fence.quiet_ns),
        ("zero proven", answer.fence.zero_ns),
    ):
        click.echo(f"  {name:18} {'not told' if span_ns is None else duration(span_ns)}")
