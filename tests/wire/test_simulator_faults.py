"""Faults of the simulator over real sockets, and the command that switches them."""

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bus import clock
from ops.cli.__main__ import main
from services.simulator import time_socket
from services.simulator.time_server import ERA_S, PACKET_BYTES
from shared.units import NS_PER_S
from tests.builders.simulator_server import SimulatorServer

PROFILE = Path(__file__).resolve().parents[2] / "ops" / "sim.toml"
ASK = bytes([4 << 3 | 3]) + bytes(PACKET_BYTES - 1)
WAIT_S = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    server = SimulatorServer()
    server.start()
    yield server
    server.stop()


def request(server: SimulatorServer, method: str, path: str, body: str = "") -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_S)
    connection.request(method, path, body)
    answer = connection.getresponse().read()
    connection.close()
    return answer


@pytest.mark.req("TST-9")
def test_dripping_answer_meets_the_whole_deadline(server: SimulatorServer) -> None:
    order = {"entry": "answers-drip", "count": 1}
    request(server, "POST", "/admin/faults", json.dumps(order))
    started = time.monotonic()
    assert request(server, "GET", "/ok") == b'"OK"'
    assert time.monotonic() - started > 0.3
    assert request(server, "GET", "/ok") == b'"OK"'


@pytest.mark.req("CK-1")
def test_time_server_tells_the_time_and_its_offset() -> None:
    async def ask() -> tuple[float, float]:
        transport, port = await time_socket.start(0, lambda: 6 * NS_PER_S)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendto(asker, b"nonsense", ("127.0.0.1", port))
            await loop.sock_sendto(asker, ASK, ("127.0.0.1", port))
            packet = await asyncio.wait_for(loop.sock_recv(asker, 512), WAIT_S)
        transport.close()
        await asyncio.sleep(0)  # one turn of the loop closes the transport
        return int.from_bytes(packet[40:48], "big") / 2**32 - ERA_S, clock.read().wall_ns / NS_PER_S

    told_s, true_s = asyncio.run(ask())
    assert 5.0 < told_s - true_s < 6.1


# --- the command ----------------------------------------------------------------------


def faults(server: SimulatorServer, directory: Path, *words: str) -> tuple[int, Any]:
    profile = directory / "profile.toml"
    profile.write_text(PROFILE.read_text().replace("18080", str(server.port)))
    options = ["--profile", str(profile), "--json", "--run-directory", str(directory)]
    result = CliRunner().invoke(main, ["faults", words[0], *options, *words[1:]])
    return result.exit_code, json.loads(result.output)


@pytest.mark.req("TST-9")
def test_command_switches_entries_on_and_off(server: SimulatorServer, tmp_path: Path) -> None:
    status, answer = faults(server, tmp_path, "on", "edge-403", "--for", "60", "--count", "2")
    assert (status, answer["entry"]) == (0, "edge-403")
    status, answer = faults(server, tmp_path, "ls")
    assert [(row["entry"], row["left"]) for row in answer["faults"]] == [("edge-403", 2)]
    assert faults(server, tmp_path, "off", str(answer["faults"][0]["id"]))[1]["cleared"] == 1
    faults(server, tmp_path, "on", "13")
    assert faults(server, tmp_path, "off", "events-cross")[1]["cleared"] == 4
    assert faults(server, tmp_path, "ls")[1]["faults"] == []
    assert len(faults(server, tmp_path, "ls", "--all")[1]["entries"]) > 50


def test_command_begins_a_storm(server: SimulatorServer, tmp_path: Path) -> None:
    words = ("--mean", "0.05", "--each", "0.1", "--only", "edge-403=2", "--only", "restart")
    assert faults(server, tmp_path, "random", "--seed", "3", *words)[1]["seed"] == 3
    assert faults(server, tmp_path, "off", "all")[0] == 0
    assert faults(server, tmp_path, "random", "--only", "nonsense")[0] == 1


def test_command_refuses_what_is_not_there(server: SimulatorServer, tmp_path: Path) -> None:
    assert faults(server, tmp_path, "on", "nonsense")[0] == 1
    nobody = SimulatorServer()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody.port = free.getsockname()[1]
    assert faults(nobody, tmp_path, "ls")[0] == 4


def test_command_refuses_a_real_venue(server: SimulatorServer, tmp_path: Path) -> None:
    profile = tmp_path / "live.toml"
    text = PROFILE.read_text().replace('mode = "simulation"', 'mode = "live"')
    profile.write_text(text.replace("18080", str(server.port)))
    words = ["faults", "on", "edge-403", "--profile", str(profile), "--run-directory"]
    result = CliRunner().invoke(main, [*words, str(tmp_path)])
    assert result.exit_code == 2
    assert json.loads(request(server, "GET", "/admin/faults")) == []
