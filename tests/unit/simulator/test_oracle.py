"""What a reference price says of a market's outcome."""

import pytest

from services.simulator.oracles.oracle import fair_up
from services.simulator.oracles.walk import RandomWalk
from shared.identifiers import Asset

NOW_MS = 1_800_000_000_000


def walk_of(volatility_annual: float) -> RandomWalk:
    walk = RandomWalk(Asset("btc"), 1, 500, volatility_annual, 0)
    walk.advance(NOW_MS)
    return walk


@pytest.mark.parametrize("lookback_ms", [0, 30_000])
def test_price_that_never_moves_has_decided_already(lookback_ms: int) -> None:
    still = walk_of(0.0)
    end_ms = NOW_MS + 60_000
    fairs = [
        fair_up(still, still.price_e8 + above, NOW_MS, end_ms, lookback_ms) for above in (-1, 0, 1)
    ]
    assert fairs == [1.0, 1.0, 0.0]


def test_moving_price_is_less_certain_the_longer_it_may_move() -> None:
    moving = walk_of(0.6)
    strike_e8 = moving.price_e8 * 999 // 1000
    soon, later = (
        fair_up(moving, strike_e8, NOW_MS, NOW_MS + left_ms, 0) for left_ms in (60_000, 3_600_000)
    )
    assert 0.5 < later < soon < 1.0
