from typing import Any

import msgspec
import pytest

from services.strategy.interface import NOTHING_HELD, Holding, MarketContext
from services.strategy.market_making import MarketMaking
from shared.config import LimitSettings, MarketMakingSettings
from shared.facts import MarketView
from shared.targets import Target
from shared.units import SHARE_E6, PriceE4, ReferenceE18, SizeE6
from tests.builders.markets import DOWN, UP, book_view, instant, market_info, market_view

NOW = instant(10_000)


def _held(shares: int, confirmed: int | None = None) -> Holding:
    sure = shares if confirmed is None else confirmed
    return Holding(SizeE6(shares * SHARE_E6), SizeE6(sure * SHARE_E6), shares * SHARE_E6 // 2)


def _context(
    view: MarketView | None = None, up: Holding = NOTHING_HELD, down: Holding = NOTHING_HELD
) -> MarketContext:
    return MarketContext(market_info(), view or market_view(NOW), (up, down), (), NOW)


def _maker(**spoil: Any) -> MarketMaking:
    return MarketMaking(MarketMakingSettings(**spoil), LimitSettings())


def _prices(targets: tuple[Target, ...]) -> dict[tuple[str, str], int]:
    return {(target.token, target.side): target.price for target in targets}


@pytest.mark.req("ST-1", "INV-12")
def test_maker_bids_on_both_outcomes_post_only_and_on_tick() -> None:
    wish = _maker().wish(_context())
    assert {target.token for target in wish.targets} == {UP, DOWN}
    for target in wish.targets:
        assert target.side == "BUY"
        assert target.post_only
        assert target.price % 100 == 0
        assert target.size == 10 * SHARE_E6


def test_bids_on_both_outcomes_cost_less_than_a_dollar_together() -> None:
    prices = _prices(_maker().wish(_context()).targets)
    assert prices[UP, "BUY"] + prices[DOWN, "BUY"] < 10_000


@pytest.mark.req("ST-2")
def test_long_inventory_lowers_its_own_bid_and_raises_the_other() -> None:
    flat = _prices(_maker().wish(_context()).targets)
    held = _prices(_maker(skew_e4_per_share=20).wish(_context(up=_held(20, confirmed=0))).targets)
    assert held[UP, "BUY"] < flat[UP, "BUY"]
    assert held[DOWN, "BUY"] > flat[DOWN, "BUY"]


@pytest.mark.req("ST-2")
def test_quoted_size_is_halved_while_holding() -> None:
    wish = _maker().wish(_context(up=_held(8, confirmed=0)))
    sizes = {target.token: target.size for target in wish.targets}
    assert sizes == {UP: 5 * SHARE_E6, DOWN: 10 * SHARE_E6}


@pytest.mark.req("ST-2")
@pytest.mark.parametrize(("held", "bids"), [(24, True), (25, True), (26, False)])
def test_bid_stops_where_the_outcome_cap_would_be_passed(held: int, bids: bool) -> None:
    wish = _maker().wish(_context(up=_held(held, confirmed=0)))
    assert ((UP, "BUY") in _prices(wish.targets)) is bids


def test_confirmed_excess_is_offered_instead_of_bidding_for_the_complement() -> None:
    targets = _maker().wish(_context(up=_held(10))).targets
    offers = [target for target in targets if target.side == "SELL"]
    assert [(offer.token, offer.reduce_only, offer.size) for offer in offers] == [
        (UP, True, 10 * SHARE_E6)
    ]
    assert DOWN not in {target.token for target in targets}


def test_unconfirmed_shares_are_not_offered() -> None:
    targets = _maker().wish(_context(up=_held(10, confirmed=4))).targets
    assert {target.side for target in targets} == {"BUY"}


def test_complete_sets_are_not_offered() -> None:
    targets = _maker().wish(_context(up=_held(10), down=_held(10))).targets
    assert {target.side for target in targets} == {"BUY"}


@pytest.mark.req("EX-12")
def test_bid_is_kept_a_tick_below_the_best_ask() -> None:
    view = market_view(NOW, books=(book_view(UP, 4400, 4500), book_view(DOWN, 5500, 5600)))
    maker = _maker(disagreement_e4_max=10_000, spread_e4_min=1)
    prices = _prices(maker.wish(_context(view)).targets)
    assert prices[UP, "BUY"] <= 4400
    assert prices[DOWN, "BUY"] <= 5500


def test_small_move_of_the_fair_value_keeps_the_resting_quote() -> None:
    maker = _maker(requote_e4=100)
    first = maker.wish(_context()).targets
    nudged = market_view(NOW, strike_e18=ReferenceE18(99_999 * 10**18))
    assert maker.wish(_context(nudged)).targets == first


def test_large_move_of_the_fair_value_makes_a_new_quote() -> None:
    maker = _maker(requote_e4=100)
    first = maker.wish(_context()).targets
    moved = market_view(NOW, books=(book_view(UP, 5300, 5500), book_view(DOWN, 4500, 4700)))
    assert maker.wish(_context(moved)).targets != first


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"books": (book_view(UP, bid=None), book_view(DOWN))}, "book has one side only"),
        ({"reference": None}, "no reference price"),
        (
            {"books": (book_view(UP, 200, 400), book_view(DOWN, 9600, 9800))},
            "price too near to the edge",
        ),
        ({"strike_e18": ReferenceE18(99_900 * 10**18)}, "model and book disagree"),
    ],
    ids=["one-sided", "no-reference", "edge", "disagreement"],
)
def test_maker_wishes_nothing_when_its_value_is_not_sound(
    spoil: dict[str, Any], reason: str
) -> None:
    wish = _maker().wish(_context(market_view(NOW, **spoil)))
    assert wish.targets == ()
    assert wish.reason == reason


@pytest.mark.parametrize(("age_ms", "quotes"), [(2_999, True), (3_000, True), (3_001, False)])
def test_maker_wishes_nothing_once_the_reference_price_is_stale(age_ms: int, quotes: bool) -> None:
    later = instant(10_000 + age_ms)
    context = MarketContext(
        market_info(), market_view(NOW), (NOTHING_HELD, NOTHING_HELD), (), later
    )
    assert bool(_maker().wish(context).targets) is quotes


def test_ladder_steps_away_from_the_touch_and_stops_at_the_cap() -> None:
    wish = _maker(levels=4).wish(_context())
    bids = [target for target in wish.targets if target.token == UP]
    assert [target.level for target in bids] == [0, 1, 2]
    assert [bids[0].price - target.price for target in bids] == [0, 100, 200]


def test_finer_tick_is_quoted_on_the_finer_grid() -> None:
    view = market_view(NOW, tick_e4=PriceE4(10))
    prices = _prices(_maker().wish(_context(view)).targets)
    assert any(price % 100 for price in prices.values())


@pytest.mark.req("DG-1")
def test_reduced_level_halves_the_size_and_widens_the_quote_at_once() -> None:
    maker = MarketMaking(MarketMakingSettings(size_shares=20), LimitSettings(), 200)
    normal = maker.wish(_context()).targets
    reduced = maker.wish(msgspec.structs.replace(_context(), level="REDUCED")).targets
    assert {target.size for target in normal} == {20 * SHARE_E6}
    assert {target.size for target in reduced} == {10 * SHARE_E6}
    wide, narrow = _prices(reduced), _prices(normal)
    assert wide[UP, "BUY"] < narrow[UP, "BUY"]
    assert wide[DOWN, "BUY"] < narrow[DOWN, "BUY"]
    assert _prices(maker.wish(_context()).targets) == narrow
