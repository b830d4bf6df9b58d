"""The edge that waits for the credentials file, which may appear after the start, or change.

Impure: looks at the file once a second until it can be used, then tells the core, and looks on
now and then: credentials that the venue refuses are tried again only once they are others. A
file that cannot be used is waited for like a missing one, and what was read before stays in use.
"""

from pathlib import Path

from bus.credentials import CredentialsFault, Missing, read_credentials
from bus.edge import Edge
from services.feed.messages import CredentialsFound
from shared.effects import Effect, Message
from shared.units import NS_PER_S, Instant
from shared.venue.auth import Credentials

LOOK_EVERY_NS = NS_PER_S
LOOK_AGAIN_NS = 5 * NS_PER_S
"""Once there are some: a person has just written others and waits."""


class AwaitedCredentials(Edge):
    """Looks until the credentials are there, and whether they have changed.

    Attributes:
        credentials: None while they are not.
        problem: Why they are not, or why the file cannot be used any more; empty when it can.
    """

    handles: tuple[type[Effect], ...] = ()

    def __init__(self, path: Path) -> None:
        """Look at the first tick."""
        self._path = path
        self._next_ns = 0
        self.credentials: Credentials | None = None
        self.problem = "not looked yet"

    def on_tick(self, now: Instant) -> list[Message]:
        """Look when it is time; tell what is new."""
        if now.monotonic_ns < self._next_ns:
            return []
        every = LOOK_EVERY_NS if self.credentials is None else LOOK_AGAIN_NS
        self._next_ns = now.monotonic_ns + every
        try:
            found = read_credentials(self._path)
        except CredentialsFault as fault:
            self.problem = str(fault)
            return []
        if isinstance(found, Missing):
            self.problem = f"{found.path} is missing"
            return []
        self.problem = ""
        if self.credentials is not None and _texts(found) == _texts(self.credentials):
            return []
        self.credentials = found
        return [CredentialsFound(found)]


def _texts(found: Credentials) -> tuple[str, str, str, str]:
    return found.address, found.api_key, found.secret, found.passphrase
