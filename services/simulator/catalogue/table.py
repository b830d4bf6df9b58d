"""The catalogue of the venue's faults: what users have met, each a switch with our reaction.

`docs/venue-faults.md` is written from it.
"""

from services.simulator.catalogue.access import ACCESS_ENTRIES
from services.simulator.catalogue.entry import Entry
from services.simulator.catalogue.modes import MODE_ENTRIES
from services.simulator.catalogue.orders import ORDER_ENTRIES
from services.simulator.catalogue.perps import PERP_ENTRIES
from services.simulator.catalogue.streams import STREAM_ENTRIES

ENTRIES: tuple[Entry, ...] = (
    *STREAM_ENTRIES,
    *ORDER_ENTRIES,
    *ACCESS_ENTRIES,
    *MODE_ENTRIES,
    *PERP_ENTRIES,
)
SECTIONS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("Market and user streams", STREAM_ENTRIES),
    ("Orders and settlement", ORDER_ENTRIES),
    ("Engine, access, discovery, prices", ACCESS_ENTRIES),
    ("Modes, limits, the way", MODE_ENTRIES),
    ("Perpetual futures of another venue", PERP_ENTRIES),
)
_BY_NAME = {entry.name: entry for entry in ENTRIES}


def find(name: str) -> Entry | None:
    """Return the entry of a name or a number, None when there is none."""
    if name.isascii() and name.isdigit():
        return next((entry for entry in ENTRIES if entry.number == int(name)), None)
    return _BY_NAME.get(name)
