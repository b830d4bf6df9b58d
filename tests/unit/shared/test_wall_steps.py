"""Steps of the wall clock are seen by the clock that nobody sets."""

import pytest

from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, MonotonicNs, WallNs
from shared.wall_steps import STEP_NS_MIN, WallSteps


def at(boot_s: float, wall_ahead_ns: int) -> Instant:
    boot_ns = round(boot_s * NS_PER_S)
    return Instant(BootNs(boot_ns), MonotonicNs(boot_ns), WallNs(boot_ns + wall_ahead_ns))


@pytest.mark.req("CK-2")
@pytest.mark.parametrize("sign", [1, -1])
def test_step_is_seen_once_from_its_size_on(sign: int) -> None:
    steps = WallSteps()
    assert steps.look(at(0, 7)) == 0
    assert steps.look(at(1, 7 + sign * (STEP_NS_MIN - 1))) == 0
    assert steps.look(at(2, 7 + sign * STEP_NS_MIN)) == sign * STEP_NS_MIN
    assert steps.look(at(3, 7 + sign * STEP_NS_MIN)) == 0


def test_long_sleep_is_no_step() -> None:
    steps = WallSteps()
    steps.look(at(0, 0))
    assert steps.look(at(86_400, 0)) == 0


def test_clock_set_in_small_pieces_is_seen() -> None:
    steps = WallSteps()
    seen = [steps.look(at(step, step * 500 * NS_PER_MS)) for step in range(6)]
    assert seen == [0, 0, 0, 0, 2 * NS_PER_S, 0]
