"""DG-1 and DG-2 at the gate: sizes are halved whatever a strategy wishes."""

import pytest

from services.execution.level_checks import check_level
from services.execution.order_checks import Candidate
from shared.identifiers import StrategyName
from shared.level import Level
from shared.units import SHARE_E6, PriceE4, SizeE6
from tests.builders.execution import resting, target


def denial(level: Level, shares: int, *, reduce_only: bool = False) -> str:
    rig = resting()
    [info] = rig.core._parts.inputs.markets()[:1]
    size = SizeE6(shares * SHARE_E6)
    wish = target(size=size, reduce_only=reduce_only, side="SELL" if reduce_only else "BUY")
    candidate = Candidate(StrategyName("x"), info, wish, PriceE4(4_800), PriceE4(100))
    found = check_level(candidate, level, rig.core._parts.config)
    return "" if found is None else found.reason


@pytest.mark.req("DG-1", "DG-2")
@pytest.mark.parametrize(
    ("level", "shares", "expected"),
    [
        ("NORMAL", 10, ""),
        ("REDUCED", 5, ""),
        ("REDUCED", 6, "reduced_size"),
        ("EMERGENCY", 5, "level"),
        ("SHUTDOWN", 5, "level"),
    ],
)
def test_level_bounds_the_size_of_what_opens(level: Level, shares: int, expected: str) -> None:
    assert denial(level, shares) == expected


@pytest.mark.req("DG-2")
@pytest.mark.parametrize("level", ["REDUCED", "EMERGENCY", "SHUTDOWN"])
def test_what_reduces_is_bounded_by_what_is_held_alone(level: Level) -> None:
    assert denial(level, 30, reduce_only=True) == ""


@pytest.mark.req("DG-1", "DG-4")
def test_order_that_is_too_large_for_a_new_level_goes_and_its_half_comes() -> None:
    rig = resting()
    assert all(order.size_e6 > 5 * SHARE_E6 for order in rig.orders("LIVE"))
    rig.level = "REDUCED"
    rig.run(600)
    assert not rig.venue.open
    assert "reduced_size" in rig.denials()
    rig.wishes = (target(size=SizeE6(5 * SHARE_E6)),)
    rig.run(600)
    assert len(rig.venue.open) == 1
