"""The last resort: cancels everything with no other process alive, and leaves a latch.

Writes the PANIC latch first, which gate and risk read in every turn; kills execution by
pidfd, since nothing it may still hold shall leave; then cancels at the venue itself until
zero is proven by the same rules as everywhere (`shared/proof.py`). It asks nobody, so it
works with everything dead and with everything alive.

Orders that were sent before are waited out by the bound alone that every order has: the venue
refuses one that arrives later than the margin, and nothing is written after the kill.
"""

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from bus import clock
from bus.credentials import CredentialsFault, Missing, read_credentials, write_private
from bus.locks import AlreadyRunning, FileLock
from bus.settings import Settings
from ops.group import PANIC_FILE
from ops.keys import KeyFault, read_key
from ops.stop import kill_and_wait
from ops.venue import OpenOrders, Unanswered, Venue
from ops.waiting import wait_for
from shared.config import TimingSettings
from shared.identifiers import Incarnation
from shared.proof import ProofOfZero, intents_over_ns
from shared.topics import EXECUTION
from shared.units import NS_PER_MS, NS_PER_S, BootNs
from shared.venue.auth import Credentials
from shared.venue.orders_wire import CancelReply

HISTORY_FILE = "panic-history.jsonl"
KILL_WITHIN_S = 5.0
CANCEL_EVERY_NS = 2 * NS_PER_S
"""A cancel-all costs as many requests as it has orders; repeats are for orders that landed late."""

KILLED = Incarnation(1)
"""Stands for every execution of the run directory: each is dead, or reads the latch."""

Say = Callable[[str], None]


class Latch(msgspec.Struct, frozen=True):
    """What the PANIC file says; its existence alone is what counts."""

    reason: str
    by: str
    wall_ns: int


class Proven(msgspec.Struct, frozen=True):
    """Nothing of ours is or can come into the market.

    Attributes:
        killed_pid: Execution that was killed, 0 for none alive.
        took_ns: From the latch to the second empty read.
        canceled: Orders that the venue named as cancelled.
    """

    killed_pid: int
    took_ns: int
    canceled: int


class Unproven(msgspec.Struct, frozen=True):
    """The latch stands, but zero could not be proven; the words say what is missing."""

    why: str
    killed_pid: int


def write_latch(data_directory: Path, reason: str) -> Latch:
    """Put the PANIC latch on disk; one that stands already is kept.

    Raises:
        OSError: The data directory takes no file.
    """
    latch = Latch(reason, operator_name(), clock.read().wall_ns)
    data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_directory / PANIC_FILE
    if not path.exists():
        write_private(path, msgspec.json.encode(latch))
    _remember(data_directory, "panic", latch)
    return latch


def clear_latch(data_directory: Path, reason: str) -> bool:
    """Take the latch away, and remember who did; False when none stood.

    Raises:
        OSError: The data directory takes no change.
    """
    path = data_directory / PANIC_FILE
    if not path.exists():
        return False
    _remember(data_directory, "clear", Latch(reason, operator_name(), clock.read().wall_ns))
    path.unlink()
    return True


def kill_execution(run_directory: Path) -> tuple[int, bool]:
    """Kill the execution that holds its lock; return its process id, 0 for none, and its death."""
    path = run_directory / f"{EXECUTION}.lock"
    if not path.exists():
        return 0, True
    try:
        FileLock(path, EXECUTION).close()
    except AlreadyRunning as fault:
        return fault.pid, fault.pid > 0 and kill_and_wait(fault.pid, KILL_WITHIN_S)
    return 0, True


def panic(settings: Settings, reason: str, say: Say, within_s: float) -> Proven | Unproven:
    """Latch, kill, cancel, prove. A latch that cannot be written stops none of the rest."""
    began_ns = clock.read().boot_ns
    unlatched = ""
    try:
        write_latch(settings.data_directory, reason)
    except OSError as error:
        unlatched = f"the latch could not be written ({error.strerror}): end the group by hand"
    pid, dead = kill_execution(settings.run_directory)
    if not dead:
        return Unproven(f"execution (process {pid}) could not be killed", pid)
    credentials = _credentials(settings, say, within_s)
    if isinstance(credentials, Unanswered):
        return Unproven(credentials.why, pid)
    venue = Venue(settings.config.venue.clob_url, credentials)
    try:
        attempt = Attempt(settings.config.timing, venue, clock.read().boot_ns)
        proven = wait_for(
            lambda: attempt.look(clock.read().boot_ns),
            within_s,
            say,
            lambda: attempt.words(clock.read().boot_ns),
        )
    finally:
        venue.close()
    if proven is None or unlatched:
        return Unproven(unlatched or attempt.words(clock.read().boot_ns), pid)
    return Proven(pid, proven - began_ns, attempt.canceled)


