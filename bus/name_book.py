"""What is known of one name: its addresses, who gave them and when, and whom to ask next. Pure.

The system's resolver is asked first. When it fails, or says nothing in time, the name servers of
the profile are asked; when they fail too, the addresses of the last answer stay in use, however
old: what a name stood for yesterday is better than nothing, and over TLS a wrong address proves
itself wrong. An answer that comes late is still taken. Each round's end sets when to ask again.

    NameFault(Exception)    remote: a look-up gave no address; its text is for people

Source: requirement NET-4.
"""

from collections import deque
from typing import Literal

import msgspec

from bus.connection import Address
from shared.config import NameSettings
from shared.reach import HostReach
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, MonotonicNs

Source = Literal["system", "fallback"]

RETRY_NS = 2 * NS_PER_S
"""Between two rounds while every source fails."""

ADDRESSES_MAX = 8
"""More are not needed to find one that answers."""

LOOKUPS_KEPT = 100
"""Durations of which the slowest is shown."""

SMOOTHING = 8
"""A new duration counts for so small a part of the moving average."""

FAILURE_CHARS_MAX = 200


class NameFault(Exception):
    """A look-up gave no address."""


class NameRules(msgspec.Struct, frozen=True):
    """How a process resolves names.

    Attributes:
        servers: Asked in order when the system's resolver fails: address and port.
        system_ns_max: The system's resolver may take so long before the servers are asked.
        server_ns_max: For each server.
        refresh_ns: Between two rounds while one source answers.
    """

    servers: tuple[tuple[str, int], ...] = ()
    system_ns_max: int = 2 * NS_PER_S
    server_ns_max: int = NS_PER_S
    refresh_ns: int = 60 * NS_PER_S

    @classmethod
    def of(cls, settings: NameSettings) -> "NameRules":
        """Take the rules from a profile."""
        return cls(
            servers=settings.addresses(),
            system_ns_max=settings.system_ms * NS_PER_MS,
            server_ns_max=settings.server_ms * NS_PER_MS,
            refresh_ns=settings.refresh_s * NS_PER_S,
        )


SYSTEM_ALONE = NameRules()


class Answer(msgspec.Struct, frozen=True):
    """How one look-up ended.

    Attributes:
        addresses: Empty when it failed.
        failure: Why, for people; empty when it did not.
        took_ns: From the asking on.
    """

    source: Source
    addresses: tuple[Address, ...]
    failure: str
    took_ns: int


class NameBook:
    """One name's addresses.

    Attributes:
        failure: Why every source failed in the newest round; empty when one answered.
        version: Grows with everything that is news for people.
    """

    def __init__(self, host: str, rules: NameRules = SYSTEM_ALONE) -> None:
        """Know nothing; the first round is due at once."""
        self.failure = ""
        self.version = 0
        self._host = host
        self._rules = rules
        self._addresses: tuple[Address, ...] = ()
        self._source = ""
        self._resolved_ns: BootNs | None = None
        self._next = 0
        self._due_ns = BootNs(0)
        self._round_ns: BootNs | None = None
        self._failed: dict[Source, str] = {}
        self._under_way: set[Source] = set()
        self._average_ns = 0
        self._took: deque[int] = deque(maxlen=LOOKUPS_KEPT)

    def due(self, now_ns: BootNs) -> tuple[Source, ...]:
        """Return whom to ask now; each is asked until `take` has its answer."""
        if self._round_ns is None:
            if now_ns < self._due_ns:
                return ()
            self._round_ns = now_ns
            self._failed.clear()
            if "system" not in self._under_way:
                self._under_way.add("system")
                return ("system",)
            # Still hanging in an earlier round: nobody waits for it a second time.
            self._failed["system"] = "the system's resolver still does not answer"
        if "system" not in self._failed:
            if now_ns - self._round_ns < self._rules.system_ns_max:
                return ()
            self._failed["system"] = "the system's resolver does not answer"
        if not self._rules.servers:
            self._give_up(now_ns)
            return ()
        if "fallback" in self._under_way or "fallback" in self._failed:
            return ()
        self._under_way.add("fallback")
        return ("fallback",)

    def take(self, answer: Answer, now_ns: BootNs) -> None:
        """Take an answer in, in time or late."""
        self._under_way.discard(answer.source)
        if answer.source == "fallback" and self._round_ns is None and self._source == "system":
            return  # the system has answered meanwhile, and comes first
        if answer.addresses:
            self._adopt(answer, now_ns)
            return
        self._failed[answer.source] = answer.failure
        if self._round_ns is None or "system" not in self._failed:
            return
        if not self._rules.servers or "fallback" in self._failed:
            self._give_up(now_ns)

    def next_address(self) -> Address | None:
        """Return the address to try next, each in its turn; None while there is none."""
        if not self._addresses:
            return None
        self._next = (self._next + 1) % len(self._addresses)
        return self._addresses[self._next]

    def reach(self, now: Instant) -> HostReach:
        """Return what people are told."""
        resolved_ns = None
        if self._resolved_ns is not None:
            resolved_ns = MonotonicNs(now.monotonic_ns - (now.boot_ns - self._resolved_ns))
        return HostReach(
            host=self._host,
            source=self._source,
            resolved_ns=resolved_ns,
            addresses=len(self._addresses),
            lookup_ms=self._average_ns // NS_PER_MS,
            lookup_ms_max=max(self._took, default=0) // NS_PER_MS,
            failure=self.failure,
        )

    def _adopt(self, answer: Answer, now_ns: BootNs) -> None:
        """Use what was answered from now on, beginning with its first address if it is new."""
        found = answer.addresses[:ADDRESSES_MAX]
        is_other = set(found) != set(self._addresses)
        if is_other:
            self._next = len(found) - 1
            self._addresses = found
        if is_other or self.failure or self._source != answer.source:
            self.version += 1
        self._source = answer.source
        self._resolved_ns = now_ns
        self._took.append(answer.took_ns)
        if len(self._took) == 1:
            self._average_ns = answer.took_ns
        else:
            self._average_ns += (answer.took_ns - self._average_ns) // SMOOTHING
        self.failure = ""
        self._round_ns = None
        self._due_ns = BootNs(now_ns + self._rules.refresh_ns)

    def _give_up(self, now_ns: BootNs) -> None:
        """End a round in which nobody has answered; what was known stays in use."""
        failure = "; ".join(self._failed.values())[:FAILURE_CHARS_MAX]
        if failure != self.failure:
            self.version += 1
        self.failure = failure
        self._round_ns = None
        self._due_ns = BootNs(now_ns + RETRY_NS)
