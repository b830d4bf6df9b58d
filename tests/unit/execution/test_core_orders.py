"""Execution as a whole: orders, fills and money."""

import pytest

from shared.effects import Gap, Paused
from shared.facts import Alert, FillFact, MarketResolved
from shared.identifiers import Component, Incarnation, OrderHash
from shared.ledger_schema import FillRecord, PayoutRecord
from shared.units import NS_PER_MS, PriceE4
from tests.builders.execution import Rig, resting, target
from tests.builders.markets import DOWN, MARKET, UP, book_view

SHARE = 1_000_000


# --- orders and fills ---


@pytest.mark.req("EX-6")
@pytest.mark.req("INV-6")
def test_order_whose_answer_was_lost_is_looked_up_and_never_resent() -> None:
    rig = Rig()
    rig.start()
    rig.venue.loses = True
    rig.wishes = (target(),)
    rig.run(2_000)
    assert len(rig.venue.posts) == 1
    assert rig.pong().open_orders == 1


@pytest.mark.req("EX-4")
def test_refused_order_leaves_at_once_and_its_intent_pauses() -> None:
    rig = Rig()
    rig.start()
    rig.venue.refusal = (400, "invalid post-only order: order crosses book")
    rig.wishes = (target(),)
    rig.run(2_000)
    assert {r.state for r in rig.orders()} == {"REJECTED"}
    assert 3 <= len(rig.venue.posts) <= 5
    assert "refused_before" in rig.denials()


@pytest.mark.req("INV-8")
@pytest.mark.req("EX-9")
def test_fill_counts_once_however_often_it_is_told() -> None:
    rig = resting()
    order_id = next(r.order_id for r in rig.orders("LIVE") if r.token == UP)
    trade = rig.trade(order_id, 2)
    for _ in range(3):
        rig.hear("feed_user", "feed.user", trade)
    rig.run(300)
    fills = [r for r in rig.journal if isinstance(r, FillRecord)]
    assert len(fills) == 1
    assert [f.size for f in rig.published(FillFact)] == [2 * SHARE]
    held = rig.held(UP)
    assert held == 2 * SHARE


@pytest.mark.req("EX-10")
@pytest.mark.req("INV-8")
def test_failed_trade_is_taken_back() -> None:
    rig = resting()
    order_id = next(r.order_id for r in rig.orders("LIVE") if r.token == UP)
    rig.hear("feed_user", "feed.user", rig.trade(order_id, 2))
    rig.hear("feed_user", "feed.user", rig.trade(order_id, 2, status="FAILED"))
    assert rig.held(UP) == 0
    assert rig.row(order_id).filled_e6 == 2 * SHARE, "the order was consumed all the same"


@pytest.mark.req("INV-5")
def test_terminal_order_never_comes_back_to_life() -> None:
    rig = resting()
    order_id = next(r.order_id for r in rig.orders("LIVE") if r.token == UP)
    rig.wishes = (target(token=DOWN),)
    rig.run(100)
    assert rig.row(order_id).state == "CANCELED"
    rig.hear("feed_user", "feed.user", rig.own_order(order_id))
    assert rig.row(order_id).state == "CANCELED"
    rig.hear("feed_user", "feed.user", rig.trade(order_id, 1))
    row = rig.row(order_id)
    assert (row.state, row.filled_e6) == ("CANCELED", SHARE)


@pytest.mark.req("EX-25")
def test_stranger_at_the_venue_is_adopted_and_cancelled() -> None:
    rig = Rig()
    rig.start()
    stranger = OrderHash("0x" + "cd" * 32)
    rig.hear("feed_user", "feed.user", rig.own_order(stranger))
    cancels = [r for r in rig.venue.seen("/order") if stranger.encode() in r.body]
    assert cancels
    assert any(alert.name == "unknown_orders" for alert in rig.published(Alert))


@pytest.mark.req("INV-7")
def test_order_that_vanished_at_the_venue_is_asked_for_and_ended() -> None:
    rig = resting()
    order_id = next(iter(rig.venue.open))
    del rig.venue.open[order_id]
    rig.venue.gone[order_id] = "CANCELED"
    rig.run(11_000)
    assert rig.row(order_id).state == "CANCELED"


@pytest.mark.req("EX-11")
def test_unchanged_wish_keeps_its_order() -> None:
    rig = resting()
    rig.run(5_000)
    assert len(rig.venue.posts) == 2


