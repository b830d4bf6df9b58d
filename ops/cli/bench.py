"""`interlock bench`: how long decisions travel, each beside a floor of the same run."""

from pathlib import Path

import click

from ops import bench
from ops.bench.results import BenchFailed
from ops.cli.options import json_option
from ops.cli.output import FAILED, console, duration, fail, progress_console, show_json, table
from ops.waiting import Progress


@click.command("bench")
@json_option
@click.option(
    "--frames",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Recorded frames of the market socket, one a line, for `feed`; else they are made.",
)
@click.argument("names", nargs=-1, type=click.Choice((*bench.NAMES, *bench.SETS)))
def command(as_json: bool, frames: Path | None, names: tuple[str, ...]) -> None:
    """Measure NAMES, or everything, in processes of its own; about ten minutes.

    Absolute times are this machine's; the ratio to the floor of the same run travels better.
    """
    with Progress(progress_console()) as progress:
        try:
            results = bench.run(names or bench.NAMES, progress.say, frames)
        except BenchFailed as failure:
            fail(str(failure), FAILED, as_json=as_json)
    if as_json:
        show_json(results)
        return
    rows = [
        (
            row.name,
            duration(row.median_ns),
            duration(row.p99_ns),
            duration(row.max_ns),
            "" if row.bound_ns is None else duration(row.bound_ns),
            duration(row.floor_median_ns),
            f"{row.ratio:.2f}",
            row.samples,
            "" if row.per_second is None else f"{row.per_second:,}",
            row.what,
        )
        for row in results
    ]
    columns = (
        "name",
        "median",
        "p99",
        "slowest",
        "bound of p99",
        "floor",
        "ratio",
        "samples",
        "a second",
        "what",
    )
    console().print(table("", columns, rows))
