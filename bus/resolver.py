"""Names to addresses, outside the loop.

Addresses and `localhost` are resolved at once; every other name in a short-lived thread,
since the system's resolver blocks. The newest answer stays in use while a later one fails.
"""

import ipaddress
import socket
import threading

from bus.connection import Address, Origin
from shared.units import NS_PER_S, BootNs

REFRESH_NS = 60 * NS_PER_S
"""A venue behind a content network moves; its records live a minute or more."""

RETRY_NS = 2 * NS_PER_S

ADDRESSES_MAX = 8
"""More are not needed to find one that answers."""


class Resolver:
    """One origin's addresses, tried in turn."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.failure = ""
        self._addresses: tuple[Address, ...] = ()
        self._next = 0
        self._due_ns = BootNs(0)
        self._thread: threading.Thread | None = None
        self._found: tuple[Address, ...] | None = None
        self._is_local = _is_local(origin.host)
        if self._is_local:
            self._look_up()
            self._adopt(BootNs(0))

    def next_address(self, now_ns: BootNs) -> Address | None:
        """Return the address to try next, None while none is known; asks again when due."""
        self._refresh(now_ns)
        if not self._addresses:
            return None
        self._next = (self._next + 1) % len(self._addresses)
        return self._addresses[self._next]

    def _refresh(self, now_ns: BootNs) -> None:
        if self._is_local:
            return
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            self._adopt(now_ns)
        if self._thread is None and now_ns >= self._due_ns:
            self._due_ns = BootNs(now_ns + RETRY_NS)
            self._thread = threading.Thread(target=self._look_up, daemon=True)
            self._thread.start()

    def _adopt(self, now_ns: BootNs) -> None:
        if self._found:
            self._addresses = self._found
            self._due_ns = BootNs(now_ns + REFRESH_NS)
        self._found = None

    def _look_up(self) -> None:
        try:
            rows = socket.getaddrinfo(self.origin.host, self.origin.port, type=socket.SOCK_STREAM)
        except OSError as error:
            self.failure = str(error)
            return
        self.failure = ""
        self._found = tuple(Address(int(row[0]), (str(row[4][0]), int(row[4][1]))) for row in rows)[
            :ADDRESSES_MAX
        ]


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
