from itertools import permutations

import pytest

from shared.trading_state import PRIORITY, TradingState, lets_pass, worst


def test_halt_stands_above_closing_and_closing_above_a_pause() -> None:
    for order in permutations(PRIORITY):
        for length in range(1, len(order) + 1):
            chosen = order[:length]
            assert worst(chosen) == min(chosen, key=PRIORITY.index)


def test_nothing_said_is_active() -> None:
    assert worst(()) == "ACTIVE"


@pytest.mark.parametrize(
    ("state", "opens", "reduces"),
    [
        ("ACTIVE", True, True),
        ("REDUCING", False, True),
        ("PAUSED", False, False),
        ("HALTED", False, False),
    ],
)
def test_only_active_opens_and_only_active_and_reducing_reduce(
    state: TradingState, opens: bool, reduces: bool
) -> None:
    assert lets_pass(state, reduce_only=False) is opens
    assert lets_pass(state, reduce_only=True) is reduces
