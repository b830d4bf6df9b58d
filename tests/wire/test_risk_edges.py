"""Risk's edges against the real kernel: exits, kills, files, and the database's own thread."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bus import clock
from bus.credentials import write_credentials
from bus.edge import Edge
from services.risk.halt_signal import HaltSignal
from services.risk.messages import (
    KeyFound,
    KillProcess,
    PanicSeen,
    Persist,
    Persisted,
    PersistFailed,
    ProcessExited,
    ProcessUnwatchable,
    SupervisorGone,
    WatchProcess,
)
from services.risk.process_watch import ProcessWatch
from services.risk.risk_file import RiskFile
from services.risk.state_files import ALIVE_FILE, AliveFile, PanicFile
from services.risk.store import RiskStore
from services.risk.venue_guard import LOOK_EVERY_NS, KeyTeller, VenueKey
from services.watch.__main__ import kill_risk, read_sign
from shared.effects import Message
from shared.identifiers import Component, Incarnation
from shared.operator import Halt, OperatorRequest, decode_request
from shared.risk_schema import EpochReserved
from shared.units import BootNs
from shared.venue.auth import Credentials

STATE = Component("state")
RUN = Incarnation(1)
WAIT_S = 60.0


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process that waits for its standard input to close."""
    made = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    yield made
    made.kill()
    made.communicate()


def poll(edge: Edge) -> list[Message]:
    """Wait for one of an edge's descriptors and return what it tells."""
    descriptors = [descriptor for descriptor, _ in edge.sockets()]
    ready, _, _ = select.select(descriptors, [], [], WAIT_S)
    assert ready, "nothing came"
    return [message for one in ready for message in edge.on_ready(one, select.POLLIN, clock.read())]


def test_exit_comes_through_the_pidfd(child: subprocess.Popen[bytes]) -> None:
    watch = ProcessWatch(os.getpid())
    assert watch.apply(WatchProcess(STATE, RUN, child.pid), clock.read()) == []
    child.kill()
    assert poll(watch) == [ProcessExited(STATE, RUN)]
    watch.close()


@pytest.mark.req("CP-7")
def test_kill_reaches_a_stopped_process(child: subprocess.Popen[bytes]) -> None:
    watch = ProcessWatch(os.getpid())
    watch.apply(WatchProcess(STATE, RUN, child.pid), clock.read())
    os.kill(child.pid, signal.SIGSTOP)
    watch.apply(KillProcess(STATE, RUN), clock.read())
    assert poll(watch) == [ProcessExited(STATE, RUN)]
    assert child.wait(WAIT_S) == -9
    watch.close()


def test_kills_can_be_left_out_for_a_drill(child: subprocess.Popen[bytes]) -> None:
    watch = ProcessWatch(os.getpid(), kills=False)
    watch.apply(WatchProcess(STATE, RUN, child.pid), clock.read())
    watch.apply(KillProcess(STATE, RUN), clock.read())
    assert child.poll() is None
    watch.close()


