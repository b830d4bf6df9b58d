"""`interlock replay`: bring a group up on recorded books, or decide recorded decisions again."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from bus import clock
from bus.differences import Difference
from bus.lives import Report
from bus.locks import LockFault
from bus.recording_archive import NotTheSame
from ops.cli.options import json_option
from ops.cli.output import (
    DONE,
    FAILED,
    FINDINGS,
    NOT_TRADING,
    UNKNOWN,
    chosen,
    console,
    fail,
    progress_console,
    show_findings,
    show_json,
    table,
)
from ops.decisions import decide_again, is_recording, recordings_in, unpacked
from ops.group import Asked
from ops.replay import RUN_DEFAULT, Choice, data_directory, write_profile
from ops.start import Begun, Refusal, running_in, start
from ops.waiting import Progress
from shared.units import NS_PER_S

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PATH = click.Path(exists=True, path_type=Path)
_NARROW = ("component", "run", "equal", "result")


@click.command("replay")
@json_option
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option(
    "--decisions",
    is_flag=True,
    help="FILES are recordings of the bus, archived or not, or directories: decide all again.",
)
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
    files: tuple[Path, ...],
    decisions: bool,
    market: Path | None,
    speed: float,
    run_directory: Path,
    port: int | None,
    start_after_ms: int | None,
) -> None:
    """Play the recorded books of FILES, one file, to a group of its own, which trades on them.

    The file holds one JSON object a line: a receive time and the exact text of a frame of the
    market socket. Orders match against the recorded books, and the market ends with the file. The
    group stays up until `interlock down --run-directory ...`.

    With --decisions nothing is started: state builder and strategies decide again what they
    decided in FILES, and every view, target and status is compared with the recorded one, byte by
    byte. Status 0: all of it is equal; 1: something differs, and the first of it is shown; 2:
    nothing differs, but not everything could be compared.
    """
    if decisions:
        _decide_again(files, as_json=as_json)
        return
    if len(files) != 1 or files[0].is_dir():
        fail("one file of recorded books is played; or use --decisions", FINDINGS, as_json=as_json)
    if is_recording(files[0]):
        fail("this is a recording of the bus: use --decisions", FINDINGS, as_json=as_json)
    choice = Choice(files[0], market, speed, port, start_after_ms)
    _play(choice, run_directory, as_json=as_json)


def _play(choice: Choice, run_directory: Path, *, as_json: bool) -> None:
    """Bring the group up."""
    run = run_directory.absolute()
    running = running_in(run)
    if running is not None:
        fail(running, NOT_TRADING, as_json=as_json)
    data = data_directory(run, clock.read().wall_ns)
    try:
        profile = write_profile(choice, run)
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
    console().print(
        f"replays {choice.recording}; see `interlock status --run-directory {run_directory}`"
    )


def _decide_again(paths: Sequence[Path], *, as_json: bool) -> None:
    """Compare, show, and end with the status."""
    recordings = recordings_in(paths)
    if not recordings:
        fail("no recording there", FINDINGS, as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="ilr") as directory:
        try:
            segments = unpacked(recordings, Path(directory))
        except (NotTheSame, OSError) as fault:
            fail(str(fault), FINDINGS, as_json=as_json)
        outcome = decide_again(segments)
    status = DONE if outcome.is_equal else FAILED if outcome.differs else FINDINGS
    if as_json:
        show_json(outcome)
        raise SystemExit(status)
    rows = [_row(report) for one in outcome.components for report in one.reports]
    if rows:
        console().print(table("", *chosen(rows, _NARROW)))
    for one in outcome.components:
        for problem in (one.problem, *(one.summary.problems if one.summary else ())):
            if problem:
                console().print(f"{one.component}: {problem}")
        for report in one.reports:
            if report.difference is not None:
                console().print(_words(report.component, report.difference))
    console().print(f"hash of all decisions {outcome.hash}")
    raise SystemExit(status)


def _row(report: Report) -> dict[str, object]:
    result = "equal" if report.is_equal else report.incomplete or "DIFFERS"
    return {
        "component": report.component,
        "run": f"{report.incarnation:016x}",
        "from": _moment(report.began_wall_ns),
        "to": _moment(report.ended_wall_ns),
        "inputs": report.entries,
        "equal": report.equal,
        "unheard": report.unheard,
        "result": "; ".join(text for text in (result, report.note) if text),
        "hash": report.hash,
    }


def _words(component: str, difference: Difference) -> str:
    lines = [
        f"{component} {_moment(difference.wall_ns)} {difference.topic} {difference.number}:"
        f" {difference.field or 'the decision'}",
        f"  recorded {difference.recorded}",
        f"  now      {difference.again}",
        *(f"  seen     {words}" for words in difference.seen),
    ]
    return "\n".join(lines)


def _moment(wall_ns: int | None) -> str:
    if wall_ns is None:
        return UNKNOWN
    return datetime.fromtimestamp(wall_ns / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
