"""How each strategy does over its newest closed markets, and when that disables it (CB-4).

A strategy that trips is judged anew from nothing once an operator has resumed it: what made it
trip is in the latch, with every figure.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from services.risk.samples import Sample
from services.risk.scopes import ScopeKey
from shared.config.losses import PerformanceSettings
from shared.identifiers import ADOPTED, StrategyName
from shared.switches import STRATEGY_PERFORMANCE

STRATEGIES_MAX = 64
"""More strategies than an account has."""


class Metrics(msgspec.Struct, frozen=True):
    """What some results come to.

    Attributes:
        win_percent: Of results that are no loss.
        win_e6: Average of those above zero; loss_e6: of those below, above zero; 0 for none.
        sharpe: Mean over standard deviation; 0 where all results are alike and none is a loss,
            below zero for nothing but equal losses.
    """

    count: int
    win_percent: int
    win_e6: int
    loss_e6: int
    sharpe: float

    def words(self) -> str:
        """Return them for people."""
        return (
            f"{self.count} closed markets: {self.win_percent} % won, average win "
            f"{self.win_e6 / 1_000_000:.2f} USD, average loss {self.loss_e6 / 1_000_000:.2f} USD, "
            f"Sharpe {self.sharpe:.3f}"
        )


def metrics_of(results: Iterable[int]) -> Metrics:
    """Return the metrics of results, 1e-6 USD each; at least one."""
    found = list(results)
    wins, losses = [one for one in found if one > 0], [-one for one in found if one < 0]
    mean = sum(found) / len(found)
    deviation = math.sqrt(sum((one - mean) ** 2 for one in found) / len(found))
    alike = -1.0 if mean < 0 else 0.0
    return Metrics(
        count=len(found),
        win_percent=(len(found) - len(losses)) * 100 // len(found),
        win_e6=sum(wins) // len(wins) if wins else 0,
        loss_e6=sum(losses) // len(losses) if losses else 0,
        sharpe=mean / deviation if deviation else alike,
    )


def faults_of(metrics: Metrics, settings: PerformanceSettings) -> tuple[str, ...]:
    """Return what is too bad; empty when nothing is, or while there are too few results."""
    if metrics.count < settings.trades:
        return ()
    faults = []
    least = settings.win_rate_baseline_percent - settings.win_rate_drop_percent
    if metrics.win_percent < least:
        faults.append(f"win rate under {least} %")
    if metrics.loss_e6 * 100 > metrics.win_e6 * settings.loss_to_win_percent_max:
        faults.append(f"average loss over {settings.loss_to_win_percent_max} % of average win")
    if metrics.sharpe * 1_000 < settings.sharpe_min_e3:
        faults.append(f"Sharpe under {settings.sharpe_min_e3 / 1_000:g}")
    return tuple(faults)


class Performance:
    """Newest results of each strategy."""

    def __init__(self, settings: PerformanceSettings) -> None:
        self._settings = settings
        self._results: dict[StrategyName, deque[int]] = {}
        self._tripped: dict[StrategyName, str] = {}

    def take(self, by_strategy: Iterable[tuple[StrategyName, int]]) -> None:
        """Take each strategy's part of a market that was closed."""
        for strategy, result_e6 in by_strategy:
            if strategy in ("", ADOPTED):
                continue
            if strategy not in self._results and len(self._results) >= STRATEGIES_MAX:
                continue
            results = self._results.setdefault(strategy, deque(maxlen=self._settings.trades))
            results.append(result_e6)
            metrics = metrics_of(results)
            faults = faults_of(metrics, self._settings)
            if faults:
                self._tripped[strategy] = f"{', '.join(faults)}; {metrics.words()}"
                results.clear()

    def data(self) -> Iterator[Sample]:
        """Yield each strategy; bad in one look alone, with which its latch is written."""
        for strategy in self._results:
            key: ScopeKey = ("strategy", strategy)
            why = self._tripped.get(strategy, "")
            yield Sample(STRATEGY_PERFORMANCE, "", key, bool(why), why)
        self._tripped.clear()

    def results(self) -> dict[StrategyName, tuple[int, ...]]:
        """Return what is counted, for the next run."""
        return {name: tuple(results) for name, results in self._results.items()}

    def restore(self, results: Mapping[StrategyName, tuple[int, ...]]) -> None:
        """Go on with what an earlier run had counted."""
        for name, known in results.items():
            self._results[name] = deque(known, maxlen=self._settings.trades)
