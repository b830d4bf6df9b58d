"""Risk's line to supervisord against a socket and a file, and the files that keep crashes."""

import json
import os
import select
import socketserver
import threading
import xmlrpc.client
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from bus import clock
from bus.edge import Edge
from bus.supervision import SOCKET_FILE
from ops.waiting import wait_for
from services.risk.crash_files import CRASHES_DIRECTORY, RECORDS_MAX, CrashFiles
from services.risk.messages import (
    AskSupervisor,
    NoteProgram,
    ProgramRow,
    ProgramsSeen,
    ProgramsTold,
    SaveCrash,
    SupervisorSilent,
)
from services.risk.supervisor_line import EndsFile, SupervisorLine
from services.watch.__main__ import carry_out
from services.watch.core import Note
from shared.effects import Message
from shared.program_events import EVENTS_FILE, EventKind, ProgramEvent, encode_event
from shared.units import NS_PER_S, BootNs, ReferenceE18, WallNs

WAIT_S = 60.0
CRASH_WALL_NS = WallNs(1_790_000_000 * NS_PER_S)


def event(program: str = "state", kind: EventKind = "exited") -> ProgramEvent:
    return ProgramEvent(BootNs(1), WallNs(2), program, kind, 3)


class FakeSupervisord:
    """Answers XML-RPC over a Unix socket, and keeps what it was asked."""

    def __init__(self, directory: Path) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.refuses = False
        self.asked = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                arguments, method = xmlrpc.client.loads(body)
                answer = outer.answer(str(method), arguments)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def address_string(self) -> str:
                return "unix"

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.server = socketserver.ThreadingUnixStreamServer(str(directory / SOCKET_FILE), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def answer(self, method: str, arguments: tuple[Any, ...]) -> bytes:
        if method == "supervisor.getAllProcessInfo":
            rows = [{"name": "state", "statename": "RUNNING", "pid": 42, "start": 0}]
            return xmlrpc.client.dumps((rows,), methodresponse=True).encode()
        self.calls.append((method, arguments))
        self.asked.set()
        fault = xmlrpc.client.Fault(70, "NOT_RUNNING: state")
        body = xmlrpc.client.dumps(fault if self.refuses else (True,), methodresponse=True)
        return body.encode()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(WAIT_S)
        self.server.server_close()


@pytest.fixture
def supervisord(tmp_path: Path) -> Iterator[FakeSupervisord]:
    made = FakeSupervisord(tmp_path)
    yield made
    made.close()


def first(edge: Edge, kind: type[Message]) -> Any:
    """Wait for the first message of a kind."""
    descriptors = [descriptor for descriptor, _ in edge.sockets()]
    until_s = WAIT_S
    while select.select(descriptors, [], [], until_s)[0]:
        for message in edge.on_ready(descriptors[0], select.POLLIN, clock.read()):
            if isinstance(message, kind):
                return message
    raise AssertionError("nothing came")


def test_what_runs_is_told(supervisord: FakeSupervisord, tmp_path: Path) -> None:
    line = SupervisorLine(tmp_path)
    assert first(line, ProgramsSeen).rows == (ProgramRow("state", "RUNNING", 42),)
    assert line.on_tick(clock.read()) == []
    line.close()


@pytest.mark.req("CP-1")
def test_supervisord_that_is_not_there_is_told_as_unknown(tmp_path: Path) -> None:
    line = SupervisorLine(tmp_path)
    assert "supervisord" in first(line, SupervisorSilent).why
    line.close()


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("stop", ("supervisor.stopProcess", ("state", False))),
        ("start", ("supervisor.startProcess", ("state", False))),
        ("kill", ("supervisor.signalProcess", ("state", "KILL"))),
    ],
)
def test_what_is_asked_arrives(
    supervisord: FakeSupervisord, tmp_path: Path, verb: Any, call: tuple[str, tuple[Any, ...]]
) -> None:
    line = SupervisorLine(tmp_path)
    line.apply(AskSupervisor(verb, "state"), clock.read())
    assert supervisord.asked.wait(WAIT_S)
    assert supervisord.calls == [call]
    line.close()


def test_refusal_is_told(supervisord: FakeSupervisord, tmp_path: Path) -> None:
    supervisord.refuses = True
    line = SupervisorLine(tmp_path)
    line.apply(AskSupervisor("stop", "state"), clock.read())
    assert "NOT_RUNNING" in first(line, SupervisorSilent).why
    line.close()


