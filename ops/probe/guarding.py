"""What stands around a script: the reasons not to begin, interrupts, and the way to zero."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bus import clock
from bus.credentials import CredentialsFault
from bus.locks import FileLock, LockFault
from bus.settings import Settings
from ops.group import PANIC_FILE
from ops.keys import KeyFault, read_key
from ops.launch import take_locks
from ops.panic import Attempt
from ops.venue import Venue
from ops.waiting import wait_for
from shared.config import LIVE_ACKNOWLEDGEMENT, Config, VenueSettings, is_loopback
from shared.venue.auth import Credentials

PROOF_WITHIN_S = 150.0
"""Every order ends at the venue by itself within about two minutes."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class Interrupted(KeyboardInterrupt):
    """Somebody, or the time that the session may take, ends the script."""


class Zero(msgspec.Struct, frozen=True):
    """How a session was left.

    Attributes:
        proven: Whether nothing of the account is or can come into the market.
        why: What the proof lacks; empty when it is whole.
        canceled: Orders that the cancels of the way out named.
    """

    proven: bool
    why: str
    canceled: int


def refusal_of(settings: Settings) -> str:
    """Return why no session may begin on these settings; empty when one may."""
    latch = settings.data_directory / PANIC_FILE
    if latch.exists():
        return f"{latch} stands: end it with `interlock panic --clear --reason ...`"
    return refusal_of_venue(settings.config)


def refusal_of_venue(config: Config) -> str:
    """Return why a venue may not be asked; a real one needs the live acknowledgement."""
    remote = [url for url in urls_of(config.venue) if not is_loopback(url)]
    if not remote:
        return ""
    run = config.run
    if run.mode == "live" and run.live_acknowledgement == LIVE_ACKNOWLEDGEMENT:
        return ""
    return (
        f"{urlsplit(remote[0]).hostname} is not this machine: orders there are real money, and "
        f'[run] needs mode = "live" and live_acknowledgement = "{LIVE_ACKNOWLEDGEMENT}"'
    )


def urls_of(venue: VenueSettings) -> tuple[str, ...]:
    """Return every address of a venue that a session speaks to."""
    return (
        venue.clob_url,
        venue.discovery_url,
        venue.market_socket_url,
        venue.user_socket_url,
        venue.price_socket_url,
    )


def hold_account(settings: Settings) -> tuple[FileLock, ...] | str:
    """Take the locks that a group takes, or return who has one of them."""
    try:
        settings.data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return take_locks(settings, read_key(settings.key_file).address)
    except (LockFault, KeyFault, CredentialsFault) as fault:
        return str(fault)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"


@contextmanager
def interruptible(within_s: float) -> Iterator[None]:
    """Turn the first signal, or the end of the time, into `Interrupted`; ignore all others.

    Signals stay ignored after the block until the caller restores what was before: what
    follows is the way to zero.
    """
    struck = False

    def strike(number: int, frame: FrameType | None) -> None:
        nonlocal struck
        if not struck:
            struck = True
            name = "the time is over" if number == signal.SIGALRM else signal.Signals(number).name
            raise Interrupted(name)

    for number in (*SIGNALS, signal.SIGALRM):
        signal.signal(number, strike)
    signal.setitimer(signal.ITIMER_REAL, within_s)
    try:
        yield
    finally:
        struck = True
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def former_signals() -> Iterator[None]:
    """Put back, at the end, who took signals before."""
    former: dict[int, Any] = {
        number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGALRM)
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def reach_zero(settings: Settings, credentials: Credentials, say: Say) -> Zero:
    """Cancel all, and prove zero by the rules of panic."""
    venue = Venue(settings.config.venue.clob_url, credentials)
    attempt = Attempt(settings.config.timing, venue, clock.read().boot_ns)
    try:
        proven = wait_for(
            lambda: attempt.look(clock.read().boot_ns),
            PROOF_WITHIN_S,
            say,
            lambda: f"to zero: {attempt.words(clock.read().boot_ns)}",
        )
    finally:
        venue.close()
    why = "" if proven is not None else attempt.words(clock.read().boot_ns)
    return Zero(proven is not None, why, attempt.canceled)
