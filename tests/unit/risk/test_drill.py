"""The drill's own clock: when the day's is due, and when one is given up."""

import pytest

from services.risk.drill import CHANCE_NS, DRILL_NS_MAX, KillDrill
from services.risk.fence import Fence, FenceTiming
from shared.identifiers import Incarnation
from shared.units import NS_PER_S, BootNs, Instant, MonotonicNs, WallNs

DAY_NS = 86_400 * NS_PER_S
AT_NS = (3 * 60 + 30) * 60 * NS_PER_S
TIMING = FenceTiming(1, 1, 1, 1)


def _wall(wall_ns: int) -> Instant:
    return Instant(BootNs(5), MonotonicNs(5), WallNs(20_000 * DAY_NS + wall_ns))


def _boot(boot_ns: int) -> Instant:
    return Instant(BootNs(boot_ns), MonotonicNs(5), WallNs(5))


def _fence(fence_id: int) -> Fence:
    return Fence(
        fence_id,
        "drill",
        BootNs(0),
        risk_incarnation=Incarnation(1),
        executions=(Incarnation(2),),
        granted_until_ns=BootNs(10**15),
        timing=TIMING,
    )


@pytest.mark.req("TST-10")
@pytest.mark.parametrize(
    ("wall_ns", "due"),
    [
        (AT_NS - 1, False),
        (AT_NS, True),
        (AT_NS + CHANCE_NS - 1, True),
        (AT_NS + CHANCE_NS, False),
    ],
)
def test_drill_of_the_day_is_due_for_an_hour(wall_ns: int, due: bool) -> None:
    assert KillDrill("03:30").is_due(_wall(wall_ns)) is due


def test_drill_of_the_day_is_due_once_and_again_the_next_day() -> None:
    drill = KillDrill("03:30")
    drill.held(_wall(AT_NS))
    assert not drill.is_due(_wall(AT_NS + 1))
    assert drill.is_due(_wall(DAY_NS + AT_NS))


def test_nothing_is_due_where_none_is_wanted() -> None:
    assert not KillDrill("").is_due(_wall(0))


@pytest.mark.parametrize(("over_ns", "ended"), [(-1, False), (0, True)])
def test_drill_that_is_never_proven_is_given_up(over_ns: int, ended: bool) -> None:
    drill, fence = KillDrill(""), _fence(7)
    drill.begin(4, "uid 0", "x", fence, _boot(0))
    found = drill.look(fence, _boot(DRILL_NS_MAX + over_ns))
    assert (found is not None) is ended
    if found is not None:
        connection, report = found
        assert connection == 4
        assert report.misses[-1].startswith("not proven after 30 s")
    assert drill.is_running is not ended
