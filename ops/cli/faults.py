"""`interlock faults`: what goes wrong at the simulated venue, switched while it runs."""

from pathlib import Path
from typing import Any

import click

from ops.cli.options import group_options, json_option, place_of, settings_or_exit
from ops.cli.output import DOWN, FAILED, FINDINGS, console, fail, show_json, table
from ops.venue_faults import Refused, VenueFaults

MODE_REAL = "live"


def venue_or_exit(
    profile: Path | None, run_directory: Path | None, data_directory: Path | None, *, as_json: bool
) -> VenueFaults:
    """Return the group's simulated venue, or end: a real venue has no such switches."""
    place = place_of(profile, run_directory, data_directory)
    config = settings_or_exit(place, as_json=as_json).config
    if config.run.mode == MODE_REAL or not config.simulator.enabled:
        fail(f"mode {config.run.mode} has no simulated venue", FINDINGS, as_json=as_json)
    return VenueFaults(config.simulator.port)


@click.group("faults")
def command() -> None:
    """Switch faults of the simulated venue on and off while it runs.

    Each subcommand takes --json. docs/venue-faults.md tells what every entry does.
    """


@command.command("ls")
@group_options
@json_option
@click.option("--all", "is_all", is_flag=True, help="Every entry of the catalogue.")
def ls(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    is_all: bool,
) -> None:
    """Show the faults that are on, or the whole catalogue."""
    venue = venue_or_exit(profile, run_directory, data_directory, as_json=as_json)
    rows = _or_exit(venue.catalogue() if is_all else venue.ls(), as_json=as_json)
    if as_json:
        show_json({"ok": True, "entries" if is_all else "faults": rows})
    elif is_all:
        switched = [row for row in rows if row["switch"]]
        lines = [(row["number"], row["name"], row["what"]) for row in switched]
        console().print(table("", ("number", "name", "what"), lines))
    elif not rows:
        click.echo("no fault is on")
    else:
        faults = [(row["id"], row["entry"] or "-", row["kind"], row["is_on"]) for row in rows]
        console().print(table("", ("id", "entry", "kind", "now"), faults))


@command.command("on")
@group_options
@json_option
@click.argument("name")
@click.option("--for", "duration_s", type=click.FloatRange(0.001, 86_400), help="Seconds.")
@click.option("--after", "after_s", type=click.FloatRange(0, 86_400), default=0, help="Seconds.")
@click.option(
    "--every", "every_s", type=click.FloatRange(0.001, 86_400), help="Again so often; with --for."
)
@click.option("--count", type=click.IntRange(1), help="How often each of its faults strikes.")
@click.option("--probability", type=click.FloatRange(0, 1), default=1.0, show_default=True)
def on(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    name: str,
    duration_s: float | None,
    after_s: float,
    every_s: float | None,
    count: int | None,
    probability: float,
) -> None:
    """Switch the entry NAME of the catalogue on, by its name or number."""
    venue = venue_or_exit(profile, run_directory, data_directory, as_json=as_json)
    wish: dict[str, object] = {
        "entry": name,
        "duration_ms": _ms(duration_s),
        "after_ms": _ms(after_s),
        "every_ms": _ms(every_s),
        "count": count,
        "probability": probability,
    }
    found = _or_exit(venue.switch_on(wish), as_json=as_json)
    if as_json:
        show_json({"ok": True, **found})
    else:
        click.echo(f"{found['entry']} is on: {', '.join(map(str, found['ids']))}")


@command.command("off")
@group_options
@json_option
@click.argument("name")
def off(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    name: str,
) -> None:
    """Switch off: a fault by its id, an entry by its NAME, or `all` with any storm."""
    venue = venue_or_exit(profile, run_directory, data_directory, as_json=as_json)
    found = _or_exit(venue.switch_off(name), as_json=as_json)
    if as_json:
        show_json({"ok": True, **found})
    else:
        click.echo(f"{found['cleared']} faults are off")


@command.command("random")
@group_options
@json_option
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True)
@click.option(
    "--mean", "mean_s", type=click.FloatRange(0.001, 86_400), default=10.0, show_default=True,
    help="Seconds from one entry to the next.",
)  # fmt: skip
@click.option("--each", "lasts_s", type=click.FloatRange(0.001, 86_400), help="Seconds of each.")
@click.option("--for", "duration_s", type=click.FloatRange(0.001, 86_400), help="Of all, seconds.")
@click.option("--only", "names", multiple=True, help="NAME or NAME=WEIGHT; repeatable.")
def random(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    as_json: bool,
    seed: int,
    mean_s: float,
    lasts_s: float | None,
    duration_s: float | None,
    names: tuple[str, ...],
) -> None:
    """Throw entries of the catalogue at random times until `interlock faults off all`."""
    venue = venue_or_exit(profile, run_directory, data_directory, as_json=as_json)
    wish: dict[str, object] = {
        "seed": seed,
        "mean_ms": _ms(mean_s),
        "lasts_ms": _ms(lasts_s),
        "duration_ms": _ms(duration_s),
        "weights": _weights(names),
    }
    found = _or_exit(venue.random(wish), as_json=as_json)
    if as_json:
        show_json({"ok": True, **found})
    else:
        click.echo(f"entries come at random, seed {seed}")


def _or_exit(answer: Any | Refused, *, as_json: bool) -> Any:
    if isinstance(answer, Refused):
        is_down = answer.why.startswith("the simulator does not answer")
        fail(answer.why, DOWN if is_down else FAILED, as_json=as_json)
    return answer


def _ms(span_s: float | None) -> int | None:
    return None if span_s is None else round(span_s * 1_000)


def _weights(names: tuple[str, ...]) -> dict[str, int]:
    weights: dict[str, int] = {}
    for text in names:
        name, _, weight = text.partition("=")
        if weight and not weight.isdigit():
            raise click.BadParameter(f"{text}: the weight is no whole number", param_hint="--only")
        weights[name] = int(weight or 1)
    return weights
