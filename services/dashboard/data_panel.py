"""What state finds wrong with the data, as the page shows it."""

from services.dashboard.heard import Heard
from services.dashboard.model import Data, Doubt
from shared.facts import QualityFinding, StateQuality
from shared.topics import STATE
from shared.units import NS_PER_MS, Instant


def data(heard: Heard, now: Instant) -> Data | None:
    """Return state's newest word, None when it never spoke: then nothing is known to be right."""
    seen = heard.newest("state.quality", STATE, StateQuality)
    if seen is None:
        return None
    told = seen.body
    return Data(
        age_ms=seen.age_ns(now.monotonic_ns) // NS_PER_MS,
        streams=told.streams,
        refused=told.refused,
        suspect=told.suspect,
        doubts=tuple(_doubt(found, now) for found in told.findings),
    )


def _doubt(found: QualityFinding, now: Instant) -> Doubt:
    return Doubt(
        stream=found.stream,
        check=found.check,
        verdict=found.verdict,
        value=found.value,
        limit=found.limit,
        second=found.second,
        lasts_ms=max(0, now.monotonic_ns - found.since_ns) // NS_PER_MS,
        seen_ms=max(0, now.monotonic_ns - found.last_ns) // NS_PER_MS,
        count=found.count,
        blocks=found.blocks,
    )
