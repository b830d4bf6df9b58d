import pytest

from ops.simulation import host, visitors
from ops.simulation.faults import QUIET_NS, WARM_UP_NS, Rates, draw, no_faults
from ops.simulation.risk_faults import RESTRICTIONS, with_risk_faults
from ops.simulation.venue_faults import REPORTED, VENUE_FAULTS, with_venue_faults
from services.simulator.catalogue.table import ENTRIES
from services.simulator.chance import Chance
from shared.units import NS_PER_MS, NS_PER_S

LENGTH_NS = 60 * NS_PER_S
SEEDS = range(200)


def test_plan_repeats_for_its_seed() -> None:
    assert draw(Chance(3), LENGTH_NS) == draw(Chance(3), LENGTH_NS)
    assert draw(Chance(3), LENGTH_NS) != draw(Chance(4), LENGTH_NS)


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_plan_leaves_a_warm_up_and_a_quiet_end(seed: int) -> None:
    plan = draw(Chance(seed), LENGTH_NS)
    moments = [fault.moment_ns for fault in plan.schedule]
    assert moments == sorted(moments)
    assert moments[0] >= WARM_UP_NS
    assert plan.calm_from_ns == LENGTH_NS - QUIET_NS


def test_seeds_together_draw_every_kind_of_fault_and_none_in_all_of_them() -> None:
    plans = [draw(Chance(seed), LENGTH_NS) for seed in SEEDS]
    kinds = [{fault.kind for fault in plan.schedule} for plan in plans]
    for kind in set.union(*kinds):
        assert 0 < sum(kind in drawn for drawn in kinds) < len(plans)
    assert len(set.union(*kinds)) == 11
    assert {plan.kills for plan in plans} == {True, False}


def test_every_halt_is_followed_by_a_resume() -> None:
    for seed in SEEDS:
        kinds = [fault.kind for fault in draw(Chance(seed), LENGTH_NS).schedule]
        assert kinds.count("halt") == kinds.count("resume")


def test_rates_that_calm_down_are_those_of_a_calm_run() -> None:
    rates = draw(Chance(1), LENGTH_NS).rates
    assert rates != Rates()
    rates.calm_down()
    assert rates == no_faults().rates


def test_run_too_short_for_faults_has_none_with_a_moment() -> None:
    assert draw(Chance(1), QUIET_NS).schedule == ()


def test_faults_of_the_venue_come_beside_what_a_seed_had() -> None:
    drawn: set[str] = set()
    for seed in SEEDS:
        plan = draw(Chance(seed), LENGTH_NS)
        more = with_venue_faults(plan, Chance(seed + 1_000))
        moments = [fault.moment_ns for fault in more.schedule]
        assert moments == sorted(moments)
        assert set(plan.schedule) < set(more.schedule)
        added = [fault for fault in more.schedule if fault not in plan.schedule]
        assert all(
            fault.moment_ns + fault.lasts_ns <= more.calm_from_ns + NS_PER_MS for fault in added
        )
        drawn |= {fault.mode for fault in added}
    assert drawn == {*VENUE_FAULTS, *REPORTED}


def test_every_reported_fault_is_in_the_catalogue() -> None:
    assert {entry.name for entry in ENTRIES} >= set(REPORTED)


def test_run_without_faults_gets_none_of_the_venue() -> None:
    plan = no_faults()
    assert with_venue_faults(plan, Chance(1)) == plan


def test_faults_of_risk_come_beside_what_a_seed_had() -> None:
    modes: set[str] = set()
    kinds: set[str] = set()
    for seed in range(600):
        plan = draw(Chance(seed), LENGTH_NS)
        more = with_risk_faults(plan, Chance(seed + 1_000))
        moments = [fault.moment_ns for fault in more.schedule]
        assert moments == sorted(moments)
        assert set(plan.schedule) < set(more.schedule)
        added = [fault for fault in more.schedule if fault not in plan.schedule]
        assert max(fault.moment_ns for fault in added) <= more.calm_from_ns
        modes |= {fault.mode for fault in added}
        kinds |= {fault.kind for fault in added}
    assert modes >= {*host.MODES, *visitors.MODES, *RESTRICTIONS}
    assert kinds == {"host", "visitor", "kill", "other_release", "clock_step", "entry"}


def test_every_restriction_is_in_the_catalogue() -> None:
    assert {entry.name for entry in ENTRIES} >= set(RESTRICTIONS)
