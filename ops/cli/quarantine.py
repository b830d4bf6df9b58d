"""`interlock quarantine`: the frames that feeds have refused, and why."""

from pathlib import Path

import click
import msgspec

from bus import clock
from ops.cli.ledger_view import data_directory_of
from ops.cli.options import group_options, json_option
from ops.cli.output import console, duration, fail, show_json, table
from ops.quarantine import read_frames
from shared.topics import FEEDS, SIDE_FEEDS

COUNT_DEFAULT = 20
SHOWN_CHARS = 160
"""Of a frame in the table; --json has all that is kept of it."""


@click.command("quarantine")
@group_options
@json_option
@click.option("--feed", type=click.Choice((*FEEDS, *SIDE_FEEDS)), help="Only of this feed.")
@click.option("--count", type=click.IntRange(1, 10_000), default=COUNT_DEFAULT, show_default=True)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    feed: str | None,
    count: int,
) -> None:
    """Show frames that could not be used, newest last, with their reason and their text.

    Secrets are blotted. The reference of each stands in the log of its feed. What is kept is
    bounded; `interlock status` says how many were refused.
    """
    directory = data_directory_of(profile, run_directory, data_directory)
    try:
        kept = read_frames(directory, feed or "")
    except OSError as fault:
        fail(f"{fault.filename}: {fault.strerror}", as_json=as_json)
    shown = kept.frames[-count:]
    if as_json:
        frames = msgspec.to_builtins(shown)
        show_json({"frames": frames, "kept": len(kept.frames), "unreadable": kept.unreadable})
        return
    now_ns = clock.read().wall_ns
    rows = [
        (
            duration(max(0, now_ns - one.wall_ns)),
            one.feed,
            one.reference,
            one.why,
            one.characters,
            one.raw[:SHOWN_CHARS],
        )
        for one in shown
    ]
    titles = ("age", "feed", "reference", "why", "characters", "text")
    console().print(table(f"refused frames, {len(kept.frames)} kept", titles, rows))
