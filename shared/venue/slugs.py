"""The names of rolling crypto markets, by which a window is found without any listing.

Source: recorded production answers of discovery (2026-07-24 and 2026-10-05), such as
`btc-updown-15m-1791241200`; the start is a multiple of the window's length.
"""

import re

import msgspec

from shared.identifiers import Asset
from shared.venue.faults import Unparseable

_LABELS = {300: "5m", 900: "15m", 14_400: "4h"}
"""The lengths that the venue has; other lengths, as in simulation, end in `s`."""

_LENGTHS = {label: interval_s for interval_s, label in _LABELS.items()}
_SLUG = re.compile(r"([a-z0-9]{1,16})-updown-([0-9]{1,6}[mhs])-([0-9]{1,12})", re.ASCII)


class Window(msgspec.Struct, frozen=True):
    """One window of one series.

    Attributes:
        asset: Underlying.
        interval_s: Length.
        start_s: Unix seconds, a multiple of the length.
    """

    asset: Asset
    interval_s: int
    start_s: int


def window_slug(window: Window) -> str:
    """Return the slug of a window's market and event."""
    assert window.interval_s > 0
    assert window.start_s % window.interval_s == 0
    label = _LABELS.get(window.interval_s, f"{window.interval_s}s")
    return f"{window.asset}-updown-{label}-{window.start_s}"


def parse_window_slug(slug: str) -> Window:
    """Return the window that a slug names.

    Raises:
        Unparseable: It is no slug of a rolling market.
    """
    found = _SLUG.fullmatch(slug)
    if found is None:
        raise Unparseable("slug", slug)
    asset, label, start = found.groups()
    interval_s = _LENGTHS.get(label)
    if interval_s is None:
        interval_s = int(label[:-1]) if label.endswith("s") else 0
    start_s = int(start)
    is_canonical = label.endswith("s") != (interval_s in _LABELS)
    if interval_s <= 0 or not is_canonical or start_s % interval_s:
        raise Unparseable("slug", slug)
    return Window(Asset(asset), interval_s, start_s)