class Account(Protocol):
    """What panic asks of the venue; `ops/venue.py` has the real one."""

    def cancel_all(self) -> CancelReply | Unanswered:
        """Ask for every order to be cancelled."""
        ...

    def open_orders(self) -> OpenOrders | Unanswered:
        """Return every open order."""
        ...


class Attempt:
    """Cancels and reads, turn by turn, until the proof is complete.

    Attributes:
        canceled: Orders that the venue named as cancelled.
    """

    def __init__(self, timing: TimingSettings, venue: Account, now_ns: BootNs) -> None:
        """Begin after execution has died."""
        self.canceled = 0
        self._venue = venue
        self._cancel_ns: BootNs | None = None
        self._why = ""
        self._proof = ProofOfZero(
            0,
            read_gap_ns=timing.read_gap_ms * NS_PER_MS,
            lease_over_ns=None,
            intents_over_ns=intents_over_ns(
                now_ns,
                timing.late_order_margin_ms * NS_PER_MS,
                timing.socket_timeout_ms * NS_PER_MS,
            ),
        )
        self._proof.execution_known(KILLED)
        self._proof.execution_exited(KILLED, now_ns)

    def look(self, now_ns: BootNs) -> BootNs | None:
        """Do one step; return when zero was proven, None while it is not."""
        if self._cancel_ns is None or (self._why and now_ns - self._cancel_ns >= CANCEL_EVERY_NS):
            self._cancel(now_ns)
        elif self._proof.read_may_be_sent("own", now_ns):
            self._read()
        return self._proof.zero_ns

    def words(self, now_ns: BootNs) -> str:
        """Say what is still missing."""
        return self._why or self._proof.missing(now_ns)

    def _cancel(self, now_ns: BootNs) -> None:
        self._cancel_ns = now_ns
        answer = self._venue.cancel_all()
        if isinstance(answer, Unanswered):
            self._why = answer.why
            return
        self._why = ""
        self.canceled += len(answer.canceled or ())

    def _read(self) -> None:
        answer = self._venue.open_orders()
        if isinstance(answer, Unanswered):
            self._why = answer.why
            return
        count = len(answer.orders)
        self._why = f"{count} open at the venue" if count else ""
        self._proof.read_answered(
            "own", sent_ns=answer.sent_ns, answered_ns=answer.answered_ns, open_orders=count
        )


def operator_name() -> str:
    """Return who is at the keyboard, as the system knows him."""
    return pwd.getpwuid(os.getuid()).pw_name


def _credentials(settings: Settings, say: Say, within_s: float) -> Credentials | Unanswered:
    """Return the API key from its file, or derive it from the wallet's key."""
    try:
        found = read_credentials(settings.credentials_file)
        if not isinstance(found, Missing):
            return found
        key = read_key(settings.key_file)
    except (CredentialsFault, KeyFault) as fault:
        return Unanswered(str(fault))
    venue = Venue(settings.config.venue.clob_url)
    last = Unanswered("nobody was asked yet")

    def ask() -> Credentials | None:
        nonlocal last
        answer = venue.obtain_key(key, settings.config.venue.chain_id)
        if isinstance(answer, Unanswered):
            last = answer
            return None
        return answer

    try:
        return wait_for(ask, within_s, say, lambda: f"API key: {last.why}") or last
    finally:
        venue.close()


def _remember(data_directory: Path, what: str, latch: Latch) -> None:
    """Append one line to the history, on disk before it counts."""
    line = {"what": what, **msgspec.to_builtins(latch)}
    descriptor = os.open(
        data_directory / HISTORY_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
    )
    try:
        os.write(descriptor, msgspec.json.encode(line) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
