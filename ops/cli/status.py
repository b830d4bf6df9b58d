"""`interlock status`: what the group does now, with the age of everything shown."""

from pathlib import Path

import click

from ops.cli import status_view
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import DONE, DOWN, NOT_TRADING, console, show_json
from ops.observe import observe
from ops.trading import is_active


@click.command("status")
@group_options
@json_option
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
) -> None:
    """Show components, switches, feeds, orders and profit, heard off the bus in half a second.

    Status 0 active, 3 paused or halted, 4 down: risk is not heard.
    """
    place = place_of(profile, run_directory, data_directory)
    view = observe(place.run_directory)
    if as_json:
        show_json(status_view.as_builtins(view, place.data_directory))
    else:
        console().print(status_view.render(view, place.data_directory))
    if view.risk() is None:
        raise SystemExit(DOWN)
    raise SystemExit(DONE if is_active(view) else NOT_TRADING)
