"""What one entry of the catalogue of the venue's faults holds."""

import msgspec

from services.simulator.faults.orders import FaultOrder

GITHUB = "https://github.com/"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One fault that users of the real venue have met.

    Attributes:
        number: Of the entry, from 1; those from 101 on are modes and limits that the venue's own
            documentation names, those from 201 on are of the venue of perpetual futures.
        name: By which it is switched on.
        what: What happens.
        orders: Faults that make it happen.
        always: How the simulator does it anyway, without a switch; empty where orders do it all.
        reaction: What our system does then.
        links: Where it was told of.
        tests: Which tests show the reaction, by path and name.
        later: What of it a later part will show; empty for nothing.
        lasts_ms: How long it is on when nobody says; long enough to be noticed.
    """

    number: int
    name: str
    what: str
    reaction: str
    links: tuple[str, ...]
    tests: tuple[str, ...]
    orders: tuple[FaultOrder, ...] = ()
    always: str = ""
    later: str = ""
    lasts_ms: int = 3_000


def issues(repository: str, *numbers: int) -> tuple[str, ...]:
    """Return the addresses of issues of a repository."""
    return tuple(f"{GITHUB}{repository}/issues/{number}" for number in numbers)
