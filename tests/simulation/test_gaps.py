"""Facts lost in a row under virtual time: few are filled, many are told, and no jump is silent."""

import pytest

from ops.simulation.continuity import Continuity
from shared.effects import Gap, Received
from shared.facts import StateView
from shared.identifiers import Incarnation
from shared.topics import MARKET_MAKING, RISK, STATE
from shared.units import MonotonicNs, WallNs
from tests.simulation.test_process import Rig, Talker, status


def fact(sequence: int) -> Received:
    stamp = MonotonicNs(1)
    run = Incarnation(1)
    return Received(STATE, run, "state.view", sequence, stamp, stamp, WallNs(1), StateView(()))


def lose(rig: Rig, count: int) -> None:
    """Lose the next facts on the way to risk, and nothing else."""
    rig.bus._rates.fact_lost = 1
    rig.bus._losing[MARKET_MAKING, RISK] = count


def running() -> tuple[Rig, Talker]:
    rig = Rig()
    risk = rig.start(RISK, 1)
    rig.start(MARKET_MAKING, 2, status(rig))
    rig.run(1_000)
    risk.heard.clear()
    return rig, risk


def numbers(risk: Talker) -> list[int]:
    return [
        one.sequence
        for one in risk.heard
        if isinstance(one, Received) and one.topic == "strategy.status"
    ]


@pytest.mark.req("DQ-2")
def test_three_facts_in_a_row_are_filled() -> None:
    rig, risk = running()
    lose(rig, 3)
    rig.run(1_000)
    assert not [one for one in risk.heard if isinstance(one, Gap)]
    found = numbers(risk)
    assert found == list(range(found[0], found[0] + len(found)))
    assert len(found) > 10


@pytest.mark.req("DQ-2")
def test_fifty_facts_in_a_row_are_told() -> None:
    rig, risk = running()
    lose(rig, 50)
    rig.run(4_000)
    gaps = [one for one in risk.heard if isinstance(one, Gap)]
    assert [gap.topic for gap in gaps if gap.topic == "strategy.status"]
    assert numbers(risk)[-1] > 50


@pytest.mark.parametrize("behind", [3, 1, 0])
def test_jump_that_nobody_told_is_a_bug(behind: int) -> None:
    continuity = Continuity()
    continuity.judge([fact(1)])
    with pytest.raises(AssertionError, match="no gap was told"):
        continuity.judge([fact(behind)])


def test_jump_behind_a_gap_or_a_snapshot_is_none() -> None:
    continuity = Continuity()
    continuity.judge([fact(1), Gap(STATE, "state.view", 8, "sequence"), fact(10)])
    continuity.begin_anew([fact(17)])
    continuity.judge([fact(20), fact(21)])
