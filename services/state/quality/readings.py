"""One value of one stream, and what a check says against it."""

from typing import Final, Literal

import msgspec

from shared.facts import PerpContext, QualityCheck, QualityVerdict, ReferencePrice
from shared.identifiers import Asset
from shared.units import MonotonicNs, WallMs

Kind = Literal["price", "open interest", "volume"]

SCALE = 10**18
"""Every value here is an integer of 1e-18: USD, coins of open interest, or USD of volume."""

PERP: Final = "perp"
PERP_MARK: Final = "perp_mark"
PERP_ORACLE: Final = "perp_oracle"
READ_AGAIN: Final = "_read"
"""Ends the name of a source that was read by a request, beside the stream of the same."""

_E18_OF_E8 = 10**10
_E18_OF_E6 = 10**12


class Stream(msgspec.Struct, frozen=True):
    """Whose value of what.

    Attributes:
        source: Who measures, as `ReferencePrice.source` names it.
    """

    asset: Asset
    source: str
    kind: Kind

    @property
    def name(self) -> str:
        """Return it in words."""
        return f"{self.asset} {self.source} {self.kind}"


class Reading(msgspec.Struct, frozen=True):
    """One value as it was told.

    Attributes:
        value: 1e-18.
        venue_ms: The source's own stamp; None where the wire has none.
        received_ns: When it reached the edge.
        is_history: Whether it was told as something that was before.
    """

    stream: Stream
    value: int
    venue_ms: WallMs | None
    received_ns: MonotonicNs
    is_history: bool = False


class Complaint(msgspec.Struct, frozen=True):
    """What one check says against a value or a stream.

    Attributes:
        since_ns: When it began, where that is not now.
    """

    check: QualityCheck
    verdict: QualityVerdict
    value: str
    limit: str
    second: str = ""
    since_ns: MonotonicNs | None = None

    @property
    def refuses(self) -> bool:
        """Whether the value may not be used."""
        return self.verdict in ("refused", "unknown")


def of_price(tick: ReferencePrice) -> Reading:
    """Return a tick of a reference price as a reading."""
    stream = Stream(tick.asset, tick.source, "price")
    return Reading(stream, int(tick.value_e18), tick.venue_ms, tick.received_ns, tick.is_history)


def of_context(context: PerpContext) -> tuple[Reading, ...]:
    """Return the values of a perpetual market's context that are judged; it has no stamp."""
    ending = READ_AGAIN if context.source == "rest" else ""
    measured: tuple[tuple[str, Kind, int], ...] = (
        (PERP_MARK, "price", context.mark_e18),
        (PERP_ORACLE, "price", context.oracle_e18),
        (PERP, "open interest", context.open_interest_e8 * _E18_OF_E8),
        (PERP, "volume", context.day_volume_e6 * _E18_OF_E6),
    )
    return tuple(
        Reading(Stream(context.asset, source + ending, kind), value, None, context.received_ns)
        for source, kind, value in measured
    )


def shown(value: int) -> str:
    """Return a value for people."""
    return f"{value / SCALE:.8g}"


def apart_percent(value: int, other: int) -> float:
    """Return by how much a value differs from another one, in percent of that; for people."""
    return 100 * (value - other) / other if other else 0.0


def is_apart(value: int, other: int, percent: int) -> bool:
    """Tell whether a value is farther than some percent from another one; exactly at is not."""
    return abs(value - other) * 100 > percent * abs(other)
