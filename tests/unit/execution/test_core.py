"""Execution as a whole: each rule of the fence protocol that it carries, and each switch."""

from typing import Any

import msgspec
import pytest

from services.execution.may_send import PlaceOrder
from services.execution.messages import PanicSeen
from shared.control import ScopeOrder
from shared.effects import ControlReceived, Gap, HttpReset, Paused, Stop
from shared.facts import Alert, FillFact, MarketResolved, TickChanged
from shared.identifiers import Component, Incarnation, OrderHash
from shared.ledger_schema import FillRecord, Journal, OrderRecord, PayoutRecord
from shared.units import NS_PER_MS, PriceE4, WallMs
from tests.builders.execution import RISK_RUN, Rig, identity, target
from tests.builders.markets import DOWN, MARKET, UP, book_view

SHARE = 1_000_000


def resting(**limits: Any) -> Rig:
    """Two quotes rest, one on each outcome."""
    rig = Rig(**limits)
    rig.quote(target(), target(token=DOWN))
    assert len(rig.venue.open) == 2
    return rig


# --- INV-2, INV-3: ledger and lease -----------------------------------------------------


@pytest.mark.req("INV-2")
def test_intent_is_journaled_in_the_turn_that_posts_it() -> None:
    rig = Rig()
    rig.start()
    rig.wishes = (target(),)
    effects = rig.wish()
    posts = [e.order_id for e in effects if isinstance(e, PlaceOrder)]
    journals = [e for e in effects if isinstance(e, Journal)]
    intended = [r.order_id for j in journals for r in j.records if isinstance(r, OrderRecord)]
    assert posts
    assert set(posts) <= set(intended)


@pytest.mark.req("INV-3")
def test_row_of_an_order_says_until_when_the_lease_ran() -> None:
    rig = resting()
    rows = [r for r in rig.journal if isinstance(r, OrderRecord) and r.state == "INTENDED"]
    assert rows
    for row in rows:
        left_ns = row.lease_until_wall_ns - row.created_wall_ns
        assert 0 < left_ns <= rig.config.timing.lease_ms * NS_PER_MS


@pytest.mark.req("INV-2")
def test_post_is_withheld_when_its_intent_cannot_be_journaled() -> None:
    rig = Rig()
    rig.start()
    rig.commit_fails = True
    rig.wishes = (target(),)
    rig.run(100)
    assert rig.venue.posts == []
    assert rig.core.health()[0] == "sick"
    rig.commit_fails = False
    rig.run(3_000)
    assert len(rig.venue.open) == 1
    assert rig.core.health()[0] == "ready"


@pytest.mark.req("INV-4")
def test_cancels_leave_although_the_ledger_refuses() -> None:
    rig = resting()
    rig.commit_fails = True
    rig.wishes = ()
    rig.run(500)
    assert rig.venue.open == {}


@pytest.mark.req("INV-3")
def test_nothing_is_placed_without_a_lease() -> None:
    rig = Rig()
    rig.start()
    rig.grants = False
    rig.run(500)
    rig.wishes = (target(),)
    rig.run(3_000)
    assert rig.venue.posts == []


@pytest.mark.req("INV-3")
def test_lost_lease_cancels_everything() -> None:
    rig = resting()
    rig.grants = False
    rig.run(450)
    assert rig.venue.open == {}


@pytest.mark.req("KS-7")
def test_execution_fences_itself_when_risk_is_silent() -> None:
    rig = resting()
    rig.pings = False
    rig.run(450)
    assert rig.venue.open == {}
    fenced = rig.pong().self_fenced
    assert fenced is not None
    assert fenced.epoch == rig.epoch
    rig.pings = True
    rig.run(3_000)
    assert rig.pong().self_fenced == fenced, "repeated until a newer epoch arrives"
    assert rig.venue.open == {}
    rig.epoch += 1
    rig.run(3_000)
    assert rig.pong().self_fenced is None
    assert len(rig.venue.open) == 2


def test_granted_execution_places_nothing_before_its_own_proof_of_zero() -> None:
    rig = resting()
    rig.pings = False
    rig.run(450)
    rig.pings = True
    rig.epoch += 1
    posts = len(rig.venue.posts)
    rig.run(1_500)
    assert len(rig.venue.posts) == posts, "two reads two seconds apart come first"
    assert "zeroing" in rig.denials()
    rig.run(2_000)
    assert len(rig.venue.open) == 2


