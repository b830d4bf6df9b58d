"""Starts a group: checks everything, makes its directories, starts supervisord, obtains a key.

The order matters. Nothing is written before all findings are empty and no group holds the
locks; processes that start before the API key is there wait for it inside, halted.
"""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from bus import clock, supervision
from bus.credentials import CredentialsFault, Missing, read_credentials, write_credentials
from bus.locks import AlreadyRunning, FileLock, LockFault, make_private_directory
from bus.settings import CONFIG_VARIABLE, DATA_VARIABLE, MISSING, RUN_VARIABLE, Settings, load
from bus.settings import secret_file_problem as problem_of
from ops import preflight
from ops.group import (
    PANIC_FILE,
    RUN_DEFAULT,
    Asked,
    Record,
    environment_of_children,
    write_record,
)
from ops.keys import KeyFault, make_throwaway_key, read_key
from ops.launch import LOCK_FILE, account_lock_path
from ops.venue import Unanswered, Venue
from ops.waiting import wait_for
from shared.config import Finding
from shared.program_events import EVENTS_FILE

LOG_DIRECTORY = "log"
START_LOG = "supervisord.out"
SUPERVISOR_WITHIN_S = 20.0
"""Until supervisord answers: an interpreter's start on a busy machine."""

VENUE_WITHIN_S = 60.0
"""Until the venue gives an API key; the simulated one starts with the group."""

LOG_TAIL_MAX = 2_000

Say = Callable[[str], None]


class Refusal(msgspec.Struct, frozen=True):
    """Nothing was started, and why."""

    why: str


class Begun(msgspec.Struct, frozen=True):
    """A group that runs.

    Attributes:
        problem: What stands in the way of trading although it runs; empty for nothing.
    """

    settings: Settings
    supervisor_pid: int
    problem: str = ""


def profile_of(asked: Asked, environment: Mapping[str, str]) -> Path | None:
    """Return the profile that is to be started: the option, else INTERLOCK_CONFIG."""
    named = environment.get(CONFIG_VARIABLE)
    return asked.profile or (Path(named) if named else None)


