"""Numbered reads over one HTTP lane, with what each was for.

Decides nothing about answers. Bounded: a read that would be one too many is not made, and
the caller asks again later.
"""

from typing import Generic, TypeVar

from shared.effects import HttpRequest
from shared.units import BootNs, Instant

READ_LANE = "read"

IN_FLIGHT_MAX = 16
"""Above the connections of a lane, below what the venue would call a burst."""

Purpose = TypeVar("Purpose")


class Reads(Generic[Purpose]):
    """Reads without an answer so far."""

    def __init__(
        self, deadline_ns: int, in_flight_max: int = IN_FLIGHT_MAX, *, first: int = 0
    ) -> None:
        """Start with none.

        Args:
            deadline_ns: Total deadline of each read.
            in_flight_max: Reads at the same time.
            first: Number to count from, where another reader shares the edge.
        """
        self._deadline_ns = deadline_ns
        self._in_flight_max = in_flight_max
        self._count = first
        self._purposes: dict[int, Purpose] = {}

    @property
    def is_full(self) -> bool:
        """Tell whether another read has to wait."""
        return len(self._purposes) >= self._in_flight_max

    def ask(
        self,
        path: str,
        purpose: Purpose,
        now: Instant,
        *,
        authenticated: bool = False,
        lane: str = READ_LANE,
        body: bytes = b"",
    ) -> HttpRequest:
        """Return the effect that reads a path; `finish` gives the purpose back.

        A question with a body is a POST, as the venue wants it for many books at once.
        """
        assert not self.is_full
        self._count += 1
        self._purposes[self._count] = purpose
        return HttpRequest(
            request_id=self._count,
            lane=lane,
            method="POST" if body else "GET",
            path=path,
            body=body,
            deadline_ns=BootNs(now.boot_ns + self._deadline_ns),
            authenticated=authenticated,
        )

    def finish(self, request_id: int) -> Purpose | None:
        """Return what an answered or failed read was for; None for one that was given up."""
        return self._purposes.pop(request_id, None)

    def give_up(self) -> None:
        """Forget every read under way; their answers will be ignored."""
        self._purposes.clear()

    def purposes(self) -> tuple[Purpose, ...]:
        """Return what is being read."""
        return tuple(self._purposes.values())
