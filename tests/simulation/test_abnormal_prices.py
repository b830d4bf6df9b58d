"""CB-3 in a whole group under virtual time: an error is rebuilt, a real move rests a minute."""

import pytest

from ops.simulation import whole
from ops.simulation.faults import Plan, Rates
from ops.simulation.run import Outcome, run
from services.simulator.faults.switches import Faults
from shared.units import NS_PER_S

BEGINS_S = 20
ENDS_S = 24
SECONDS = 110
MOVED = 130


def run_with(monkeypatch: pytest.MonkeyPatch, sources: tuple[str, ...]) -> Outcome:
    """Run a calm group whose prices of some sources are a third too high for four seconds."""
    began: list[int] = []

    def percent(self: Faults, asset: str, source: str, now_ns: int, stream: str) -> int:
        began[:] = began or [now_ns]
        since_s = (now_ns - began[0]) / NS_PER_S
        return MOVED if source in sources and BEGINS_S <= since_s < ENDS_S else 100

    monkeypatch.setattr(Faults, "price_percent", percent)
    # The checker of told prices knows only of lies that stand in a plan.
    monkeypatch.setattr(whole, "moves_prices", lambda plan: True)
    return run(1, SECONDS, plan=Plan(Rates(), (), 0))


def names(outcome: Outcome) -> list[str]:
    return [what.removeprefix("alert.") for _, _, what, _ in outcome.told]


@pytest.mark.req("CB-3")
def test_error_of_one_source_is_rebuilt_and_trading_goes_on_after_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcome = run_with(monkeypatch, ("chainlink",))
    assert not outcome.violations
    told = names(outcome)
    assert "price_error" in told
    assert "abnormal_market_over" in told
    assert told.index("price_error") < told.index("abnormal_market_over")


@pytest.mark.req("CB-3")
def test_move_that_both_sources_tell_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run_with(monkeypatch, ("chainlink", "pyth"))
    assert not outcome.violations
    assert "price_error" not in names(outcome)
    assert "abnormal_market_over" in names(outcome)
