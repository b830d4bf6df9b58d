"""`interlock status`: what the group does now, with the age of everything shown."""

from pathlib import Path

import click
import msgspec

from ops.cli import status_view
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import DONE, DOWN, NOT_TRADING, console, show_json
from ops.cli.recovery_view import read_checks, render_checks
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

    While nothing trades, every item of the recovery check list too, asked of risk itself.

    Status 0 active, 3 paused or halted, 4 down: risk is not heard.
    """
    place = place_of(profile, run_directory, data_directory)
    view = observe(place.run_directory)
    is_waiting = view.risk() is not None and not is_active(view)
    checks = read_checks(place.run_directory) if is_waiting else None
    if as_json:
        found = status_view.as_builtins(view, place.data_directory)
        show_json(found | {"recovery": msgspec.to_builtins(checks)})
    else:
        console().print(status_view.render(view, place.data_directory))
        if checks is not None:
            console().print(render_checks(checks))
    if view.risk() is None:
        raise SystemExit(DOWN)
    raise SystemExit(DONE if is_active(view) else NOT_TRADING)
