"""`interlock doctor`: every start-up check at once."""

import os
from pathlib import Path

import click
from rich.text import Text

from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import FINDINGS, console, fail, show_json, table
from ops.doctor import examine
from ops.group import Asked
from ops.start import variables_of


@click.command("doctor")
@group_options
@json_option
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
) -> None:
    """Check interpreter, dependencies, profile, keys, disk, clock and venue; change nothing.

    Status 0 when every check holds, 1 when one does not or could not be made, 2 without a
    profile.
    """
    place = place_of(profile, run_directory, data_directory)
    if place.profile is None:
        fail("name a profile with --profile", FINDINGS, as_json=as_json)
    asked = Asked(profile, place.run_directory, place.data_directory)
    checks = examine(place.profile, variables_of(asked, os.environ))
    good = all(check.holds for check in checks)
    if as_json:
        show_json({"ok": good, "checks": checks})
    else:
        marks = {
            True: Text("holds", style="green"),
            False: Text("DOES NOT HOLD", style="bold red"),
            None: Text("unknown", style="bold yellow"),
        }
        rows = [(marks[check.holds], check.name, check.detail) for check in checks]
        console().print(table("", ("", "check", "detail"), rows))
    if not good:
        raise SystemExit(1)
