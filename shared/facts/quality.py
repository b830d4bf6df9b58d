"""What the state builder finds wrong with the data that it is told."""

from typing import Literal

from shared.facts.fact import Fact
from shared.units import MonotonicNs

QualityCheck = Literal[
    "stale",
    "unchanged",
    "future",
    "backwards",
    "corrupt",
    "jump",
    "minimum",
    "interest",
    "negative",
    "volume",
    "outlier",
]
"""DQ-1: stale, unchanged; DQ-4: future, backwards; DQ-5: corrupt; DQ-6: jump, minimum;
DQ-7: interest, negative; DQ-8: volume; DQ-9: outlier."""

QualityVerdict = Literal["stale", "refused", "unknown", "suspect", "degraded"]
"""Unknown: refused too, since no second source has said anything about it."""


class QualityFinding(Fact, frozen=True):
    """One thing that is wrong with one stream, until it is right again.

    Attributes:
        stream: Asset, source and kind of value, or the feed whose frames are corrupt.
        asset: Empty for a feed.
        value, limit, second: In words, with units: what was told, what may be, and what the second
            source says; second is empty where none was asked.
        since_ns: When it began; last_ns: when it was seen last.
        count: How often it was seen since it began.
        blocks: Whether strategies use the stream, so that its asset stops.
    """

    stream: str
    asset: str
    check: QualityCheck
    verdict: QualityVerdict
    value: str
    limit: str
    second: str
    since_ns: MonotonicNs
    last_ns: MonotonicNs
    count: int
    blocks: bool


class StateQuality(Fact, frozen=True):
    """Repeated with every view: what is wrong now, so that silence is never taken for good.

    Attributes:
        streams: How many streams have told anything in this run.
        refused: Values refused since the start.
        suspect: Values flagged since the start.
    """

    streams: int
    refused: int
    suspect: int
    findings: tuple[QualityFinding, ...]