def test_lease_withheld_by_a_pause_is_no_self_fence() -> None:
    rig = resting()
    rig.grants = False
    rig.trading_state = "PAUSED"
    rig.run(500)
    assert rig.venue.open == {}
    assert rig.pong().self_fenced is None


def test_every_post_is_checked_again_at_its_write() -> None:
    rig = Rig()
    rig.start()
    rig.wishes = (target(),)
    rig.renews = False
    effects = rig.wish()
    post = next(e for e in effects if isinstance(e, PlaceOrder))
    assert rig.core.may_send(post.permit, rig.now) is None
    rig.ms += 600
    assert rig.core.may_send(post.permit, rig.now) == "lease"


# --- fence ------------------------------------------------------------------------------


def test_fence_is_answered_blocked_in_the_turn_in_which_it_is_heard() -> None:
    rig = resting()
    effects = rig.fence()
    answer = rig.pong().fence_answer
    assert answer.fence_id == rig.fence_id
    assert answer.risk_incarnation == RISK_RUN
    assert answer.blocked_ns == rig.now.boot_ns
    resets = [i for i, e in enumerate(effects) if isinstance(e, HttpReset)]
    cancels = [i for i, e in enumerate(effects) if getattr(e, "lane", "") == "cancel"]
    assert resets[0] < cancels[0], "post sockets are reset before the first cancel"


def test_fence_empties_the_market_and_proves_zero_by_two_reads() -> None:
    rig = resting()
    rig.fence()
    rig.run(200)
    assert rig.venue.open == {}
    assert rig.pong().fence_answer.quiet_ns
    rig.run(1_500)
    assert rig.pong().fence_answer.zero_ns == 0, "two reads two seconds apart"
    rig.run(4_000)
    assert rig.pong().fence_answer.zero_ns


def test_one_cancel_all_a_fence() -> None:
    rig = resting()
    before = len(rig.venue.seen("/cancel-all"))
    rig.fence()
    rig.run(3_000)
    assert len(rig.venue.seen("/cancel-all")) == before + 1


def test_fenced_execution_places_nothing_until_a_newer_epoch_is_granted() -> None:
    rig = resting()
    rig.fence()
    rig.grants = True
    posts = len(rig.venue.posts)
    rig.run(6_000)
    assert len(rig.venue.posts) == posts
    rig.resume()
    rig.run(500)
    assert len(rig.venue.open) == 2


def test_lease_of_an_older_epoch_grants_nothing() -> None:
    rig = resting()
    rig.fence()
    stale = rig.build_ping(epoch=rig.epoch - 1, fence_id=0)
    rig.tell(ControlReceived(stale))
    assert rig.pong().fence_answer.fence_id == rig.epoch
    rig.run(500)
    assert rig.venue.open == {}


def test_quiet_waits_for_posts_that_are_under_way() -> None:
    rig = Rig()
    rig.start()
    rig.venue.holds = True
    rig.wishes = (target(),)
    rig.run(20)
    rig.wish()
    assert rig.pong().in_flight == 1
    rig.fence()
    assert rig.pong().fence_answer.quiet_ns == 0
    rig.run(200)
    assert rig.pong().fence_answer.quiet_ns
    assert rig.orders("INTENDED") == []


def test_intent_in_doubt_holds_the_proof_until_its_deadline() -> None:
    rig = Rig()
    rig.start()
    rig.venue.loses = True
    rig.wishes = (target(),)
    rig.wish()
    order_id = rig.venue.posts[0].order_id
    del rig.venue.open[order_id]  # it travels still; nobody has it yet
    rig.fence()
    rig.run(2_000)
    assert rig.pong().unresolved == 1
    assert rig.pong().unresolved_until_ns > rig.now.boot_ns
    assert rig.pong().fence_answer.zero_ns == 0
    rig.run(8_000)
    assert rig.pong().unresolved == 0
    assert rig.pong().fence_answer.zero_ns
    assert [r.state for r in rig.orders()] == ["EXPIRED"]


