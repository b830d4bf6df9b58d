"""A simulator of our own: another process on a free port, with a fresh directory.

It is the venue of a session in simulation, and what a session elsewhere is compared with. Its
keys are throwaway ones and vanish with it.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import requests

from bus.settings import DATA_VARIABLE, RUN_VARIABLE, SOURCE_ROOT, Settings, load
from ops.group import environment_of_children
from ops.keys import make_throwaway_key
from ops.probe.asking import Silent
from ops.waiting import wait_for
from shared.config import Config
from shared.config.section import Section

LENGTH_S = 900
"""Markets long enough for an order's life, as the venue has them."""

AHEAD_MIN = 2
SERVES_WITHIN_S = 60.0
ANSWER_S = 2.0
ENDS_WITHIN_S = 10.0
OUTPUT = "simulator.out"


@contextmanager
def simulator(config: Config, output_directory: Path) -> Iterator[Settings]:
    """Run a simulator with a profile's pace and delays; yields settings that mean it.

    Raises:
        Silent: It does not start.
    """
    home = Path(tempfile.mkdtemp(prefix="ilp"))
    try:
        profile = home / "profile.toml"
        profile.write_text(profile_text(config, _free_port()), encoding="utf-8")
        data = home / "data"
        data.mkdir(mode=0o700)
        variables = {RUN_VARIABLE: str(home / "run"), DATA_VARIABLE: str(data)}
        settings = load(profile, variables)
        assert isinstance(settings, Settings), f"a profile of our own: {settings}"
        settings.run_directory.mkdir(mode=0o700)
        make_throwaway_key(settings.key_file)
        process = _start(settings, profile, output_directory)
        try:
            _wait_until_it_serves(settings, process)
            yield settings
        finally:
            process.terminate()
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def profile_text(config: Config, port: int) -> str:
    """Return a profile for a simulator of our own: a real one's markets, this one's settings."""
    own = msgspec.structs.replace(
        config.simulator, port=port, enabled=True, ahead=max(config.simulator.ahead, AHEAD_MIN)
    )
    web, host = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    tables: dict[str, dict[str, Any]] = {
        "run": {"profile": "probe"},
        "account": {"key_file": "key.hex", "credentials_file": "credentials.json"},
        "venue": {
            "clob_url": web,
            "discovery_url": web,
            "geoblock_url": web,
            "market_socket_url": f"{host}/ws/market",
            "user_socket_url": f"{host}/ws/user",
            "price_socket_url": f"{host}/ws",
        },
        "markets": {"assets": list(config.markets.assets), "interval_s": LENGTH_S},
        "simulator": _values(own),
    }
    lines: list[str] = []
    for table, values in tables.items():
        lines.append(f"[{table}]")
        # A JSON text, number, truth or array of them is one of TOML too.
        lines += [
            f"{name} = {msgspec.json.encode(value).decode()}" for name, value in values.items()
        ]
    return "\n".join(lines) + "\n"


def _values(section: Section) -> dict[str, Any]:
    values = msgspec.to_builtins(section)
    assert isinstance(values, dict)
    return {name: value for name, value in values.items() if value is not None}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _start(settings: Settings, profile: Path, output_directory: Path) -> subprocess.Popen[bytes]:
    environment = environment_of_children(settings) | {"INTERLOCK_CONFIG": str(profile)}
    with (output_directory / OUTPUT).open("ab") as output:
        os.chmod(output.fileno(), 0o600)
        # Of a session of its own: an interrupt at the keyboard must not end the venue before
        # its orders are cancelled.
        return subprocess.Popen(
            [sys.executable, "-m", "services.simulator"],
            cwd=SOURCE_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_it_serves(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    def look() -> bool | None:
        if process.poll() is not None:
            return False
        return True if answers(settings.config) else None

    if not wait_for(look, SERVES_WITHIN_S):
        raise Silent(f"our own simulator does not start (status {process.poll()})")


def answers(config: Config) -> bool:
    """Tell whether a venue answers at all at a profile's address."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{config.venue.clob_url.rstrip('/')}/ok", timeout=ANSWER_S).ok
        except requests.RequestException:
            return False
