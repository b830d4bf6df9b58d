"""Speaks to the group's supervisord over its Unix socket: what runs, stop, start, kill, end all.

XML-RPC over HTTP as supervisord serves it, with a deadline on every answer, since the
supervisord asked may itself be stopped. Source: http://supervisord.org/api.html, 4.3.0.
"""

import http.client
import socket
import xmlrpc.client
from pathlib import Path

import msgspec

SOCKET_FILE = "supervisor.sock"
ANSWER_S = 5.0
"""For a command, which a person waits for."""

SHORT_ANSWER_S = 2.0
"""For a process that asks again each second."""

ANSWER_BYTES_MAX = 1_000_000


class Unreachable(msgspec.Struct, frozen=True):
    """Supervisord did not answer; the words are for people."""

    why: str


class Refused(msgspec.Struct, frozen=True):
    """Supervisord answered no."""

    why: str


class Process(msgspec.Struct, frozen=True):
    """One supervised program.

    Attributes:
        state: `RUNNING`, `STARTING`, `BACKOFF`, `STOPPING`, `STOPPED`, `EXITED`, `FATAL`.
        pid: 0 when it does not run.
    """

    name: str
    state: str
    pid: int


GONE = frozenset({"STOPPED", "EXITED", "FATAL"})
"""States in which a program has no process and gets none."""


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, within_s: float) -> None:
        super().__init__("localhost", timeout=within_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def processes(run_directory: Path, within_s: float = ANSWER_S) -> tuple[Process, ...] | Unreachable:
    """Return every supervised program, in the order of supervisor.conf's names."""
    answer = _call(run_directory, within_s, "supervisor.getAllProcessInfo")
    if isinstance(answer, Refused):
        return Unreachable(answer.why)
    if isinstance(answer, Unreachable):
        return answer
    assert isinstance(answer, list), "supervisord lists its processes"
    return tuple(Process(row["name"], row["statename"], row["pid"]) for row in answer)


def stop(
    run_directory: Path, name: str, within_s: float = ANSWER_S
) -> Refused | Unreachable | None:
    """Ask for one program's end by its stop signal; returns before it has ended."""
    return _done(_call(run_directory, within_s, "supervisor.stopProcess", name, False))


def start(
    run_directory: Path, name: str, within_s: float = ANSWER_S
) -> Refused | Unreachable | None:
    """Ask for one program's start; returns before it runs."""
    return _done(_call(run_directory, within_s, "supervisor.startProcess", name, False))


def kill(
    run_directory: Path, name: str, within_s: float = ANSWER_S
) -> Refused | Unreachable | None:
    """Ask for SIGKILL to one program, which supervisord then starts again."""
    return _done(_call(run_directory, within_s, "supervisor.signalProcess", name, "KILL"))


def shut_down(run_directory: Path) -> Refused | Unreachable | None:
    """Ask supervisord to end everything and itself."""
    return _done(_call(run_directory, ANSWER_S, "supervisor.shutdown"))


def _done(answer: object) -> Refused | Unreachable | None:
    return answer if isinstance(answer, Refused | Unreachable) else None


def _call(run_directory: Path, within_s: float, method: str, *arguments: str | bool) -> object:
    """Return what a method returned, or why nothing did.

    Args:
        run_directory: Of the group.
        within_s: For the connection and for each wait for bytes of the answer.
        method: Of supervisord's interface.
        *arguments: Of the method.
    """
    connection = _Connection(run_directory / SOCKET_FILE, within_s)
    try:
        connection.request(
            "POST",
            "/RPC2",
            xmlrpc.client.dumps(arguments, method).encode(),
            {"Content-Type": "text/xml"},
        )
        reply = connection.getresponse()
        body = reply.read(ANSWER_BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        return Unreachable(f"supervisord: {type(error).__name__} {error}")
    finally:
        connection.close()
    if reply.status != http.client.OK:
        return Refused(f"supervisord answered {reply.status}")
    try:
        # Written by our own supervisord, over a socket in a directory of ours alone.
        (value,), _ = xmlrpc.client.loads(body.decode())
    except xmlrpc.client.Fault as fault:
        return Refused(str(fault.faultString))
    return value
