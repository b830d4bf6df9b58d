"""A reference price that stands where it was put: that of a recording, or none at all."""

from services.simulator.oracles.walk import RandomWalk
from shared.identifiers import Asset


class StandingPrice(RandomWalk):
    """Ticks like any other oracle, and moves when told."""

    def __init__(self, asset: Asset, seed: int, step_ms: int, latency_ms: int) -> None:
        """Stand at the asset's usual price; see `RandomWalk`."""
        super().__init__(asset, seed, step_ms, 0.0, latency_ms)

    def put(self, price_e8: int) -> None:
        """Let the next tick be at a price, in 1e-8 USD."""
        assert price_e8 > 0
        self._price_e8 = price_e8
