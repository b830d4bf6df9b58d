"""Execution as a whole: the rules of the fence protocol that it carries."""

import msgspec
import pytest

from services.execution.may_send import PlaceOrder
from shared.control import ScopeOrder
from shared.effects import ControlReceived, HttpReset
from shared.ledger_schema import Journal, OrderRecord
from shared.units import NS_PER_MS, WallMs
from tests.builders.execution import RISK_RUN, Rig, identity, resting, target
from tests.builders.markets import MARKET

# --- INV-2, INV-3: ledger and lease ---


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


@pytest.mark.req("INV-1")
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


@pytest.mark.req("KS-1")
def test_post_decided_before_the_cutoff_may_not_be_written_after_it() -> None:
    rig = Rig()
    rig.start()
    rig.info = msgspec.structs.replace(rig.info, cutoff_ms=WallMs(rig.now.wall_ms + 400))
    rig.run(300)
    rig.wishes = (target(),)
    post = next(e for e in rig.wish() if isinstance(e, PlaceOrder))
    to_cutoff_ms = rig.info.cutoff_ms - rig.now.wall_ms
    assert 0 < to_cutoff_ms <= 100
    rig.ms += to_cutoff_ms
    assert rig.core.may_send(post.permit, rig.now) is None
    rig.ms += 1
    assert rig.core.may_send(post.permit, rig.now) == "too_late"


# --- fence ---


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


# --- start ---


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
