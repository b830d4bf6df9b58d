"""Risk's own line to the venue: three lanes of warm connections that share nothing.

Impure. A cancel waits for no read and no beat, and a beat that its loop decided too long ago is
dropped directly before its write. Credentials may appear after the start; until then every
request fails as not sent, and nothing trades.
"""

from collections.abc import Mapping
from pathlib import Path

from bus.credentials import CredentialsFault, Missing, read_credentials
from bus.edge import Edge
from bus.http import HttpEdge, Lane
from bus.name_book import SYSTEM_ALONE, NameRules
from services.risk import cancel_path, dead_man, open_orders
from services.risk.messages import BeatPermit, KeyFound
from shared.effects import Effect, HttpRequest, Message
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant
from shared.venue.auth import Credentials, request_headers

LOOK_EVERY_NS = 200 * NS_PER_MS
"""Between looks for a credentials file that is not there yet."""

CANCEL_CONNECTIONS = 2
"""A cancel whose answer was lost blocks one; the next fence's goes by the other."""

BEAT_CONNECTIONS = 2
"""Likewise: a beat without an answer ends its connection, and the next finds a warm one."""


class VenueKey:
    """The credentials, once they are there, and the last look before each write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._credentials: Credentials | None = None
        self._problem = "no credentials yet"
        self._look_ns = BootNs(0)

    def found(self, now: Instant) -> str | None:
        """Return the public id of the API key; None while there are no credentials."""
        credentials = self._read(now)
        return None if credentials is None else credentials.api_key

    def headers(self, request: HttpRequest, now: Instant) -> Mapping[str, str]:
        """Return the authentication of one request; none while there are no credentials."""
        credentials = self._read(now)
        if credentials is None:
            return {}
        seconds = now.wall_ns // NS_PER_S
        return request_headers(credentials, seconds, request.method, request.path, request.body)

    def before_write(self, request: HttpRequest, now: Instant) -> str | None:
        """Return why a request may not leave now, None when it may."""
        if self._credentials is None:
            return self._problem
        permit = request.permit
        if isinstance(permit, BeatPermit) and now.boot_ns > permit.not_after_ns:
            return "not_permitted"
        return None

    def _read(self, now: Instant) -> Credentials | None:
        """Look for the credentials when it is time, until they are there."""
        if self._credentials is not None or now.boot_ns < self._look_ns:
            return self._credentials
        self._look_ns = BootNs(now.boot_ns + LOOK_EVERY_NS)
        try:
            found = read_credentials(self._path)
        except CredentialsFault as fault:
            self._problem = str(fault)
            return None
        if not isinstance(found, Missing):
            self._credentials = found
        return self._credentials


class KeyTeller(Edge):
    """Tells the core once which API key its reads will show the orders of."""

    handles: tuple[type[Effect], ...] = ()

    def __init__(self, key: VenueKey) -> None:
        self._key = key
        self._is_told = False

    def on_tick(self, now: Instant) -> list[Message]:
        """Look for the key until it is there."""
        api_key = None if self._is_told else self._key.found(now)
        if api_key is None:
            return []
        self._is_told = True
        return [KeyFound(api_key)]


def venue_lanes(clob_url: str, socket_timeout_ms: int) -> tuple[Lane, ...]:
    """Return the lanes of risk; they share nothing."""
    return (
        Lane(
            cancel_path.LANE,
            clob_url,
            connections=CANCEL_CONNECTIONS,
            user_timeout_ms=socket_timeout_ms,
            is_urgent=True,
        ),
        Lane(open_orders.LANE, clob_url, user_timeout_ms=socket_timeout_ms),
        Lane(
            dead_man.LANE,
            clob_url,
            connections=BEAT_CONNECTIONS,
            user_timeout_ms=socket_timeout_ms,
        ),
    )


def venue_edges(
    clob_url: str,
    credentials_file: Path,
    socket_timeout_ms: int,
    names: NameRules = SYSTEM_ALONE,
) -> tuple[Edge, ...]:
    """Return the edges that tell of risk's key, and that carry out its requests with it."""
    key = VenueKey(credentials_file)
    lanes = venue_lanes(clob_url, socket_timeout_ms)
    http = HttpEdge(lanes, headers=key.headers, before_write=key.before_write, names=names)
    return (KeyTeller(key), http)
