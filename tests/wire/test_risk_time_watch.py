"""Sources of time over real sockets: an answer, a silence, a liar, and a clock that is set."""

import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bus import clock
from services.risk.time_readings import TimeSilent, TimeTold
from services.risk.time_watch import TimeWatch
from services.simulator import time_server
from shared.config import ClockSettings, Config
from shared.effects import Message
from shared.units import NS_PER_MS, NS_PER_S
from tests.builders.risk_parts import config

WAIT_S = 10.0


class TimeServer:
    """Answers SNTP on loopback in a thread; silent when told so."""

    def __init__(self, ahead_ns: int = 0, *, speaks: bool = True) -> None:
        self._ahead_ns = ahead_ns
        self._speaks = speaks
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.name = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._closing:
            packet, asker = self._socket.recvfrom(512)
            wall_ns = clock.read().wall_ns + self._ahead_ns
            answer = time_server.answer(packet, wall_ns, wall_ns)
            if self._speaks and answer is not None:
                self._socket.sendto(answer, asker)

    def close(self) -> None:
        self._closing = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            host, _, port = self.name.partition(":")
            last.sendto(b"", (host, int(port)))
        self._thread.join(WAIT_S)
        self._socket.close()


@pytest.fixture
def right() -> Iterator[TimeServer]:
    server = TimeServer()
    yield server
    server.close()


@pytest.fixture
def wrong() -> Iterator[TimeServer]:
    server = TimeServer(6 * NS_PER_S)
    yield server
    server.close()


@pytest.fixture
def silent() -> Iterator[TimeServer]:
    server = TimeServer(speaks=False)
    yield server
    server.close()


def settings(*servers: TimeServer, answer_ms: int = 2_000) -> Config:
    names = tuple(server.name for server in servers)
    section = ClockSettings(servers=names, answer_ms=answer_ms, measure_every_ms=60_000)
    return msgspec.structs.replace(config(), clock=section)


def heard(watch: TimeWatch, count: int) -> list[Message]:
    """Return what the threads tell, once it is so much."""
    found: list[Message] = []
    while len(found) < count:
        pipes = [descriptor for descriptor, _ in watch.sockets()]
        ready, _, _ = select.select(pipes, [], [], WAIT_S)
        assert ready, f"only {found}"
        for descriptor in ready:
            found += watch.on_ready(descriptor, 1, clock.read())
    return found


@pytest.mark.req("CK-1")
def test_each_source_is_asked_by_itself(
    right: TimeServer, wrong: TimeServer, silent: TimeServer
) -> None:
    """A server that lies and one that is silent keep nobody from the one that is right."""
    watch = TimeWatch(settings(right, wrong, silent, answer_ms=200))
    try:
        found = heard(watch, 4)
    finally:
        watch.close()
    told = {one.reading.source: one.reading for one in found if isinstance(one, TimeTold)}
    assert abs(told[right.name].low_ns) < NS_PER_S
    assert told[wrong.name].low_ns > 5 * NS_PER_S
    quiet = {one.source: one for one in found if isinstance(one, TimeSilent)}
    assert "no answer" in quiet[silent.name].why
    assert quiet["venue"].is_venue


@pytest.mark.req("CK-2")
def test_clock_that_is_set_is_measured_again_at_once(
    right: TimeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong_clock = tmp_path / "wrong"
    clock.be_wrong_by(wrong_clock, 0)
    monkeypatch.setattr(clock, "_wrong", clock._WrongClock())
    monkeypatch.setenv(clock.WRONG_CLOCK_VARIABLE, str(wrong_clock))
    clock.may_be_wrong("live")
    before_ns = clock.read().wall_ns
    clock.be_wrong_by(wrong_clock, 3_600 * NS_PER_S)
    assert clock.read().wall_ns - before_ns < 60 * NS_PER_S, "only a simulation may be wrong"
    clock.be_wrong_by(wrong_clock, 0)
    clock.may_be_wrong("simulation")
    watch = TimeWatch(settings(right))
    try:
        heard(watch, 2)
        watch.on_tick(clock.read())
        clock.be_wrong_by(wrong_clock, -6_000 * NS_PER_MS)
        watch.on_tick(clock.read())
        assert heard(watch, 1)
    finally:
        watch.close()
