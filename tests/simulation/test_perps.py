"""Perpetual futures in a whole group under virtual time: their faults stop nothing."""

import pytest

from ops.simulation.faults import Fault, Plan, Rates
from ops.simulation.perps import PERP_FAULTS, with_perp_faults
from ops.simulation.run import report, run
from services.simulator.chance import stream
from shared.units import NS_PER_S

SECONDS = 50
SCHEDULE = (
    Fault(15 * NS_PER_S, "venue_fault", lasts_ns=5 * NS_PER_S, mode="perps-silent"),
    Fault(22 * NS_PER_S, "venue_fault", lasts_ns=2 * NS_PER_S, mode="perp-interest-negative"),
    Fault(26 * NS_PER_S, "venue_fault", lasts_ns=2 * NS_PER_S, mode="perp-answers-cut"),
)


@pytest.mark.req("DG-1", "DQ-5", "DQ-7", "TST-2")
def test_silence_and_nonsense_of_perpetuals_are_seen_and_stop_nothing() -> None:
    plan = Plan(Rates(), SCHEDULE, 30 * NS_PER_S, garbles=True)
    outcome = run(5, SECONDS, plan=plan, perps=True)
    assert outcome.violations == (), report(outcome)
    told = [(who, what) for _, who, what, _ in outcome.told]
    assert ("feed_perp", "log.connection.lost") in told
    assert ("feed_perp", "log.feed.frame_rejected") in told
    paused = [
        text
        for moment_ns, who, what, text in outcome.told
        if (who, what) == ("risk", "state.PAUSED") and moment_ns >= SCHEDULE[0].moment_ns
    ]
    assert not paused
    assert outcome.posts > 0
    assert outcome.ended == {}


@pytest.mark.req("TST-2", "TST-7")
def test_drawn_faults_of_perpetuals_break_nothing_beside_all_others() -> None:
    outcome = run(7, SECONDS, perps=True)
    assert outcome.violations == (), report(outcome)
    assert any(name in PERP_FAULTS for name in outcome.faults)


def test_faults_of_perpetuals_leave_those_of_the_seed_where_they_were() -> None:
    plan = Plan(Rates(), SCHEDULE, 30 * NS_PER_S)
    drawn = with_perp_faults(plan, stream(3, "perp faults"))
    assert set(SCHEDULE) < set(drawn.schedule)
    assert drawn.rates is plan.rates
