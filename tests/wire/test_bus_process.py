"""The start and the end of real processes that do nothing but live."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bus.process import EXIT_ORPHAN, SUPERVISED_VARIABLE
from bus.process_limits import BACKGROUND_NICE, OOM_SCORES, URGENT_NICE
from bus.settings import SOURCE_ROOT
from shared.identifiers import Component
from shared.topics import EXECUTION, RECORDER, STATE
from tests.builders.bus_rig import PROFILE, run_directory

WAIT_S = 60.0

LIVING = """
import sys
from bus.actor import run
from bus.process import start
from shared.effects import Exit, Log, Stop
from shared.identifiers import Component

class Living:
    def on_message(self, message, now):
        return [Exit(7, message.cause)] if isinstance(message, Stop) else []
    def on_tick(self, now):
        return []

sys.exit(run(start(Component("state")), Living()))
"""

PARENT = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {LIVING!r}])
sys.stdin.read(1)
"""


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    with run_directory() as directory:
        (directory / "test.toml").write_text(PROFILE)
        yield {
            **os.environ,
            "INTERLOCK_CONFIG": str(directory / "test.toml"),
            "INTERLOCK_RUN": str(directory / "run"),
            "INTERLOCK_DATA": str(directory / "data"),
        }


def spawn(
    environment: dict[str, str], *options: str, program: str = LIVING
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *options, "-c", program],
        cwd=SOURCE_ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def read_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], WAIT_S)[0], "no line in time"
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def end(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    out, error = process.communicate(timeout=WAIT_S)
    return process.returncode, out, error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_becomes_a_stop_and_the_core_ends_the_process(
    environment: dict[str, str], number: signal.Signals
) -> None:
    process = spawn(environment)
    identity = read_line(process)["fields"]
    assert identity["component"] == "state"
    assert identity["pid"] == process.pid
    process.send_signal(number)
    status, out, error = end(process)
    assert status == 7, error
    assert json.loads(out.splitlines()[-1])["fields"] == {"status": 7, "reason": number.name}


@pytest.mark.parametrize(("component", "wished"), [("risk", URGENT_NICE), ("state", 0)])
def test_risk_and_execution_go_first_where_the_system_allows_it(
    environment: dict[str, str], component: str, wished: int
) -> None:
    asked = f"import os; os.setpriority(os.PRIO_PROCESS, 0, {URGENT_NICE})"
    allowed = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=False)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    process = spawn(environment, program=LIVING.replace("state", component))
    while read_line(process)["event"] != "process.started":
        pass
    expected = wished if wished and allowed.returncode == 0 else own
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == expected
    process.send_signal(signal.SIGTERM)
    assert end(process)[0] == 7


@pytest.mark.req("CB-5")
@pytest.mark.parametrize("component", [STATE, RECORDER, EXECUTION])
def test_process_has_limits_of_its_own_and_background_goes_last(
    environment: dict[str, str], component: Component
) -> None:
    """A leak ends the process that leaks, and a core file never holds the key."""
    process = spawn(environment, program=LIVING.replace("state", component))
    while read_line(process)["event"] != "process.started":
        pass
    place = Path(f"/proc/{process.pid}")
    limits = {
        line[:26].strip(): line[26:].split()[0]
        for line in place.joinpath("limits").read_text().splitlines()
    }
    mib = 2_048 + (128 if component == RECORDER else 0)
    assert limits["Max data size"] == str(mib << 20)
    assert limits["Max core file size"] == "0"
    assert int(place.joinpath("oom_score_adj").read_text()) == OOM_SCORES.get(component, 100)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if component in BACKGROUND_NICE:
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == max(own, BACKGROUND_NICE[component])
    process.send_signal(signal.SIGTERM)
    assert end(process)[0] == 7


@pytest.mark.req("CP-8")
def test_second_process_of_a_component_refuses_to_start(environment: dict[str, str]) -> None:
    first = spawn(environment)
    read_line(first)
    second = spawn(environment)
    status, out, _ = end(second)
    assert status == 3
    assert f"already running as process {first.pid}" in json.loads(out)["fields"]["reason"]
    first.kill()
    end(first)
    third = spawn(environment)
    assert read_line(third)["event"] == "process.started"
    third.kill()
    end(third)


def test_wrong_configuration_refuses_with_every_finding(environment: dict[str, str]) -> None:
    Path(environment["INTERLOCK_CONFIG"]).write_text(PROFILE + "[timing]\nping_ms=1\nlease=2\n")
    status, out, _ = end(spawn(environment))
    assert status == 2
    reasons = [json.loads(line)["fields"]["reason"] for line in out.splitlines()]
    assert len(reasons) == 2
    assert not Path(environment["INTERLOCK_RUN"]).exists()


def test_process_without_asserts_refuses_to_start(environment: dict[str, str]) -> None:
    status, _, error = end(spawn(environment, "-O"))
    assert status == 1
    assert b"without -O" in error


@pytest.mark.req("CP-8")
def test_process_whose_parent_dies_is_stopped(environment: dict[str, str]) -> None:
    parent = spawn(environment, program=PARENT)
    started = read_line(parent)
    assert started["event"] == "process.started"
    parent.kill()
    last = read_line(parent)
    assert last["event"] == "process.exit"
    end(parent)


@pytest.mark.req("CP-8")
def test_process_that_a_supervisord_started_which_is_gone_refuses(
    environment: dict[str, str],
) -> None:
    """It ran on for ever: nobody was left whose death could end it."""
    status, out, _ = end(spawn(environment | {SUPERVISED_VARIABLE: STATE}))
    assert status == EXIT_ORPHAN
    assert b"supervisord has started this and is gone" in out
    assert not Path(environment["INTERLOCK_RUN"]).exists()


@pytest.mark.req("CP-3")
def test_crash_leaves_the_input_that_it_fell_on_before_its_trace(
    environment: dict[str, str],
) -> None:
    crashing = LIVING.replace("return [Exit(7, message.cause)]", "return [1 // 0]")
    process = spawn(environment, program=crashing)
    assert read_line(process)["event"] == "process.started"
    process.send_signal(signal.SIGTERM)
    status, out, error = end(process)
    assert status == 1
    (crashed,) = (json.loads(line) for line in out.splitlines())
    assert (crashed["event"], crashed["level"]) == ("process.crashed", "critical")
    assert crashed["fields"]["input"] == "Stop(cause='SIGTERM')"
    assert b"ZeroDivisionError" in error
