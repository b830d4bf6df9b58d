"""The edge that waits for the credentials file, which may appear after the start.

Impure: looks at the file once a second until it can be used, then tells the core and is
silent for good. A file that cannot be used is waited for like a missing one, and named in
the log once.
"""

from pathlib import Path

from bus.credentials import CredentialsFault, Missing, read_credentials
from bus.edge import Edge
from services.feed.messages import CredentialsFound
from shared.effects import Effect, Message
from shared.units import NS_PER_S, Instant
from shared.venue.auth import Credentials

LOOK_EVERY_NS = NS_PER_S


class AwaitedCredentials(Edge):
    """Looks until the credentials are there.

    Attributes:
        credentials: None while they are not.
        problem: Why they are not; empty once they are.
    """

    handles: tuple[type[Effect], ...] = ()

    def __init__(self, path: Path) -> None:
        """Look at the first tick."""
        self._path = path
        self._next_ns = 0
        self.credentials: Credentials | None = None
        self.problem = "not looked yet"

    def on_tick(self, now: Instant) -> list[Message]:
        """Look when it is time."""
        if self.credentials is not None or now.monotonic_ns < self._next_ns:
            return []
        self._next_ns = now.monotonic_ns + LOOK_EVERY_NS
        try:
            found = read_credentials(self._path)
        except CredentialsFault as fault:
            self.problem = str(fault)
            return []
        if isinstance(found, Missing):
            self.problem = f"{found.path} is missing"
            return []
        self.credentials = found
        self.problem = ""
        return [CredentialsFound(found)]
