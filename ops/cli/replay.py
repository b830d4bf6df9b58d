"""`interlock replay`: bring a group up on a file of recorded books."""

from pathlib import Path

import click

from bus import clock
from bus.locks import LockFault
from ops.cli.options import json_option
from ops.cli.output import (
    FAILED,
    FINDINGS,
    NOT_TRADING,
    console,
    fail,
    progress_console,
    show_findings,
    show_json,
)
from ops.group import Asked
from ops.replay import RUN_DEFAULT, Choice, data_directory, write_profile
from ops.start import Begun, Refusal, running_in, start
from ops.waiting import Progress

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("replay")
@json_option
@click.argument("file", type=_FILE)
@click.option(
    "--market", type=_FILE, help="The recorded market as discovery described it, a JSON object."
)
@click.option(
    "--speed",
    type=click.FloatRange(0.0, 1000.0, min_open=True),
    default=1.0,
    show_default=True,
    help="2 plays twice as fast as it was.",
)
@click.option(
    "--run-directory",
    type=click.Path(path_type=Path),
    default=RUN_DEFAULT,
    show_default=True,
    help="Sockets, locks, logs, and the data of this replay.",
)
@click.option(
    "--port", type=click.IntRange(1024, 65525), help="Of the simulated venue; the page's is 10 up."
)
@click.option(
    "--start-after-ms",
    type=click.IntRange(0, 600_000),
    help="From the first reader of books to the second frame: time to begin trading.",
)
def command(
    as_json: bool,
    file: Path,
    market: Path | None,
    speed: float,
    run_directory: Path,
    port: int | None,
    start_after_ms: int | None,
) -> None:
    """Play the recorded books of FILE to a group of its own, which trades on them.

    FILE holds one JSON object a line: a receive time and the exact text of a frame of the market
    socket. Orders match against the recorded books, and the market ends with the file. The
    group stays up until `interlock down --run-directory ...`.
    """
    run = run_directory.absolute()
    running = running_in(run)
    if running is not None:
        fail(running, NOT_TRADING, as_json=as_json)
    data = data_directory(run, clock.read().wall_ns)
    try:
        profile = write_profile(Choice(file, market, speed, port, start_after_ms), run)
    except (LockFault, OSError) as fault:
        fail(str(fault), NOT_TRADING, as_json=as_json)
    with Progress(progress_console()) as progress:
        begun = start(Asked(profile, run, data), progress.say)
    if isinstance(begun, Refusal):
        fail(begun.why, NOT_TRADING, as_json=as_json)
    if not isinstance(begun, Begun):
        show_findings(begun, as_json=as_json)
        raise SystemExit(FINDINGS)
    if begun.problem:
        words = f"the group runs, halted: {begun.problem}; see {run}/log/simulator.log"
        fail(words, FAILED, as_json=as_json)
    if as_json:
        show_json({"ok": True, "run_directory": str(run), "data_directory": str(data)})
        return
    console().print(f"replays {file}; see `interlock status --run-directory {run_directory}`")
