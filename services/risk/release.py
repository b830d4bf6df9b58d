"""KS-10: every running component is of one release, and that is risk's own.

Each pong carries three hashes: of the source that runs, of the settings in force, and of the
installed packages. A component that was started after any of them had changed on disk is
another system than the one that was checked; two of them side by side were checked by nobody.
"""

from collections.abc import Iterator

import msgspec

from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from shared.control import Pong
from shared.effects import ControlReceived, Message
from shared.identifiers import Component, Incarnation
from shared.switches import MIXED_RELEASE
from shared.topics import RISK
from shared.units import NS_PER_S, BootNs, Instant

RUNNING_NS = 3 * NS_PER_S
"""A run that has not answered for so long does not count as running any more."""

RUNS_MAX = 64
"""Runs remembered; more than all components with some restarts each."""


class Release(msgspec.Struct, frozen=True):
    """What a process was made of: three hashes."""

    build: str
    config: str
    dependencies: str


class _Seen(msgspec.Struct, frozen=True):
    """A run's release, and when it last told it."""

    release: Release
    heard_ns: BootNs


class ReleaseSource:
    """The releases of all runs that answer."""

    def __init__(self, own: Release | None) -> None:
        """Begin with risk's own.

        Args:
            own: Of this risk; None where it has none: then the others are compared alone.
        """
        self._own = own
        self._seen: dict[tuple[Component, Incarnation], _Seen] = {}

    def hear(self, message: Message, now: Instant) -> None:
        """Take in what a pong says of its process."""
        if not isinstance(message, ControlReceived) or not isinstance(message.body, Pong):
            return
        pong = message.body
        key = (pong.component, pong.incarnation)
        if key not in self._seen and len(self._seen) >= RUNS_MAX:
            self._seen.pop(next(iter(self._seen)))
        release = Release(pong.build_hash, pong.config_hash, pong.dependency_hash)
        self._seen[key] = _Seen(release, now.boot_ns)

    def data(self, now: Instant) -> Iterator[Sample | Notice]:
        """Yield whether all that run are of one release."""
        for key, seen in tuple(self._seen.items()):
            if now.boot_ns >= seen.heard_ns + RUNNING_NS:
                del self._seen[key]
        why = self._difference()
        yield Sample(MIXED_RELEASE, "", ACCOUNT, bool(why), why)

    def _difference(self) -> str:
        """Return who is of another release than risk, or than the first; empty when nobody is."""
        runs = [(component, seen.release) for (component, _), seen in self._seen.items()]
        if self._own is not None:
            runs.insert(0, (RISK, self._own))
        if not runs:
            return ""
        first, known = runs[0]
        found = []
        for component, release in runs[1:]:
            what = _what_differs(known, release)
            if what:
                found.append(f"{component} has another {what} than {first}")
        return "; ".join(dict.fromkeys(found))


def _what_differs(known: Release, found: Release) -> str:
    """Return which of the three differ, in words with both hashes; empty for none."""
    pairs = (
        ("build", known.build, found.build),
        ("configuration", known.config, found.config),
        ("set of packages", known.dependencies, found.dependencies),
    )
    return " and ".join(f"{name} ({new}, not {old})" for name, old, new in pairs if old != new)
