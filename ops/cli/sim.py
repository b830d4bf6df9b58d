"""`interlock sim`: the whole system in one process under virtual time, from one seed."""

import click

from ops.cli.options import json_option
from ops.cli.output import FAILED, progress_console, show_json
from ops.simulation.run import SECONDS, STILL_S, report, run
from ops.waiting import Progress


@click.command("sim")
@json_option
@click.argument("seed", type=click.IntRange(0, 2**63 - 1))
@click.option(
    "--seconds",
    type=click.IntRange(STILL_S + 1, 86_400),
    default=SECONDS,
    show_default=True,
    help="Simulated time.",
)
def command(as_json: bool, seed: int, seconds: int) -> None:
    """Run SEED with the faults that follow from it, and judge every step.

    Shows density and trace hash; the same seed gives the same hash everywhere. Status 1 when
    an invariant was violated.
    """
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
