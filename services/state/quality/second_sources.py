"""Who is asked about a value that looks wrong, and what they say of it.

The table names, for each stream, other measurements of the same thing, the best first; the
first that is fresh has the word. Compared is what they told last, whatever was made of it: two
sources that jump together confirm each other. When none is fresh nothing is known, and what
nobody confirms is not used.

Source of who measures what: https://docs.polymarket.com/api-reference/live-data/overview
(2026-09-28): the price socket has providers of its own for one symbol.
"""

from typing import Final, Literal

import msgspec

from services.state.quality.readings import (
    PERP,
    PERP_MARK,
    PERP_ORACLE,
    READ_AGAIN,
    Kind,
    Reading,
    Stream,
    apart_percent,
    shown,
)
from shared.facts import QualityVerdict
from shared.settlement import SPOT_SOURCE, TWAP_SOURCE
from shared.units import NS_PER_MS, Instant

PYTH: Final = "pyth"

Measure = tuple[str, Kind]
"""A source and what it measures."""

SECOND_SOURCES: Final[dict[Measure, tuple[Measure, ...]]] = {
    (SPOT_SOURCE, "price"): ((PYTH, "price"), (PERP_ORACLE, "price")),
    (TWAP_SOURCE, "price"): ((PYTH, "price"), (SPOT_SOURCE, "price"), (PERP_ORACLE, "price")),
    (PYTH, "price"): ((SPOT_SOURCE, "price"), (PERP_ORACLE, "price")),
    (PERP_ORACLE, "price"): ((SPOT_SOURCE, "price"), (PYTH, "price")),
    (PERP_MARK, "price"): ((PERP_ORACLE, "price"), (SPOT_SOURCE, "price"), (PYTH, "price")),
    (PERP, "open interest"): ((PERP + READ_AGAIN, "open interest"),),
    (PERP, "volume"): ((PERP + READ_AGAIN, "volume"),),
}
"""An average of a minute is compared with the price itself: far apart for as long as a real move
lasts, and then near. Open interest and volume of a market are measured by that market alone: the
second source is a read of the same, which shows at least that the stream has it right."""

STREAMS_MAX = 256
"""Eight assets with a dozen streams each, and more."""

_BP = 10_000


class Opinion(msgspec.Struct, frozen=True):
    """What a second source says of a value.

    Attributes:
        said: In words, with its value.
    """

    verdict: Literal["confirmed", "contradicted", "unknown"]
    said: str

    @property
    def refusal(self) -> QualityVerdict:
        """What becomes of a value that this opinion does not confirm."""
        return "refused" if self.verdict == "contradicted" else "unknown"


class SecondSources:
    """What every stream told last."""

    def __init__(self, stale_ms: int, read_stale_ms: int) -> None:
        """Begin with nothing told.

        Args:
            stale_ms: A second opinion older than this is none.
            read_stale_ms: Likewise one that was read by a request, which comes less often.
        """
        self._stale_ns = stale_ms * NS_PER_MS
        self._read_stale_ns = read_stale_ms * NS_PER_MS
        self._newest: dict[Stream, Reading] = {}

    def take(self, reading: Reading) -> None:
        """Take what a stream told last."""
        if reading.stream in self._newest or len(self._newest) < STREAMS_MAX:
            self._newest[reading.stream] = reading

    def forget(self) -> None:
        """Forget everything: it was told by another clock."""
        self._newest.clear()

    def ask(self, stream: Stream, value: int, within_bp: int, now: Instant) -> Opinion:
        """Return what the first fresh second source of a stream says of a value.

        Args:
            stream: Whose value it is.
            value: 1e-18.
            within_bp: Farther apart, in 0.01 % of the second source, contradicts.
            now: For the age of opinions.
        """
        for source, kind in SECOND_SOURCES.get((stream.source, stream.kind), ()):
            other = self._newest.get(Stream(stream.asset, source, kind))
            stale_ns = self._read_stale_ns if source.endswith(READ_AGAIN) else self._stale_ns
            if other is None or now.monotonic_ns - other.received_ns >= stale_ns:
                continue
            said = f"{source} says {shown(other.value)}"
            if abs(value - other.value) * _BP > within_bp * abs(other.value):
                percent = apart_percent(value, other.value)
                return Opinion("contradicted", f"{said}, {percent:+.2f} % apart")
            return Opinion("confirmed", said)
        return Opinion("unknown", "no second source says anything")
