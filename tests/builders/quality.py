"""Readings for the checks of data, and an inspector that is fed with them."""

from typing import Any

import msgspec

from services.state.quality.inspector import Inspector
from services.state.quality.readings import Kind, Reading, Stream
from services.state.quality.second_sources import Opinion
from shared.config import Config
from shared.facts import QualityFinding, ReferencePrice
from shared.identifiers import Asset
from shared.units import MonotonicNs, ReferenceE18, WallMs
from tests.builders.feeds import WALL_START_MS, at, config

E18 = 10**18
SPOT = "chainlink"
SECOND = "pyth"
LATE_MS = 1_350
"""From the source's stamp to our edge."""


def quality_config(**spoil: Any) -> Config:
    """Return settings; keywords spoil those of quality."""
    settings = config()
    return msgspec.structs.replace(
        settings, quality=msgspec.structs.replace(settings.quality, **spoil)
    )


def reading(
    value: float, ms: float = 0, *, kind: Kind = "price", source: str = SPOT, **spoil: Any
) -> Reading:
    """Return what reached the edge some milliseconds after the start of the test."""
    fields: dict[str, Any] = {
        "stream": Stream(Asset("btc"), source, kind),
        "value": round(value * 10**6) * 10**12,
        "venue_ms": WallMs(round(WALL_START_MS + ms - LATE_MS)),
        "received_ns": at(ms).monotonic_ns,
    }
    return Reading(**{**fields, **spoil})


def tick(usd: float, ms: float, source: str = SPOT, **spoil: Any) -> ReferencePrice:
    """Return a tick of a reference price."""
    fields: dict[str, Any] = {
        "asset": Asset("btc"),
        "source": source,
        "value_e18": ReferenceE18(round(usd * 10**6) * 10**12),
        "venue_ms": WallMs(round(WALL_START_MS + ms - LATE_MS)),
        "received_ns": MonotonicNs(at(ms).monotonic_ns),
    }
    return ReferencePrice(**{**fields, **spoil})


def confirmed(value: int) -> Opinion:
    """Agree with everything."""
    return Opinion("confirmed", "the same")


def contradicted(value: int) -> Opinion:
    """Agree with nothing."""
    return Opinion("contradicted", "another")


def unknown(value: int) -> Opinion:
    """Say nothing."""
    return Opinion("unknown", "nobody")


class Inspected:
    """An inspector whose time is that of what it is told."""

    def __init__(self, **spoil: Any) -> None:
        self.inspector = Inspector(quality_config(**spoil))

    def price(self, usd: float, ms: float, source: str = SPOT, **spoil: Any) -> bool:
        """Tell a tick; return whether it is used."""
        return self.inspector.price(tick(usd, ms, source, **spoil), at(ms)).is_used

    def both(self, usd: float, ms: float) -> bool:
        """Tell a tick of both sources, the second one first."""
        self.price(usd, ms, SECOND)
        return self.price(usd, ms)

    def findings(self, ms: float) -> tuple[QualityFinding, ...]:
        """Look, and return what is wrong."""
        self.inspector.look(at(ms))
        return self.inspector.told().findings

    def checks(self, ms: float) -> list[str]:
        """Look, and return the names of what is wrong with the first source."""
        return [one.check for one in self.findings(ms) if one.stream == f"btc {SPOT} price"]

    def blocks(self, ms: float) -> bool:
        """Look, and return whether the asset is to be stopped."""
        return any(one.blocks for one in self.findings(ms))
