"""All start-up checks at once, in plain words, whether a group runs or not.

Changes nothing. A check that cannot be made says `unknown`, which is not `fine`.
"""

import importlib.metadata
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import psutil

from bus import clock
from bus.credentials import CredentialsFault, Missing, read_credentials
from bus.settings import SOURCE_ROOT, Settings
from ops import clock_check, preflight
from ops.group import PANIC_FILE
from ops.money_checks import money_checks
from ops.start import running_in
from ops.venue import Unanswered, Venue
from shared.units import NS_PER_S

LOCK = SOURCE_ROOT / "requirements.lock"
DISK_PERCENT_WARN = 90.0
"""Requirement CP-5: from here on old logs are to be cleaned."""

CLOCK_OFF_S_MAX = 1
"""The venue tells whole seconds: one second off says nothing, two say that a clock is wrong."""

PYTHON_MIN = (3, 11)


class Check(msgspec.Struct, frozen=True):
    """One check.

    Attributes:
        holds: None when it could not be made.
    """

    name: str
    holds: bool | None
    detail: str


def examine(profile: Path, environment: Mapping[str, str]) -> tuple[Check, ...]:
    """Make every check; those that need a right profile are left out when it is wrong."""
    checks = [_python(), _dependencies()]
    settings = preflight.check(profile, environment)
    if not isinstance(settings, Settings):
        checks += [Check(finding.where, False, finding.what) for finding in settings]
        return tuple(checks)
    checks.append(Check("profile", True, f"{settings.path}, {settings.config.run.mode}"))
    checks += [_run_directory(settings), _panic(settings), _disk(settings)]
    checks.append(_clock_kept(settings))
    checks += _venue(settings)
    checks += [Check(row.name, row.holds, row.detail) for row in money_checks(settings)]
    checks.append(_geoblock(settings))
    return tuple(checks)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= PYTHON_MIN, version)


def _dependencies() -> Check:
    """Compare every installed distribution that the lock names with the lock."""
    if not LOCK.is_file():
        return Check("dependencies", None, f"{LOCK} is missing")
    wrong = []
    count = 0
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        name, separator, rest = line.partition("==")
        if not separator or line.startswith((" ", "#")):
            continue
        count += 1
        wanted = rest.split()[0]
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "missing"
        if found != wanted:
            wrong.append(f"{name} {found}, not {wanted}")
    return Check("dependencies", not wrong, "; ".join(wrong) or f"{count} as locked")


def _run_directory(settings: Settings) -> Check:
    running = running_in(settings.run_directory)
    if running is not None:
        return Check("group", True, running)
    taken = preflight.check_port(settings)
    if taken:
        words = ", ".join(finding.what for finding in taken)
        return Check("group", False, f"nothing runs, but port {words}")
    return Check("group", True, f"nothing runs in {settings.run_directory}")


def _clock_kept(settings: Settings) -> Check:
    """CK-1: somebody has to correct the clock, but where venue and host have the same one."""
    kept, words = clock_check.correction()
    if not kept and settings.config.run.mode in ("simulation", "replay"):
        return Check("clock kept right", True, f"the venue has the same one; {words}")
    return Check("clock kept right", kept, words)


def _panic(settings: Settings) -> Check:
    path = settings.data_directory / PANIC_FILE
    return Check("panic latch", not path.exists(), f"{path} stands" if path.exists() else "none")


def _disk(settings: Settings) -> Check:
    place = settings.data_directory
    while not place.exists():
        place = place.parent
    used = psutil.disk_usage(str(place)).percent
    writable = os.access(place, os.W_OK)
    words = f"{used:.0f} percent used at {place}" + ("" if writable else ", not writable")
    return Check("disk", writable and used < DISK_PERCENT_WARN, words)


def _venue(settings: Settings) -> list[Check]:
    """Ask the venue for its time, and for our open orders when there is an API key."""
    url = settings.config.venue.clob_url
    try:
        found = read_credentials(settings.credentials_file)
    except CredentialsFault as fault:
        return [Check("API key", False, str(fault))]
    venue = Venue(url, None if isinstance(found, Missing) else found)
    try:
        checks = _clock(venue, url)
        if isinstance(found, Missing):
            return [*checks, Check("API key", None, "none yet; `interlock up` obtains one")]
        orders = venue.open_orders()
        if isinstance(orders, Unanswered):
            return [*checks, Check("API key", None, orders.why)]
        return [*checks, Check("API key", True, f"{len(orders.orders)} open orders")]
    finally:
        venue.close()


def _geoblock(settings: Settings) -> Check:
    """Ask whether orders from this address are refused; in mode paper the mirror refuses them too.

    Source: https://docs.polymarket.com/api-reference/geoblock (2026-09-28).
    """
    url = settings.config.venue.geoblock_url
    venue = Venue(url)
    try:
        found = venue.geoblock()
    finally:
        venue.close()
    if isinstance(found, Unanswered):
        return Check("geoblock", None, f"{url}: {found.why}")
    place = " ".join(part for part in (found.country, found.region) if part) or "nowhere named"
    words = "orders are refused from here" if found.blocked else "orders are taken from here"
    return Check("geoblock", not found.blocked, f"{words}: {place}")


def _clock(venue: Venue, url: str) -> list[Check]:
    told_s = venue.time_s()
    if isinstance(told_s, Unanswered):
        return [Check("venue", None, f"{url}: {told_s.why}")]
    off_s = abs(told_s - clock.read().wall_ns // NS_PER_S)
    return [
        Check("venue", True, f"{url} answers"),
        Check("clock", off_s <= CLOCK_OFF_S_MAX, f"{off_s} s from the venue's"),
    ]
