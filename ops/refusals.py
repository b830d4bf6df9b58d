"""What the ledger says of orders that did not get into the market: by reason, with the newest text.

REJECTED is the venue refusing, NOT_SENT one that never left, UNKNOWN nobody having said anything.
What the gate denies is no order and is not in the ledger: execution counts that itself.
"""

from pathlib import Path

import msgspec

from bus import clock
from bus.ledger_reader import Unreadable
from ops.ledger import reader_of
from shared.ledger_schema import LEDGER_FILE
from shared.units import NS_PER_S

STATES = ("REJECTED", "NOT_SENT", "UNKNOWN")

SPAN_NS = 86_400 * NS_PER_S
"""A day: what was refused before it says little of now."""


class Refused(msgspec.Struct, frozen=True):
    """Orders of one state and reason.

    Attributes:
        text: Newest words on it, the venue's own where it gave some.
        newest_wall_ns: When the newest of them was.
    """

    state: str
    reason: str
    count: int
    text: str
    newest_wall_ns: int


class Refusals(msgspec.Struct, frozen=True):
    """Those of the last day, the most frequent first.

    Attributes:
        as_of_wall_ns: When the newest row of the ledger was written; 0 for none.
    """

    rows: tuple[Refused, ...]
    as_of_wall_ns: int


def refusals_of(data_directory: Path | None) -> Refusals | Unreadable:
    """Return what was refused, or why the ledger tells nothing."""
    if data_directory is None:
        return Unreadable("missing", f"no data directory with a {LEDGER_FILE} is known")
    since_ns = clock.read().wall_ns - SPAN_NS
    found = reader_of(data_directory).orders(states=STATES, since_wall_ns=since_ns)
    if isinstance(found, Unreadable):
        return found
    groups: dict[tuple[str, str], Refused] = {}
    for row in found.rows:
        reason, _, text = row.reason.partition(": ")
        key = (row.state, reason)
        known = groups.get(key)
        if known is None or row.updated_wall_ns >= known.newest_wall_ns:
            count = 1 if known is None else known.count + 1
            groups[key] = Refused(row.state, reason, count, text, row.updated_wall_ns)
        else:
            groups[key] = msgspec.structs.replace(known, count=known.count + 1)
    rows = sorted(groups.values(), key=lambda one: -one.count)
    return Refusals(tuple(rows), found.as_of_wall_ns)
