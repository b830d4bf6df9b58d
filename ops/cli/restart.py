"""`interlock restart`: end one process and start it again."""

from pathlib import Path

import click

from bus import supervision
from ops.cli.options import group_options, json_option, place_of
from ops.cli.output import DOWN, FAILED, fail, progress_console, show_json
from ops.waiting import Progress, wait_for
from shared.topics import COMPONENTS

STOP_WITHIN_S = 30.0
START_WITHIN_S = 10.0


@click.command("restart")
@group_options
@json_option
@click.argument("name")
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    name: str,
) -> None:
    """Restart NAME, one process of the group.

    What rests on the process is cancelled meanwhile as if it had died; it starts halted, and
    trading resumes when everything is proven again.
    """
    run = place_of(profile, run_directory, data_directory).run_directory
    found = supervision.processes(run)
    if isinstance(found, supervision.Unreachable):
        fail(found.why, DOWN, as_json=as_json)
    if name not in {row.name for row in found}:
        fail(f"no process {name!r}; there are {', '.join(COMPONENTS)}", FAILED, as_json=as_json)
    with Progress(progress_console()) as progress:
        why = _restart(run, name, progress)
    if why:
        fail(why, FAILED, as_json=as_json)
    if as_json:
        show_json({"ok": True, "name": name})
    else:
        click.echo(f"{name} was restarted")


def _restart(run: Path, name: str, progress: Progress) -> str:
    """Return what went wrong; empty for nothing."""
    answer = supervision.stop(run, name)
    if isinstance(answer, supervision.Unreachable):
        return answer.why
    if not wait_for(
        lambda: _reached(run, name, supervision.GONE),
        STOP_WITHIN_S,
        progress.say,
        lambda: f"{name} ends",
    ):
        return f"{name} has not ended in {STOP_WITHIN_S:.0f} s"
    refused = supervision.start(run, name)
    if refused is not None:
        return refused.why
    if not wait_for(
        lambda: _reached(run, name, frozenset({"RUNNING"})),
        START_WITHIN_S,
        progress.say,
        lambda: f"{name} starts",
    ):
        return f"{name} does not stay up; see its log"
    return ""


def _reached(run: Path, name: str, states: frozenset[str]) -> bool | None:
    found = supervision.processes(run)
    if isinstance(found, supervision.Unreachable):
        return None
    return True if any(row.name == name and row.state in states for row in found) else None
