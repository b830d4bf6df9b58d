"""A market's price step changes: its books stay proven, and are doubted when nobody proves them."""

import pytest

from services.state.core import DOUBT_AFTER_NS
from shared.effects import Effect
from shared.facts import TickChanged
from shared.identifiers import TokenId
from shared.units import NS_PER_MS, Instant, PriceE4, WallMs
from shared.venue.token_book import STEP_NS_MAX
from tests.builders.feeds import at, facts
from tests.builders.markets import DOWN, UP
from tests.builders.state_rig import Rig, doubted, ready


def new_step(rig: Rig, token: TokenId, now: Instant, tick: int = 10) -> list[Effect]:
    """Let the venue tell of a new step of one token; both of its books have it from then on."""
    rig.up.tick = rig.down.tick = PriceE4(tick)
    old = PriceE4(110 - tick)
    event = TickChanged(rig.market.condition_id, token, old, PriceE4(tick), WallMs(1))
    return rig.hear("feed.market", event, now)


@pytest.mark.req("VEN-4", "EX-7")
def test_view_stays_valid_across_a_new_price_step_and_tells_it_at_once() -> None:
    rig = ready()
    before = rig.view(at(1)).books
    (view,) = facts(new_step(rig, UP, at(2)), "state.market")
    assert (view.valid, view.tick_e4, view.books) == (True, 10, before)
    assert new_step(rig, DOWN, at(3)) == [], "both tokens of a market have one step"
    rig.hear("feed.market", rig.up.frame(rig.up.step("BUY", 4_705, 5)), at(4))
    rig.hear("feed.market", rig.down.frame(rig.down.step("SELL", 5_305, 5)), at(4))
    for step in range(10, 4_000, 10):
        rig.status(at(step))
        assert doubted(rig.core.on_tick(at(step))) == [], "the hashes have proven it"
        assert rig.view(at(step)).valid


@pytest.mark.req("VEN-4")
def test_books_in_which_nothing_moves_are_asked_for_and_proven_under_a_new_step() -> None:
    rig = ready()
    new_step(rig, UP, at(0))
    asked_ms: list[int] = []
    for step in range(10, 4_000, 10):
        rig.status(at(step))
        tokens = doubted(rig.core.on_tick(at(step)))
        if tokens and not asked_ms:
            assert tokens == [UP, DOWN]
            rig.dump(at(step))
        asked_ms += [step] * bool(tokens)
        assert rig.view(at(step)).valid
    assert asked_ms == [10 + DOUBT_AFTER_NS // NS_PER_MS]


@pytest.mark.req("VEN-4", "KS-4")
def test_market_that_nobody_proves_under_a_new_step_is_not_traded_on_for_long() -> None:
    rig = ready()
    new_step(rig, UP, at(0))
    limit = STEP_NS_MAX // NS_PER_MS
    for step in (limit - 10, limit):
        rig.status(at(step))
        rig.core.on_tick(at(step))
        assert rig.view(at(step)).valid is (step < limit)
    assert rig.view(at(limit)).reason == "Up: price step changed"
