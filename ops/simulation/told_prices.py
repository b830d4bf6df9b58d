"""VEN-5: whatever becomes of the price sockets, what is told as the oracle's price is the oracle's.

Every tick of the oracle's sources that the price feed publishes is looked up in the simulated
oracle, by its stamp, whichever socket it came over; one that goes back behind a newer one of the
same run of the feed, and is not told as something of before, was told twice or by the wrong socket.
"""

from collections.abc import Callable

from ops.simulation.checkers import Findings
from services.simulator.oracles.oracle import Tick
from shared.facts import ReferencePrice
from shared.identifiers import Asset, Incarnation
from shared.settlement import SPOT_SOURCE, TWAP_SOURCE

E18_OF_E8 = 10**10
MS_PER_S = 1_000

OracleTicks = Callable[[Asset, int, int], list[Tick]]
"""Returns the oracle's ticks of an asset between two stamps, the second not included."""


class PriceChecker:
    """Judges what is told of prices."""

    def __init__(self, findings: Findings, ticks: OracleTicks) -> None:
        """Begin with nothing told; `lies` is set where a fault moves prices or stamps."""
        self._findings = findings
        self._ticks = ticks
        self._newest: dict[tuple[Incarnation, Asset, str], int] = {}
        self.lies = False

    def told(self, tick: ReferencePrice, incarnation: Incarnation) -> None:
        """Judge a price as it is published."""
        if self.lies or tick.source not in (SPOT_SOURCE, TWAP_SOURCE):
            return
        if not tick.is_history:
            key = (incarnation, tick.asset, tick.source)
            before_ms = self._newest.get(key, 0)
            if tick.venue_ms < before_ms:
                text = f"{tick.source} of {tick.asset} went back by {before_ms - tick.venue_ms} ms"
                self._findings.add("VEN-5", text)
            self._newest[key] = max(before_ms, tick.venue_ms)
        self._judge_value(tick)

    def _judge_value(self, tick: ReferencePrice) -> None:
        # The older socket stamps the first tick of a second with that second.
        span_ms = 1 if tick.socket == "current" else MS_PER_S
        ticks = self._ticks(tick.asset, tick.venue_ms, tick.venue_ms + span_ms)
        if not ticks:
            return  # older than the oracle remembers
        known = ticks[0].price_e8 if tick.source == SPOT_SOURCE else ticks[0].twap_e8
        if known * E18_OF_E8 != tick.value_e18:
            text = f"{tick.source} at {tick.venue_ms} told as {tick.value_e18} by {tick.socket}"
            self._findings.add("VEN-5", text)
