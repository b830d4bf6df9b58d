"""`interlock down`: cancel, prove at the venue that nothing is open, end everything."""

from pathlib import Path

import click

from ops.cli.options import group_options, json_option, place_of, settings_or_exit
from ops.cli.output import FAILED, fail, progress_console, show_json
from ops.stop import NotStopped, stop
from ops.waiting import Progress


@click.command("down")
@group_options
@json_option
@click.option(
    "--without-proof",
    is_flag=True,
    help="End the group although the venue has not shown that nothing is open.",
)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    without_proof: bool,
) -> None:
    """Stop the group: strategies and execution first, then proof, then the rest.

    While something may be open at the venue the rest is left running, because risk goes on
    cancelling; the exit status is then 1 and the reason is shown.
    """
    place = place_of(profile, run_directory, data_directory)
    settings = settings_or_exit(place, as_json=as_json)
    with Progress(progress_console()) as progress:
        ended = stop(settings, progress.say, without_proof=without_proof)
    if isinstance(ended, NotStopped):
        fail(ended.why, FAILED, as_json=as_json)
    if as_json:
        show_json({"ok": True, "was_running": ended.was_running, "open_orders": ended.open_orders})
    elif not ended.was_running:
        click.echo(f"nothing runs in {settings.run_directory}")
    elif ended.open_orders is None:
        click.echo("stopped, without proof from the venue")
    else:
        click.echo("stopped; the venue shows no open order")
