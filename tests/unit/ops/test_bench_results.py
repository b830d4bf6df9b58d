import pytest

from ops.bench.results import BenchFailed, added, halved, quantile, summarise


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 50), (99, 99), (100, 100)])
def test_quantile_is_the_smallest_value_that_so_many_do_not_exceed(
    percent: int, value: int
) -> None:
    assert quantile(range(100, 0, -1), percent) == value


def test_quantile_of_one_value_is_that_value() -> None:
    assert quantile([7], 50) == quantile([7], 99) == 7


def test_ratio_compares_medians() -> None:
    result = summarise("n", "w", [30, 10, 20], "f", [8, 9, 7])
    assert (result.median_ns, result.floor_median_ns, result.ratio) == (20, 8, 2.5)
    assert (result.samples, result.max_ns) == (3, 30)


def test_nothing_measured_is_a_failure_and_no_result() -> None:
    with pytest.raises(BenchFailed, match="nothing was measured"):
        summarise("n", "w", [], "f", [1])


def test_floors_of_steps_add_up_and_one_way_is_half_a_round_trip() -> None:
    assert added([1, 2], [10, 20]) == (11, 22)
    assert halved([10, 11]) == (5, 5)
