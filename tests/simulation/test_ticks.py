"""The whole system where the price step changes all the time, back and forth, in mid-market."""

import pytest

from ops.simulation.faults import Fault, Plan, Rates
from ops.simulation.run import Outcome, report, run
from services.simulator import markets
from shared.units import NS_PER_S

SECONDS = 60
SEED = 3
UNTOLD = Fault(9 * NS_PER_S, "entry", lasts_ns=45 * NS_PER_S, mode="tick-change-untold")


@pytest.fixture(autouse=True)
def _restless_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the step change around 0.44 and 0.56 instead of 0.04 and 0.96, where prices go often."""
    monkeypatch.setattr(markets, "FINE_BELOW_E4", 4_400)
    monkeypatch.setattr(markets, "COARSE_FROM_E4", 4_500)


def refused_for_the_step(outcome: Outcome) -> int:
    """Return how many posts the venue refused because their price was off the step."""
    return sum(
        what == "log.order.rejected" and "reason=tick" in text for _, _, what, text in outcome.told
    )


@pytest.mark.req("EX-7")
def test_system_follows_a_step_that_goes_back_and_forth() -> None:
    outcome = run(SEED, SECONDS, plan=Plan(Rates(), (), SECONDS * NS_PER_S, garbles=False))
    assert outcome.violations == (), report(outcome)
    assert outcome.posts > 300
    # What was on its way when the step changed, and nothing more.
    assert refused_for_the_step(outcome) * 100 <= outcome.posts


@pytest.mark.req("EX-7")
@pytest.mark.req("TST-9")
def test_system_lives_with_changes_that_nobody_told() -> None:
    plan = Plan(Rates(), (UNTOLD,), SECONDS * NS_PER_S, garbles=True)
    outcome = run(SEED, SECONDS, plan=plan)
    assert outcome.violations == (), report(outcome)
    assert outcome.struck["tick-change-untold"] >= 10
    assert refused_for_the_step(outcome) > 0
    assert refused_for_the_step(outcome) * 20 <= outcome.posts
    assert outcome.ended == {}
