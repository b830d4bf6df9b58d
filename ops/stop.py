"""Ends a group: strategies and execution first, then proof from the venue, then the rest.

While the venue has not shown that nothing is open, risk is left alone: it goes on
cancelling, which is better than an empty process list.
"""

import os
import select
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec

from bus import supervision
from bus.credentials import CredentialsFault, Missing, read_credentials
from bus.locks import AlreadyRunning, FileLock
from bus.settings import Settings
from ops.launch import LOCK_FILE
from ops.venue import OpenOrders, Unanswered, Venue
from ops.waiting import wait_for
from shared.topics import EXECUTION, STRATEGIES

TRADERS_WITHIN_S = 40.0
"""Execution's confirmed cancel (20 s until supervisord kills it), behind a strategy's end."""

PROOF_WITHIN_S = 30.0
"""For an empty answer of the venue, with a cancel-all whenever something is still open."""

REST_WITHIN_S = 60.0
"""supervisord ends the rest one by one, each within its own stopwaitsecs."""

CANCEL_EVERY_LOOKS = 20
"""One cancel-all in about two seconds of looks."""

Say = Callable[[str], None]


class NotStopped(msgspec.Struct, frozen=True):
    """What was asked does not hold, and what goes on."""

    why: str


class Stopped(msgspec.Struct, frozen=True):
    """Nothing runs any more.

    Attributes:
        open_orders: What the venue showed last; None when it was not asked.
    """

    was_running: bool
    open_orders: int | None


def holder_of(run_directory: Path) -> int | None:
    """Return the supervisord of a run directory, 0 when it does not tell, None for none."""
    path = run_directory / LOCK_FILE
    if not path.exists():
        return None
    try:
        FileLock(path, "group").close()
    except AlreadyRunning as fault:
        return fault.pid
    return None


def stop(settings: Settings, say: Say, *, without_proof: bool = False) -> Stopped | NotStopped:
    """End the group of a run directory; returns when it is gone, or with the reason why not."""
    run = settings.run_directory
    pid = holder_of(run)
    if pid is None:
        return Stopped(False, None)
    ended = _end_traders(run, say)
    if isinstance(ended, NotStopped):
        return ended
    proof = prove_nothing_open(settings, say)
    if isinstance(proof, NotStopped) and not without_proof:
        return proof
    refused = supervision.shut_down(run)
    if refused is not None:
        return NotStopped(refused.why)
    gone = wait_for(
        lambda: True if holder_of(run) is None else None,
        REST_WITHIN_S,
        say,
        lambda: f"waiting for {_remaining(run)}",
    )
    if not gone:
        return NotStopped(f"still alive after {REST_WITHIN_S:.0f} s: {_remaining(run)}")
    return Stopped(True, 0 if proof is None else None)


def prove_nothing_open(settings: Settings, say: Say) -> NotStopped | None:
    """Ask the venue until it shows no open order, cancelling what it shows."""
    try:
        credentials = read_credentials(settings.credentials_file)
    except CredentialsFault as fault:
        return NotStopped(f"open orders unknown: {fault}")
    if isinstance(credentials, Missing):
        return None  # without an API key nothing was ever placed
    venue = Venue(settings.config.venue.clob_url, credentials)
    last: OpenOrders | Unanswered = Unanswered("nobody was asked yet")
    looks = 0

    def look() -> bool | None:
        nonlocal last, looks
        last = venue.open_orders()
        if isinstance(last, OpenOrders) and not last.orders:
            return True
        if looks % CANCEL_EVERY_LOOKS == 0:
            venue.cancel_all()
        looks += 1
        return None

    def words() -> str:
        if isinstance(last, Unanswered):
            return f"open orders unknown: {last.why}"
        return f"{len(last.orders)} open at the venue"

    try:
        proven = wait_for(look, PROOF_WITHIN_S, say, words)
    finally:
        venue.close()
    if proven:
        return None
    return NotStopped(f"{words()}; risk goes on cancelling, and `interlock panic` does too")


def kill_and_wait(pid: int, within_s: float) -> bool:
    """Kill a process by pidfd and tell whether its end was seen in time; True when it is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return bool(select.select([descriptor], [], [], within_s)[0])
    except ProcessLookupError:
        return True
    finally:
        os.close(descriptor)


def _end_traders(run: Path, say: Say) -> NotStopped | None:
    """End strategies and execution, which cancels everything of ours, confirmed."""
    traders = (*STRATEGIES, EXECUTION)
    for name in traders:
        answer = supervision.stop(run, name)
        if isinstance(answer, supervision.Unreachable):
            return NotStopped(answer.why)
        # A refusal says that it does not run, which is what is wanted.

    def ended() -> bool | None:
        found = supervision.processes(run)
        if isinstance(found, supervision.Unreachable):
            return None
        alive = [row for row in found if row.name in traders and row.state not in supervision.GONE]
        return None if alive else True

    done = wait_for(ended, TRADERS_WITHIN_S, say, lambda: "execution cancels, confirmed")
    if done:
        return None
    return NotStopped(f"execution has not ended in {TRADERS_WITHIN_S:.0f} s")


def _remaining(run: Path) -> str:
    found = supervision.processes(run)
    if isinstance(found, supervision.Unreachable):
        return "supervisord"
    return (
        ", ".join(row.name for row in found if row.state not in supervision.GONE) or "supervisord"
    )
