"""What lost money makes of the authority: latches that survive, and hold for the day."""

from typing import Any

import msgspec
import pytest

from services.risk.losses import KEPT_NAME
from services.risk.messages import StoredState
from shared.facts import LossFigures
from shared.operator import Resumed, ResumeRefused
from shared.risk_schema import Kept, LatchRow
from shared.units import MoneyE6, WallNs
from tests.builders.risk import World

USD = 1_000_000


class Losing(World):
    """A world whose execution tells what its ledger has counted."""

    def __init__(self, stored: StoredState | None = None) -> None:
        nothing = MoneyE6(0)
        self.figures = LossFigures(
            nothing, nothing, nothing, 0, nothing, 0, WallNs(0), breach="", throttled=()
        )
        super().__init__(stored=stored)

    def tell_losses(self, **spoil: Any) -> None:
        self.figures = msgspec.structs.replace(self.figures, **spoil)

    def _execution_status(self) -> Any:
        return msgspec.structs.replace(super()._execution_status(), losses=self.figures)

    def kept(self) -> dict[str, str]:
        rows = [row for write in self.writes for row in write.records if isinstance(row, Kept)]
        return {row.name: row.text for row in rows}

    def latches(self) -> tuple[LatchRow, ...]:
        found = {
            row.name: row
            for write in self.writes
            for row in write.records
            if isinstance(row, LatchRow)
        }
        return tuple(found.values())


def _trading(stored: StoredState | None = None) -> Losing:
    world = Losing(stored)
    world.trade()
    return world


def _resume(world: Losing) -> Resumed | ResumeRefused:
    world.run(10_000)
    world.resume()
    world.run(200)
    reply = world.replies[-1][1]
    assert isinstance(reply, Resumed | ResumeRefused)
    return reply


@pytest.mark.req("CB-2", "INV-9")
def test_daily_loss_halts_is_told_once_more_by_its_count_and_is_not_talked_away() -> None:
    world = _trading()
    world.tell_losses(realised_e6=MoneyE6(-5 * USD))
    world.run(300)
    assert world.status.trading_state == "HALTED"
    assert world.status.losses is not None
    assert world.status.losses.daily_percent == 100
    names = [alert.name for alert in world.alerts()]
    assert {"daily_loss", "daily_loss_near", "breakers 1"} <= set(names)
    refused = _resume(world)
    assert isinstance(refused, ResumeRefused)
    assert any("daily_loss still holds: lost 5.00 of 5.00 USD" in one for one in refused.blockers)
    world.tell_losses(realised_e6=MoneyE6(0))
    assert isinstance(_resume(world), Resumed), "the day that lost it is over"
    world.trade()


@pytest.mark.req("CB-1", "INV-9")
def test_breach_reduces_is_kept_with_its_latch_and_does_not_latch_again_after_a_restart() -> None:
    world = _trading()
    world.tell_losses(breach_wall_ns=WallNs(9), breach="market lost")
    world.run(300)
    assert world.status.trading_state == "REDUCING"
    (latch,) = world.latches()
    assert latch.name == "loss_limit"
    (both,) = [
        write for write in world.writes if any(isinstance(row, LatchRow) for row in write.records)
    ]
    kept = [row.name for row in both.records if isinstance(row, Kept)]
    assert KEPT_NAME in kept, "in one transaction: what was judged is not judged again"
    stored = StoredState(used_max=9_000, reserved=10_000, latches=(latch,), kept=world.kept())
    again = Losing(stored)
    again.tell_losses(breach_wall_ns=WallNs(9), breach="market lost")
    again.run(20_000)
    assert again.status.trading_state == "REDUCING"
    assert isinstance(_resume(again), Resumed)
    again.trade()


@pytest.mark.req("KS-6")
def test_inventory_over_its_cap_halts_and_resumes_once_it_is_gone() -> None:
    world = _trading()
    world.tell_losses(unpaired_e6=101 * USD)
    world.run(300)
    assert world.status.trading_state == "HALTED"
    assert isinstance(_resume(world), ResumeRefused)
    world.tell_losses(unpaired_e6=100 * USD)
    assert isinstance(_resume(world), Resumed)


@pytest.mark.req("KS-13")
def test_strategy_that_is_throttled_is_latched_alone() -> None:
    world = _trading()
    world.tell_losses(throttled=(("market_making", "4 orders"),))
    world.run(300)
    assert world.status.trading_state == "ACTIVE"
    tripped = [(one.name, one.scope_id) for one in world.status.switches if one.kind == "latch"]
    assert tripped == [("repeated_execution", "market_making")]


@pytest.mark.req("ST-8", "CB-2")
def test_every_ping_tells_the_capital_of_which_limits_are_shares() -> None:
    world = _trading()
    assert world.leases()[-1].capital_usd == 50
    stored = StoredState(used_max=1_000, reserved=2_000, capital_usd=500)
    assert _trading(stored).leases()[-1].capital_usd == 500
