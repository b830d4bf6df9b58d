"""`interlock panic`: cancel everything with no other process alive."""

from pathlib import Path

import click

from ops.cli.options import (
    data_directory_or_exit,
    group_options,
    json_option,
    place_of,
    settings_or_exit,
)
from ops.cli.output import FAILED, duration, fail, progress_console, show_json
from ops.panic import Unproven, clear_latch, panic
from ops.waiting import Progress

WITHIN_S_DEFAULT = 300
"""Every order dies at the venue by itself within about two minutes; then the proof passes too."""


@click.command("panic")
@group_options
@json_option
@click.option("--clear", is_flag=True, help="End the PANIC latch instead; needs --reason.")
@click.option("--reason", default="", help="For the history: why.")
@click.option(
    "--within",
    "within_s",
    type=click.IntRange(1, 86_400),
    default=WITHIN_S_DEFAULT,
    show_default=True,
    help="Seconds to go on cancelling before the status is 1; the latch stands either way.",
)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    clear: bool,
    reason: str,
    within_s: int,
) -> None:
    """Latch, kill execution, cancel at the venue until nothing is open, proven.

    Works with every process alive and with none. Nothing is placed, and `up` refuses, until
    `panic --clear --reason ...`.
    """
    place = place_of(profile, run_directory, data_directory)
    if clear:
        _clear(data_directory_or_exit(place), reason, as_json=as_json)
        return
    settings = settings_or_exit(place, as_json=as_json)
    with Progress(progress_console()) as progress:
        ended = panic(settings, reason or "panic", progress.say, within_s)
    if isinstance(ended, Unproven):
        fail(f"not proven: {ended.why}", FAILED, as_json=as_json)
    if as_json:
        show_json({"ok": True, "proven": ended})
        return
    killed = f"execution (process {ended.killed_pid}) killed, " if ended.killed_pid else ""
    click.echo(f"{killed}{ended.canceled} cancelled, zero proven after {duration(ended.took_ns)}")
    click.echo("PANIC stands until `interlock panic --clear --reason ...`")


def _clear(data_directory: Path, reason: str, *, as_json: bool) -> None:
    if not reason:
        fail("--clear needs --reason", FAILED, as_json=as_json)
    try:
        stood = clear_latch(data_directory, reason)
    except OSError as error:
        fail(f"the latch stands: {error}", FAILED, as_json=as_json)
    if not stood:
        fail(f"no PANIC latch in {data_directory}", FAILED, as_json=as_json)
    if as_json:
        show_json({"ok": True})
    else:
        click.echo("PANIC is cleared; a latch of risk stands until `interlock resume`")