def test_not_found_before_the_deadline_resolves_nothing() -> None:
    rig = Rig()
    rig.start()
    rig.venue.loses = True
    rig.wishes = (target(),)
    rig.wish()
    order_id = rig.venue.posts[0].order_id
    late = rig.venue.open.pop(order_id)
    rig.run(1_000)
    assert [r.state for r in rig.orders()] == ["UNKNOWN"]
    rig.venue.open[order_id] = late  # it arrives inside the margin
    rig.run(1_500)
    assert [r.state for r in rig.orders()] == ["LIVE"]
    assert len(rig.venue.posts) == 1, "never sent again"


@pytest.mark.req("KS-8")
def test_paused_account_scope_cancels_all_and_is_carried_out() -> None:
    rig = resting()
    rig.scopes = (ScopeOrder("account", "", 3, "PAUSED", "feed"),)
    rig.run(100)
    assert rig.venue.open == {}
    assert ("account", "", 3) in rig.pong().carried


def test_market_scope_cancels_that_market_only_once_for_a_generation() -> None:
    rig = resting()
    rig.scopes = (ScopeOrder("market", MARKET, 1, "PAUSED", "stale"),)
    rig.run(300)
    assert rig.venue.open == {}
    assert len(rig.venue.seen("/cancel-market-orders")) == 1
    rig.scopes = ()
    rig.run(1_000)
    assert len(rig.venue.open) == 2


def test_strategy_scope_cancels_the_orders_of_that_strategy() -> None:
    rig = resting()
    rig.scopes = (ScopeOrder("strategy", "market_making", 1, "PAUSED", "throttle"),)
    rig.run(200)
    assert rig.venue.open == {}


# --- switches ---------------------------------------------------------------------------


@pytest.mark.req("KS-1")
def test_market_past_its_cutoff_is_cancelled_and_never_quoted_again() -> None:
    rig = resting()
    cutoff = WallMs(rig.now.wall_ms + 500)
    rig.info = msgspec.structs.replace(rig.info, cutoff_ms=cutoff)
    rig.run(480)
    assert len(rig.venue.open) == 2
    rig.run(60)
    assert rig.venue.open == {}
    posts = len(rig.venue.posts)
    rig.run(1_000)
    assert len(rig.venue.posts) == posts
    assert "cutoff" in rig.denials()


@pytest.mark.req("KS-2")
def test_stale_user_feed_cancels_all_and_resumes_after_reconciliation() -> None:
    rig = resting()
    rig.silent_feeds.add("feed_user")
    rig.run(2_900)
    assert len(rig.venue.open) == 2
    rig.run(250)
    assert rig.venue.open == {}
    rig.silent_feeds.clear()
    reads = len(rig.venue.seen("/data/orders"))
    rig.run(500)
    assert len(rig.venue.seen("/data/orders")) > reads, "reconciled first"
    assert len(rig.venue.open) == 2


@pytest.mark.req("KS-2")
def test_nothing_is_placed_after_a_user_feed_break_until_reads_answer() -> None:
    rig = resting()
    rig.venue.silent.add("read")
    rig.user_session = 2
    rig.wishes = ()
    rig.run(200)
    rig.wishes = (target(),)
    rig.run(1_000)
    assert rig.venue.open == {}
    assert "reconciled" in rig.denials()
    rig.venue.silent.clear()
    rig.run(1_000)
    assert len(rig.venue.open) == 1


@pytest.mark.req("KS-3")
def test_silent_oracle_pauses_at_three_and_cancels_at_ten_seconds() -> None:
    rig = resting()
    rig.silent_feeds.add("feed_price")
    rig.run(3_200)
    assert len(rig.venue.open) == 2, "paused, not cancelled"
    rig.wishes = (target(), target(token=DOWN), target(level=1, price=PriceE4(4_700)))
    rig.run(300)
    assert len(rig.venue.open) == 2
    assert "oracle" in rig.denials()
    rig.run(6_700)
    assert rig.venue.open == {}


@pytest.mark.req("KS-4")
def test_stale_market_feed_cancels_its_tokens() -> None:
    rig = resting()
    rig.silent_feeds.add("feed_market")
    rig.run(1_900)
    assert len(rig.venue.open) == 2
    rig.run(250)
    assert rig.venue.open == {}


@pytest.mark.req("KS-4")
def test_invalid_view_cancels_the_market() -> None:
    rig = resting()
    rig.view = {"valid": False, "reason": "hash differs"}
    rig.run(150)
    assert rig.venue.open == {}
    assert "state_view" in rig.denials()