def variables_of(asked: Asked, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the directories that were asked for standing above it."""
    variables = dict(environment)
    if asked.run_directory is not None:
        variables[RUN_VARIABLE] = str(asked.run_directory.absolute())
    if asked.data_directory is not None:
        variables[DATA_VARIABLE] = str(asked.data_directory.absolute())
    return variables


def start(asked: Asked, say: Say) -> Begun | Refusal | tuple[Finding, ...]:
    """Start a group; returns when supervisord runs and an API key is there, or not."""
    profile = profile_of(asked, os.environ)
    if profile is None:
        return (Finding("profile", f"name one with --profile, or set {CONFIG_VARIABLE}"),)
    variables = variables_of(asked, os.environ)
    running = running_in(_run_directory(asked, variables, profile))
    if running is not None:
        return Refusal(running)
    settings = preflight.check(profile, variables)
    if not isinstance(settings, Settings):
        return settings
    refusal = _refuse_second(settings)
    if refusal is not None:
        return refusal
    taken = preflight.check_port(settings)
    if taken:
        return tuple(taken)
    refusal = _prepare(settings)
    if refusal is not None:
        return refusal
    launched = _launch(settings, say)
    if isinstance(launched, Refusal):
        return launched
    return Begun(settings, launched, obtain_credentials(settings, say))


def running_in(run_directory: Path) -> str | None:
    """Return words about the group that runs in a directory, None when none does."""
    if not (run_directory / LOCK_FILE).exists():
        return None
    try:
        FileLock(run_directory / LOCK_FILE, f"a group in {run_directory}").close()
    except AlreadyRunning as fault:
        return str(fault)
    return None


def obtain_credentials(settings: Settings, say: Say) -> str:
    """Create or derive the API key when there is none; return what went wrong, or nothing."""
    try:
        found = read_credentials(settings.credentials_file)
        key = read_key(settings.key_file)
    except (CredentialsFault, KeyFault) as fault:
        return str(fault)
    if not isinstance(found, Missing):
        if found.address.lower() != key.address.lower():
            return f"{settings.credentials_file} belongs to another wallet than the key"
        return ""
    venue = Venue(settings.config.venue.clob_url)
    last = Unanswered("nobody was asked yet")

    def ask() -> bool | None:
        nonlocal last
        answer = venue.obtain_key(key, settings.config.venue.chain_id)
        if isinstance(answer, Unanswered):
            last = answer
            return None
        write_credentials(settings.credentials_file, answer)
        return True

    try:
        done = wait_for(ask, VENUE_WITHIN_S, say, lambda: "waiting for an API key")
    except OSError as error:
        return f"{settings.credentials_file} cannot be written: {error.strerror}"
    finally:
        venue.close()
    return "" if done else f"no API key: {last.why}"


def _run_directory(asked: Asked, variables: Mapping[str, str], profile: Path) -> Path:
    named = variables.get(RUN_VARIABLE)
    if named:
        return Path(named).absolute()
    settings = load(profile, variables)
    if isinstance(settings, Settings):
        return settings.run_directory
    return (asked.run_directory or Path(RUN_DEFAULT)).absolute()


def _refuse_second(settings: Settings) -> Refusal | None:
    """Refuse while a PANIC latch stands, or a group has the data directory or the account."""
    panic = settings.data_directory / PANIC_FILE
    if panic.exists():
        return Refusal(f"{panic} stands: end it with `interlock panic --clear --reason ...`")
    data = settings.data_directory / LOCK_FILE
    try:
        if data.exists():
            FileLock(data, f"a group on {settings.data_directory}").close()
        if problem_of(settings.key_file) is None:
            address = read_key(settings.key_file).address
            account = account_lock_path(address, settings.config.venue.clob_url)
            if account.exists():
                FileLock(account, f"a group on account {address}").close()
    except (LockFault, KeyFault) as fault:
        return Refusal(str(fault))
    return None


def _prepare(settings: Settings) -> Refusal | None:
    """Make directories, a throwaway key where one may be made, and the record."""
    try:
        make_private_directory(settings.run_directory)
        (settings.run_directory / LOG_DIRECTORY).mkdir(mode=0o700, exist_ok=True)
        settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if problem_of(settings.key_file) == MISSING:
            make_throwaway_key(settings.key_file)
        record = Record(
            str(settings.path),
            str(settings.data_directory),
            settings.config.run.mode,
            clock.read().wall_ns,
        )
        (settings.run_directory / EVENTS_FILE).unlink(missing_ok=True)
        write_record(settings.run_directory, settings.path, record)
    except LockFault as fault:
        return Refusal(str(fault))
    except OSError as error:
        return Refusal(f"{error.filename}: {error.strerror}")
    return None


def _launch(settings: Settings, say: Say) -> int | Refusal:
    """Start supervisord in a session of its own; return its process id."""
    log = settings.run_directory / LOG_DIRECTORY / START_LOG
    child = _Child(log, environment_of_children(settings))

    def answers() -> bool | None:
        if child.has_ended():
            return False
        found = supervision.processes(settings.run_directory)
        return None if isinstance(found, supervision.Unreachable) else True

    answered = wait_for(answers, SUPERVISOR_WITHIN_S, say, lambda: "supervisord starts")
    if answered:
        return child.pid
    words = log.read_bytes()[-LOG_TAIL_MAX:].decode(errors="replace").strip()
    if answered is None:
        os.kill(child.pid, signal.SIGTERM)
        return Refusal(f"supervisord did not answer in {SUPERVISOR_WITHIN_S:.0f} s: {words}")
    return Refusal(words or f"supervisord ended with status {child.status}")


class _Child:
    """Supervisord on its way up, in a session of its own; meant to outlive its starter.

    Attributes:
        status: Exit status once it has ended.
    """

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        with log.open("wb") as output:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-m", "ops.launch"],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
                ],
                setsid=True,
            )
        self.status: int | None = None

    def has_ended(self) -> bool:
        """Tell whether it has ended before it answered."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None
