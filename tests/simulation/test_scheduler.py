import pytest

from ops.simulation.scheduler import Scheduler
from services.simulator.chance import Chance


def scheduler(seed: int = 1) -> Scheduler:
    return Scheduler(Chance(seed))


def order_of_moment(seed: int) -> list[int]:
    seen: list[int] = []
    made = scheduler(seed)
    for number in range(8):
        made.at(5, lambda number=number: seen.append(number))  # type: ignore[misc]
    made.run_until(5)
    return seen


def test_scheduler_runs_actions_in_order_of_their_moments() -> None:
    seen: list[int] = []
    made = scheduler()
    made.at(30, lambda: seen.append(30))
    made.at(10, lambda: made.after(5, lambda: seen.append(15)))
    made.run_until(29)
    assert seen == [15]
    made.run_until(30)
    assert seen == [15, 30]


def test_scheduler_repeats_the_order_within_a_moment_for_one_seed_only() -> None:
    assert order_of_moment(1) == order_of_moment(1)
    assert order_of_moment(1) != order_of_moment(2)


def test_scheduler_refuses_a_moment_that_has_passed() -> None:
    made = scheduler()
    made.run_until(10)
    with pytest.raises(AssertionError):
        made.at(9, lambda: None)


def test_clocks_differ_so_far_that_a_mix_up_shows() -> None:
    made = scheduler()
    made.run_until(7)
    now = made.instant()
    hours = 3_600 * 10**9
    assert now.boot_ns - now.monotonic_ns > hours
    assert now.wall_ns - now.boot_ns > hours
    assert made.moment_of(now.boot_ns) == 7