def test_process_that_is_gone_already_is_an_exit(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait(WAIT_S)
    watch = ProcessWatch(os.getpid())
    effect = WatchProcess(STATE, RUN, child.pid)
    assert watch.apply(effect, clock.read()) == [ProcessExited(STATE, RUN)]
    watch.close()


@pytest.mark.parametrize("pid", [0, -1, 2**40])
def test_pid_that_cannot_be_is_told(pid: int) -> None:
    watch = ProcessWatch(os.getpid())
    (told,) = watch.apply(WatchProcess(STATE, RUN, pid), clock.read())
    assert isinstance(told, ProcessUnwatchable)
    watch.close()


def test_component_that_names_risk_itself_is_not_watched() -> None:
    watch = ProcessWatch(os.getpid())
    (told,) = watch.apply(WatchProcess(STATE, RUN, os.getpid()), clock.read())
    assert isinstance(told, ProcessUnwatchable)
    watch.close()


@pytest.mark.req("CP-8")
def test_end_of_the_supervisor_is_told_once(child: subprocess.Popen[bytes]) -> None:
    watch = ProcessWatch(child.pid)
    assert watch.on_tick(clock.read()) == []
    child.kill()
    poll(watch)
    assert watch.on_tick(clock.read()) == [SupervisorGone()]
    assert watch.on_tick(clock.read()) == []
    watch.close()


def test_supervisor_that_is_gone_at_the_start_is_told(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait(WAIT_S)
    assert ProcessWatch(child.pid).on_tick(clock.read()) == [SupervisorGone()]


def test_panic_file_is_told_at_start_and_at_each_change(tmp_path: Path) -> None:
    path = tmp_path / "PANIC"
    edge = PanicFile(path)
    assert edge.on_tick(clock.read()) == [PanicSeen(False)]
    assert edge.on_tick(clock.read()) == []
    path.touch()
    assert edge.on_tick(clock.read()) == [PanicSeen(True)]
    path.unlink()
    assert edge.on_tick(clock.read()) == [PanicSeen(False)]


def test_panic_file_that_cannot_be_looked_at_counts_as_there(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    assert PanicFile(blocked / "PANIC").on_tick(clock.read()) == [PanicSeen(True)]


def test_sign_of_life_moves_with_the_loop_and_names_the_process(tmp_path: Path) -> None:
    edge = AliveFile(tmp_path)
    edge.on_tick(clock.read())
    sign = read_sign(tmp_path / ALIVE_FILE)
    assert sign is not None
    assert sign.pid == os.getpid()
    edge.close()
    assert read_sign(tmp_path / ALIVE_FILE) is None


@pytest.mark.req("KS-8")
def test_signal_becomes_an_operators_halt_once() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    edge = HaltSignal()
    try:
        assert edge.on_tick(clock.read()) == []
        os.kill(os.getpid(), signal.SIGUSR1)
        (told,) = edge.on_tick(clock.read())
        assert isinstance(told, OperatorRequest)
        assert decode_request(told.body) == Halt(reason="signal SIGUSR1")
        assert edge.on_tick(clock.read()) == []
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_watch_kills_nothing_that_is_no_risk(child: subprocess.Popen[bytes]) -> None:
    kill_risk(child.pid)
    assert child.poll() is None


def test_key_is_told_once_when_its_credentials_have_appeared(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    teller = KeyTeller(VenueKey(path))
    now = clock.read()
    assert teller.on_tick(now) == []
    write_credentials(path, Credentials("0x" + "1" * 40, "key-1", "c2VjcmV0", "word"))
    later = msgspec.structs.replace(now, boot_ns=BootNs(now.boot_ns + LOOK_EVERY_NS))
    assert teller.on_tick(later) == [KeyFound("key-1")]
    assert teller.on_tick(later) == []


def test_write_is_answered_through_the_loop_and_is_on_disk(tmp_path: Path) -> None:
    store = RiskStore(RiskFile(tmp_path, "main"))
    store.apply(Persist(1, (EpochReserved(5_000),)), clock.read())
    assert poll(store) == [Persisted(1)]
    store.close()
    assert RiskFile(tmp_path, "main").stored.used_max == 5_000


def test_what_waits_at_the_end_is_still_written(tmp_path: Path) -> None:
    store = RiskStore(RiskFile(tmp_path, "main"))
    for number in range(1, 200):
        store.apply(Persist(number, (EpochReserved(5_000 + number),)), clock.read())
    store.close()
    assert RiskFile(tmp_path, "main").stored.used_max == 5_199


def test_disk_that_refuses_is_told_and_does_not_hold_the_end_up(tmp_path: Path) -> None:
    store = RiskStore(RiskFile(tmp_path / "missing", "main"))
    store.apply(Persist(1, (EpochReserved(5_000),)), clock.read())
    (told,) = poll(store)
    assert isinstance(told, PersistFailed)
    store.close()
