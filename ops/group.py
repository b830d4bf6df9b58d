"""Where a group lives: its run directory, its data directory, and the profile it runs on.

`up` copies the profile into the run directory, so that what runs stays what was started
however the file is edited, and leaves a record beside it. Every other command finds both by the
run directory alone. Which one: the option, else INTERLOCK_RUN, else the profile's, else
`run` in the current directory.
"""

import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bus.credentials import write_private
from bus.settings import (
    CONFIG_VARIABLE,
    DATA_VARIABLE,
    RUN_VARIABLE,
    SOURCE_ROOT,
    Settings,
    load,
)
from shared.config import Finding

RECORD_FILE = "group.json"
PROFILE_FILE = "profile.toml"
RUN_DEFAULT = "run"
PANIC_FILE = "PANIC"
RECORD_BYTES_MAX = 65_536


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `up` leaves in the run directory for the other commands.

    Attributes:
        profile: Absolute path of the profile as it was named.
        mode: Of the profile.
        started_wall_ns: When `up` began.
    """

    profile: str
    data_directory: str
    mode: str
    started_wall_ns: int


class Place(msgspec.Struct, frozen=True):
    """Where a group is looked for; nothing in it needs to exist.

    Attributes:
        data_directory: None when nobody has said it.
        profile: None likewise.
        record: None when no group was ever started here.
    """

    run_directory: Path
    data_directory: Path | None
    profile: Path | None
    record: Record | None


class Asked(msgspec.Struct, frozen=True):
    """What the caller named on the command line."""

    profile: Path | None = None
    run_directory: Path | None = None
    data_directory: Path | None = None


def locate(asked: Asked, environment: Mapping[str, str] | None = None) -> Place:
    """Return where the group meant is, from options, environment, record and profile."""
    variables = os.environ if environment is None else environment
    named = asked.profile or _path(variables.get(CONFIG_VARIABLE))
    run = (
        asked.run_directory
        or _path(variables.get(RUN_VARIABLE))
        or _directory_of(named, "run_directory")
        or Path(RUN_DEFAULT)
    ).absolute()
    record = read_record(run)
    copy = run / PROFILE_FILE
    profile = named or (copy if copy.is_file() else None)
    data = asked.data_directory or _path(variables.get(DATA_VARIABLE))
    if data is None and record is not None:
        data = Path(record.data_directory)
    if data is None:
        data = _directory_of(profile, "data_directory")
    return Place(run, data.absolute() if data else None, profile, record)


def settings_of(place: Place) -> Settings | tuple[Finding, ...]:
    """Return the settings of a group: those it runs on, when it was ever started."""
    copy = place.run_directory / PROFILE_FILE
    profile = copy if copy.is_file() else place.profile
    if profile is None:
        return (Finding("profile", f"no group was started in {place.run_directory}; name one"),)
    variables = {RUN_VARIABLE: str(place.run_directory)}
    if place.data_directory is not None:
        variables[DATA_VARIABLE] = str(place.data_directory)
    return load(profile, variables)


def read_record(run_directory: Path) -> Record | None:
    """Return the record of the last `up`; None when there is none that can be read."""
    try:
        with (run_directory / RECORD_FILE).open("rb") as file:
            return msgspec.json.decode(file.read(RECORD_BYTES_MAX), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def write_record(run_directory: Path, profile: Path, record: Record) -> None:
    """Copy the profile and leave the record, each atomically.

    Raises:
        OSError: The run directory takes no file.
    """
    write_private(run_directory / PROFILE_FILE, profile.read_bytes())
    write_private(run_directory / RECORD_FILE, msgspec.json.encode(record))


def environment_of_children(settings: Settings) -> dict[str, str]:
    """Return the environment that supervisord and all processes get.

    PYTHONOPTIMIZE is dropped, since asserts are part of the safety; PYTHONPATH is the source
    alone, so that a folder named `shared` in the current directory is not imported. The
    interpreter is the caller's, unless INTERLOCK_PYTHON names another.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    simulator = settings.config.run.mode != "live" and settings.config.simulator.enabled
    return kept | {
        CONFIG_VARIABLE: str(settings.run_directory / PROFILE_FILE),
        RUN_VARIABLE: str(settings.run_directory),
        DATA_VARIABLE: str(settings.data_directory),
        "INTERLOCK_PYTHON": kept.get("INTERLOCK_PYTHON", sys.executable),
        "INTERLOCK_DASHBOARD": "true" if settings.config.dashboard.enabled else "false",
        "INTERLOCK_SIMULATOR": "true" if simulator else "false",
        "PYTHONPATH": str(SOURCE_ROOT),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _directory_of(profile: Path | None, key: str) -> Path | None:
    """Return a directory that a profile names, without asking for the rest to be right."""
    if profile is None:
        return None
    try:
        run = tomllib.loads(profile.read_text(encoding="utf-8")).get("run", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    found = run.get(key) if isinstance(run, dict) else None
    return Path(found) if isinstance(found, str) and found else None
