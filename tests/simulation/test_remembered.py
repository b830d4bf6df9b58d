"""State dies at its peak, and comes back to what it had folded."""

import pytest

from ops.simulation.faults import AT_ONCE, Fault, Plan, Rates
from ops.simulation.run import report, run
from shared.topics import STATE
from shared.units import NS_PER_S

SECONDS = 30
DIES_NS = (11 * NS_PER_S, 13 * NS_PER_S)
CALM_NS = 16 * NS_PER_S


@pytest.mark.req("CP-2", "TST-2")
def test_state_that_dies_twice_goes_on_from_its_memory_and_trading_resumes() -> None:
    faults = tuple(Fault(moment_ns, "kill", STATE, mode=AT_ONCE) for moment_ns in DIES_NS)
    outcome = run(1, SECONDS, plan=Plan(Rates(), faults, CALM_NS))
    assert outcome.violations == (), report(outcome)
    assert outcome.ended == {STATE: 2}
    assert outcome.posts > 10