def test_moved_wish_cancels_first_and_posts_once_the_old_order_is_gone() -> None:
    rig = resting()
    rig.wishes = (target(price=PriceE4(4_700)), target(token=DOWN))
    rig.run(300)
    assert len(rig.venue.posts) == 3
    assert len(rig.venue.open) == 2


@pytest.mark.req("EX-12")
@pytest.mark.req("TST-6")
def test_near_crossing_wish_is_clamped_inside_the_spread_and_does_not_churn() -> None:
    rig = Rig()
    rig.quote(target(price=PriceE4(5_300)))
    row = rig.orders("LIVE")[0]
    assert row.price_e4 == 5_000
    assert row.post_only
    rig.run(3_000)
    assert len(rig.venue.posts) == 1


@pytest.mark.req("EX-28")
def test_every_order_expires_at_the_venue_by_itself_within_about_two_minutes() -> None:
    rig = resting()
    for post in rig.venue.posts:
        ahead_s = post.expiration_s - rig.now.wall_ns / 1e9
        assert 180 <= ahead_s + 0.5 <= 183


def test_order_is_renewed_before_the_venue_drops_it() -> None:
    rig = Rig()
    rig.quote(target())
    rig.run(110_000)
    assert len(rig.venue.posts) == 2
    assert len(rig.venue.open) == 1


def test_wish_that_is_not_renewed_is_withdrawn() -> None:
    rig = resting()
    rig.renews = False
    rig.run(500)
    assert rig.venue.open == {}


def test_replaced_strategy_withdraws_the_wishes_of_the_run_before() -> None:
    rig = resting()
    rig.renews = False
    rig.strategy_run = Incarnation(2)
    rig.wishes = (target(),)
    rig.wish()
    rig.run(50)
    assert len(rig.venue.open) == 1


def test_gap_of_a_strategy_withdraws_its_wishes() -> None:
    rig = resting()
    rig.renews = False
    rig.tell(Gap(Component("market_making"), "strategy.targets", 2, "sequence"))
    rig.run(50)
    assert rig.venue.open == {}


def test_own_pause_forgets_wishes_and_views() -> None:
    rig = resting()
    rig.renews = False
    rig.tell(Paused(500 * NS_PER_MS))
    rig.run(30)
    assert rig.venue.open == {}


# --- money ---


@pytest.mark.req("VEN-8")
def test_resolved_market_pays_out_and_closes_the_position() -> None:
    rig = resting()
    order_id = next(r.order_id for r in rig.orders("LIVE") if r.token == UP)
    rig.hear("feed_user", "feed.user", rig.trade(order_id, 6))
    rig.hear("feed_market", "feed.market", MarketResolved(MARKET, UP, rig.now.wall_ms))
    rig.run(300)
    payout = next(r for r in rig.journal if isinstance(r, PayoutRecord))
    assert payout.amount_e6 == 6 * SHARE
    assert payout.cost_e6 == 6 * 480_000
    assert payout.realised_e6 == 6 * 520_000
    assert rig.held(UP) == 0


def test_daily_loss_at_its_limit_cancels_and_denies() -> None:
    rig = resting(daily_loss_usd_max=2)
    order_id = next(r.order_id for r in rig.orders("LIVE") if r.token == UP)
    rig.hear("feed_user", "feed.user", rig.trade(order_id, 6))
    rig.hear("feed_market", "feed.market", MarketResolved(MARKET, DOWN, rig.now.wall_ms))
    rig.run(100)
    assert rig.venue.open == {}
    assert "daily_loss" in rig.denials()


def test_sell_takes_only_confirmed_shares() -> None:
    rig = resting()
    order_id = next(r.order_id for r in rig.orders("LIVE") if r.token == UP)
    rig.hear("feed_user", "feed.user", rig.trade(order_id, 6))
    sell = target(side="SELL", price=PriceE4(5_300))
    rig.wishes = (sell,)
    rig.run(100)
    assert "inventory" in rig.denials()
    rig.hear("feed_user", "feed.user", rig.trade(order_id, 6, status="CONFIRMED"))
    rig.run(400)
    assert [r.side for r in rig.orders("LIVE")] == ["SELL"]


@pytest.mark.req("EX-26")
def test_order_that_would_match_our_own_is_denied() -> None:
    rig = Rig()
    rig.view = {"books": (book_view(UP, 4_000, 6_500), book_view(DOWN, 3_500, 6_000))}
    rig.quote(target(price=PriceE4(5_500)), target(token=DOWN, price=PriceE4(4_500)))
    assert len(rig.venue.open) == 1
    assert "own_crossing" in rig.denials()
