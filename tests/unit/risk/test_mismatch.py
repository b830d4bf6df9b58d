"""KS-14 through risk's whole core: a disagreement pauses, the second in a row is latched."""

import pytest

from shared.control import Mismatch
from tests.builders.risk import World

ORDER = "order 0x1: ours CANCELED, theirs listed as LIVE"


def trading() -> World:
    world = World()
    world.trade()
    return world


def switch_names(world: World) -> list[str]:
    return [one.name for one in world.status.switches]


@pytest.mark.req("KS-14")
def test_disagreement_fences_pauses_and_ends_by_itself_once_reconciled() -> None:
    world = trading()
    epoch = world.status.epoch
    world.execution.mismatch = Mismatch(4, 1, 0, ORDER)
    since = world.ms
    world.run(300)
    assert world.status.trading_state == "PAUSED"
    assert world.status.epoch > epoch
    assert any(ORDER in reason for reason in world.status.reasons)
    assert switch_names(world) == ["reconciliation_mismatch"]
    assert not world.leases(since + 200)
    assert world.venue.paths("/cancel-all")
    world.run(20_000)
    assert world.status.trading_state == "PAUSED"
    world.execution.mismatch = None
    world.trade()
    assert switch_names(world) == []


@pytest.mark.req("KS-14")
def test_second_disagreement_in_a_row_is_latched_with_its_numbers() -> None:
    world = trading()
    world.execution.mismatch = Mismatch(4, 1, 0, ORDER)
    world.run(1_000)
    world.execution.mismatch = Mismatch(5, 2, 5, ORDER)
    world.run(6_000)
    assert world.status.trading_state == "HALTED"
    latch = next(one for one in world.status.switches if one.kind == "latch")
    assert (latch.name, latch.scope, latch.reason) == ("reconciliation_mismatch", "account", ORDER)
    assert latch.evidence == "round 5, 2 in a row"
    assert any(one.name == "reconciliation_mismatch" for one in world.alerts())


@pytest.mark.req("KS-14")
def test_halt_outlives_the_agreement_and_ends_by_an_operator_once() -> None:
    world = trading()
    world.execution.mismatch = Mismatch(5, 2, 5, ORDER)
    world.run(4_000)
    world.execution.mismatch = Mismatch(6, 0, 5, f"halted, reconciled since: {ORDER}")
    world.run(20_000)
    assert world.status.trading_state == "HALTED"
    world.resume()
    world.trade()
    # Execution repeats its halt until it has seen the newer epoch: that latches nothing again.
    assert world.execution.mismatch is not None
    world.run(2_000)
    assert world.status.trading_state == "ACTIVE"


@pytest.mark.req("KS-14")
def test_later_halt_of_the_same_run_latches_again() -> None:
    world = trading()
    world.execution.mismatch = Mismatch(5, 2, 5, ORDER)
    world.run(4_000)
    world.execution.mismatch = Mismatch(6, 0, 5, ORDER)
    world.resume()
    world.trade()
    world.execution.mismatch = Mismatch(9, 2, 9, ORDER)
    world.run(4_000)
    assert world.status.trading_state == "HALTED"


@pytest.mark.req("KS-14")
def test_operator_cannot_resume_into_a_disagreement_that_stands() -> None:
    world = trading()
    world.execution.mismatch = Mismatch(5, 2, 5, ORDER)
    world.run(6_000)
    world.resume()
    world.run(20_000)
    assert world.status.trading_state == "PAUSED"
    assert not world.leases(world.ms - 10_000)
