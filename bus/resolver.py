"""Names to addresses, outside the loop.

Addresses and `localhost` are resolved at once; every other name in short-lived threads, since
both the system's resolver and a name server are waited for. Whom to ask when, and which
addresses are in use meanwhile, is `name_book.py`.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable

from bus import clock
from bus.connection import Address, Origin
from bus.name_book import (
    ADDRESSES_MAX,
    SYSTEM_ALONE,
    Answer,
    NameBook,
    NameFault,
    NameRules,
    Source,
)
from shared.effects import Message, ReachTold
from shared.reach import HostReach
from shared.units import NS_PER_S, BootNs, Instant

HOSTS_MAX = 16
"""Of one edge: a profile has three sockets with four alternatives each, of which a feed has one."""

TELL_EVERY_NS = 10 * NS_PER_S
"""How old the addresses are is told again so often; what has changed, at once."""

LookUp = Callable[[str, int], tuple[Address, ...]]
"""Returns the addresses of a name, or raises; waits."""


def ask_system(host: str, port: int) -> tuple[Address, ...]:
    """Return what the system's resolver says, which may take long.

    Raises:
        NameFault: It knows no address, or is not there.
    """
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a label may be too long to be encoded
        raise NameFault(str(error)) from None
    return tuple(Address(int(row[0]), (str(row[4][0]), int(row[4][1]))) for row in rows)


class Resolver:
    """One origin's addresses, tried in turn."""

    def __init__(
        self, origin: Origin, rules: NameRules = SYSTEM_ALONE, system: LookUp = ask_system
    ) -> None:
        """Ask nobody yet, but for what this machine knows by itself.

        Args:
            origin: Whose name.
            rules: Whom to ask, and how long.
            system: The system's resolver.
        """
        self.origin = origin
        self._book = NameBook(origin.host, rules)
        self._ways: dict[Source, LookUp] = {"system": system}
        self._under_way: dict[Source, _LookingUp] = {}
        self._literal: tuple[Address, ...] = ()
        self._told: int | None = None
        self._tell_ns = 0
        if _is_local(origin.host):
            self._literal = ask_system(origin.host, origin.port)[:ADDRESSES_MAX]
        elif rules.servers:
            # Only a profile that names servers pays for the 65 ms that this import takes.
            from bus.name_servers import NameServers

            self._ways["fallback"] = NameServers(rules.servers, rules.server_ns_max).look_up
        self._next = 0

    @property
    def failure(self) -> str:
        """Why no source gives an address; empty while one does."""
        return self._book.failure

    def next_address(self, now_ns: BootNs) -> Address | None:
        """Return the address to try next, None while none is known; asks again when due."""
        if self._literal:
            self._next = (self._next + 1) % len(self._literal)
            return self._literal[self._next]
        self.refresh(now_ns)
        return self._book.next_address()

    def refresh(self, now_ns: BootNs) -> None:
        """Take in what was answered, and ask again when it is time."""
        if self._literal:
            return
        for source, looking_up in tuple(self._under_way.items()):
            answer = looking_up.answer
            if answer is not None:
                del self._under_way[source]
                self._book.take(answer, now_ns)
        for source in self._book.due(now_ns):
            self._under_way[source] = _LookingUp(source, self._ways[source], self.origin)

    def news(self, now: Instant) -> HostReach | None:
        """Return what is to be told of the name now; None when that was told lately."""
        if self._literal:
            return None
        self.refresh(now.boot_ns)
        is_new = self._book.version != self._told
        if not is_new and now.monotonic_ns < self._tell_ns:
            return None
        self._told = self._book.version
        self._tell_ns = now.monotonic_ns + TELL_EVERY_NS
        return self._book.reach(now)


class Resolvers:
    """The resolvers of an edge, one for each host and port."""

    def __init__(self, rules: NameRules = SYSTEM_ALONE) -> None:
        """Begin with none."""
        self._rules = rules
        self._known: dict[tuple[str, int, bool], Resolver] = {}

    def of(self, url: str) -> Resolver:
        """Return the resolver of a URL's host.

        Raises:
            ValueError: It is no http, https, ws or wss URL with a host.
        """
        origin = Origin.of(url)
        key = (origin.host, origin.port, origin.is_secure)
        if key not in self._known:
            assert len(self._known) < HOSTS_MAX, "more hosts than any profile names"
            self._known[key] = Resolver(origin, self._rules)
        return self._known[key]

    def news(self, now: Instant) -> list[Message]:
        """Return what is to be told of all names now, as one message or none."""
        found = [news for one in self._known.values() if (news := one.news(now)) is not None]
        return [ReachTold(tuple(found))] if found else []


class _LookingUp:
    """One look-up in its thread.

    Attributes:
        answer: None while it is under way.
    """

    def __init__(self, source: Source, look_up: LookUp, origin: Origin) -> None:
        self.answer: Answer | None = None
        self._source: Source = source
        self._look_up = look_up
        self._origin = origin
        threading.Thread(target=self._work, name=f"names-{source}", daemon=True).start()

    def _work(self) -> None:
        began_ns = clock.read().monotonic_ns
        addresses: tuple[Address, ...] = ()
        failure = ""
        try:
            addresses = self._look_up(self._origin.host, self._origin.port)
        except NameFault as fault:
            failure = str(fault)
        took_ns = clock.read().monotonic_ns - began_ns
        self.answer = Answer(self._source, addresses, failure or "no address", took_ns)


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
