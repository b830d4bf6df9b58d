"""Everything that must be right before a group may start, found in one go.

Reads files and tries ports; starts and changes nothing. `up` refuses with all findings and
exit status 2; `doctor` shows the same list with what is right beside it. The ports are a
check of their own, since a group that runs already is the better answer to a taken one.
"""

import socket
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bus.settings import (
    DATA_VARIABLE,
    MISSING,
    Settings,
    load,
    price_credentials,
    secret_file_problem,
)
from ops.keys import KeyFault, read_key
from ops.simulation.recordings import Unreadable, load_recording
from shared.config import Finding
from shared.switches import refusals_for_live

SIMULATED = (None, "simulation", "replay", "paper")
"""Modes, None for the default, whose orders go to the simulated venue: any key will do there."""


def check(profile: Path, environment: Mapping[str, str]) -> Settings | tuple[Finding, ...]:
    """Return settings that a group may start on, or every finding.

    Args:
        profile: Path of the TOML file.
        environment: INTERLOCK_RUN and INTERLOCK_DATA in it stand above the profile.
    """
    findings = _check_interpreter()
    settings = load(profile, environment)
    if not isinstance(settings, Settings):
        findings += settings
        findings += _check_key_beside_findings(profile, environment, settings)
        return tuple(findings)
    findings += check_key(settings)
    findings += check_mode(settings)
    findings += check_prices(settings)
    return tuple(findings) or settings


def check_key(settings: Settings) -> list[Finding]:
    """Find a key that is missing where none can be made, or that is none."""
    path = settings.key_file
    if secret_file_problem(path) == MISSING:
        simulated = settings.config.run.mode in SIMULATED
        return _missing_key(path, settings.data_directory, simulated=simulated)
    try:
        read_key(path)
    except KeyFault as fault:
        return [Finding("account.key_file", str(fault))]
    return []


def check_mode(settings: Settings) -> list[Finding]:
    """Find what a mode needs on this machine, or why it may not trade real money yet."""
    mode = settings.config.run.mode
    if mode == "replay":
        return _check_recording(settings)
    if mode == "paper":
        # Nobody here can make a key of the real venue: its owner puts the file there.
        return [
            Finding(where, f"{path} {MISSING}")
            for where, path in price_credentials(settings)
            if not path.exists()
        ]
    if mode == "live":
        return [Finding("run.mode", f"live: {refusal.why}") for refusal in refusals_for_live()]
    return []


def _check_recording(settings: Settings) -> list[Finding]:
    mirror = settings.config.mirror
    named = (("recording", mirror.recording), ("recorded_market", mirror.recorded_market))
    return [
        Finding(f"mirror.{where}", f"{Path(path).absolute()} {MISSING}")
        for where, path in named
        if path and not Path(path).is_file()
    ]


def check_prices(settings: Settings) -> list[Finding]:
    """Find what is wrong with the recording that the simulated venue is to play."""
    config = settings.config
    if config.run.mode != "simulation" or not config.simulator.enabled:
        return []
    try:
        load_recording(config)
    except Unreadable as fault:
        return [Finding(fault.where, fault.what)]
    return []


def check_port(settings: Settings) -> list[Finding]:
    """Find a port of the group, the simulator's or the page's, taken by somebody else."""
    config = settings.config
    findings: list[Finding] = []
    if config.run.mode in SIMULATED and config.simulator.enabled:
        findings += _check_free("simulator.port", config.simulator.port)
    if config.dashboard.enabled:
        findings += _check_free("dashboard.port", config.dashboard.port)
    return findings


def _check_free(where: str, port: int) -> list[Finding]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a connection that is only closing does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return [Finding(where, f"{port}: {error.strerror}")]
    return []


def _check_interpreter() -> list[Finding]:
    if sys.flags.optimize:
        return [Finding("python", "-O takes out asserts, which are part of the safety")]
    return []


def _check_key_beside_findings(
    profile: Path, environment: Mapping[str, str], known: tuple[Finding, ...]
) -> list[Finding]:
    """Look at the key file although the rest of the profile is wrong, so that all is said once."""
    if any(finding.where.startswith("account.key_file") for finding in known):
        return []
    try:
        raw = tomllib.loads(profile.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return []
    key = _text(raw, "account", "key_file")
    data = environment.get(DATA_VARIABLE) or _text(raw, "run", "data_directory") or "data"
    if key is None:
        return []
    path = Path(data).absolute() / key
    problem = secret_file_problem(path)
    if problem == MISSING:
        simulated = _text(raw, "run", "mode") in SIMULATED
        return _missing_key(path, Path(data).absolute(), simulated=simulated)
    return [] if problem is None else [Finding("account.key_file", f"{path} {problem}")]


def _missing_key(path: Path, data_directory: Path, *, simulated: bool) -> list[Finding]:
    """Find a missing key, unless a throwaway one may be made in the data directory."""
    if simulated and path.parent == data_directory:
        return []
    return [Finding("account.key_file", f"{path} is missing")]


def _text(raw: dict[str, Any], table: str, key: str) -> str | None:
    found = raw.get(table)
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None
