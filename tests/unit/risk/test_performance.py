"""CB-4: how a strategy does over its newest closed markets."""

from typing import Any

import pytest

from services.risk.performance import Performance, faults_of, metrics_of
from shared.config.losses import PerformanceSettings
from shared.identifiers import ADOPTED, StrategyName

MAKER, OTHER = StrategyName("market_making"), StrategyName("other")
SETTINGS = PerformanceSettings()


def _bad(performance: Performance) -> dict[str, str]:
    return {sample.key[1]: sample.why for sample in performance.data() if sample.bad}


def _faults(*results: int, **spoil: Any) -> tuple[str, ...]:
    return faults_of(metrics_of(results), PerformanceSettings(**spoil))


@pytest.mark.req("CB-4")
@pytest.mark.parametrize(("wins", "faults"), [(5, 0), (4, 0), (3, 1)])
def test_win_rate_more_than_thirty_points_under_its_baseline_disables(
    wins: int, faults: int
) -> None:
    results = [90] * wins + [-10] * (20 - wins)
    assert len(_faults(*results)) == faults


@pytest.mark.req("CB-4")
@pytest.mark.parametrize(("loss", "faults"), [(199, 0), (200, 0), (201, 1)])
def test_average_loss_over_twice_the_average_win_disables(loss: int, faults: int) -> None:
    results = [100] * 15 + [-loss] * 5
    assert len(_faults(*results)) == faults


@pytest.mark.req("CB-4")
@pytest.mark.parametrize(("loss", "faults"), [(99, 0), (100, 0), (101, 1)])
def test_sharpe_under_zero_disables(loss: int, faults: int) -> None:
    results = [100] * 10 + [-loss] * 10
    found = _faults(*results)
    assert len(found) == faults
    assert all("Sharpe" in one for one in found)


@pytest.mark.req("CB-4")
@pytest.mark.parametrize(("count", "trips"), [(19, False), (20, True)])
def test_fewer_closed_markets_judge_nothing(count: int, trips: bool) -> None:
    performance = Performance(SETTINGS)
    for _ in range(count):
        performance.take([(MAKER, -5)])
    assert bool(_bad(performance)) is trips


@pytest.mark.req("CB-4")
def test_one_strategy_trips_alone_once_and_counts_anew_with_its_figures_told() -> None:
    performance = Performance(SETTINGS)
    for _ in range(20):
        performance.take([(MAKER, -5), (OTHER, 5), (ADOPTED, -9), (StrategyName(""), -9)])
    bad = _bad(performance)
    assert list(bad) == [MAKER]
    assert "20 closed markets: 0 % won" in bad[MAKER]
    assert not _bad(performance)
    assert performance.results() == {MAKER: (), OTHER: (5,) * 20}
    for _ in range(19):
        performance.take([(MAKER, -5)])
    assert not _bad(performance)


@pytest.mark.req("CB-4")
def test_results_survive_a_restart() -> None:
    first = Performance(SETTINGS)
    for _ in range(19):
        first.take([(MAKER, -5)])
    second = Performance(SETTINGS)
    second.restore(first.results())
    second.take([(MAKER, -5)])
    assert list(_bad(second)) == [MAKER]


def test_equal_results_have_no_deviation() -> None:
    assert metrics_of([5, 5]).sharpe == 0.0
    assert metrics_of([-5, -5]).sharpe < 0
