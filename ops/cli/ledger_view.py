"""What the four commands that read the ledger have in common."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Group

from bus import clock
from bus.ledger_reader import Unreadable
from ops.cli.options import data_directory_or_exit, place_of
from ops.cli.output import FAILED, console, duration, fail, show_json

T = TypeVar("T")


def data_directory_of(
    profile: Path | None, run_directory: Path | None, data_directory: Path | None
) -> Path:
    """Return the data directory meant, or end with the reason."""
    return data_directory_or_exit(place_of(profile, run_directory, data_directory))


def readable(found: T | Unreadable, *, as_json: bool) -> T:
    """Return what was read, or say why it is unknown and end with status 1."""
    if isinstance(found, Unreadable):
        fail(f"unknown: ledger {found.why}: {found.detail}", FAILED, as_json=as_json)
    return found


def age_words(as_of_wall_ns: int, *, is_cut: bool) -> str:
    """Say as of when the answer holds, and whether older rows are left out."""
    if as_of_wall_ns == 0:
        return "the ledger has no event yet"
    words = f"as of {duration(max(0, clock.read().wall_ns - as_of_wall_ns))} ago"
    return words + ("; older rows are left out" if is_cut else "")


def show(
    name: str,
    rows: Sequence[Any],
    shown: Group,
    *,
    as_of_wall_ns: int,
    is_cut: bool,
    as_json: bool,
    more: dict[str, Any] | None = None,
) -> None:
    """Print rows as JSON or as a table, with their age."""
    if as_json:
        age = {"as_of_wall_ns": as_of_wall_ns, "is_cut": is_cut}
        show_json({name: list(rows), **age, **(more or {})})
        return
    if rows:
        console().print(shown)
    else:
        click.echo(f"no {name}")
    click.echo(age_words(as_of_wall_ns, is_cut=is_cut))
