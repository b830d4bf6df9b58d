"""Where the venue lets people trade: what its answer about an address means.

Source: https://docs.polymarket.com/api-reference/geoblock (2026-09-28): the lists of places that
are blocked, and of those from which positions may only be closed, by page and API alike. Places
in which the page alone is close-only are not among them.
"""

from typing import Literal

from shared.venue.gamma_wire import Geoblock

PlaceVerdict = Literal["open", "close_only", "blocked"]

BLOCKED = frozenset({"IR", "SY", "CU", "KP"})
"""Countries from which nothing is taken, closing included."""

BLOCKED_REGIONS = frozenset({"UA-43", "UA-14", "UA-09"})

_CLOSE_ONLY = """
AU BY BE BI BR CF CD ET FR DE IQ IT LB LY MM NZ NI PL RU SG SO SK SS SD TW TH GB US UM VE YE ZW
"""

CLOSE_ONLY = frozenset(_CLOSE_ONLY.split())
"""Countries from which positions may only be closed."""

CLOSE_ONLY_REGIONS = frozenset({"CA-BC", "CA-ON", "CA-AB", "CA-QC"})


def judge_place(place: Geoblock, agreed: frozenset[str] = frozenset()) -> PlaceVerdict:
    """Return what may be done from the address that asked.

    The venue's own `blocked` always counts. A place of its lists counts even when the answer does
    not say blocked: the lists and the answer come from different parts of the venue.

    Args:
        place: The venue's answer.
        agreed: Countries for which the lists are overruled by an agreement with the venue.
    """
    country = place.country.upper()
    region = f"{country}-{place.region.upper()}"
    is_listed = country not in agreed
    if is_listed and (country in BLOCKED or region in BLOCKED_REGIONS):
        return "blocked"
    if is_listed and (country in CLOSE_ONLY or region in CLOSE_ONLY_REGIONS):
        return "close_only"
    return "blocked" if place.blocked else "open"
