"""The whole system where the price step changes all the time, back and forth, in mid-market."""

import msgspec
import pytest

from ops.simulation import run as run_module
from ops.simulation.faults import Fault, Plan, Rates
from ops.simulation.run import Outcome, draw_config, report, run
from services.simulator import markets
from services.simulator.chance import Chance
from services.state.core import BookEvent
from services.state.hot_view import HotMarket
from shared.config import Config
from shared.facts import TickChanged
from shared.units import NS_PER_S, Instant, MonotonicNs
from shared.venue.token_book import STEP_CHANGED

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


@pytest.fixture(params=[True, False], ids=["books follow", "levels alone"])
def _told_after_a_step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whole books follow a new step, or nothing but the levels that change next."""

    def draw(chance: Chance) -> Config:
        config = draw_config(chance)
        settings = msgspec.structs.replace(config.simulator, tick_change_books=request.param)
        return msgspec.structs.replace(config, simulator=settings)

    monkeypatch.setattr(run_module, "draw_config", draw)


def steps_seen(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return, as they come, whether the market's view holds in the turn of each new step."""
    seen: list[bool] = []
    take = HotMarket.apply

    def apply(self: HotMarket, event: BookEvent, input_ns: MonotonicNs, now: Instant) -> None:
        had_books = all(book.proven is not None for book in self.books())
        take(self, event, input_ns, now)
        if isinstance(event, TickChanged) and had_books:
            seen.append(all(book.proven is not None for book in self.books()))

    monkeypatch.setattr(HotMarket, "apply", apply)
    return seen


@pytest.mark.req("EX-7", "VEN-4")
@pytest.mark.usefixtures("_told_after_a_step")
def test_new_step_costs_no_proven_book(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = steps_seen(monkeypatch)
    outcome = run(SEED, SECONDS, plan=Plan(Rates(), (), SECONDS * NS_PER_S, garbles=False))
    assert outcome.violations == (), report(outcome)
    assert len(seen) > 20
    assert all(seen)
    doubts = [text for _, _, what, text in outcome.told if what == "log.state.doubted"]
    assert not any(STEP_CHANGED in text for text in doubts), "a hash has proven each in time"


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
