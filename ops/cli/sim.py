"""`interlock sim`: the whole system in one process under virtual time, from one seed.

From a seed alone it trades at a random price under faults; with a recording it trades the
recorded day, market after market.
"""

from pathlib import Path

import click

from bus import clock
from ops.cli.options import json_option
from ops.cli.output import FAILED, FINDINGS, progress_console, show_findings, show_json
from ops.simulation.recorded import (
    FRAMES_PER_S,
    WindowResult,
    report_recorded,
    report_window,
    run_recorded,
)
from ops.simulation.recordings import Recording, Unreadable, open_recording
from ops.simulation.run import SECONDS, STILL_S, report, run
from ops.waiting import Progress
from shared.config import Finding
from shared.units import NS_PER_S

SEED = click.IntRange(0, 2**63 - 1)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("sim")
@json_option
@click.argument("seed", type=SEED, required=False)
@click.option("--seed", "seed_option", type=SEED, help="The same as SEED; 1 with a recording.")
@click.option(
    "--seconds",
    type=click.IntRange(STILL_S + 1, 86_400),
    help=f"Simulated time, without a recording.  [default: {SECONDS}]",
)
@click.option("--prices", type=FILE, help="Recorded prices to trade at: CSV, or CSV in gzip.")
@click.option("--markets", type=FILE, help="Recorded markets, whose outcomes stand: JSON lines.")
@click.option("--asset", default="btc", show_default=True, help="Whose prices they are.")
@click.option("--from", "begin", default="", help="First window: 13:05, a date and time, seconds.")
@click.option("--windows", type=click.IntRange(1), help="At most so many; else all.")
@click.option(
    "--frames",
    type=click.IntRange(1, 1_000),
    default=FRAMES_PER_S,
    show_default=True,
    help="Market frames a second of other makers, with a recording; fewer is faster.",
)
@click.option("--faults", is_flag=True, help="Draw faults from the seed for a recording too.")
def command(
    as_json: bool,
    seed: int | None,
    seed_option: int | None,
    seconds: int | None,
    prices: Path | None,
    markets: Path | None,
    asset: str,
    begin: str,
    windows: int | None,
    frames: int,
    faults: bool,
) -> None:
    """Run SEED with the faults that follow from it, or a recording, and judge every step.

    Shows density and trace hash; the same seed gives the same hash everywhere. With --prices
    the markets of the recording are traded one after the other: outcomes, fills and profit of
    each are shown. Status 1 when an invariant was violated, or a market resolved otherwise than
    recorded.
    """
    if seed is not None and seed_option is not None:
        raise click.UsageError("name the seed once: SEED or --seed")
    chosen = seed if seed_option is None else seed_option
    if prices is None:
        if chosen is None:
            raise click.UsageError("name a SEED, or a recording with --prices")
        if markets is not None or begin or windows is not None or faults:
            raise click.UsageError("--markets, --from, --windows and --faults need --prices")
        _run_seed(chosen, seconds or SECONDS, as_json=as_json)
        return
    if seconds is not None:
        raise click.UsageError("a recording is as long as its windows: use --windows")
    try:
        recording = open_recording(prices, markets, asset=asset, begin=begin, windows=windows)
    except Unreadable as fault:
        show_findings([Finding(fault.where, fault.what)], as_json=as_json)
        raise SystemExit(FINDINGS) from fault
    _run_recording(chosen if chosen is not None else 1, recording, frames, faults, as_json=as_json)


def _run_seed(seed: int, seconds: int, *, as_json: bool) -> None:
    with Progress(progress_console()) as progress:
        progress.say(f"seed {seed}, {seconds} simulated seconds")
        outcome = run(seed, seconds)
    if as_json:
        show_json(outcome)
    else:
        for line in report(outcome):
            click.echo(line)
    if outcome.violations:
        raise SystemExit(FAILED)


def _run_recording(
    seed: int, recording: Recording, frames: int, faults: bool, *, as_json: bool
) -> None:
    def say(result: WindowResult) -> None:
        click.echo(report_window(result), err=as_json)

    began_ns = clock.read().monotonic_ns
    outcome = run_recorded(seed, recording, frames_per_second=frames, has_faults=faults, say=say)
    real_s = (clock.read().monotonic_ns - began_ns) / NS_PER_S
    if as_json:
        show_json({"real_s": round(real_s, 1), "run": outcome})
    else:
        for line in report_recorded(outcome, real_s):
            click.echo(line)
    if outcome.violations or outcome.mistaken:
        raise SystemExit(FAILED)
