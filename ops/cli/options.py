"""Options that several commands share, and the group that they mean."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bus.settings import Settings
from ops.cli.output import FINDINGS, fail, show_findings
from ops.group import Asked, Place, locate, settings_of

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def group_options(command: Decorated) -> Decorated:
    """Add --profile, --run-directory and --data-directory."""
    path = click.Path(path_type=Path)
    for option in (
        click.option(
            "--data-directory",
            type=path,
            help="Ledger, keys, recordings. Default: the group's own, else the profile's.",
        ),
        click.option(
            "--run-directory",
            type=path,
            help="Sockets, locks, logs. Default: the profile's, else `run` here.",
        ),
        click.option(
            "--profile",
            type=path,
            help="TOML file. Relative directories in it are taken from the current directory.",
        ),
    ):
        command = option(command)
    return command


def json_option(command: Decorated) -> Decorated:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object instead.")(command)


def place_of(
    profile: Path | None, run_directory: Path | None, data_directory: Path | None
) -> Place:
    """Return where the group meant is."""
    return locate(Asked(profile, run_directory, data_directory))


def settings_or_exit(place: Place, *, as_json: bool) -> Settings:
    """Return a group's settings, or show all findings and end with status 2."""
    settings = settings_of(place)
    if isinstance(settings, Settings):
        return settings
    show_findings(settings, as_json=as_json)
    raise SystemExit(FINDINGS)


def data_directory_or_exit(place: Place) -> Path:
    """Return a group's data directory, or end with the reason."""
    if place.data_directory is None:
        fail(f"no group was started in {place.run_directory}; name a profile", FINDINGS)
    return place.data_directory