def test_state_that_is_silent_cancels_the_market() -> None:
    rig = resting()
    rig.silent_feeds.add("state")
    rig.run(1_150)
    assert rig.venue.open == {}


def test_market_that_leaves_the_calendar_is_cancelled() -> None:
    rig = resting()
    rig.info = msgspec.structs.replace(rig.info, accepting_orders=False)
    rig.run(150)
    assert rig.venue.open == {}


def test_panic_file_blocks_and_cancels() -> None:
    rig = resting()
    rig.tell(PanicSeen(True))
    rig.run(100)
    assert rig.venue.open == {}
    assert rig.core.may_send(rig.venue.posts[0].permit, rig.now) == "panic"
    rig.run(8_000)
    assert rig.venue.open == {}


@pytest.mark.req("KS-12")
def test_stop_ends_only_after_zero_is_proven() -> None:
    rig = resting()
    rig.tell(Stop("SIGTERM"))
    rig.run(1_000)
    assert rig.venue.open == {}
    assert rig.ended() is None
    rig.run(6_000)
    ended = rig.ended()
    assert ended is not None
    assert ended.status == 0


@pytest.mark.req("KS-12")
def test_stop_is_honest_when_the_venue_does_not_answer() -> None:
    rig = resting()
    rig.venue.silent |= {"cancel", "read"}
    rig.tell(Stop("SIGTERM"))
    rig.run(11_900)
    assert rig.ended() is None
    rig.run(300)
    ended = rig.ended()
    assert ended is not None
    assert ended.status == 1
    assert "not proven" in ended.reason


def test_stop_before_there_are_credentials_ends_at_once() -> None:
    rig = Rig()
    rig.tell(Stop("SIGTERM"))
    assert rig.exit is not None
    assert rig.exit.status == 0


# --- start ------------------------------------------------------------------------------


@pytest.mark.req("EX-5")
def test_start_does_not_trade_while_cancel_all_and_reads_have_no_answer() -> None:
    rig = Rig()
    rig.venue.silent.add("read")
    rig.wishes = (target(),)
    rig.tell(identity())
    rig.run(5_000)
    assert rig.venue.posts == []
    assert rig.core.health()[0] == "starting"
    assert "zero" in rig.core.health()[1]
    rig.venue.silent.clear()
    rig.run(5_000)
    assert len(rig.venue.open) == 1


def test_start_waits_for_key_and_credentials() -> None:
    rig = Rig()
    rig.run(2_000)
    assert rig.venue.requests == []
    assert rig.core.health() == ("starting", "waits for key and credentials")


# --- orders and fills -------------------------------------------------------------------


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
    cancels = [r for r in rig.venue.seen("/orders") if stranger.encode() in r.body]
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


@pytest.mark.req("EX-7")
def test_order_off_a_new_tick_is_cancelled() -> None:
    rig = Rig()
    rig.start()
    rig.view = {"tick_e4": PriceE4(10)}
    rig.run(100)
    rig.wishes = (target(price=PriceE4(4_810)),)
    rig.run(200)
    assert len(rig.venue.open) == 1
    change = TickChanged(MARKET, UP, PriceE4(10), PriceE4(100), rig.now.wall_ms)
    rig.hear("feed_market", "feed.market", change)
    rig.run(50)
    assert rig.venue.open == {}
    assert "tick" in rig.denials()


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


# --- cancels ----------------------------------------------------------------------------


@pytest.mark.req("INV-4")
@pytest.mark.req("EX-3")
def test_cancel_refused_by_429_is_repeated_within_a_quarter_second() -> None:
    rig = resting()
    rig.venue.cancel_status = 429
    rig.venue.cancel_headers = {"retry-after": "30"}
    rig.wishes = ()
    rig.run(1_100)
    assert len(rig.venue.seen("/orders")) >= 4
    rig.venue.cancel_status = 200
    rig.run(300)
    assert rig.venue.open == {}


@pytest.mark.req("EX-3")
def test_repeated_cancel_failures_escalate_to_one_cancel_all_and_an_alert() -> None:
    rig = resting()
    before = len(rig.venue.seen("/cancel-all"))
    rig.venue.cancel_status = 500
    rig.wishes = ()
    rig.run(2_000)
    assert len(rig.venue.seen("/cancel-all")) > before
    assert any(alert.name == "cancel_failing" for alert in rig.published(Alert))


# --- money ------------------------------------------------------------------------------


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