def test_line_that_must_not_act_asks_for_nothing(
    supervisord: FakeSupervisord, tmp_path: Path
) -> None:
    line = SupervisorLine(tmp_path, acts=False)
    line.apply(AskSupervisor("stop", "state"), clock.read())
    line.apply(NoteProgram(event(kind="killed")), clock.read())
    assert first(line, ProgramsTold).events == (event(kind="killed"),)
    assert supervisord.calls == []
    line.close()


@pytest.mark.req("CP-1")
def test_events_are_told_once_the_past_ones_as_such(tmp_path: Path) -> None:
    path = tmp_path / EVENTS_FILE
    path.write_bytes(encode_event(event("state")))
    ends = EndsFile(path)
    ends.append(encode_event(event("recorder")))
    assert ends.read() == [ProgramsTold((event("state"),), True)]
    assert ends.read() == [ProgramsTold((event("recorder"),), False)]
    assert ends.read() == []


def test_half_a_line_waits_for_its_end_and_rubbish_is_counted(tmp_path: Path) -> None:
    path = tmp_path / EVENTS_FILE
    ends = EndsFile(path)
    assert ends.read() == []
    whole = encode_event(event())
    path.write_bytes(b"rubbish\n" + whole[:10])
    assert ends.read() == [ProgramsTold((), False, unreadable=1)]
    with path.open("ab") as file:
        file.write(whole[10:])
    assert ends.read() == [ProgramsTold((event(),), False)]


def test_file_that_was_put_aside_is_followed_by_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / EVENTS_FILE
    path.write_bytes(encode_event(event("state")) * 3)
    ends = EndsFile(path)
    ends.read()
    path.rename(tmp_path / "aside")
    path.write_bytes(encode_event(event("recorder")))
    assert ends.read() == [ProgramsTold((event("recorder"),), False)]


def test_file_that_takes_no_line_stops_nothing(tmp_path: Path) -> None:
    EndsFile(tmp_path / "missing" / EVENTS_FILE).append(encode_event(event()))


@pytest.mark.req("CP-1")
def test_watch_writes_an_end_that_risk_reads(tmp_path: Path) -> None:
    ends = EndsFile(tmp_path / EVENTS_FILE)
    carry_out(Note("state", "exited", 42, False), tmp_path, tmp_path)
    (told,) = ends.read()
    (found,) = told.events
    assert (found.program, found.kind, found.pid) == ("state", "exited", 42)
    assert found.boot_ns <= clock.read().boot_ns


@pytest.mark.req("CP-3")
def test_crash_is_kept_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "market_making.log"
    log.write_text("x" * 100_000 + "\nTraceback\nZeroDivisionError\n", encoding="utf-8")
    files = CrashFiles(tmp_path, tmp_path)
    facts = {"strategy": "market_making", "price": ReferenceE18(10**18), "end": event()}
    crash = SaveCrash("market_making", CRASH_WALL_NS, facts)
    for _ in range(2):
        files.apply(crash, clock.read())
    files.close()
    (path,) = (tmp_path / CRASHES_DIRECTORY).iterdir()
    assert path.name.startswith("market_making-2026")
    assert path.stat().st_mode & 0o777 == 0o600
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["strategy"] == "market_making"
    assert "1000000000000000000" in kept["price"]
    assert kept["end"]["kind"] == "exited"
    assert kept["log"] == ["Traceback", "ZeroDivisionError"]


def test_oldest_records_make_room_and_an_unknown_log_is_null(tmp_path: Path) -> None:
    files = CrashFiles(tmp_path, tmp_path)
    for number in range(RECORDS_MAX + 3):
        at_ns = WallNs(CRASH_WALL_NS + number * NS_PER_S)
        files.apply(SaveCrash("caretaker", at_ns, {"number": number}), clock.read())
    directory = tmp_path / CRASHES_DIRECTORY
    # A busy disk may take longer than the end of a process waits for it.
    last_ns = CRASH_WALL_NS + (RECORDS_MAX + 2) * NS_PER_S
    last = datetime.fromtimestamp(last_ns // NS_PER_S, UTC).strftime("*%H%M%S.*.json")
    assert wait_for(lambda: list(directory.glob(last)) or None, WAIT_S)
    files.close()
    found = sorted(directory.iterdir())
    assert len(found) == RECORDS_MAX
    newest = json.loads(found[-1].read_text(encoding="utf-8"))
    assert newest["number"] == RECORDS_MAX + 2
    assert newest["log"] is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_directory_that_takes_no_record_ends_nothing(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    files = CrashFiles(closed, tmp_path)
    files.apply(SaveCrash("caretaker", CRASH_WALL_NS, {}), clock.read())
    files.close()
    assert not (closed / CRASHES_DIRECTORY).exists()
