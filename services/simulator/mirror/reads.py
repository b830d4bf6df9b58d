"""Reads of the real venue over REST, with what each is for. Bounded."""

from typing import Literal

import msgspec

from shared.effects import HttpRequest
from shared.units import NS_PER_S, BootNs, Instant

Lane = Literal["mirror_books", "mirror_discovery", "mirror_geoblock"]

READ_BOOKS: Lane = "mirror_books"
READ_DISCOVERY: Lane = "mirror_discovery"
READ_GEOBLOCK: Lane = "mirror_geoblock"

DEADLINE_NS = 2 * NS_PER_S
IN_FLIGHT_MAX = 16


class Purpose(msgspec.Struct, frozen=True):
    """What a read is for: its lane, what it asks about, and when it was asked."""

    lane: Lane
    about: str
    asked_ns: int


class Reads:
    """Reads without an answer so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._count = 0
        self._purposes: dict[int, Purpose] = {}

    @property
    def is_full(self) -> bool:
        """Tell whether another read has to wait."""
        return len(self._purposes) >= IN_FLIGHT_MAX

    def ask(self, lane: Lane, path: str, about: str, now: Instant) -> HttpRequest:
        """Return the effect that reads a path; `finish` gives the purpose back."""
        assert not self.is_full
        self._count += 1
        self._purposes[self._count] = Purpose(lane, about, now.monotonic_ns)
        return HttpRequest(
            request_id=self._count,
            lane=lane,
            method="GET",
            path=path,
            body=b"",
            deadline_ns=BootNs(now.boot_ns + DEADLINE_NS),
            authenticated=False,
        )

    def finish(self, request_id: int) -> Purpose | None:
        """Return what an answered or failed read was for."""
        return self._purposes.pop(request_id, None)

    def is_asking(self, lane: Lane, about: str) -> bool:
        """Tell whether something is being read already."""
        return any(
            purpose.lane == lane and purpose.about == about for purpose in self._purposes.values()
        )
